"""Read the rows of JSONL, CSV and Parquet files, with all values as clean text."""

from __future__ import annotations

import csv
import io
import itertools
import json
import lzma
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kofinlaw import UserError
from kofinlaw.data.readers.record_texts import clean_column, record_form
from kofinlaw.data.readers.tables import column_names
from kofinlaw.data.settings import LimitSettings, SourceSettings
from kofinlaw.decoding import clean_text, clean_value, decode
from kofinlaw.files import parse_json_line
from kofinlaw.records import record_fault
from kofinlaw.units import MIB

if TYPE_CHECKING:
    import pyarrow

__all__ = ["csv_records", "csv_rows", "lists_files", "rows_of"]

_FILE_NAME = re.compile(r"\.(?=\d*[A-Za-z])[A-Za-z0-9]{1,5}\Z")  # not the number `2.25`
_LINE_END = re.compile(r"\r\n?")


def rows_of(path: Path, limits: LimitSettings) -> Iterator[dict[str, str] | UserError]:
    """Yield the records of a JSONL or Parquet file with all values as text; the error of a record
    that is broken.

    Raises UserError if there are more records than `limits.records`.
    """
    name = path.name.lower()
    rows: Iterator[Mapping[object, object] | UserError]
    if name.endswith(".parquet"):
        rows = _parquet(path)
    else:
        rows = _json_lines(_unpacked(path, limits) if name.endswith(".xz") else path.read_bytes())
    for number, row in enumerate(rows, 1):
        if number > limits.records:
            raise UserError(f"more than {limits.records} records")
        if isinstance(row, UserError):
            yield row
            continue
        try:
            record = {clean_column(str(k)): _text(v) for k, v in row.items() if k is not None}
        except Exception as error:
            yield UserError(record_fault(error))
            continue
        yield {column: text for column, text in record.items() if text is not None}


def csv_rows(path: Path, source: SourceSettings) -> list[list[str]]:
    """Return the rows of a CSV or TSV file that are not blank.

    Cells beyond the header get a name. A first line with a single cell above wider rows is a title,
    and gets none.

    Raises UserError if the file is not text, or is not CSV.
    """
    text, _ = decode(path.read_bytes(), source.encoding, records=True)
    text = _LINE_END.sub("\n", text)
    csv.field_size_limit(1 << 30)
    try:
        delimiter = "\t" if path.name.lower().endswith(".tsv") else _delimiter(text)
        read = csv.reader(io.StringIO(text), delimiter=delimiter)
        rows = [[clean_text(cell) for cell in row] for row in read if any(row)]
    except csv.Error as error:
        raise UserError(f"the CSV file is damaged: {error}") from error
    if rows and (len(rows[0]) > 1 or record_form(rows[0], source.columns) != "table"):
        longest = max(len(row) for row in rows)
        rows[0] += [f"열 {n}" for n in range(len(rows[0]) + 1, longest + 1)]
    return rows


def csv_records(rows: Sequence[Sequence[str]]) -> Iterator[dict[str, str]]:
    """Yield each row below the header `rows[0]` by column name."""
    header = column_names([clean_column(name) for name in rows[0]])
    for row in rows[1:]:
        yield dict(zip(header, [*row, *[""] * (len(header) - len(row))], strict=True))


def _delimiter(text: str) -> str:
    """Return the separator that splits most of the first lines: a comma, or what Excel writes
    instead of it. The lines above the header may have none, or another one in a sentence.
    """
    first = list(itertools.islice(io.StringIO(text), _LINES_TRIED))

    def split_lines(mark: str) -> int:
        return sum(len(row) > 1 for row in csv.reader(first, delimiter=mark))

    return max(",\t;", key=split_lines)  # of equals, the first


_LINES_TRIED = 50


def _unpacked(path: Path, limits: LimitSettings) -> bytes:
    most_bytes = limits.expanded_mebibytes * MIB
    try:
        with lzma.open(path) as handle:
            data = handle.read(most_bytes + 1)
    except (lzma.LZMAError, EOFError) as error:
        raise UserError(f"the xz file is broken: {error}") from error
    if len(data) > most_bytes:
        raise UserError(f"the xz file unpacks to more than {limits.expanded_mebibytes} MiB")
    return data


def _json_lines(data: bytes) -> Iterator[Mapping[object, object] | UserError]:
    text = _LINE_END.sub("\n", decode(data, records=True)[0])
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            value = parse_json_line(line)
        except ValueError as error:
            yield UserError(f"line {number} is not JSON: {error}")
            continue
        yield value if isinstance(value, dict) else UserError(f"line {number} is no JSON object")


def _parquet(path: Path) -> Iterator[Mapping[object, object] | UserError]:
    import pyarrow.parquet as parquet
    from pyarrow import ArrowException

    try:
        for batch in parquet.ParquetFile(path).iter_batches(1024):
            try:
                yield from batch.to_pylist()
            except UnicodeDecodeError:
                yield from _one_by_one(batch)
    except (ArrowException, OSError, ValueError) as error:
        raise UserError(f"the Parquet file cannot be read: {error}") from error


def _one_by_one(batch: pyarrow.RecordBatch) -> Iterator[Mapping[object, object] | UserError]:
    """Yield the records of a batch of which one has a text that is not UTF-8."""
    for row in range(batch.num_rows):
        try:
            yield batch.slice(row, 1).to_pylist()[0]
        except UnicodeDecodeError as error:
            yield UserError(f"a text of the record is not UTF-8: {error.reason}")


def _text(value: object) -> str | None:
    """Return a value as text: NaN is empty. None for no value."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None if value is None else ""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, (list, dict)):
        return json.dumps(clean_value(value), ensure_ascii=False)
    return str(value)


def lists_files(rows: Sequence[Sequence[str]], folder: Path) -> bool:
    """Return whether a column of a table names files below `folder` in at least 80 % of its rows.

    `rows[0]` is the header. A file may lie in a folder that another column of its row names.
    """
    body = rows[1:]
    if not body:
        return False

    def exists(row: Sequence[str], name: str) -> bool:
        places = [folder, *(folder / other for other in row if other and other != name)]
        try:
            return any((place / name).is_file() for place in places)
        except (OSError, ValueError):  # a cell that is not a file name
            return False

    for column in range(len(rows[0])):
        names = [row[column].strip() if column < len(row) else "" for row in body]
        if sum(bool(_FILE_NAME.search(name)) for name in names) < 0.8 * len(body):
            continue
        found = sum(exists(row, name) for row, name in zip(body, names, strict=True) if name)
        if found >= 0.8 * len(body):
            return True
    return False
