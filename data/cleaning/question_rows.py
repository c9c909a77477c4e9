"""Read the rows of question files that are Parquet tables or JSON lists, with a number for each.

Exams and protected texts use the same rows: a question that can be asked is also kept out of the
training examples.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.decoding import clean_value, decode
from kofinlaw.errors import raise_if_machine
from kofinlaw.files import parse_json_line

__all__ = ["ROW_SUFFIXES", "question_rows"]

ROW_SUFFIXES = (".parquet", ".json")
_BATCH_ROWS = 1024


def question_rows(path: Path) -> Iterator[tuple[int, Mapping[str, object]]]:
    """Yield (number from 1, fields by name) of each row of a Parquet file or of a JSON list.

    Raises UserError, with the file and the row, for a file that is missing, truncated or damaged,
    for JSON that is not a list of objects, and for a text that is not UTF-8.
    """
    if not path.is_file():
        raise UserError("no such file", where=str(path), remedy="check the path")
    return _parquet_rows(path) if path.suffix.lower() == ".parquet" else _listed_rows(path)


def _parquet_rows(path: Path) -> Iterator[tuple[int, Mapping[str, object]]]:
    try:
        import pyarrow.parquet as parquet
        from pyarrow import ArrowException
    except ImportError as error:
        raise UserError(
            "reading a Parquet file needs the package pyarrow",
            where=str(path),
            remedy="pip install pyarrow, or save the table as CSV",
        ) from error

    number = 0
    try:
        with parquet.ParquetFile(path) as table:
            for batch in table.iter_batches(_BATCH_ROWS):
                for row in batch.to_pylist():
                    number += 1
                    yield number, {str(name): clean_value(value) for name, value in row.items()}
    except (ArrowException, OSError, ValueError) as error:
        raise_if_machine(error, path)
        raise UserError(
            f"the Parquet file cannot be read after {number} rows: {error}",
            where=str(path),
            remedy="copy or download the file again: it is truncated, damaged or another format",
        ) from error


def _listed_rows(path: Path) -> Iterator[tuple[int, Mapping[str, object]]]:
    try:
        text, _ = decode(path.read_bytes(), records=True)
    except UserError as error:
        raise UserError(str(error), where=str(path)) from error
    except OSError as error:
        raise_if_machine(error, path)
        raise UserError(f"the file cannot be read: {error}", where=str(path)) from error
    remedy = "write a list of objects ([{…}, {…}]); one object a line is JSON Lines (.jsonl)"
    try:
        value = parse_json_line(text)
    except ValueError as error:
        raise UserError(f"broken JSON: {error}", where=str(path), remedy=remedy) from error
    if not isinstance(value, list):
        raise UserError("the JSON file is not a list", where=str(path), remedy=remedy)
    for number, row in enumerate(value, 1):
        if not isinstance(row, dict):
            raise UserError("the item is not an object", where=f"{path}:{number}", remedy=remedy)
        yield number, row
