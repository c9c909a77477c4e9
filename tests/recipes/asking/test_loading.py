"""What is loaded is shown, with its time."""

import io

import pytest

from kofinlaw.recipes.asking import loading as module
from kofinlaw.recipes.asking.loading import loading


def test_a_pipe_gets_two_lines(capsys):
    with loading("the model x"):
        pass
    assert capsys.readouterr().err == "loading the model x …\nloaded in 0.0 s\n"


def test_a_terminal_sees_the_seconds_and_an_error_ends_the_line(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setattr(module, "_TICK", 0.01)

    def fail():
        with loading("the model x"):
            while "\rloading the model x … 0 s" not in screen.getvalue():
                pass
            raise ValueError("no weights")

    with pytest.raises(ValueError, match="no weights"):
        fail()
    assert screen.getvalue().endswith("s\n")
