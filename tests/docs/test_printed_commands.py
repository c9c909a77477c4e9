"""Every `kofinlaw` command that a page shows is one that the command line reads."""

import importlib.util
import re
import shlex
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "README.ko.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^ *```(\w*)[^\n]*\n(.*?)^ *```", re.M | re.S)
INLINE = re.compile(r"`(kofinlaw [a-z][^`\n]*)`")

_spec = importlib.util.spec_from_file_location("pico_run", ROOT / "tests/recipes/conftest.py")
pico_run = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(pico_run)


def block_commands(page: Path) -> list[str]:
    """Return the commands in the page's blocks of plain text, without redirections."""
    found = []
    for kind, block in BLOCK.findall(page.read_text(encoding="utf-8")):
        if kind in ("", "sh", "bash", "console"):
            lines = [line.strip().removeprefix("$ ") for line in block.splitlines()]
            found += [line for line in lines if line.startswith("kofinlaw ")]
    return [re.sub(r" [<>|] .*", "", line) for line in found]


def read(line: str) -> str:
    """Return why the command line refuses a command; empty if it reads it."""
    bare = line.replace("[", "").replace("]", "")  # optional words
    words = shlex.split(bare, comments=True)
    try:
        pico_run.parser().main(args=words[1:], standalone_mode=False)
    except Exception as error:
        return f"{line}: {error}"
    return ""


def test_the_commands_in_blocks_are_read():
    lines = [(page.name, line) for page in PAGES for line in block_commands(page)]
    assert len(lines) > 100
    assert [f"{page}: {why}" for page, line in lines if (why := read(line))] == []


def test_the_commands_in_sentences_name_a_command():
    """A sentence may leave out arguments, but not name a command or an option that is not there."""
    known = pico_run.parser()
    wrong, found = [], 0
    for page in PAGES:
        text = BLOCK.sub("", page.read_text(encoding="utf-8"))
        for line in INLINE.findall(text):
            found += 1
            words = [word.strip("[](),.") for word in line.split()[1:]]
            command = known.commands.get(words[0])
            if command is None:
                wrong.append(f"{page.name}: {line}")
                continue
            inner = getattr(command, "commands", {})
            if len(words) > 1 and words[1] in inner:
                command = inner[words[1]]
            options = {name for one in command.params for name in (*one.opts, *one.secondary_opts)}
            for one in inner.values():
                options |= {name for parameter in one.params for name in parameter.opts}
            for word in words[1:]:
                if word.startswith("--") and word.partition("=")[0] not in options | {"--help"}:
                    wrong.append(f"{page.name}: {line}: {word}")
    assert found > 100
    assert wrong == []


def test_the_commands_in_messages_exist():
    known = set(pico_run.parser().commands)
    rooms = ("augment", "data", "kofinlaw", "models", "rag", "recipes", "scoring", "trainer")
    files = [path for room in rooms for path in (ROOT / room).rglob("*.py")]
    named = {
        (path.relative_to(ROOT).as_posix(), name)
        for path in files
        if not path.is_symlink()
        for name in re.findall(r"[`(]kofinlaw ([a-z][a-z-]*)", path.read_text(encoding="utf-8"))
    }
    assert len(named) > 20
    assert sorted((path, name) for path, name in named if name not in known) == []
