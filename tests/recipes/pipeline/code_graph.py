"""Which packages and modules the code can reach, read from its import statements."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[3]
PACKAGE = "kofinlaw"
PACKAGES = ("augment", "data", "models", "rag", "recipes", "scoring", "trainer")
# What these produce is in a stage's settings and inputs, so a stage need not hash their code.
HASHED_BY_VALUE = {f"{PACKAGE}.recipes.pipeline.{name}" for name in ("recipe_file", "schema")}


class Definition(NamedTuple):
    """A function, class or constant of a module."""

    module: str
    name: str


@cache
def modules() -> dict[str, Path]:
    """Every module by its full name."""
    found = {f"{PACKAGE}.{path.stem}": path for path in (ROOT / PACKAGE).glob("*.py")}
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            if "sample" not in path.parts:
                parts = [PACKAGE, *path.relative_to(ROOT).with_suffix("").parts]
                found[".".join(parts).removesuffix(".__init__")] = path
    return found


@cache
def tree(module: str) -> ast.Module:
    """The syntax tree of a module without the imports that only type checkers see."""
    parsed = ast.parse(modules()[module].read_text(encoding="utf-8"))
    parsed.body = [
        node
        for node in parsed.body
        if not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test))
    ]
    return parsed


def package_of(module: str) -> str:
    """`data` for `kofinlaw.data.corpus`; empty for a module of the root package."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in PACKAGES else ""


def imports(node: ast.AST) -> Iterator[tuple[str, str, str]]:
    """(local name, module, name in the module or nothing) of our imports in and below a node."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.ImportFrom) and inner.module and not inner.level:
            for alias in inner.names:
                full = f"{inner.module}.{alias.name}"
                if full in modules():
                    yield alias.asname or alias.name, full, ""
                elif inner.module.split(".")[0] == PACKAGE:
                    yield alias.asname or alias.name, inner.module, alias.name
        elif isinstance(inner, ast.Import):
            for alias in inner.names:
                if alias.name.split(".")[0] == PACKAGE:
                    yield alias.asname or PACKAGE, alias.name, ""


def imported_packages(package: str) -> set[str]:
    """The other packages that a package's modules import, or name in a text for a late import."""
    found = set()
    for module in modules():
        if package_of(module) != package:
            continue
        found |= {package_of(target) for _, target, _ in imports(tree(module))}
        for node in ast.walk(tree(module)):
            if isinstance(node, ast.Constant) and node.value in modules():
                found.add(package_of(node.value))
    return found - {package, ""}


@cache
def definitions(module: str) -> dict[str, ast.stmt]:
    """The functions, classes and constants of a module by name."""
    found: dict[str, ast.stmt] = {}
    for node in tree(module).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] = node
        elif isinstance(node, ast.Assign):
            found |= {t.id: node for t in node.targets if isinstance(t, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found[node.target.id] = node
    return found


def used(node: ast.AST) -> Iterator[str]:
    """Names that code uses when it runs, and classes that its annotations name."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name):
            yield inner.id


def reached(work: Callable[..., object]) -> tuple[set[str], set[str]]:
    """The packages that a stage's function imports, and the modules of `recipes` that it runs.

    The function, and every function, class and constant of `recipes` that it uses, are followed.
    """
    function = work.func if isinstance(work, partial) else work
    waiting = [Definition(function.__module__, function.__name__)]
    seen: set[Definition] = set()
    packages: set[str] = set()
    while waiting:
        here = waiting.pop()
        if here in seen or here.module in HASHED_BY_VALUE:
            continue
        seen.add(here)
        node = definitions(here.module)[here.name]
        at_top = {
            name: (target, inner)
            for statement in tree(here.module).body
            if isinstance(statement, ast.Import | ast.ImportFrom)
            for name, target, inner in imports(statement)
        }
        inside = {name: (target, inner) for name, target, inner in imports(node)}
        names = set(used(node))
        targets = [*inside.values(), *(at_top[name] for name in names & set(at_top))]
        for module, name in targets:
            if package_of(module) == "recipes":
                waiting.append(Definition(module, name))
            elif package_of(module):
                packages.add(package_of(module))
        waiting += [Definition(here.module, name) for name in names & set(definitions(here.module))]
    return packages, {definition.module for definition in seen}
