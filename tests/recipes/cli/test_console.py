"""What commands print: next commands that a shell runs as printed, and short paths."""

import ast
import shlex
from pathlib import Path

from kofinlaw.recipes.cli.console import command_line, say_styled, short_path

CLI = Path(__file__).resolve().parents[3] / "recipes" / "cli"


def test_a_printed_command_is_one_that_a_shell_can_run(tmp_path):
    folder = tmp_path / "금융 법"
    line = command_line("ask", "언제까지 보고하나요?", "--run", folder, comment="한 질문")
    words = ["ask", "언제까지 보고하나요?", "--run", str(folder)]
    assert shlex.split(line, comments=True)[-4:] == words


def test_a_path_below_the_current_folder_is_short(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert short_path(tmp_path / "runs" / "a") == str(Path("runs") / "a")
    assert short_path(Path("/elsewhere")) == "/elsewhere"


def test_every_suggested_command_is_made_by_one_function():
    """`say_next` gets results of `command_line` (or of functions that return them), no texts."""
    makers = {"command_line", "asking_command", "compare_hint"}
    found = 0
    for path in sorted(CLI.rglob("*.py")):
        module = ast.parse(path.read_text(encoding="utf-8"))
        assigned = {
            target.id: node.value
            for node in ast.walk(module)
            if isinstance(node, (ast.Assign, ast.NamedExpr))
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(module):
            if not (isinstance(node, ast.Call) and getattr(node.func, "id", "") == "say_next"):
                continue
            for argument in node.args:
                value = argument.value if isinstance(argument, ast.Starred) else argument
                if isinstance(value, ast.Name):
                    value = assigned[value.id]
                calls = [c for c in ast.walk(value) if isinstance(c, ast.Call)]
                names = {getattr(call.func, "id", "") for call in calls}
                assert names & makers, f"{path.name}:{node.lineno}"
                found += 1
        # The heading is printed in one place, so no command builds such lines itself.
        texts = [n.value for n in ast.walk(module) if isinstance(n, ast.Constant)]
        heads = [text for text in texts if isinstance(text, str) and "Next:" in text]
        assert len(heads) == (path.name == "console.py"), path.name
    assert found >= 12


def test_a_styled_line_keeps_bold_and_no_other_code(capsys):
    say_styled("\x1b[1m보관\x1b[0m은 \x1b[2J\x1b]0;x\x07 5년")
    assert capsys.readouterr().out == "\x1b[1m보관\x1b[0m은 [2J]0;x 5년\n"
