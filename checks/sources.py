"""Find classes, functions and values in the unpacked source of a library, without importing it.

Names are followed through `from … import`, star imports and lazy tables of a package (`"LLM":
".entrypoints.llm:LLM"`). Fields are collected over the base classes.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Found", "Parameters", "Sources"]

MOST_STEPS = 40  # imports that are followed for one name


@dataclass(frozen=True)
class Parameters:
    """The parameters of a callable: names by position, keyword-only names, and what is open."""

    positional: tuple[str, ...]
    keywords: frozenset[str]
    any_keyword: bool = False
    any_positional: bool = False


@dataclass(frozen=True)
class Found:
    """A definition: the module that holds it, its node, and the classes around it."""

    module: str
    node: ast.AST
    owner: ast.ClassDef | None = None


@dataclass
class Sources:
    """The sources of one or more libraries below `roots`."""

    roots: tuple[Path, ...]
    _trees: dict[str, ast.Module | None] = field(default_factory=dict)

    def module(self, name: str) -> ast.Module | None:
        """Return the syntax tree of a module, or None if there is none of that name."""
        if name not in self._trees:
            self._trees[name] = None
            path = self.path(name)
            if path is not None:
                self._trees[name] = ast.parse(path.read_text(encoding="utf-8"))
        return self._trees[name]

    def path(self, name: str) -> Path | None:
        """Return the file of a module, or None."""
        parts = Path(*name.split("."))
        for root in self.roots:
            for path in (root / parts / "__init__.py", (root / parts).with_suffix(".py")):
                if path.is_file():
                    return path
        return None

    def find(self, dotted: str) -> Found | None:
        """Return the definition of a dotted name (`vllm.LLM.generate`), or None."""
        parts = dotted.split(".")
        for length in range(len(parts), 0, -1):
            module = ".".join(parts[:length])
            if self.module(module) is not None:
                return self._inside(module, parts[length:], MOST_STEPS)
        return None

    def _inside(self, module: str, names: list[str], steps: int) -> Found | None:
        tree = self.module(module)
        if tree is None or not steps:
            return None
        if not names:
            return Found(module, tree)
        found = self._name(module, names[0], steps)
        for name in names[1:]:
            if found is None:
                return None
            if isinstance(found.node, ast.Module):
                found = self._name(found.module, name, steps)
            else:
                found = self._member(found, name)
        return found

    def _name(self, module: str, name: str, steps: int) -> Found | None:
        tree = self.module(module)
        if tree is None or steps <= 0:
            return None
        found = self._defined(module, name, steps) or self._lazily(module, name, steps)
        if found is None and self.module(f"{module}.{name}") is not None:
            found = self._inside(f"{module}.{name}", [], steps - 1)
        if found is not None:
            return found
        for node in _statements(tree):
            if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
                found = self._name(self._source(module, node), name, steps - 1)
                if found is not None:
                    return found
        return None

    def _defined(self, module: str, name: str, steps: int) -> Found | None:
        """Return what a statement of the module defines or imports under this name."""
        for node in _statements(self.module(module) or ast.Module([], [])):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                if node.name == name:
                    return Found(module, node)
            elif name in _assigned(node):
                return Found(module, node)
            elif isinstance(node, ast.ImportFrom):
                named = [a.name for a in node.names if (a.asname or a.name) == name]
                found = (
                    self._imported(self._source(module, node), named[0], steps) if named else None
                )
                if found:
                    return found
        return None

    def _lazily(self, module: str, name: str, steps: int) -> Found | None:
        """Return what the module's table of lazy imports gives this name."""
        lazy = _lazy(self.module(module) or ast.Module([], [])).get(name)
        if lazy is None:
            return None
        relative, _, attribute = lazy.partition(":")
        target = module + relative if relative.startswith(".") else relative
        return self._inside(target, (attribute or name).split("."), steps - 1)

    def _imported(self, source: str, name: str, steps: int) -> Found | None:
        found = self._name(source, name, steps - 1) if self.module(source) else None
        return found or self._inside(f"{source}.{name}", [], steps - 1)

    def _source(self, module: str, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        path = self.path(module)
        parts = module.split(".")
        up = node.level - (1 if path is not None and path.name == "__init__.py" else 0)
        parts = parts[: len(parts) - up] if up else parts
        return ".".join([*parts, *([node.module] if node.module else [])])

    def _member(self, found: Found, name: str) -> Found | None:
        for owner in self.classes(found):
            for node in _statements(owner.node):
                named = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
                if (named and node.name == name) or name in _assigned(node):
                    return Found(owner.module, node, owner.node)  # type: ignore[arg-type]
            for node in ast.walk(owner.node):
                if isinstance(node, ast.Attribute) and node.attr == name and _is_set(node):
                    return Found(owner.module, node, owner.node)  # type: ignore[arg-type]
        return None

    def classes(self, found: Found) -> Iterator[Found]:
        """Yield a class and its base classes that the sources hold, nearest first."""
        waiting, seen = [found], set()
        while waiting:
            one = waiting.pop(0)
            if not isinstance(one.node, ast.ClassDef) or id(one.node) in seen:
                continue
            seen.add(id(one.node))
            yield one
            for base in one.node.bases:
                dotted = _dotted(base)
                if dotted:
                    parent = self._inside(one.module, dotted.split("."), MOST_STEPS)
                    waiting += [parent] if parent is not None else []

    def parameters(self, found: Found) -> Parameters:
        """Return the parameters of a function, a method, or a class (its constructor or fields).

        Raises: TypeError if the definition cannot be called.
        """
        node = found.node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            static = any(_dotted(d) == "staticmethod" for d in node.decorator_list)
            return _signature(node, bound=found.owner is not None and not static)
        if not isinstance(node, ast.ClassDef):
            raise TypeError(f"{ast.unparse(node)[:80]} is not a function or class")
        fields: list[str] = []
        for one in self.classes(found):
            own = []
            for part in _statements(one.node):
                if isinstance(part, ast.FunctionDef) and part.name in ("__init__", "__new__"):
                    return _signature(part, bound=True)
                if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name):
                    own.append(part.target.id)
            fields = own + fields
        return Parameters(tuple(dict.fromkeys(fields)), frozenset())

    def values(self, dotted: str) -> frozenset[object]:
        """Return the constants in the definition of a name: of a Literal, list, mapping or number.

        Raises: KeyError if there is no such name.
        """
        found = self.find(dotted)
        if found is None:
            raise KeyError(dotted)
        return frozenset(n.value for n in ast.walk(found.node) if isinstance(n, ast.Constant))


