"""Read files of rows into documents: CSV, JSONL, Parquet and workbooks.

A row is a document if it is a text, or a question with its answer. Other rows are tables.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.data.readers.documents import Document, file_suffix, make_document, refused_document
from kofinlaw.data.readers.grids import Table, grid_of_rows, lay_out, layout_lines
from kofinlaw.data.readers.record_texts import (
    csv_text,
    has_title,
    record_form,
    record_text,
)
from kofinlaw.data.readers.rows import csv_records, csv_rows, lists_files, rows_of
from kofinlaw.data.settings import LimitSettings, SourceSettings
from kofinlaw.records import record_fault

__all__ = ["read_csv", "read_records", "read_xlsx"]


def read_xlsx(
    path: Path, source: SourceSettings, limits: LimitSettings, name: str
) -> Iterator[Document]:
    """Read a workbook: its sheets as one document, and each record of a sheet of questions and
    answers as a document of its own.
    """
    from kofinlaw.data.readers.spreadsheets import read_workbook

    book = read_workbook(path, limits.expanded_mebibytes, limits.cells)
    sheets = [(sheet.name, lay_out(sheet.grid)) for sheet in book.sheets]
    meta = {"title": book.title} if book.title else {}
    yield from _read_sheets(sheets, path, source, limits, name, meta, book.warnings)


def read_csv(
    path: Path, source: SourceSettings, limits: LimitSettings, name: str
) -> Iterator[Document]:
    """Read CSV or TSV: one document for each record, or one table if no column holds texts.

    Raises UserError for a list of the files in its folder (`manifest.csv`).
    """
    rows = csv_rows(path, source)
    _check_records(len(rows) - 1, limits)
    if rows and record_form(rows[0], source.columns) != "table":
        read = partial(csv_text, columns=source.columns, given=rows[0])
        yield from _record_documents(csv_records(rows), read, path, source, name)
        return
    if lists_files(rows, path.parent):
        raise UserError("a list of the files in this folder, no document")
    sheets = [("", lay_out(grid_of_rows(rows)))]
    yield from _read_sheets(sheets, path, source, limits, name, {}, ())


def read_records(
    path: Path, source: SourceSettings, limits: LimitSettings, name: str
) -> Iterator[Document]:
    """Read JSONL or Parquet: one document for each record."""
    rows = rows_of(path, limits)
    yield from _record_documents(
        rows, partial(record_text, columns=source.columns), path, source, name
    )


_Record = Mapping[str, str]


def _record_documents(
    rows: Iterable[_Record | UserError],
    read: Callable[[_Record], tuple[str, dict[str, str]]],
    path: Path,
    source: SourceSettings,
    name: str,
) -> Iterator[Document]:
    """Yield the document of each record; `read` returns its (Markdown, front matter).

    A record that fails is a document with `fault`. If no record can be read, the first fault is
    raised: it is one of the file.

    A title that an earlier record of the same day has gets the number of the record: two texts
    with one title and one day would be two versions of one document.
    """
    record = source.model_copy(update={"title": ""})
    seen: set[tuple[str, str]] = set()
    faults: list[tuple[Document, Exception]] = []
    readable = False
    form = file_suffix(path).lstrip(".")
    for number, row in enumerate(rows, 1):
        where = f"{name}#{number}"
        try:
            if isinstance(row, UserError):
                raise row
            text, meta = read(row)
            meta.setdefault("title", f"{source.title or path.name.split('.')[0]} {number}")
            document = make_document(text, record, where, form, meta)
        except Exception as error:
            refused = refused_document(where, form, record_fault(error))
            if readable:
                yield refused
            else:
                faults.append((refused, error))
            continue
        if not readable:
            yield from (refused for refused, _ in faults)
        readable = True
        if (document.title, document.as_of) in seen:
            document = replace(document, title=f"{document.title} {number}")
        seen.add((document.title, document.as_of))
        yield document
    if faults and not readable:
        raise faults[0][1]


def _read_sheets(
    sheets: Sequence[tuple[str, list[str | Table]]],
    path: Path,
    source: SourceSettings,
    limits: LimitSettings,
    name: str,
    meta: dict[str, str],
    warnings: tuple[str, ...],
) -> Iterator[Document]:
    """Yield the sheets as one document, then the records of those that hold one text a row.

    Raises UserError if there is no text, if there are too many rows, or if no sheet has the
    columns that the source names.
    """
    lines: list[str] = []
    records: list[dict[str, str]] = []
    for title, parts in sheets:
        kept: list[str | Table] = []
        for part in itertools.chain.from_iterable(_split(part, source) for part in parts):
            if isinstance(part, Table) and _has_records(part, source):
                records += part.records()
            else:
                kept.append(part)
        if kept:
            lines += [f"## {title}", ""] if len(sheets) > 1 else []
            lines += layout_lines(kept)
    rows = sum(len(p.rows) for _, parts in sheets for p in parts if isinstance(p, Table))
    _check_records(rows, limits)
    if source.columns and not records:
        raise UserError(f"no sheet has the columns {', '.join(source.columns.values())}")
    if not lines and not records:
        raise UserError("; ".join(["no text in the visible sheets", *warnings]))
    if lines:
        text = "\n".join(lines).strip() + "\n"
        document = make_document(text, source, name, file_suffix(path).lstrip("."), dict(meta))
        yield replace(document, warnings=warnings)
        warnings = ()
    read = partial(record_text, columns=source.columns, rest=True)
    for document in _record_documents(records, read, path, source, name) if records else ():
        yield replace(document, warnings=warnings)
        warnings = ()


def _split(part: str | Table, source: SourceSettings) -> list[str | Table]:
    """Return a table whose questions and answers begin below other rows (a title, a day, a
    department) as two tables: those rows, and the questions under their own header.
    """
    if isinstance(part, str) or source.columns or record_form(part.header, {}) != "table":
        return [part]
    for place, row in enumerate(part.rows[:_ROWS_ABOVE]):
        if record_form(row, {}) == "faq":
            return [Table(part.header, part.rows[:place]), Table(row, part.rows[place + 1 :])]
    return [part]


_ROWS_ABOVE = 10  # rows among which the header of questions and answers is looked for


def _has_records(table: Table, source: SourceSettings) -> bool:
    """Return whether each row of a table is a text of its own.

    Raises UserError if the columns are those of exam questions.
    """
    form = record_form(table.header, source.columns)
    if source.columns:
        return set(source.columns.values()) <= set(table.header)
    if form == "record":  # many tables have a column 내용; with a title, the rows are posts
        return has_title(table.header)
    if form == "exam":
        record_text(dict.fromkeys(table.header, ""), {})
    return form == "faq"


def _check_records(rows: int, limits: LimitSettings) -> None:
    if rows > limits.records:
        raise UserError(f"more than {limits.records} records")
