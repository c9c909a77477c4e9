"""Lay out a sheet of cells: paragraphs, and tables with one header row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from kofinlaw.data.readers.tables import cell_text, column_names, markdown_rows

__all__ = ["Grid", "Merge", "Table", "grid_of_rows", "lay_out", "layout_lines"]

_MAX_HEADER_ROWS = 4

# (first row, first column, last row, last column) of merged cells, counted from 1
Merge = tuple[int, int, int, int]


@dataclass(slots=True)
class Grid:
    """The cells of a sheet that hold text, by row and column (counted from 1).

    - `cells` maps a row to its cells; rows and columns without text are absent.
    - `numbers` are the (row, column) of the cells that hold numbers or dates.
    - `merges` are the merged cells; their text is that of the first cell.
    """

    cells: dict[int, dict[int, str]] = field(default_factory=dict)
    numbers: set[tuple[int, int]] = field(default_factory=set)
    merges: list[Merge] = field(default_factory=list)

    def add(self, row: int, column: int, text: str, *, number: bool = False) -> None:
        """Set the text of a cell, without blanks at its ends; empty text is ignored."""
        text = text.strip()
        if text:
            self.cells.setdefault(row, {})[column] = text
            if number:
                self.numbers.add((row, column))


@dataclass(frozen=True, slots=True)
class Table:
    """A table with one header row; every row has as many cells as the header.

    The cells keep their line ends; `layout_lines` replaces them.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def records(self) -> Iterator[dict[str, str]]:
        """Yield each row by column name; a repeated or empty name gets its column number."""
        names = column_names(self.header)
        for row in self.rows:
            yield dict(zip(names, row, strict=True))


def grid_of_rows(rows: Iterable[Sequence[str]]) -> Grid:
    """Return the grid of rows of text, such as those of a CSV file."""
    grid = Grid()
    for number, row in enumerate(rows, 1):
        for column, text in enumerate(row, 1):
            grid.add(number, column, text, number=_is_number(text))
    return grid


def _is_number(text: str) -> bool:
    bare = text.strip().lstrip("+-₩$").rstrip("%원").replace(",", "").replace(".", "", 1)
    return bare.isdigit()


def lay_out(grid: Grid) -> list[str | Table]:
    """Return the paragraphs and tables of a sheet, from top to bottom.

    - Merged cells are filled with their text.
    - Blank rows separate tables. A part without a header of its own, which begins with numbers
      below the same columns, continues the table above it.
    - Rows with one cell above and below a table are paragraphs: titles, units, notes.
    - A header of several rows (merged cells above others) becomes one row.
    """
    filled, origins = _filled(grid)
    out: list[str | Table] = []
    above: Table | None = None
    columns_above: tuple[int, ...] = ()
    for block in _blocks(filled):
        head, body, tail = _parts(filled, origins, block)
        out += [filled[row][min(filled[row])] for row in head]
        if body:
            columns = tuple(sorted({column for row in body for column in filled[row]}))
            continues = (
                above is not None
                and not head
                and set(columns) <= set(columns_above)
                and any((body[0], column) in grid.numbers for column in columns)
            )
            if continues and above is not None:
                rows = tuple(_row(filled, origins, row, columns_above) for row in body)
                out[out.index(above)] = above = Table(above.header, above.rows + rows)
            else:
                above, columns_above = _table(grid, filled, origins, body, columns), columns
                out.append(above)
        out += [filled[row][min(filled[row])] for row in tail]
    return out


def layout_lines(parts: Iterable[str | Table]) -> Iterator[str]:
    """Yield paragraphs and tables as Markdown lines."""
    for part in parts:
        if isinstance(part, str):
            yield " ".join(part.split())
            yield ""
        elif not part.rows:
            yield ", ".join(filter(None, part.header))
            yield ""
        else:
            rows = [part.header, *part.rows]
            yield from markdown_rows([[cell_text(cell) for cell in row] for row in rows])


