"""A session of questions: from a pipe, at a terminal, with commands and Ctrl-C."""

import io
import json
import unicodedata
from datetime import date

import pytest

from kofinlaw import UserError
from kofinlaw.rag.answer.single_question import AskedAnswer
from kofinlaw.recipes.asking.answer_lines import LineStyle
from kofinlaw.recipes.asking.session import HELP, Session, TerminalLines, piped_lines


class Model:
    """Answers every question with its number; fails or is stopped where the question says so."""

    def __init__(self):
        self.asked = []

    def __call__(self, question, day):
        self.asked.append((question, day))
        if question == "stop":
            raise KeyboardInterrupt
        if question == "wrong":
            raise UserError("no such thing")
        if question == "crash":
            raise RuntimeError("CUDA error: out of memory")
        return AskedAnswer(f"답 {len(self.asked)}.", "", 0.5, "model", (), question=question)


def session(lines, *, interactive=True, **values):
    """The questions asked, lines said and notes of a session."""
    model, said, notes = Model(), [], []
    open_session = Session(
        ask=model,
        say=said.append,
        note=notes.append,
        style=LineStyle(),
        interactive=interactive,
        **values,
    )
    open_session.run(iter(lines))
    return [question for question, _ in model.asked], said, notes, open_session


def test_a_terminal_takes_questions_until_an_empty_line():
    asked, said, notes, _ = session(["하나?", " 둘? \n", "", "셋?"])
    assert asked == ["하나?", "둘?"]
    assert [line for line in said if line.startswith("답")] == ["답 1.", "답 2."]
    assert not [line for line in said if line.startswith("질문")]
    assert notes == []


def test_a_pipe_takes_all_lines_and_shows_each_question():
    asked, said, _, _ = session(["\ufeff하나?\n", "\n", "둘?"], interactive=False)
    assert asked == ["하나?", "둘?"]
    assert [line for line in said if line.startswith("질문")] == ["질문> 하나?", "질문> 둘?"]


def test_a_line_that_ends_with_a_backslash_continues():
    asked, _, _, _ = session(["옳은 것은?\\", "1 하나\\", "2 둘", "끝?\\"])
    assert asked == ["옳은 것은?\n1 하나\n2 둘", "끝?"]


def test_json_is_one_object_a_line():
    _, said, _, _ = session(["하나?", "둘?"], as_json=True, interactive=False)
    assert [json.loads(line)["answer"] for line in said] == ["답 1.", "답 2."]


def test_an_error_does_not_end_the_session():
    asked, _, notes, ended = session(["wrong", "둘?"])
    assert asked == ["wrong", "둘?"]
    assert (notes, ended.failed) == (["error: no such thing"], 1)


def test_a_model_that_fails_does_not_end_the_session():
    asked, said, notes, ended = session(["crash", "둘?"], interactive=False, as_json=True)
    assert (asked, len(said), ended.failed) == (["crash", "둘?"], 1, 1)
    assert notes == ["error: the model failed: RuntimeError: CUDA error: out of memory"]


def test_ctrl_c_stops_the_answer_and_twice_the_session():
    asked, _, notes, _ = session(["stop", "둘?", "stop", "셋?"])
    assert asked == ["stop", "둘?", "stop", "셋?"]
    assert notes == ["\nthe answer is stopped; press Ctrl-C again to leave"] * 2

    class Twice:
        """A user who presses Ctrl-C in an answer and again at the prompt."""

        def __init__(self):
            self.left = ["stop", KeyboardInterrupt, "never"]

        def __iter__(self):
            return self

        def __next__(self):
            one = self.left.pop(0)
            if one is KeyboardInterrupt:
                raise KeyboardInterrupt
            return one

    asked, _, notes, _ = session(Twice())
    assert (asked, len(notes)) == (["stop"], 1)
    prompt = Twice()
    prompt.left = ["하나?", KeyboardInterrupt, "둘?", KeyboardInterrupt, KeyboardInterrupt, "never"]
    asked, _, notes, _ = session(prompt)
    assert (asked, notes) == (["하나?", "둘?"], ["\npress Ctrl-C again to leave"] * 2)
    with pytest.raises(KeyboardInterrupt):
        session(["stop"], interactive=False)


def test_commands_show_the_last_answer_and_set_the_day():
    lines = [":help", ":json", "하나?", ":json", ":evidence", ":scores", ":day 2026. 1. 2.",
             "둘?", ":day", "셋?", ":nonsense", ":day 2026/01/02", ":quit", "넷?"]  # fmt: skip
    asked, said, notes, ended = session(lines, day=date(2020, 1, 1))
    assert asked == ["하나?", "둘?", "셋?"]
    assert notes[: len(HELP)] == list(HELP)
    assert [json.loads(line)["answer"] for line in said if line.startswith("{")] == ["답 1."]
    assert "[origin model, confidence 0.5000]" in said
    assert said.count("근거 없음") == 5
    errors = [note for note in notes if note.startswith("error")]
    parts = ["no answer yet", "unknown command", "write 2026-01-02"]
    assert [part in error for part, error in zip(parts, errors, strict=True)] == [True] * 3
    assert ended.day is None


def test_the_day_reaches_the_question():
    model = Model()
    open_session = Session(model, print, print, LineStyle())
    open_session.run(iter([":day 2026-01-02", "하나?"]))
    assert model.asked == [("하나?", date(2026, 1, 2))]


def test_a_pipe_without_a_question_is_refused(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("\n \n"))
    with pytest.raises(UserError, match="no question"):
        piped_lines()
    monkeypatch.setattr("sys.stdin", io.StringIO("\n하나?\n둘?"))
    assert list(piped_lines()) == ["하나?", "둘?"]


def test_a_pipe_may_be_cp949(monkeypatch):
    data = "하나?\n".encode() + "둘?\n".encode("cp949") + b"\xff\xff\n" + "셋?".encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data), encoding="ascii"))
    asked, _, notes, ended = session(piped_lines(), interactive=False)
    assert (asked, ended.failed) == (["하나?", "둘?", "셋?"], 1)
    assert "not text" in notes[0]


def test_the_prompt_is_no_part_of_redirected_output(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO("하나?\n"))
    assert list(TerminalLines()) == ["하나?"]
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "질문> 질문> ")


def test_questions_from_a_pipe_are_clean(monkeypatch):
    raw = unicodedata.normalize("NFD", "은\u200b행?\n").encode() + "둘?\n".encode("cp949")
    raw += b"\xef\xbb\xbf\xec\x85\x8b?\x00\n"
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8"))
    assert list(piped_lines()) == ["은행?", "둘?", "셋?"]
