"""Translate choices and regular expressions into llama.cpp's grammar notation (GBNF).

Notation: https://github.com/ggml-org/llama.cpp/blob/master/grammars/README.md. JSON schemas are
sent to llama.cpp unchanged; it translates them itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, TypeAlias

from kofinlaw import UserError

# Python's own parser of regular expressions: `re` compiles the same tree.
from re import _parser as parser  # type: ignore[attr-defined]  # isort: skip

__all__ = ["CATEGORIES", "MOST_REPEATS", "Tree", "choices_grammar", "pattern_grammar", "quoted"]

# A parsed pattern: (operation, argument) nodes. The argument's type depends on the operation.
Tree: TypeAlias = "Sequence[tuple[object, Any]]"

CATEGORIES = {
    "CATEGORY_DIGIT": "0-9",
    "CATEGORY_SPACE": " \\t\\n\\r",
    "CATEGORY_WORD": "a-zA-Z0-9_가-힣",
}
MOST_REPEATS = 1000


def choices_grammar(choices: Sequence[str]) -> str:
    """Return a grammar that accepts exactly the choices."""
    return "root ::= " + " | ".join(quoted(text) for text in choices)


def pattern_grammar(pattern: str) -> str:
    """Return a grammar of the texts that a regular expression matches completely.

    `\\d`, `\\s` and `\\w` mean ASCII digits, ASCII blanks, and ASCII word characters with Hangul.

    Raises: UserError for what a grammar cannot express: look-around, back references and word
    boundaries.
    """
    try:
        tree = parser.parse(pattern)
    except re.error as error:
        raise UserError(f"invalid pattern: {error}", where=pattern) from error
    return "root ::= " + _sequence(tree, pattern)


def quoted(text: str) -> str:
    """Return a text as a literal of the notation."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + escaped.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t") + '"'


def _sequence(tree: Tree, pattern: str) -> str:
    items = list(tree)
    # Anchors at the ends are redundant, because the whole text must match.
    if items and _is_anchor(items[0], "AT_BEGINNING", "AT_BEGINNING_STRING"):
        items = items[1:]
    if items and _is_anchor(items[-1], "AT_END", "AT_END_STRING"):
        items = items[:-1]
    return " ".join(_item(str(kind), value, pattern) for kind, value in items) or '""'


def _is_anchor(item: tuple[object, object], *names: str) -> bool:
    return str(item[0]) == "AT" and str(item[1]) in names


def _item(kind: str, value: Any, pattern: str) -> str:
    if kind == "LITERAL":
        return quoted(chr(value))
    if kind == "NOT_LITERAL":
        return f"[^{_in_class(value)}]"
    if kind == "ANY":
        return "[^\\n]"
    if kind == "IN":
        return _character_class(value, pattern)
    if kind == "BRANCH":
        return "(" + " | ".join(_sequence(branch, pattern) for branch in value[1]) + ")"
    if kind == "SUBPATTERN":
        if value[1] or value[2]:
            raise _impossible("flags inside", pattern)
        return f"({_sequence(value[3], pattern)})"
    if kind in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        least, most, part = value
        return f"({_sequence(part, pattern)}){_times(least, most, pattern)}"
    raise _impossible(kind.lower().replace("_", " "), pattern)


def _times(least: int, most: int, pattern: str) -> str:
    if most == parser.MAXREPEAT:
        return {0: "*", 1: "+"}.get(least, f"{{{least},}}")
    if int(most) > MOST_REPEATS:
        raise _impossible(f"more than {MOST_REPEATS} repetitions", pattern)
    return f"{{{least},{int(most)}}}"


def _character_class(parts: Tree, pattern: str) -> str:
    inside, negated = "", ""
    for kind, value in parts:
        name = str(kind)
        if name == "NEGATE":
            negated = "^"
        elif name == "LITERAL":
            inside += _in_class(value)
        elif name == "RANGE":
            inside += f"{_in_class(value[0])}-{_in_class(value[1])}"
        elif name == "CATEGORY" and str(value) in CATEGORIES:
            inside += CATEGORIES[str(value)]
        else:
            raise _impossible(str(value).lower().replace("_", " "), pattern)
    return f"[{negated}{inside}]"


def _in_class(point: int) -> str:
    """Return a character for use inside brackets, as its code if it is special there."""
    character = chr(point)
    if character.isalnum() or character in " .,:;%/()":
        return character
    return f"\\x{point:02X}" if point < 0x100 else f"\\U{point:08X}"


def _impossible(construct: str, pattern: str) -> UserError:
    return UserError(
        f"llama.cpp cannot apply this pattern: {construct}",
        where=pattern,
        remedy="rewrite the pattern without it, or use engine transformers",
    )
