"""Read CSV as people save it: byte-order marks, UTF-16, CP949 and Windows newlines."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.data.korean.words import normalise
from kofinlaw.decoding import clean_text
from kofinlaw.rag.questions.field_names import ID_NAMES, QUESTION_NAMES

__all__ = ["MAX_FIELD", "column", "converted_form", "csv_records", "decoded"]

MAX_FIELD = 4 * 1024 * 1024  # characters


def csv_records(path: Path, text: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the header, and (line number from 1, cells) of each row. Empty lines may end the file.

    `path` is named in error messages. Raises UserError with the line for text that is not CSV, a
    blank row, and a row with another number of cells than the header.
    """
    csv.field_size_limit(MAX_FIELD)
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
                    "a row is blank",
                    where=f"{path}:{blank or here}",
                    remedy="delete the row or fill it in",
                )
            blank = 0
            if not header:
                header = [clean_text(cell).strip() for cell in row]
            elif len(row) != len(header):
                raise UserError(
                    f"the row has {len(row)} cells, the header has {len(header)}",
                    where=f"{path}:{here}",
                    remedy='put cells that hold commas or line breaks in double quotes ("…")',
                )
            else:
                records.append((here, [clean_text(cell) for cell in row]))
    except csv.Error as error:
        raise UserError(
            f"not CSV: {error}", where=f"{path}:{line}", remedy="check for a missing double quote"
        ) from error
    if not header:
        raise UserError(
            "the file is empty",
            where=str(path),
            remedy="write the header ID,Question and one row for each question",
        )
    return header, records


def decoded(path: Path) -> tuple[str, str]:
    """Return the text of a file and the encoding in which its submission is written.

    Excel saves CP949; the submission is then written as UTF-8 with a byte-order mark, which Excel
    opens. Raises UserError where the file does not exist or has another encoding.
    """
    if not path.is_file():
        raise UserError("the file does not exist", where=str(path), remedy="check the path")
    raw = path.read_bytes()
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return clean_text(raw.decode("utf-16"), lines=False), "utf-8-sig"
        except UnicodeDecodeError:
            raw = b"\x00"
    if raw.count(b"\x00") * 8 <= len(raw):  # not UTF-16; a few are damage
        for encoding in ("utf-8-sig", "cp949"):
            try:
                text = raw.decode(encoding)
            except UnicodeDecodeError:
                continue
            marked = encoding == "cp949" or raw.startswith(b"\xef\xbb\xbf")
            return clean_text(text, lines=False), "utf-8-sig" if marked else "utf-8"
    raise UserError(
        "the text is neither UTF-8 nor CP949",
        where=str(path),
        remedy="save it as UTF-8 (Excel: `CSV UTF-8`)",
    )


def converted_form(path: Path) -> str:
    """Return `CP949` or `UTF-16` if the submission to this file is UTF-8 instead; else empty.

    Raises UserError as `decoded` does.
    """
    raw = path.read_bytes() if path.is_file() else b""
    _, written = decoded(path)
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "UTF-16"
    return "CP949" if written == "utf-8-sig" and not raw.startswith(b"\xef\xbb\xbf") else ""


def column(path: Path, header: Sequence[str], name: str) -> int:
    """Return the index of the column `ID` or `Question`, in any case or under another usual name
    (`번호`, `질문`); UserError unless the header has it exactly once.
    """
    names = [normalise(cell).strip().casefold() for cell in header]
    aliases = ID_NAMES if name.casefold() == "id" else QUESTION_NAMES
    wanted = next((alias for alias in aliases if alias in names), name.casefold())
    found = [i for i, cell in enumerate(names) if cell == wanted]
    if len(found) != 1:
        raise UserError(
            f"{'no' if not found else 'more than one'} column `{name}`",
            where=f"{path}:1",
            remedy=f"the header is {', '.join(header)}; it must have ID and Question once each",
        )
    return found[0]
