"""Place the cells of a table in its columns: merged cells repeat their text where they reach."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kofinlaw import UserError

__all__ = ["MAX_COLUMNS", "CellRows", "checked_rows"]

MAX_COLUMNS = 10_000
_MAX_CELLS = 1_000_000
_MAX_TEXT = 20_000_000  # characters of a table, with the copies in merged cells


class CellRows:
    """The rows of a table while its cells are read, from left to right and from top to bottom.

    A cell takes the first column that no cell above it reaches into (HTML, 4.9.12). Rows exist
    only if they were started: a cell that reaches below the table ends with it.
    """

    def __init__(self) -> None:
        self.rows: list[list[str | None]] = []
        self._cells = self._characters = 0
        self._below: dict[int, tuple[int, str]] = {}  # column to (rows left, text)
        self._starts: set[int] = set()  # columns in which a cell begins

    def start_row(self) -> None:
        """Begin a row."""
        self.rows.append([])
        kept: dict[int, tuple[int, str]] = {}
        for column, (left, text) in sorted(self._below.items()):
            self._put(column, text)
            if left > 1:
                kept[column] = (left - 1, text)
        self._below = kept

    def end_group(self) -> None:
        """End a part of the table, such as `tbody`, into the next of which no cell reaches."""
        self._below = {}

    def add(self, text: str, width: int = 1, height: int = 1, column: int | None = None) -> None:
        """Add a cell to the row that was begun last.

        Args:
            text: Its text on one line.
            width: The number of columns that it covers, at least 1.
            height: The number of rows that it covers, at least 1.
            column: Its first column, if the file says it.

        Raises UserError if the table becomes too large.
        """
        if not self.rows:
            self.start_row()
        row = self.rows[-1]
        if column is None or (column < len(row) and row[column] is not None):
            column = next((at for at, taken in enumerate(row) if taken is None), len(row))
        self._starts.add(column)
        for at in range(column, column + max(1, width)):
            if at < len(row) and row[at] is not None and at > column:
                break  # cells that overlap
            self._put(at, text)
            if height > 1:
                self._below[at] = (height - 1, text)

    def _put(self, column: int, text: str) -> None:
        if column >= MAX_COLUMNS:
            raise UserError(f"a table has more than {MAX_COLUMNS} columns")
        row = self.rows[-1]
        self._cells += max(1, column + 1 - len(row))
        self._characters += len(text)
        if self._cells > _MAX_CELLS or self._characters > _MAX_TEXT:
            raise UserError(f"a table has more than {_MAX_CELLS} cells or {_MAX_TEXT} characters")
        row.extend([None] * (column + 1 - len(row)))
        row[column] = text

    def filled(self) -> list[list[str]]:
        """Return the rows, each as long as the longest one.

        A column in which no cell begins has no width: `colspan="100"` covers the columns that
        there are.
        """
        return checked_rows(
            [[cell or "" for at, cell in enumerate(row) if at in self._starts] for row in self.rows]
        )


def checked_rows(rows: Iterable[Sequence[str]]) -> list[list[str]]:
    """Return rows filled with empty cells to the same length.

    Raises UserError as soon as the rows so far are too large.
    """
    out: list[Sequence[str]] = []
    width = characters = 0
    for row in rows:
        out.append(row)
        width = max(width, len(row))
        characters += sum(map(len, row))
        if width > MAX_COLUMNS:
            raise UserError(f"a table has more than {MAX_COLUMNS} columns")
        if width * len(out) > _MAX_CELLS or characters > _MAX_TEXT:
            raise UserError(f"a table has more than {_MAX_CELLS} cells or {_MAX_TEXT} characters")
    return [[*row, *[""] * (width - len(row))] for row in out]
