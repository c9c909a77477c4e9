"""The repository's source files, for the tests of its form."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("data", "models", "augment", "trainer", "rag", "scoring", "recipes")
# Folders next to the code that hold data, not modules.
NO_CODE = {"sample", "__pycache__"}


def source_files() -> list[Path]:
    """Every module of the package by its real path (rooms are symlinked into `kofinlaw/`)."""
    files = sorted((ROOT / "kofinlaw").glob("*.py"))
    files += sorted((ROOT / "kofinlaw" / "cluster").glob("*.py"))
    for room in ROOMS:
        files += [p for p in sorted((ROOT / room).rglob("*.py")) if not NO_CODE & set(p.parts)]
    return files


def module_name(path: Path) -> str:
    """`rag/answer/journal.py` -> `kofinlaw.rag.answer.journal`."""
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    if parts[-1] == "__init__":
        parts.pop()
    return ".".join(parts if parts[0] == "kofinlaw" else ["kofinlaw", *parts])


def tree(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imported_modules(path: Path, known: frozenset[str]) -> Iterator[str]:
    """Modules of ours that a file imports when it runs, late imports included.

    Imports for type checkers only are left out: they make no circle at run time.
    """
    module = tree(path)
    typing_only = {
        id(node)
        for guard in ast.walk(module)
        if isinstance(guard, ast.If) and "TYPE_CHECKING" in ast.unparse(guard.test)
        for statement in guard.body
        for node in ast.walk(statement)
    }
    for node in ast.walk(module):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                if full in known:
                    yield full
                elif node.module in known:
                    yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
