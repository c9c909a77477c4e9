"""Read a heading of Markdown in linear time."""

from __future__ import annotations

import re

__all__ = ["markdown_heading"]

_MARKS = re.compile(r"\s{0,3}(#{1,6})\s")


def markdown_heading(line: str) -> tuple[int, str] | None:
    """Return (level, title) of a line such as `## 제1장 총칙 ##`; None for any other line.

    The title has no blanks and no closing `#` at its ends. A line of marks and blanks alone is not
    a heading.
    """
    match = _MARKS.match(line)
    words = line[match.end() :].strip() if match else ""
    if match is None or not words:
        return None
    return len(match.group(1)), words.rstrip("#").rstrip() or "#"
