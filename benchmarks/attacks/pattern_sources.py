"""Collect every regular expression that the package compiles.

Two ways, because neither finds all:

- the first argument of every `re.<function>(...)` call, evaluated in its module (a local variable
  becomes a short Korean word);
- every `re.Pattern` object that a module holds in a global, a container or a class.
"""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("data", "models", "augment", "trainer", "rag", "scoring", "recipes")
FUNCTIONS = {
    "compile",
    "search",
    "match",
    "fullmatch",
    "split",
    "findall",
    "finditer",
    "sub",
    "subn",
}
# Methods that try one place only; all others try every place of the text.
ANCHORED = {"match", "fullmatch"}
PLACEHOLDER = "가나"


@dataclass(frozen=True)
class Found:
    """One pattern: its text (str or bytes), flags, where it is written, and how it is used.

    `anchored` is true where it is only tried at one place (`match`, `fullmatch`); `whole` where it
    must reach the end of the text (`fullmatch`).
    """

    pattern: str | bytes
    flags: int
    where: str
    anchored: bool
    whole: bool


class _Names(dict[str, object]):
    """The globals of a module; a local variable is a short Korean word."""

    def __missing__(self, name: str) -> object:
        import builtins

        return getattr(builtins, name) if hasattr(builtins, name) else PLACEHOLDER


def module_files() -> list[Path]:
    """Modules that use `re`."""
    files = sorted((ROOT / "kofinlaw").glob("*.py"))
    for room in ROOMS:
        files += [p for p in sorted((ROOT / room).rglob("*.py")) if "sample" not in p.parts]
    return [p for p in files if re.search(r"^\s*import re$", p.read_text("utf-8"), re.MULTILINE)]


def collect() -> tuple[list[Found], list[str]]:
    """Every pattern once, and the calls whose pattern could not be evaluated."""
    found: dict[tuple[str | bytes, int], Found] = {}
    unread: list[str] = []
    for path in module_files():
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts if parts[0] == "kofinlaw" else ("kofinlaw", *parts))
        module = importlib.import_module(name.removesuffix(".__init__"))
        tree = ast.parse(path.read_text("utf-8"))
        uses = _uses(tree)
        for one in _calls(tree, vars(module), path, uses, unread):
            _keep(found, one)
        for variable, value in list(vars(module).items()):
            for pattern in _held(value, set()):
                how = uses.get(variable, {"search"})
                _keep(found, _found(pattern, f"{path.relative_to(ROOT)}:{variable}", how))
    return sorted(found.values(), key=lambda one: one.where), unread


def _keep(found: dict[tuple[str | bytes, int], Found], one: Found) -> None:
    key = (one.pattern, one.flags)
    known = found.get(key)
    if known is None or (known.anchored and not one.anchored):
        found[key] = one


def _found(pattern: re.Pattern[str] | re.Pattern[bytes], where: str, how: set[str]) -> Found:
    return Found(pattern.pattern, pattern.flags, where, how <= ANCHORED, "fullmatch" in how)


def _uses(tree: ast.Module) -> dict[str, set[str]]:
    """How each name's pattern is called in its own module; another use counts as `search`."""
    uses: dict[str, set[str]] = {}
    called: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            uses.setdefault(node.value.id, set()).add(node.attr)
            called.add(id(node.value))
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and id(node) not in called:
            uses.setdefault(node.id, set()).add("search")
    return uses


def _calls(
    tree: ast.Module,
    names: dict[str, object],
    path: Path,
    uses: dict[str, set[str]],
    unread: list[str],
) -> Iterator[Found]:
    targets = {
        id(node.value): node.targets[0].id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    for node in ast.walk(tree):
        if not (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == "re"
            and node.func.attr in FUNCTIONS
            and node.args
        ):
            continue
        where = f"{path.relative_to(ROOT)}:{node.lineno}"
        flags = next((k.value for k in node.keywords if k.arg == "flags"), None)
        least = {"sub": 3, "subn": 3, "split": 2, "compile": 1}.get(node.func.attr, 2)
        if (
            flags is None
            and node.func.attr in {"compile", "search", "match", "fullmatch", "findall", "finditer"}
            and len(node.args) > least
        ):
            flags = node.args[least]
        try:
            scope = _Names(names)
            text = eval(compile(ast.Expression(node.args[0]), "<pattern>", "eval"), scope)
            number = eval(compile(ast.Expression(flags), "<f>", "eval"), scope) if flags else 0
            pattern = text if isinstance(text, re.Pattern) else re.compile(text, number)
        except Exception as error:
            unread.append(f"{where}: {error}")
            continue
        how = {node.func.attr}
        if node.func.attr == "compile":
            how = uses.get(targets.get(id(node), ""), {"search"})
        yield _found(pattern, where, how)


def _held(value: object, seen: set[int]) -> Iterator[re.Pattern[str] | re.Pattern[bytes]]:
    if id(value) in seen or len(seen) > 20_000:
        return
    seen.add(id(value))
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, dict):
        for key, item in list(value.items()):
            yield from _held(key, seen)
            yield from _held(item, seen)
    elif isinstance(value, list | tuple | set | frozenset):
        for item in list(value):
            yield from _held(item, seen)
    elif isinstance(value, type) and value.__module__.startswith("kofinlaw"):
        for item in list(vars(value).values()):
            yield from _held(item, seen)
    elif type(value).__module__.startswith("kofinlaw") and hasattr(value, "__dict__"):
        yield from _held(vars(value), seen)
    elif hasattr(value, "__dataclass_fields__") and not isinstance(value, type):
        for name in value.__dataclass_fields__:
            yield from _held(getattr(value, name, None), seen)