Cells = Mapping[int, Mapping[int, str]]
# (row, column) of a filled cell to that of the first cell of its merge
Origins = Mapping[tuple[int, int], tuple[int, int]]


def _filled(grid: Grid) -> tuple[Cells, Origins]:
    """Return the cells with the text of merged cells in each of their places, and its origins."""
    cells = {row: dict(grid.cells[row]) for row in sorted(grid.cells)}
    origins: dict[tuple[int, int], tuple[int, int]] = {}
    for top, left, bottom, right in grid.merges:
        text = grid.cells.get(top, {}).get(left, "")
        if not text:
            continue
        for row in range(top, bottom + 1):
            if row != top and row not in grid.cells:
                continue  # a title that is two rows high does not make a second row
            for column in range(left, right + 1):
                cells[row][column] = text
                origins[row, column] = (top, left)
    return cells, origins


def _blocks(cells: Cells) -> Iterator[list[int]]:
    """Yield the runs of rows without a blank row between them."""
    block: list[int] = []
    for row in sorted(cells):
        if block and row != block[-1] + 1:
            yield block
            block = []
        block.append(row)
    if block:
        yield block


def _single(cells: Cells, origins: Origins, row: int) -> bool:
    """Return whether a row has one cell, or one merged cell."""
    return len({origins.get((row, column), (row, column)) for column in cells[row]}) == 1


def _groups_columns(above: Mapping[int, str], below: Mapping[int, str]) -> bool:
    """Return whether the only cell of a row is merged over some of the columns below it, without
    the first; a title begins in the first column.
    """
    return len(above) > 1 and min(above) > min(below)


def _parts(
    cells: Cells, origins: Origins, block: list[int]
) -> tuple[list[int], list[int], list[int]]:
    """Split rows into those with one cell at the start, the table, and those at the end."""
    wide = [row for row in block if not _single(cells, origins, row)]
    if not wide:
        return block, [], []
    first, last = block.index(wide[0]), block.index(wide[-1])
    if first and _groups_columns(cells[block[first - 1]], cells[block[first]]):
        first -= 1
    return block[:first], block[first : last + 1], block[last + 1 :]


def _table(
    grid: Grid, cells: Cells, origins: Origins, body: list[int], columns: tuple[int, ...]
) -> Table:
    """Return the table of the rows, with the rows of its header joined into one."""
    header_rows = _header_rows(grid, cells, body)
    header = []
    for column in columns:
        words = [cells[row].get(column, "") for row in header_rows]
        header.append(cell_text(" ".join(dict.fromkeys(word for word in words if word))))
    rows = [_row(cells, origins, row, columns) for row in body[len(header_rows) :]]
    return Table(tuple(header), tuple(rows))


def _header_rows(grid: Grid, cells: Cells, body: list[int]) -> list[int]:
    """Return the rows of the header: one, or those that its merged cells reach down to.

    A row below a cell that is merged over several columns belongs to the header if it holds no
    numbers.
    """
    first = last = body[0]
    wide = False
    for top, left, bottom, right in grid.merges:
        if top == first and cells[first].get(left):
            last = max(last, bottom)
            wide = wide or right > left
    if wide and last == first:
        below = cells.get(first + 1, {})
        if below and not any((first + 1, column) in grid.numbers for column in below):
            last = first + 1
    rows = [row for row in body if row <= last]
    return rows if len(rows) < min(len(body), _MAX_HEADER_ROWS + 1) else body[:1]


def _row(cells: Cells, origins: Origins, row: int, columns: tuple[int, ...]) -> tuple[str, ...]:
    """Return the texts of a row; a single cell over all columns is not repeated."""
    texts = [cells[row].get(column, "") for column in columns]
    if _single(cells, origins, row):
        texts = [next(filter(None, texts), ""), *[""] * (len(texts) - 1)]
    return tuple(texts)
