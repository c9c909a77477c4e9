"""Rewrite the patterns of a script for Python 3.10: no possessive quantifiers, no atomic groups.

They match the same texts where a pattern does not depend on giving nothing back; ours use them only
to be linear on long inputs.
"""

from __future__ import annotations

import io
import re
import tokenize

__all__ = ["old_pattern", "with_old_patterns"]

_COUNT = re.compile(r"\{(?:\d+(?:,\d*)?|,\d*)\}\Z")


def with_old_patterns(script: str) -> str:
    """Return a script whose raw strings hold no `++`, `*+`, `?+`, `}+` and `(?>` as operators."""
    starts = [0]
    for line in script.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    raw = False
    changes: list[tuple[int, int, str]] = []
    for token in tokenize.generate_tokens(io.StringIO(script).readline):
        name = tokenize.tok_name[token.type]
        if name == "FSTRING_START":
            raw = "r" in token.string.lower().split(token.string[-1])[0]
        is_raw = (
            raw
            if name == "FSTRING_MIDDLE"
            else token.string[:2].lower() in ('r"', "r'", "rf", "fr")
        )
        if name in ("STRING", "FSTRING_MIDDLE") and is_raw:
            start, end = (starts[row - 1] + column for row, column in (token.start, token.end))
            changed = old_pattern(script[start:end])
            if changed != script[start:end]:
                changes.append((start, end, changed))
    for start, end, text in reversed(changes):
        script = script[:start] + text + script[end:]
    return script


def old_pattern(pattern: str) -> str:
    """Return a pattern, or a part of one, without possessive quantifiers and atomic groups."""
    out: list[str] = []
    position, in_class, quantified = 0, False, False
    while position < len(pattern):
        sign = pattern[position]
        if sign == "\\":
            out.append(pattern[position : position + 2])
            position, quantified = position + 2, False
            continue
        if in_class:
            in_class = sign != "]" or "".join(out[-2:]).endswith(("[", "[^"))
        elif sign == "[":
            in_class, quantified = True, False
        elif sign == "+" and quantified:
            position, quantified = position + 1, False
            continue
        elif pattern.startswith("(?>", position):
            out += ["(", "?", ":"]
            position, quantified = position + 3, False
            continue
        else:
            group = sign == "?" and out[-1:] == ["("]
            count = sign == "}" and _COUNT.search("".join(out[-9:]) + sign) is not None
            quantified = (sign in "*+?" and not group) or count
        out.append(sign)
        position += 1
    return "".join(out)
