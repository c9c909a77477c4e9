"""Show the value of a spreadsheet cell as the sheet shows it: percent, separators, units, days."""

from __future__ import annotations

import datetime
import re

__all__ = ["shown_value"]

_TOKENS = re.compile(
    r"""
    "(?P<quoted>[^"]*)"
    | \\(?P<escaped>.)
    | \[\$(?P<currency>[^\[\]-]*+)[^\[\]]*\]
    | \[[^\[\]]*\]                        # a colour or a condition
    | [_*].                               # padding
    | (?P<digits>[#0?][#0?,]*(?:\.[#0?]+)?,*)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)


def shown_value(value: object, number_format: str) -> str:
    """Return the text of a cell value.

    Args:
        value: Text, number, truth value, day, time or None, as a spreadsheet library returns it.
        number_format: The format code of the cell, for example `#,##0"원"` or `0.00%`. A code with
            other parts (fractions, exponents) is ignored, and the number is shown in full.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, datetime.datetime):
        return value.date().isoformat() if value.time() == datetime.time() else f"{value:%F %H:%M}"
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, datetime.time):
        return f"{value:%H:%M}"
    if isinstance(value, (int, float)):
        return _shown_number(value, number_format or "General")
    return str(value)


def _shown_number(value: float, code: str) -> str:
    sections = _sections(code)
    own_section = value < 0 and len(sections) > 1  # such a section writes the sign itself
    pattern = ""
    before: list[str] = []
    after: list[str] = []
    for token in _TOKENS.finditer(sections[1] if own_section else sections[0]):
        if token["digits"]:
            if pattern:
                return _plain(value)
            pattern = token["digits"]
        elif (token["other"] or "") in "EeGg/@ymdhs" and token["other"]:
            return _plain(value)
        else:
            text = token["quoted"] or token["escaped"] or token["currency"] or token["other"] or ""
            (after if pattern else before).append(text)
    if not pattern:
        return _plain(value)
    number = abs(value) * (100 if "%" in [*before, *after] else 1)
    shown = f"{''.join(before)}{_digits(number, pattern)}{''.join(after)}".strip()
    signed = own_section and re.search(r"[-(△▲]", shown)
    return shown if value >= 0 or signed else f"-{shown}"


def _digits(number: float, pattern: str) -> str:
    """Return a positive number in the digits of a pattern such as `#,##0.0#`."""
    bare = pattern.rstrip(",")
    number /= 1000.0 ** (len(pattern) - len(bare))
    whole, _, decimals = bare.partition(".")
    text = f"{number:{',' if ',' in whole else ''}.{len(decimals)}f}"
    optional = len(decimals) - len(decimals.rstrip("#?"))
    if optional:
        kept = len(text) - optional
        text = (text[:kept] + text[kept:].rstrip("0")).rstrip(".")
    return text


def _sections(code: str) -> list[str]:
    """Split a format code at the semicolons outside quotes."""
    parts, quoted = [""], False
    for character in code:
        if character == '"':
            quoted = not quoted
        if character == ";" and not quoted:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _plain(value: float) -> str:
    """Return a number in full, without the noise of binary fractions."""
    if isinstance(value, int) or value.is_integer():
        return str(int(value))
    return f"{value:.15g}"
