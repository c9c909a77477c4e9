"""Read the text of an annex: the lines that only repeat its name, and whether it was deleted."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kofinlaw.data.frontmatter import iso_day
from kofinlaw.data.law.annexes import Annex, only_deleted

__all__ = ["deletion", "lines_of_name"]

_MOST_OPENING_LINES = 6  # the first lines of a file repeat the annex's name and title
_DELETED_ON = re.compile(r"삭\s*제[\s<(]*(\d{4}\s*[.년-]\s*\d{1,2}\s*[.월-]\s*\d{1,2})")


def lines_of_name(lines: Sequence[str], annex: Annex) -> frozenset[int]:
    """Return the indexes of the first lines that have only the annex's name or title.

    A chunk repeats both in its header.
    """
    name, heading, regulation = map(_letters, (annex.name, annex.heading, annex.of))
    title = _letters(annex.heading.partition("(")[0])
    found = []
    for index, line in enumerate(lines[:_MOST_OPENING_LINES]):
        bare = _letters(line).removeprefix(regulation).removeprefix(name)
        is_title = heading.startswith(bare) and (bare == title or 2 * len(bare) >= len(heading))
        if not bare or is_title or _only_cites(line, heading):
            found.append(index)
    return frozenset(found)


def _only_cites(line: str, heading: str) -> bool:
    """Return whether a line in brackets (`(제2-2조제1항 관련)`) is the end of the title."""
    bare = _letters(line)
    return line.strip().startswith("(") and len(bare) > 3 and heading.endswith(bare)


def _letters(text: str) -> str:
    return re.sub(r"[\W_]", "", text)


def deletion(lines: Sequence[str], raw: str) -> str | None:
    """Return `삭제 <2016-07-28>` for an annex whose text only says so; None for another one.

    Args:
        lines: The lines of the text without amendment tags.
        raw: The text itself, where the day may be in a tag. Without a day the result is `삭제`.
    """
    if not only_deleted(lines):
        return None
    found = _DELETED_ON.search(raw)
    day = iso_day(found.group(1).replace("-", ".")) if found else ""
    return f"삭제 <{day}>" if day else "삭제"
