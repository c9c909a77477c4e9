"""The progress of long work without a terminal."""

from kofinlaw.recipes.pipeline import progress_display as progress
from kofinlaw.recipes.pipeline.progress_display import PlainProgress, stage_progress


class Clock:
    def __init__(self):
        self.now = 100.0

    def monotonic(self):
        return self.now


def test_lines_at_the_start_every_ten_seconds_and_at_the_end(capsys, monkeypatch):
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    show = PlainProgress("train")
    for done in range(0, 41):
        show("step", done, 40, loss=0.5)
        clock.now += 1.0
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "  train · step 0/40  loss 0.5"
    assert lines[1] == "  train · step 10/40  1.0/s  0:30 left  loss 0.5"
    assert lines[-1] == "  train · step 40/40  1.0/s  loss 0.5"
    assert len(lines) == 5


def test_a_count_without_an_end_is_shown_as_a_count(capsys):
    PlainProgress("data")("read", 3)
    assert capsys.readouterr().err == "  data · read 3\n"


def test_without_a_terminal_there_are_no_control_characters(capsys):
    with stage_progress("index") as show:
        show("embed", 1, 2)
        show("embed", 2, 2)
    assert "\x1b" not in capsys.readouterr().err
