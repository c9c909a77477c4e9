"""Split passages into lines: each 항, 호 or 목 with the opening words above it.

A 호 means nothing without the opening words of its 항, so a line carries the text of its parent.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Line", "cited_articles", "passage_lines"]

_BELOW = re.compile(r"^\s*(?:\d+(?:의\d+)?\\?\.|[가-하]\\?\.)\s")
_ARTICLE = re.compile(r"제\s*(\d+)\s*조(?:의\s*(\d+))?")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a passage.

    `header` is the first line of the passage (act and article), `parent` the text of the 항 or the
    opening words above it (empty if there is none), `text` its own text.
    """

    header: str
    parent: str
    text: str

    @property
    def full(self) -> str:
        """The line with its parent."""
        return f"{self.parent} {self.text}" if self.parent else self.text

    @property
    def article(self) -> str:
        """The article of the header (`제9조의2`), or empty."""
        return next(iter(cited_articles(self.header)), "")


def passage_lines(passages: Sequence[str]) -> list[Line]:
    """Return the lines of the passages, in order; the same line of two passages appears once."""
    found: dict[Line, None] = {}
    for passage in passages:
        rows = [row.strip() for row in passage.split("\n") if row.strip()]
        header, body = (rows[0], rows[1:]) if len(rows) > 1 else ("", rows)
        parent = ""
        for row in body:
            below = bool(_BELOW.match(row))
            found.setdefault(Line(header, parent if below else "", row))
            if not below:
                parent = row
    return list(found)


def cited_articles(text: str) -> list[str]:
    """Return the articles that a text cites (`제9조`, `제9조의2`), each once, in order."""
    labels = (
        f"제{number}조" + (f"의{branch}" if branch else "")
        for number, branch in _ARTICLE.findall(text)
    )
    return list(dict.fromkeys(labels))
