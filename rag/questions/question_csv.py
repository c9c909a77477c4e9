"""CSV as people save it: byte-order marks, UTF-16, CP949, Windows newlines, line numbers kept."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from kofinlaw import UserError

LARGEST_FIELD = 4 * 1024 * 1024  # characters


def csv_records(path: Path, text: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The header, and (line number from 1, cells) of each row; empty lines may end the file."""
    csv.field_size_limit(LARGEST_FIELD)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] = []
    records: list[tuple[int, list[str]]] = []
    blank, line = 0, 1
    try:
        for row in reader:
            here, line = line, reader.line_num + 1
            if len(row) <= 1 and not "".join(row).strip():
                blank = blank or here
                continue
            if header and (blank or not any(cell.strip() for cell in row)):
                raise UserError(
                    "a blank row", where=f"{path}:{blank or here}", remedy="delete it or fill it"
                )
            blank = 0
            if not header:
                header = [cell.strip() for cell in row]
            elif len(row) != len(header):
                raise UserError(
                    f"{len(row)} cells where the header has {len(header)}",
                    where=f"{path}:{here}",
                    remedy='put cells that hold commas or line breaks in double quotes ("…")',
                )
            else:
                records.append((here, row))
    except csv.Error as error:
        raise UserError(
            f"not CSV: {error}", where=f"{path}:{line}", remedy="is a double quote missing?"
        ) from error
    if not header:
        raise UserError("the file is empty", where=str(path), remedy="it needs ID,Question rows")
    return header, records


def decoded(path: Path) -> tuple[str, str]:
    """The text and the encoding to write the submission in.

    CP949 comes from Excel; the submission then goes out as UTF-8 with a mark, which Excel opens.
    """
    if not path.is_file():
        raise UserError("no such file", where=str(path))
    raw = path.read_bytes()
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return raw.decode("utf-16"), "utf-8-sig"
        except UnicodeDecodeError:
            raw = b"\x00"
    if b"\x00" not in raw:
        for encoding in ("utf-8-sig", "cp949"):
            try:
                text = raw.decode(encoding)
            except UnicodeDecodeError:
                continue
            marked = encoding == "cp949" or raw.startswith(b"\xef\xbb\xbf")
            return text, "utf-8-sig" if marked else "utf-8"
    raise UserError(
        "the text is neither UTF-8 nor CP949",
        where=str(path),
        remedy="save it as UTF-8 (Excel: `CSV UTF-8`)",
    )


def column(path: Path, header: Sequence[str], name: str) -> int:
    """The place of this column, in any case; UserError unless it is there once."""
    found = [i for i, cell in enumerate(header) if cell.lower() == name.lower()]
    if len(found) != 1:
        raise UserError(
            f"{'no' if not found else 'more than one'} column `{name}`",
            where=f"{path}:1",
            remedy=f"the header is {', '.join(header)}; it must have ID and Question once each",
        )
    return found[0]
