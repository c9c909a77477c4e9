"""The stages of a recipe: what their fingerprints cover."""

import pytest

from kofinlaw.recipes.pipeline.run import bind
from kofinlaw.recipes.pipeline.runner import fingerprint
from kofinlaw.recipes.pipeline.schema import load_recipe
from kofinlaw.recipes.pipeline.stages import build_stages


def bound(pico, runs, *overrides):
    loaded, recipe_file = load_recipe(str(pico / "recipe.yaml"), overrides)
    return bind(loaded, recipe_file, runs, cache=runs / "cache")


def marks(run):
    found: dict[str, str] = {}
    for stage in build_stages(run):
        found[stage.name] = fingerprint(stage, found)
    return found


@pytest.mark.parametrize("judge", [False, True])
def test_who_wants_other_traces_has_the_questions_asked_anew(pico, tmp_path, judge):
    judged = ["score.judge={model: {id: google/gemma-3-270m}}"] if judge else []
    plain = marks(bound(pico, tmp_path, "trace={to: [jsonl]}", *judged))
    redacted = marks(bound(pico, tmp_path, "trace={to: [jsonl], redact: true}", *judged))
    changed = {name for name in plain if plain[name] != redacted[name]}
    answers = {"answer-base", "answer-base-rag", "answer-trained-rag"}
    assert changed == answers | {"score", "report"}  # what reads the answers follows
    alone = {s.name: s.settings for s in build_stages(bound(pico, tmp_path, *judged))}
    assert ("trace" in alone["score"]) == judge
