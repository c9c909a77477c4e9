"""Read XLSX workbooks: the visible sheets as grids of text, by the values that Excel stored."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kofinlaw import UserError
from kofinlaw.data.readers.archives import Archive
from kofinlaw.data.readers.grids import Grid
from kofinlaw.data.readers.number_formats import shown_value

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

__all__ = ["Sheet", "Workbook", "read_workbook"]

_CELL = re.compile(rb"<(?:\w+:)?c[\s>/]")
_MERGE = re.compile(
    rb"<(?:\w+:)?mergeCell\s[^<>]*?ref=[\"']([A-Z]{1,3})(\d+):([A-Z]{1,3})(\d+)[\"']"
)
# A formula without a value: the file was written by a program that does not calculate.
_NO_VALUE = re.compile(
    rb"(?:</(?:\w+:)?f>|<(?:\w+:)?f(?:\s[^<>]*)?/>)\s*+(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v></(?:\w+:)?v>)?"
    rb"\s*+</(?:\w+:)?c>"
)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A visible sheet with text."""

    name: str
    grid: Grid


@dataclass(frozen=True, slots=True)
class Workbook:
    """The visible sheets of a workbook, its stated title, and warnings for the data card."""

    title: str
    sheets: tuple[Sheet, ...]
    warnings: tuple[str, ...]


def read_workbook(path: Path, expanded_mebibytes: int, cells: int) -> Workbook:
    """Read an XLSX or XLSM file. Formulas count with the value that the file holds; macros and
    links are never followed.

    Hidden sheets are left out with a warning, because they hold drafts and lists for formulas.
    Hidden rows and columns are read, because filters hide rows.

    Args:
        path: The file.
        expanded_mebibytes: The largest unpacked size in MiB.
        cells: The largest number of cells of all sheets, including those of merged ranges.

    Raises:
        UserError: The file is broken, encrypted or too large, or it has no visible sheet.
    """
    warnings = []
    with Archive(path, expanded_mebibytes) as archive:
        uncalculated = _checked(archive, cells)
    if uncalculated:
        warnings.append(
            f"{uncalculated} formulas have no stored value; open and save the file in a "
            "spreadsheet program"
        )
    try:
        from openpyxl import load_workbook

        with path.open("rb") as handle:
            book = load_workbook(handle, data_only=True, keep_links=False)
            hidden = [sheet.title for sheet in book.worksheets if sheet.sheet_state != "visible"]
            sheets = [
                Sheet(sheet.title, _grid(sheet))
                for sheet in book.worksheets
                if sheet.sheet_state == "visible"
            ]
            title = str(book.properties.title or "")
    except Exception as error:  # a damaged part causes errors of any type
        raise UserError(f"the XLSX file is damaged: {type(error).__name__}: {error}") from error
    warnings += [f"the hidden sheet `{name}` is not read; unhide it to read it" for name in hidden]
    if not sheets:
        raise UserError("no visible sheet", remedy="unhide a sheet")
    return Workbook(title, tuple(sheets), tuple(warnings))


def _checked(archive: Archive, cells: int) -> int:
    """Check the XML of the workbook in one pass; returns the number of formulas without a value.

    Raises UserError if it declares entities, or if the sheets have more than `cells` cells:
    openpyxl holds all in memory.
    """
    total = uncalculated = 0
    for name, data in archive.checked_xml():
        if not re.search(r"worksheets/[^/]+\.xml$", name, re.IGNORECASE):
            continue
        total += len(_CELL.findall(data)) + sum(_area(match) for match in _MERGE.finditer(data))
        uncalculated += len(_NO_VALUE.findall(data))
        if total > cells:
            raise UserError(
                f"the sheets have more than {cells} cells",
                remedy="split the file, or raise data.limits.cells",
            )
    return uncalculated


def _area(match: re.Match[bytes]) -> int:
    left, top, right, bottom = match.groups()
    return (_column(right) - _column(left) + 1) * (int(bottom) - int(top) + 1)


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _grid(sheet: Worksheet) -> Grid:
    grid = Grid()
    for row, column, value, code in _cells(sheet):
        number = not isinstance(value, (str, bool))
        grid.add(row, column, shown_value(value, code), number=number)
    for span in sheet.merged_cells.ranges:
        grid.merges.append((span.min_row, span.min_col, span.max_row, span.max_col))
    grid.merges.sort()
    return grid


def _cells(sheet: Worksheet) -> Iterator[tuple[int, int, object, str]]:
    """Yield (row, column, value, number format) of the cells that the file holds, in order.

    `iter_rows` would create every cell up to the last one, which may be in row 1,048,576.
    """
    for row, column in sorted(sheet._cells):
        cell = sheet._cells[row, column]
        if cell.value is not None:
            yield row, column, cell.value, str(cell.number_format)
