"""Question files: the contest's `ID,Question` CSV, and JSON Lines."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kofinlaw import UserError
from kofinlaw.files import read_json_lines, sha256_file
from kofinlaw.rag.questions.option_marks import checked_options, split_options
from kofinlaw.rag.questions.question_csv import column, csv_records, decoded
from kofinlaw.records import Question

LARGEST_FILE = 256 * 1024 * 1024  # bytes; a question file is a few MB at most


@dataclass(frozen=True)
class QuestionFile:
    """The questions of a file, with what a submission needs to look like it.

    `columns` and `rows` are the file's own (rows parallel to `questions`); `encoding` and
    `newline` are what the submission will be written with; `sha256` is of the file's bytes.
    """

    path: Path
    questions: tuple[Question, ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    id_column: str
    encoding: str
    newline: str
    sha256: str


def read_questions(path: Path) -> QuestionFile:
    """Read `ID,Question` CSV (any case, more columns allowed) or JSON Lines with id and question.

    A line of JSON may also have `options` (texts without marks) and `as_of` (the day asked about).

    Raises UserError, with the line and what to do, for a missing, empty, unreadable or over-long
    file, missing columns, a missing or repeated id, a blank row or question, and more than nine
    options.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError("no such question file", where=str(path))
    if path.stat().st_size > LARGEST_FILE:
        raise UserError(
            f"the file holds {path.stat().st_size:,} bytes; a question file has at most "
            f"{LARGEST_FILE:,}",
            where=str(path),
            remedy="is this the right file? split it if it is",
        )
    if path.suffix.lower() in (".jsonl", ".ndjson"):
        return _read_jsonl(path)
    return _read_csv(path)


def _read_csv(path: Path) -> QuestionFile:
    text, encoding = decoded(path)
    newline = "\r\n" if "\r\n" in text[: text.find("\n") + 1] else "\n"
    header, records = csv_records(path, text)
    id_at, question_at = (column(path, header, name) for name in ("ID", "Question"))
    if not records:
        raise UserError(
            "the file has a header and no questions", where=str(path), remedy="add rows below it"
        )
    questions: list[Question] = []
    seen: dict[str, int] = {}
    for line, row in records:
        where = f"{path}:{line}"
        identity = _identity(row[id_at].strip(), seen, line, where)
        questions.append(_question(identity, row[question_at], where))
    return QuestionFile(
        path=path,
        questions=tuple(questions),
        columns=tuple(header),
        rows=tuple(
            tuple(cell.strip() if i == id_at else cell for i, cell in enumerate(row))
            for _, row in records
        ),
        id_column=header[id_at],
        encoding=encoding,
        newline=newline,
        sha256=sha256_file(path),
    )


def _read_jsonl(path: Path) -> QuestionFile:
    questions: list[Question] = []
    seen: dict[str, int] = {}
    for line, value in read_json_lines(path):
        where = f"{path}:{line}"
        fields = {name.lower(): item for name, item in value.items()}
        if "id" not in fields or "question" not in fields:
            raise UserError(
                "a question needs `id` and `question`",
                where=where,
                remedy=f"this line has {', '.join(value) or 'no fields'}",
            )
        identity = _identity(
            "" if fields["id"] is None else str(fields["id"]).strip(), seen, line, where
        )
        options = fields.get("options") or ()
        if isinstance(options, str) or not all(isinstance(o, str) for o in options):
            raise UserError("`options` must be a list of texts", where=where)
        question = _question(identity, fields["question"], where, tuple(options))
        questions.append(replace(question, as_of=_day(fields.get("as_of"), where)))
    if not questions:
        raise UserError("the file is empty", where=str(path), remedy="one JSON object a line")
    return QuestionFile(
        path=path,
        questions=tuple(questions),
        columns=("ID",),
        rows=tuple((question.id,) for question in questions),
        id_column="ID",
        encoding="utf-8",
        newline="\n",
        sha256=sha256_file(path),
    )


def _identity(identity: str, seen: dict[str, int], line: int, where: str) -> str:
    if not identity:
        raise UserError("a question without an id", where=where, remedy="give it one of its own")
    if identity in seen:
        raise UserError(
            f"the id `{identity}` stands on line {seen[identity]} already",
            where=where,
            remedy="give each question an id of its own",
        )
    seen[identity] = line
    return identity


def _day(value: Any, where: str) -> str:
    """An ISO day, or nothing."""
    if value in (None, ""):
        return ""
    try:
        return datetime.date.fromisoformat(value).isoformat()
    except (TypeError, ValueError) as error:
        raise UserError(
            f"`as_of` is no day: {value!r}", where=where, remedy="write it as 2025-07-31"
        ) from error


def _question(identity: str, question: Any, where: str, options: tuple[str, ...] = ()) -> Question:
    if not isinstance(question, str) or not question.strip():
        raise UserError(f"the question `{identity}` is empty", where=where, remedy="fill it in")
    if options:
        stem, options = checked_options(question.strip(), tuple(o.strip() for o in options), where)
    else:
        stem, options = split_options(question, where=where)
    return Question(identity, stem, options)
