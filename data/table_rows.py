"""Recognise the lines of Markdown tables: rows, and the separators below a header."""

from __future__ import annotations

import re

__all__ = ["is_row", "is_separator", "without_separators"]

_SEPARATOR = re.compile(
    r"^\s*+(?:\|?\s*+:?-{2,}:?\s*+(?:\|\s*:?-{2,}:?\s*+)*\|?"
    r"|\|\s*:?-+:?\s*+(?:\|\s*:?-+:?\s*+)*\|?)\s*+$"
)


def is_row(line: str) -> bool:
    """Return whether a line contains cells between bars."""
    return " | " in line.strip().strip("|")


def is_separator(line: str) -> bool:
    """Return whether a line only separates a header from its rows: `| --- | :---: |`, or `---`."""
    return "-" in line and _SEPARATOR.match(line) is not None


def without_separators(text: str) -> str:
    """Return a text without the lines that only separate a table's header from its rows."""
    if "-" not in text:
        return text
    return "\n".join(line for line in text.split("\n") if not is_separator(line))
