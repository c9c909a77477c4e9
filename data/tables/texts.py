"""Read the rows of a table in Markdown: the label of a row, and each value with its column.

The header of a table is its first row, with the rows after it that repeat its first cell (a
heading over several columns has its columns in the next row).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kofinlaw.data.table_rows import is_separator

__all__ = ["TableRow", "cells_of", "header_above", "table_rows"]


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row below the header of a table.

    Attributes:
        line: The index of its line in the text.
        header: The lines of its header, by index in the text.
        columns: The name of each column: the words of the header, one below the other.
        cells: The cells; a blank one is empty.
        labels: The number of cells at the left that name the row.
    """

    line: int
    header: tuple[int, ...]
    columns: tuple[str, ...]
    cells: tuple[str, ...]
    labels: int

    @property
    def label(self) -> str:
        """The words that name the row, each one once: `증권의 투자매매업 ②자기매매(주식)`."""
        return " ".join(dict.fromkeys(cell for cell in self.cells[: self.labels] if cell))


def cells_of(line: str) -> tuple[str, ...]:
    """Return the cells of a row."""
    bare = line.strip()
    bare = bare.removeprefix("|").removesuffix("|")
    return tuple(cell.strip() for cell in bare.split("|"))


def table_rows(lines: Sequence[str]) -> Iterator[TableRow]:
    """Yield the rows of all tables of a text that have a header and as many cells as it."""
    for start, end in _tables(lines):
        rows = [n for n in range(start, end) if not is_separator(lines[n])]
        if len(rows) < 2:
            continue
        first = cells_of(lines[rows[0]])
        size = 1
        while size < len(rows) - 1 and _continues(first, cells_of(lines[rows[size]])):
            size += 1
        header = tuple(rows[:size])
        stacked = [cells_of(lines[n]) for n in header]
        if any(len(cells) != len(first) for cells in stacked):
            continue
        columns = tuple(
            " ".join(dict.fromkeys(cells[column] for cells in stacked if cells[column]))
            for column in range(len(first))
        )
        body = [(n, cells_of(lines[n])) for n in rows[size:]]
        body = [(n, cells) for n, cells in body if len(cells) == len(first)]
        labels = _labels(columns, [cells for _, cells in body])
        for n, cells in body:
            yield TableRow(n, header, columns, cells, labels)


def header_above(lines: Sequence[str]) -> dict[int, tuple[int, ...]]:
    """Return the header lines of each row of a table, by the index of its line."""
    return {row.line: row.header for row in table_rows(lines)}


def _tables(lines: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield the start and the end of each run of table lines."""
    start = -1
    for n, line in enumerate([*lines, ""]):
        bare = line.strip()
        row = len(bare) > 2 and bare[0] == bare[-1] == "|"
        if row and start < 0:
            start = n
        elif not row and start >= 0:
            yield start, n
            start = -1


def _continues(first: Sequence[str], cells: Sequence[str]) -> bool:
    """Return whether a row belongs to the header: it repeats its first cell, or only explains."""
    return len(cells) == len(first) and bool(first[0]) and cells[0] == first[0] and cells != first


def _labels(columns: Sequence[str], body: Sequence[Sequence[str]]) -> int:
    """Return how many columns at the left name a row: those under the first heading, and as many
    more as tell the rows apart.
    """
    first = columns[0].split(" ")[0] if columns[0] else ""
    count = 1
    while count < len(columns) - 1 and (
        (first and columns[count].split(" ")[0] == first)
        or len({tuple(cells[:count]) for cells in body}) < len(body)
    ):
        count += 1
    return count
