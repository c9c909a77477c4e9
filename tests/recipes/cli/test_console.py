"""What commands print: next commands that a shell runs as printed, and short paths."""

import shlex
from pathlib import Path

from kofinlaw.recipes.cli.console import command_line, short_path


def test_a_printed_command_is_one_that_a_shell_can_run(tmp_path):
    folder = tmp_path / "금융 법"
    line = command_line("ask", "언제까지 보고하나요?", "--run", folder, comment="한 질문")
    words = ["kofinlaw", "ask", "언제까지 보고하나요?", "--run", str(folder)]
    assert shlex.split(line, comments=True) == words


def test_a_path_below_the_current_folder_is_short(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert short_path(tmp_path / "runs" / "a") == str(Path("runs") / "a")
    assert short_path(Path("/elsewhere")) == "/elsewhere"
