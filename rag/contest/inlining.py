"""Turn a script that imports from kofinlaw into one that does not, by copying what it uses.

So the contest's machine runs the code that is tested here, and not a second version of it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.rag.contest.old_patterns import with_old_patterns

__all__ = ["PACKAGE", "inline"]

PACKAGE = "kofinlaw"


def inline(source: str) -> str:
    """Return the script with each `from kofinlaw... import name` replaced by the source
    of the name.

    Patterns are rewritten for Python 3.10, see `with_old_patterns`. Everything that a name uses is
    copied too: constants, other functions, and its module's imports
    of other packages. Names that only annotations use are not copied. A private name that two
    modules define differently gets the name of its module in the second one (`_WORD_actors`).
    Raises UserError where two modules define the same public name differently, and for a name that
    does not exist.
    """
    tree = ast.parse(source)
    imports, own = _split(tree.body)
    copied = _Copied()
    for statement in imports:
        if own_module := _own_module(statement):
            for alias in statement.names:
                _paste(own_module, alias.name, copied)
        else:
            copied.outside[ast.unparse(statement)] = None
    docstring = ast.get_docstring(tree, clean=False) or ""
    first = own[0].lineno if own else 0
    rest = "\n".join(source.split("\n")[first - 1 :]) if own else ""
    future = "from __future__ import annotations"
    lines = [line for line in copied.outside if line != future]
    head = f'"""{docstring}"""\n\n{future}\n\n' + "\n".join(sorted(lines))
    whole = "\n\n\n".join([head, *copied.pasted.values(), rest.rstrip()]) + "\n"
    return with_old_patterns(whole)


@dataclass
class _Copied:
    """What has been copied.

    `pasted` holds the texts by their names in the script, `sources` the original text of each,
    `outside` the imports of other packages, and `renamed` the new names by (module, name).
    """

    pasted: dict[str, str] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    outside: dict[str, None] = field(default_factory=dict)
    renamed: dict[tuple[str, str], str] = field(default_factory=dict)


def _paste(module: str, name: str, copied: _Copied) -> None:
    """Add a top-level name of a module, after everything it uses."""
    source = _source(module)
    tree = ast.parse(source)
    imports, body = _split(tree.body)
    statements = {defined: node for node in body for defined in _defined(node)}
    node = statements.get(name)
    if node is None:
        _paste_import(imports, module, name, copied)
        return
    if (module, name) in copied.renamed:
        return
    first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
    text = "\n".join(source.split("\n")[first - 1 : node.end_lineno])
    new = name
    if copied.sources.get(name, text) != text:
        if not name.startswith("_"):
            raise UserError(f"two modules define `{name}` differently", where=module)
        new = f"{name}_{module.rpartition('.')[2]}"
    copied.renamed[module, name] = new
    if new in copied.pasted:
        return
    copied.sources[new] = text
    copied.pasted[new] = ""  # ends a recursion over names that refer to each other
    for used in _names(node):
        if used in statements and used != name:
            _paste(module, used, copied)
        elif used not in statements:
            _paste_import(imports, module, used, copied, needed=False)
    del copied.pasted[new]
    changed = {old: to for (of, old), to in copied.renamed.items() if of == module and old != to}
    copied.pasted[new] = _with_names(text, changed)


def _with_names(text: str, changed: Mapping[str, str]) -> str:
    """Return the text of a statement with other private names, also within f-strings.

    Attributes of the same name stay.
    """
    for old, new in changed.items():
        text = re.sub(rf"(?<![\w.]){re.escape(old)}(?!\w)", new, text)
    return text


def _paste_import(
    imports: list[ast.Import | ast.ImportFrom],
    module: str,
    name: str,
    copied: _Copied,
    *,
    needed: bool = True,
) -> None:
    """Follow a name to the module it was imported from."""
    for statement in imports:
        for alias in statement.names:
            if (alias.asname or alias.name).split(".")[0] != name:
                continue
            if own_module := _own_module(statement):
                _paste(own_module, alias.name, copied)
            else:
                one = ast.unparse(statement).partition("import ")[0] + f"import {alias.name}"
                copied.outside[one + (f" as {alias.asname}" if alias.asname else "")] = None
            return
    if needed:
        raise UserError(f"the module has no `{name}`", where=module)


def _split(body: list[ast.stmt]) -> tuple[list[ast.Import | ast.ImportFrom], list[ast.stmt]]:
    """Return (imports, everything else except the docstring)."""
    imports = [node for node in body if isinstance(node, (ast.Import, ast.ImportFrom))]
    others = [
        node
        for node in body
        if not isinstance(node, (ast.Import, ast.ImportFrom))
        and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
    ]
    return imports, others


def _own_module(statement: ast.Import | ast.ImportFrom) -> str:
    """Return the kofinlaw module that a statement imports from; empty for any other."""
    module = statement.module if isinstance(statement, ast.ImportFrom) else None
    return module if module is not None and module.split(".")[0] == PACKAGE else ""


def _defined(node: ast.stmt) -> Iterator[str]:
    """Yield names that a statement defines."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        yield node.name
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    for target in targets:
        for part in ast.walk(target) if target is not None else ():
            if isinstance(part, ast.Name):
                yield part.id


def _names(node: ast.AST) -> list[str]:
    """Return the names that the code of a statement uses, without annotations:
    they are never evaluated.
    """
    seen: dict[str, None] = {}

    def visit(part: ast.AST, field: str) -> None:
        if field in ("annotation", "returns"):
            return
        if isinstance(part, ast.Name):
            seen[part.id] = None
        for name, value in ast.iter_fields(part):
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    visit(child, name)

    visit(node, "")
    return list(seen)


def _source(module: str) -> str:
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise UserError(f"the module {module} does not exist")
    return Path(spec.origin).read_text(encoding="utf-8")
