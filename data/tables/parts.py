"""Split the tables of an annex into parts of few rows, each below the header of its table.

A question about an annex is decided by one row. In a part of its own with its header, the row is
found by its label and can be shown without the whole table.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kofinlaw.data.law.provisions import PLAIN, Line, render_line
from kofinlaw.data.splitting import CONTEXT_SHARE, CountTokens, Part, split_lines
from kofinlaw.data.table_rows import is_row
from kofinlaw.data.tables.texts import table_rows

__all__ = ["Run", "row_parts", "table_runs"]

_MOST_CAPTION = 60  # characters of a line above a table that its parts repeat: `(단위 : 만원)`


@dataclass(frozen=True, slots=True)
class Run:
    """Lines of text, or the rows of one table.

    Attributes:
        lines: The lines.
        table: The number of the table in its annex, from 1; 0 for text.
        caption: The short line above a table; empty if there is none.
        start, end: The character offsets in the text of the document.
    """

    lines: tuple[Line, ...]
    table: int
    caption: str
    start: int
    end: int


def table_runs(lines: Sequence[Line], start: int, end: int) -> Iterator[Run]:
    """Yield the runs of text and of tables with three rows or more, from `start` to `end`.

    A smaller table stays in the text around it.
    """
    groups: list[tuple[bool, list[Line]]] = []
    for line in lines:
        row = line.depth == PLAIN and line.text.startswith("|") and is_row(line.text)
        if not groups or groups[-1][0] != row:
            groups.append((row, []))
        groups[-1][1].append(line)
    merged: list[tuple[bool, list[Line]]] = []
    for row, group in groups:
        table = row and len(group) > 2
        if merged and not table and not merged[-1][0]:
            merged[-1][1].extend(group)
        else:
            merged.append((table, list(group)))
    number, above, first = 0, "", start
    for index, (table, group) in enumerate(merged):
        follows = index + 1 < len(merged)
        if not table and follows and len(group) == 1 and len(group[0].text) <= _MOST_CAPTION:
            above = render_line(group[0])  # a title of the table: it is a part of it
            continue
        last = merged[index + 1][1][0].start if follows else end
        number += table
        yield Run(tuple(group), number if table else 0, above if table else "", first, last)
        first, words = last, render_line(group[-1])
        above = words if not table and len(words) <= _MOST_CAPTION else ""
    if not merged:
        yield Run((), 0, "", start, end)


def row_parts(
    run: Run, header: str, limits: tuple[int, int], count: CountTokens, text: str
) -> Iterator[Part]:
    """Yield the parts of a table: as many rows as fit, and at least one.

    Args:
        run: The rows of the table.
        header: The header of the annex.
        limits: The largest number of tokens of a part of several rows, and of any part.
        count: The number of tokens of a text.
        text: The text of the document.
    """
    rows, most = limits
    texts = [line.text for line in run.lines]
    found = list(table_rows(texts))
    size = len(found[0].header) if found else 1
    above = "\n".join([*([run.caption] if run.caption else []), *texts[:size]])
    if count(above) > most * CONTEXT_SHARE:
        above, size = "", 0
    body = run.lines[size:] or run.lines
    groups: list[list[Line]] = []
    for line in body:
        words = [line.text for line in [*(groups[-1] if groups else []), line]]
        if groups and count("\n".join([header, above, *words])) <= rows:
            groups[-1].append(line)
        else:
            groups.append([line])
    name = f"표{run.table}"
    for index, group in enumerate(groups):
        start = run.start if index == 0 else group[0].start
        end = groups[index + 1][0].start if index + 1 < len(groups) else run.end
        label = name if index == 0 else f"{name}~{index + 1}"
        block = "\n".join(line.text for line in group)
        if count(f"{header}\n{above}\n{block}") <= most:
            yield Part(above, label, block, start, end)
            continue
        for number, part in enumerate(split_lines(group, header, most, count, text, start, end), 1):
            suffix = f"{label}.{number}"
            yield Part(part.context, suffix, part.text, part.start, part.end)
