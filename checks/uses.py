"""Collect what the project's code uses of a library: imports, attributes, calls, keywords."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Use", "uses_in", "uses_of"]


@dataclass(frozen=True, order=True)
class Use:
    """One use of a library.

    - `name` is dotted (`vllm.LLM`), `where` is file and line.
    - `called` says whether it is called; then with `positional` arguments and `keywords`.
    - `extended_by` is a class whose fields a callable takes through `**kwargs`.
    """

    name: str
    where: str
    called: bool = False
    positional: int = 0
    keywords: tuple[str, ...] = ()
    extended_by: str = ""


def uses_of(libraries: Iterable[str], files: Iterable[Path], root: Path) -> list[Use]:
    """Return the uses of the libraries in the files; `where` is relative to `root`."""
    wanted = set(libraries)
    found = []
    for path in files:
        text = path.read_text(encoding="utf-8")
        if any(library in text for library in wanted):
            found += uses_in(text, path.relative_to(root).as_posix(), wanted)
    return sorted(set(found))


def uses_in(text: str, file: str, libraries: set[str]) -> Iterator[Use]:
    """Yield the uses of the libraries in one module's text."""
    tree = ast.parse(text)
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        for local, dotted, full in _imports(node, libraries):
            names[local] = dotted
            yield Use(full, f"{file}:{getattr(node, 'lineno', 0)}")
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            dotted = _resolved(node, names)
            if dotted:
                yield Use(dotted, f"{file}:{node.lineno}")
        if isinstance(node, ast.Call):
            dotted = _resolved(node.func, names)
            if dotted:
                keywords = tuple(sorted(k.arg for k in node.keywords if k.arg))
                plain = sum(not isinstance(a, ast.Starred) for a in node.args)
                yield Use(dotted, f"{file}:{node.lineno}", True, plain, keywords)


def _imports(node: ast.AST, libraries: set[str]) -> Iterator[tuple[str, str, str]]:
    """Yield (local name, what it names, what is imported) of an import of the libraries."""
    if isinstance(node, ast.ImportFrom) and not node.level:
        if (node.module or "").split(".")[0] in libraries:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield alias.asname or alias.name, full, full
    elif isinstance(node, ast.Import):
        for alias in node.names:
            top = alias.name.split(".")[0]
            if top in libraries:
                yield alias.asname or top, alias.name if alias.asname else top, alias.name


def _resolved(node: ast.AST, names: dict[str, str]) -> str:
    """Return the dotted name of an expression that begins with an imported name; empty if none."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or node.id not in names:
        return ""
    return ".".join([names[node.id], *reversed(parts)])
