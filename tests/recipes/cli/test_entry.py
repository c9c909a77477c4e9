"""The entry point: errors, exit codes, the log of a crash, and Ctrl+C."""

import os
import signal
import subprocess
import sys
import unicodedata

import pytest

from kofinlaw.recipes.cli import entry
from kofinlaw.recipes.cli.entry import typed_argument


def test_a_misspelt_recipe_is_one_error_without_a_traceback(command):
    code, _, err = command("plan", "quickstrt")
    assert code == 1
    assert err.startswith("error: quickstrt: no such recipe")
    assert "did you mean quickstart" in err


def test_a_fault_of_kofinlaw_shows_a_traceback_and_names_the_log(command, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("kofinlaw.recipes.pipeline.schema.resolved_yaml", lambda recipe: 1 / 0)
    monkeypatch.setattr("kofinlaw.models.listing.listing_rows", lambda *given: 1 / 0)
    code, _, err = command("models")
    assert code == 70
    assert "ZeroDivisionError" in err
    assert "kofinlaw-error.log" in err
    assert "ZeroDivisionError" in (tmp_path / "kofinlaw-error.log").read_text()


def test_ctrl_c_says_what_was_running_and_the_command_that_continues(pico, tmp_path):
    words = ["data", str(pico / "recipe.yaml"), "--runs", str(tmp_path / "내 runs")]
    call = [sys.executable, "-m", "kofinlaw", *words, "--resume", "never"]
    # Reading waits, so that the signal arrives while the stage works.
    slow = (
        "import signal, time, kofinlaw.data.corpus as corpus\n"
        # A shell that runs the tests in the background lets them ignore the signal.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "build = corpus.build_corpus\n"
        "def waiting(*given, progress, **named):\n"
        "    progress('read', 1, 3)\n"
        "    time.sleep(60)\n"
        "corpus.build_corpus = waiting\n"
        "import sys; sys.argv = ['kofinlaw', *sys.argv[1:]]\n"
        "from kofinlaw.recipes.cli.entry import main; main()\n"
    )
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    child = subprocess.Popen(
        [sys.executable, "-c", slow, *call[3:]],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip
    first = child.stderr.readline()
    while first and "read 1/3" not in first:
        first = child.stderr.readline()
    child.send_signal(signal.SIGINT)
    said = child.communicate(timeout=60)[1]
    assert child.returncode == 130
    assert "stopped in data · read 1/3; finished work is kept; to continue:" in said
    assert "Traceback" not in said
    *_, again = said.splitlines()
    assert again.split("kofinlaw", 1)[1] == f" data {words[1]} --runs '{words[3]}'"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("report", "serve", ".", "--port", "99999"), "--port: 99999 is not a port\n  → use 1 to 65535"),
        (("report", "serve", ".", "--port", "-1"), "-1 is not a port"),
        (("report", "serve", "file"), "file: no such folder"),
        (("data", "quickstart", "--runs", "file"), "a file lies where the run's folder would be"),
        (("plan", "quickstart", "--runs", "file"), "a file lies where the run's folder would be"),
        (("run", "mine.yaml"), "mine.yaml: no such file\n  → check the path"),
        (("run", "."), "this is a folder, not a recipe file"),
        (("ask", "질문", "--as-of", "2026/01/01"), "--as-of: '2026/01/01' is not a day\n  → write"),
        (("ask", " "), "the question is empty"),
        (("data", "diff", "nowhere", "file"), "articles.jsonl: no such file"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_error_with_a_remedy(words, said, command, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("", encoding="utf-8")
    code, out, err = command(*words)
    assert code == 1, out + err
    assert said in err
    assert err.startswith("error: ")
    assert "\n  → " in err
    assert not list(tmp_path.glob("kofinlaw-error.log"))


def test_a_folder_that_may_not_be_read_is_one_error(command, monkeypatch, tmp_path):
    def refuse(*given):
        raise PermissionError(13, "Permission denied", str(tmp_path / "locked"))

    monkeypatch.setattr("kofinlaw.models.listing.listing_rows", refuse)
    code, _, err = command("models")
    assert code == 1
    assert err.startswith(f"error: {tmp_path}/locked: this file or folder may not be read")


def test_arguments_are_composed_and_paths_name_the_real_file(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    decomposed = unicodedata.normalize("NFD", "규정.md")
    (tmp_path / decomposed).write_bytes(b"x")
    odd_name = os.fsdecode("보고.md".encode("cp949"))
    (tmp_path / odd_name).write_bytes(b"x")
    assert typed_argument("규정.md") == decomposed
    assert typed_argument(f"--out={decomposed}") == f"--out={decomposed}"
    assert typed_argument(odd_name) == odd_name
    question = unicodedata.normalize("NFD", "은행은 \u200b무엇인가?\ud83d")
    assert typed_argument(question) == "은행은 무엇인가?\ufffd"
    assert typed_argument("--set=name=" + "가" * 5000) == "--set=name=" + "가" * 5000
    assert typed_argument(os.fsdecode("질문".encode("cp949"))) == "질문"


def test_only_the_command_that_is_typed_is_built():
    names = [command.__name__.replace("_", "-") for command in entry.COMMANDS]
    for name in names:
        app = entry.command_line_app(name)
        assert [one.callback.__name__.replace("_", "-") for one in app.registered_commands] == [
            name
        ]
    for other in ("", "--help", "recipe", "fit_voters", "nothing"):
        assert len(entry.command_line_app(other).registered_commands) == len(names)
