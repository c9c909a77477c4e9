"""Write tables as Markdown rows, and read a single line of a drawn frame as cells."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from kofinlaw.data.table_rows import is_separator

__all__ = ["cell_text", "column_names", "markdown_rows", "plain_table", "tidy_markdown"]

_FRAME = re.compile(r"[─-╿━┃]")
_RULE = re.compile(r"^[\s|=+\-]*[─-╿][\s|─-╿=+\-]*$")
_FENCE = re.compile(r"^\s*```\w*\s*$")


def plain_table(line: str) -> str:
    """Return a line of a drawn frame as cells between bars; rules,
    separators and fences become empty.

    Blanks that only pad a cell become one blank.
    """
    if _FENCE.match(line) or is_separator(line):
        return ""
    if not _FRAME.search(line):
        return line
    if _RULE.match(line):
        return ""
    cells = [re.sub(r"\s+", " ", cell).strip() for cell in re.split(r"[│┃|]", line)]
    cells = [_FRAME.sub("", cell).strip() for cell in cells]
    body = [cell for cell in cells[1:-1]] if len(cells) > 2 else cells
    return " | ".join(body).strip(" |")


def markdown_rows(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the rows in Markdown and a blank line; a table of one cell becomes a paragraph."""
    filled = [row for row in rows if any(row)]
    if len(filled) == 1 and len(filled[0]) == 1:
        yield filled[0][0]
        yield ""
        return
    for index, row in enumerate(filled):
        yield "| " + " | ".join(row) + " |"
        if index == 0:
            yield "|" + " --- |" * len(row)
    if filled:
        yield ""


def cell_text(text: str) -> str:
    """Return the text of a cell on one line, without the bar that separates cells."""
    return " ".join(text.split()).replace("|", "/")


def tidy_markdown(lines: Iterable[str]) -> str:
    """Return lines as a text with one blank line at most between two of them."""
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"


def column_names(header: Iterable[str]) -> list[str]:
    """Return names of columns without repetition: a repeated or empty name gets its number."""
    given = [name.strip() for name in header]
    taken = set(given)
    names: dict[str, None] = {}  # in order
    for number, name in enumerate(given, 1):
        unique = name
        while not unique or unique in names or (unique != name and unique in taken):
            unique = f"{unique or '열'} {number}"
        names[unique] = None
    return list(names)
