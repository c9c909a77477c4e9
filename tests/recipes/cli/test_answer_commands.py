"""The commands `ask` and `answer`: their traces, and what they print without a run."""

import io
import json
import os
import pty
import shutil
import threading

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


def test_the_number_of_refused_questions_is_printed(answering, tmp_path, typed):
    asked = tmp_path / "asked.csv"
    asked.write_text("ID,Question\na,「없는 규정」에서 신고 한도는?\n", encoding="utf-8")
    code, said = typed("answer", asked, "--run", answering, "--out", tmp_path / "answers")
    assert code == 0, said
    assert "1 free-text questions refused (answer.abstain)" in said
    assert "「없는 규정」은 색인에 없습니다." in (tmp_path / "answers/submission.csv").read_text(
        "utf-8"
    )


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


def test_ask_refuses_an_empty_question_and_a_day_in_another_form_at_once(command, monkeypatch):
    def bound_run(folder):
        raise AssertionError("looked for a run")

    monkeypatch.setattr("kofinlaw.recipes.cli.answer_commands.bound_run", bound_run)
    code, _, err = command("ask", " ")
    assert (code, "the question is empty" in err) == (1, True)
    code, _, err = command("ask", "보관 기간은?", "--as-of", "2026/01/01")
    assert (code, err) == (1, "error: --as-of: '2026/01/01' is not a day\n  → write 2026-01-01\n")
    monkeypatch.setattr("sys.stdin", io.StringIO("\n"))
    code, _, err = command("ask")
    assert (code, "no question on standard input" in err) == (1, True)


def test_ask_takes_questions_from_a_pipe(answering, command, monkeypatch):
    lines = "서류를 보관하는 기간은?\n옳은 것은? ① 5년 ② 3년\n무엇? ① 하나\n"
    monkeypatch.setattr("sys.stdin", io.StringIO(lines))
    code, out, err = command("ask", "--run", answering)
    assert out.count("질문> ") == 3
    assert out.count("근거") >= 2
    assert ("확신 0." in out, "결정 문장 · " in out) == (True, True)
    assert code == 0, err
    monkeypatch.setattr("sys.stdin", io.StringIO(lines))
    code, out, err = command("ask", "--run", answering, "--json", "--as-of", "2026. 1. 1.")
    assert [json.loads(line)["question"] for line in out.splitlines()] == [
        "서류를 보관하는 기간은?",
        "옳은 것은?",
        "무엇? ① 하나",
    ]


def test_ask_shows_scores_only_with_debug(answering, typed):
    question = ("ask", "서류를 보관하는 기간은?", "--run", answering)
    assert ":stem" not in typed(*question)[1]
    assert ":stem" in typed(*question, "--debug")[1]


def test_a_session_at_a_terminal_takes_questions_until_an_empty_line(
    answering, command, monkeypatch
):
    """The prompt and an answer with bold words, as a user at a terminal sees them."""
    screen, inside = pty.openpty()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    shown = []

    def look():
        while not (shown and shown[-1].endswith(b"END")):
            shown.append(os.read(screen, 4096))

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    with os.fdopen(os.dup(inside)) as keyboard, os.fdopen(inside, "w") as output:
        monkeypatch.setattr("sys.stdin", keyboard)
        monkeypatch.setattr("sys.stdout", output)
        os.write(screen, "서류를 보관하는 기간은?\n\n무엇?\n".encode())
        code, _, err = command("ask", "--run", answering)
        output.write("END")
        output.flush()
        looking.join(30)
    os.close(screen)
    seen = b"".join(shown).decode("utf-8", "replace")
    assert (code, "loading the model pico/pico-llama …" in err) == (0, True)
    assert seen.count("질문> ") == 2
    assert seen.count("\r\n근거\r\n") == 1
    assert "\x1b[1m보관\x1b[0m" in seen
