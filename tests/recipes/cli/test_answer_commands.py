"""The commands `ask` and `answer`: their traces, and what they print without a run."""

import shutil

import pytest

from kofinlaw.files import write_text
from kofinlaw.recipes.pipeline.run import bind
from kofinlaw.recipes.pipeline.runner import run_stages
from kofinlaw.recipes.pipeline.schema import load_recipe, resolved_yaml
from kofinlaw.recipes.pipeline.stages import build_stages
from kofinlaw.trace_files import read_traces


def bound(pico, runs, *overrides):
    loaded, recipe_file = load_recipe(str(pico / "recipe.yaml"), overrides)
    return bind(loaded, recipe_file, runs, cache=runs / "cache")


@pytest.fixture(scope="module")
def answering(pico, tmp_path_factory):
    """A run that answers with an engine without weights, and traces."""
    runs = tmp_path_factory.mktemp("runs")
    engine = "answer.engine={engine: dummy}"
    run = bound(pico, runs, engine, "trace={to: [jsonl]}")
    run_stages(build_stages(run), run.folder, only=["data", "index"])
    write_text(run.folder / "recipe.yaml", resolved_yaml(run.recipe))
    return run.folder


def test_answers_to_a_file_are_traced_in_their_folder(answering, pico, tmp_path, typed):
    out = tmp_path / "answers"
    code, said = typed("answer", pico / "questions.jsonl", "--run", answering, "--out", out)
    assert code == 0, said
    spans = [span for _, span in read_traces(out / "traces.jsonl")]
    assert {item["id"] for span in spans for item in span["items"]} == {"q0", "q1", "q2", "f0"}
    assert "retrieval" in {span["name"] for span in spans}


def test_one_question_is_traced_in_the_run(answering, typed):
    code, said = typed("ask", "서류를 보관하는 기간은?", "--run", answering)
    assert code == 0, said
    *inside, whole = [span for _, span in read_traces(answering / "ask" / "traces.jsonl")]
    assert whole["attributes"]["query"] == "서류를 보관하는 기간은?"
    assert whole["attributes"]["answer"] in said
    assert [(span["name"], span["parent"]) for span in inside] == [
        (name, whole["id"]) for name in ("retrieval", "packing", "generate")
    ]
    retrieval, packing, generate = (span["items"][0] for span in inside)
    assert inside[0]["attributes"]["queries"] == ["서류를 보관하는 기간은?"]
    scores = [hit["score"] for hit in retrieval["documents"]]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > 0
    found = [hit["id"] for hit in retrieval["documents"]]
    assert packing["found"] == len(found)
    assert packing["documents"] == [one for one in found if one in packing["documents"]] != []
    assert "서류를 보관하는 기간은?" in generate["prompt"]
    assert generate["answer"] in said


def test_ask_without_a_run_shows_which_run_answers(typed, answering, monkeypatch, tmp_path):
    (tmp_path / "runs" / "unfinished").mkdir(parents=True)
    shutil.copy(answering / "recipe.yaml", tmp_path / "runs" / "unfinished")
    (tmp_path / "runs" / "pico").symlink_to(answering)
    monkeypatch.chdir(tmp_path)
    code, said = typed("ask", "서류를 보관하는 기간은?")
    assert code == 0, said
    assert "run: runs/pico" in said


def test_ask_without_a_run_names_the_command_that_makes_one(command, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    code, _, err = command("ask", "언제까지 보고하나요?")
    assert code == 1
    assert "kofinlaw run quickstart" in err
