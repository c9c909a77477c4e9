"""Read question files: the contest's `ID,Question` CSV, and JSON Lines."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from kofinlaw import UserError
from kofinlaw.files import read_json_lines, sha256_file
from kofinlaw.rag.questions.field_names import (
    ID_NAMES,
    QUESTION_NAMES,
    field_named,
    field_of,
)
from kofinlaw.rag.questions.option_marks import QuestionText
from kofinlaw.rag.questions.question_csv import column, csv_records, decoded
from kofinlaw.rag.questions.question_fields import fields_of, question_of
from kofinlaw.records import Question

__all__ = [
    "MAX_FILE_BYTES",
    "Doubt",
    "QuestionFile",
    "doubt_lines",
    "iso_day",
    "read_questions",
]

SHOWN_DOUBTS = 12  # ids of one reason that are named
MAX_FILE_BYTES = 256 * 1024 * 1024  # bytes; a question file is a few MB at most


class Doubt(NamedTuple):
    """A question whose stem and options are not read with certainty, and why."""

    id: str
    line: int
    reason: str


@dataclass(frozen=True)
class QuestionFile:
    """The questions of a file, and what a submission needs to have the same form.

    `columns` and `rows` are those of the file (one row for each question); `encoding` and `newline`
    are those of the submission; `sha256` is the hash of the file's bytes. `doubts` are questions
    that are not read with certainty; `noted` counts those with notes or answers in their text.
    """

    path: Path
    questions: tuple[Question, ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    id_column: str
    encoding: str
    newline: str
    sha256: str
    doubts: tuple[Doubt, ...] = ()
    noted: int = 0

    def doubt_lines(self) -> list[str]:
        """Return what a user should check before the questions are answered, as sentences."""
        out = list(doubt_lines(self.path, self.doubts, len(self.questions)))
        if self.noted:
            out.append(
                f"{self.path}: notes and answers inside the text of {self.noted} questions (정답, "
                "해설, ※, 출처) are left out of stem and options"
            )
        return out


def doubt_lines(path: Path, doubts: Sequence[Doubt], questions: int) -> Iterator[str]:
    """Yield the doubtful questions of a file, by reason, as sentences."""
    reasons: dict[str, list[Doubt]] = {}
    for doubt in doubts:
        reasons.setdefault(doubt.reason, []).append(doubt)
    for reason, found in reasons.items():
        named = ", ".join(f"{doubt.id} (line {doubt.line})" for doubt in found[:SHOWN_DOUBTS])
        more = f" and {len(found) - SHOWN_DOUBTS} more" if len(found) > SHOWN_DOUBTS else ""
        yield (
            f"{path}: {len(found)} of {questions} questions are doubtful, {reason}: {named}{more} "
            "→ write their options as a list `options`, or as lines `1) …`"
        )


def read_questions(path: Path) -> QuestionFile:
    """Read a question file.

    - CSV with the columns `ID` and `Question` (in any case; other columns are kept). Options are
      recognised by their marks, see `read_text`, or have columns of their own (`A` to `D`, `보기1`
      …, see `question_of`).
    - JSON Lines (`.jsonl`, `.ndjson`) with `id` and `question`; a line may also have `options`
      (a list or mapping of texts) and `as_of` (the day that the question is about, `2025-07-31`).

    Raises UserError, with the line and a remedy, for a missing, empty, unreadable or too large
    file, missing columns, a missing or repeated id, a blank row or question, and more than nine
    options.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(
            "the question file does not exist", where=str(path), remedy="check the path"
        )
    if path.stat().st_size > MAX_FILE_BYTES:
        raise UserError(
            f"the file holds {path.stat().st_size:,} bytes; a question file has at most "
            f"{MAX_FILE_BYTES:,}",
            where=str(path),
            remedy="check the path; split the file if it is right",
        )
    if path.suffix.lower() in (".jsonl", ".ndjson"):
        return _read_jsonl(path)
    return _read_csv(path)


