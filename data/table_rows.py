"""Recognise the lines of Markdown tables: rows, and the separators below a header."""

from __future__ import annotations

import re

__all__ = ["is_row", "is_separator"]

_SEPARATOR = re.compile(
    r"^\s*(?:\|?\s*:?-{2,}:?\s*(?:\|\s*:?-{2,}:?\s*)*\|?"
    r"|\|\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?)\s*$"
)


def is_row(line: str) -> bool:
    """Return whether a line contains cells between bars."""
    return " | " in line.strip().strip("|")


def is_separator(line: str) -> bool:
    """Return whether a line only separates a header from its rows: `| --- | :---: |`, or `---`."""
    return "-" in line and _SEPARATOR.match(line) is not None
