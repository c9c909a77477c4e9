"""A whole run with forced evidence: stages, files, scores and the report's section."""

import json

import pytest

from kofinlaw import UserError, silent
from kofinlaw.files import read_jsonl
from kofinlaw.recipes.pipeline.evaluation.evidence_stages import force_evidence
from kofinlaw.recipes.pipeline.execution import execute_stages
from kofinlaw.recipes.pipeline.run import bind
from kofinlaw.recipes.pipeline.schema import load_recipe
from kofinlaw.recipes.pipeline.stages import build_stages
from kofinlaw.records import Question

KINDS = ("gold", "retrieved", "partial", "none", "contradicting")


def bound(pico, runs, *overrides):
    recipe, recipe_file = load_recipe(str(pico / "recipe.yaml"), overrides)
    return bind(recipe, recipe_file, runs, cache=runs / "cache")


@pytest.fixture(scope="module")
def finished(pico, tmp_path_factory):
    runs = tmp_path_factory.mktemp("forced")
    run = bound(pico, runs, f"evaluate.evidence=[{', '.join(KINDS)}]", "score.confident_from=0.3")
    execute_stages(run)
    return run


def test_each_kind_has_its_own_passages(finished):
    folder = finished.folder / "evidence"
    asked = {q.id for q in read_jsonl(folder / "questions.jsonl", Question)}
    assert asked == {"q0", "q1", "q2", "f0"}
    texts = {}
    for kind in set(KINDS) - {"retrieved"}:
        rows = map(json.loads, (folder / kind / "evidence.jsonl").read_text().splitlines())
        texts[kind] = {r["id"]: "\n".join(c["text"] for c in r["chunks"]) for r in rows}
    assert set(texts["gold"]) == asked
    assert "3일 이내에" in texts["gold"]["q0"]
    assert "3일 이내에" not in texts["partial"]["q0"]
    assert texts["none"]["q0"] == ""
    changed = texts["contradicting"]["q0"]
    assert changed != texts["gold"]["q0"]
    assert not any(f"{days}일 이내에" in changed for days in (1, 3, 7, 10))


def test_answers_and_shown_texts_follow_the_kind(finished):
    for model in ("base", "trained"):
        for kind in ("gold", "partial", "none", "contradicting"):
            folder = finished.folder / f"evidence-{model}-{kind}"
            rows = [json.loads(r) for r in (folder / "plan.jsonl").read_text().splitlines()]
            assert {row["plan"] for row in rows} == {"full"}
            assert all(bool(row["texts"]) == (kind != "none") for row in rows)
            # Free text is what the model writes, usable or not: a quotation never refuses.
            assert not any(row["replaced"] or row["quoted"] for row in rows)
            answers = [json.loads(r) for r in (folder / "answers.jsonl").read_text().splitlines()]
            assert {row["origin"] for row in answers} == {"model"}
    # The answers of the systems with retrieval are used, not asked again.
    assert not (finished.folder / "evidence-base-retrieved").exists()


def test_scores_and_report_have_the_section(finished):
    scores = json.loads((finished.folder / "score" / "scores.json").read_text())
    record = scores["abstention"]
    assert record["threshold"] == 0.3
    rows = {(row["evidence"], row["part"]): row for row in record["rows"]}
    assert {kind for kind, _ in rows} == set(KINDS)
    for kind in KINDS:
        row = rows[kind, "choice"]
        assert set(row["systems"]) == {"base", "trained"}
        assert row["systems"]["base"]["n"] == row["systems"]["trained"]["n"] == 3
        assert (row["meets"] is not None) == (kind in ("partial", "none"))
    page = (finished.folder / "report" / "report.html").read_text()
    assert 'id="abstention"' in page
    assert "AURC" in page
    assert "Forced evidence" in (finished.folder / "score" / "scores.md").read_text()


def test_a_second_run_answers_nothing_again(finished):
    outcomes = execute_stages(finished)
    assert {outcome.how for outcome in outcomes} == {"skipped"}


def test_a_stage_that_was_killed_between_kinds_continues(finished, tmp_path):
    force_evidence(finished, tmp_path, silent)
    first = {path: path.read_bytes() for path in tmp_path.rglob("*.jsonl")}
    (tmp_path / "none" / "evidence.jsonl").unlink()
    force_evidence(finished, tmp_path, silent)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.jsonl")} == first


def test_only_the_needed_stages_exist(pico, tmp_path):
    plain = {stage.name for stage in build_stages(bound(pico, tmp_path))}
    assert not any(name.startswith("evidence") for name in plain)
    one = bound(pico, tmp_path, "evaluate.evidence=none", "evaluate.systems=[base, trained]")
    more = {stage.name for stage in build_stages(one)} - plain
    assert more == {"evidence", "evidence-base-none", "evidence-trained-none", "answer-trained"}
    own = bound(pico, tmp_path, "evaluate.evidence=retrieved", "evaluate.systems=[base]")
    assert "evidence-base-retrieved" in {stage.name for stage in build_stages(own)}


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["evaluate.evidence=half"], "evidence"),
        (["evaluate.evidence=[gold, gold]"], "twice"),
        (["evaluate.evidence=gold", "evaluate.key=null"], "gold articles are known"),
        (["evaluate.evidence=gold", "evaluate.evidence_questions=0"], "evidence_questions"),
    ],
)
def test_mistakes_are_named(pico, tmp_path, overrides, message):
    with pytest.raises(UserError, match=message):
        bound(pico, tmp_path, *overrides)
