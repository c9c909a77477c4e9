"""A command ends at once: at the deadline, or behind its last line; a program never does."""

import io
import sys
import threading

from kofinlaw.recipes.pipeline.evaluation import leaving as module
from kofinlaw.recipes.pipeline.evaluation.leaving import Leaving


def own(ended: list[int]) -> Leaving:
    made = Leaving(ended.append)
    made.own = True
    return made


def test_a_program_that_calls_kofinlaw_keeps_running(monkeypatch):
    ended: list[int] = []
    leaving = Leaving(ended.append)
    monkeypatch.setattr(module, "GRACE", 0.0)
    leaving.leave(0)
    with leaving.at_deadline(0.0, "over"):
        threading.Event().wait(0.05)
    assert ended == []


def test_a_command_leaves_with_its_output_written(capsys):
    ended: list[int] = []
    sys.stdout.write("done")
    own(ended).leave(0)
    assert ended == [0]
    assert capsys.readouterr().out == "done"


def test_a_step_that_still_runs_at_the_deadline_is_left(monkeypatch, capsys):
    ended: list[int] = []
    over = threading.Event()
    monkeypatch.setattr(module, "GRACE", 0.0)
    leaving = Leaving(lambda code: (ended.append(code), over.set()))
    leaving.own = True
    with leaving.at_deadline(0.01, "the time is over"):
        assert over.wait(30)
    assert ended == [0]
    assert "the time is over" in capsys.readouterr().out


def test_a_line_that_cannot_be_printed_does_not_keep_the_process(monkeypatch):
    over = threading.Event()
    monkeypatch.setattr(module, "GRACE", 0.0)
    output = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", output)
    leaving = Leaving(lambda code: over.set())
    leaving.own = True
    with leaving.at_deadline(0.01, "제출 파일"):
        assert over.wait(5)


def test_a_step_that_ends_in_time_is_not_left():
    ended: list[int] = []
    with own(ended).at_deadline(3600.0, "over"):
        pass
    with own(ended).at_deadline(None, "over"):
        pass
    assert ended == []
    assert not [t for t in threading.enumerate() if isinstance(t, threading.Timer) and t.is_alive()
                and not t.finished.is_set()]  # fmt: skip
