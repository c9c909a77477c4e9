"""Read the rows of a file of any evaluation set."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.data.korean.words import normalise
from kofinlaw.files import read_json_lines
from kofinlaw.rag.questions.exam_files import Row, file_rows

__all__ = ["bench_rows", "row_text"]

_SUFFIXES = (".csv", ".json", ".jsonl", ".ndjson", ".parquet")


def bench_rows(path: Path) -> Iterator[tuple[int, Row]]:
    """Yield (line or row, fields by lower-case name) of a file of any evaluation set.

    Raises UserError for a file that is missing, empty, damaged or of another kind, and for a column
    that is there twice.
    """
    if not path.is_file():
        raise UserError(
            "the file does not exist" if not path.is_dir() else "this is a folder, not a file",
            where=str(path),
            remedy="check the path",
        )
    suffix = path.suffix.lower()
    with open(path, "rb") as handle:
        head = handle.read(200)
    if not head.strip():
        raise UserError("the file is empty", where=str(path), remedy="download it again")
    if head.startswith(b"version https://git-lfs"):
        raise UserError(
            "this is a pointer of Git LFS, not the file itself",
            where=str(path),
            remedy="run `git lfs pull` in its clone, or download the file",
        )
    if suffix not in _SUFFIXES:
        raise UserError(
            f"no reader for {suffix or 'a file without an ending'}",
            where=str(path),
            remedy=f"the forms are {', '.join(_SUFFIXES)}; save a spreadsheet as CSV UTF-8",
        )
    if head.startswith(b"PAR1") and suffix != ".parquet":
        raise UserError(
            "this is a Parquet file", where=str(path), remedy="give its name the ending .parquet"
        )
    if suffix == ".json" and head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
        rows: Iterator[tuple[int, Row]] = read_json_lines(path)
    else:
        rows = file_rows(path)
    for line, row in rows:
        yield line, {normalise(str(name)).strip().lower(): value for name, value in row.items()}


def row_text(row: object) -> str:
    """Return all texts in a row, one a line, with those in lists and objects."""
    if isinstance(row, str):
        return row
    values = row.values() if isinstance(row, dict) else row if isinstance(row, list) else ()
    return "\n".join(filter(None, map(row_text, values)))