def _read_csv(path: Path) -> QuestionFile:
    text, encoding = decoded(path)
    newline = "\r\n" if "\r\n" in text[: text.find("\n") + 1] else "\n"
    header, records = csv_records(path, text)
    id_index, question_index = (column(path, header, name) for name in ("ID", "Question"))
    if not records:
        raise UserError(
            "the file has a header but no questions", where=str(path), remedy="add rows below it"
        )
    questions: list[Question] = []
    doubts: list[Doubt] = []
    noted = 0
    seen: dict[str, int] = {}
    for line, row in records:
        where = f"{path}:{line}"
        identity = _identity(row[id_index].strip(), seen, line, where)
        found = _question(identity, fields_of(header, row, id_index, question_index), where)
        questions.append(Question(identity, found.stem, found.options))
        doubts += [Doubt(identity, line, found.doubt)] if found.doubt else []
        noted += bool(found.notes)
    return QuestionFile(
        path=path,
        questions=tuple(questions),
        columns=tuple(header),
        rows=tuple(
            tuple(cell.strip() if i == id_index else cell for i, cell in enumerate(row))
            for _, row in records
        ),
        id_column=header[id_index],
        encoding=encoding,
        newline=newline,
        sha256=sha256_file(path),
        doubts=tuple(doubts),
        noted=noted,
    )


def _read_jsonl(path: Path) -> QuestionFile:
    questions: list[Question] = []
    doubts: list[Doubt] = []
    noted = 0
    seen: dict[str, int] = {}
    for line, value in read_json_lines(path):
        where = f"{path}:{line}"
        fields = {name.lower(): item for name, item in value.items()}
        for wanted, names in (("id", ID_NAMES), ("question", QUESTION_NAMES)):
            name = field_named(tuple(fields), names)
            if name is not None and wanted not in fields:
                fields[wanted] = fields.pop(name)
        if "id" not in fields or "question" not in fields:
            raise UserError(
                "a question needs `id` and `question`",
                where=where,
                remedy=f"this line has {', '.join(value) or 'no fields'}",
            )
        identity = _identity(
            "" if fields["id"] is None else str(fields["id"]).strip(), seen, line, where
        )
        found = _question(identity, fields, where)
        day = iso_day(fields.get("as_of"), where)
        questions.append(Question(identity, found.stem, found.options, day))
        doubts += [Doubt(identity, line, found.doubt)] if found.doubt else []
        noted += bool(found.notes)
    if not questions:
        raise UserError(
            "the file is empty", where=str(path), remedy="write one JSON object in each line"
        )
    return QuestionFile(
        path=path,
        questions=tuple(questions),
        columns=("ID",),
        rows=tuple((question.id,) for question in questions),
        id_column="ID",
        encoding="utf-8",
        newline="\n",
        sha256=sha256_file(path),
        doubts=tuple(doubts),
        noted=noted,
    )


def _identity(identity: str, seen: dict[str, int], line: int, where: str) -> str:
    if not identity:
        raise UserError("the question has no id", where=where, remedy="give it a unique id")
    if identity in seen:
        raise UserError(
            f"the id `{identity}` is used on line {seen[identity]} already",
            where=where,
            remedy="give each question a unique id",
        )
    seen[identity] = line
    return identity


def iso_day(value: object, where: str) -> str:
    """Return an ISO day; empty for none. Raises UserError at `where` for anything else."""
    if value is None or value == "":
        return ""
    try:
        if not isinstance(value, str):
            raise ValueError("not a text")
        return datetime.date.fromisoformat(value).isoformat()
    except ValueError as error:
        raise UserError(
            f"`as_of` is not a date: {value!r}", where=where, remedy="write it as 2025-07-31"
        ) from error


def _question(identity: str, row: Mapping[str, object], where: str) -> QuestionText:
    text = field_of(row, QUESTION_NAMES)
    if not isinstance(text, str) or not text.strip():
        raise UserError(f"the question `{identity}` is empty", where=where, remedy="fill it in")
    return question_of(row, where)