def _statements(tree: ast.AST) -> Iterator[ast.stmt]:
    """Yield the statements of a module or class, also those below `if` and `try`."""
    for node in getattr(tree, "body", []):
        yield node
        if isinstance(node, ast.If | ast.Try):
            yield from _statements(node)
            for part in (*node.orelse, *getattr(node, "finalbody", [])):
                yield part
                if isinstance(part, ast.If | ast.Try):
                    yield from _statements(part)
            for handler in getattr(node, "handlers", []):
                yield from _statements(handler)


def _assigned(node: ast.AST) -> set[str]:
    targets = getattr(node, "targets", None) or [getattr(node, "target", None)]
    if not isinstance(node, ast.Assign | ast.AnnAssign):
        return set()
    return {name.id for target in targets for name in ast.walk(target) if _is_name(name)}


def _is_name(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)


def _is_set(node: ast.Attribute) -> bool:
    own = isinstance(node.value, ast.Name) and node.value.id == "self"
    return own and isinstance(node.ctx, ast.Store)


def _dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Subscript):
        return _dotted(node.value)
    if isinstance(node, ast.Attribute):
        head = _dotted(node.value)
        return f"{head}.{node.attr}" if head else ""
    return node.id if isinstance(node, ast.Name) else ""


def _lazy(tree: ast.Module) -> dict[str, str]:
    """Return the module's table of names that are imported when they are first used."""
    table: dict[str, str] = {}
    for node in tree.body:
        if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Dict):
            continue
        for key, value in zip(node.value.keys, node.value.values, strict=True):
            plain = isinstance(key, ast.Constant) and isinstance(value, ast.Constant)
            if plain and ":" in str(value.value):
                table[str(key.value)] = str(value.value)
    return table


def _signature(node: ast.FunctionDef | ast.AsyncFunctionDef, *, bound: bool) -> Parameters:
    names = [a.arg for a in (*node.args.posonlyargs, *node.args.args)]
    return Parameters(
        tuple(names[1:] if bound else names),
        frozenset(a.arg for a in node.args.kwonlyargs),
        node.args.kwarg is not None,
        node.args.vararg is not None,
    )
