"""Read question files: the contest's `ID,Question` CSV, and JSON Lines."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, replace
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.data.korean.words import normalise
from kofinlaw.files import read_json_lines, sha256_file
from kofinlaw.rag.questions.option_marks import checked_options, split_options
from kofinlaw.rag.questions.question_csv import column, csv_records, decoded
from kofinlaw.records import Question

__all__ = ["MAX_FILE_BYTES", "QuestionFile", "iso_day", "read_questions"]

MAX_FILE_BYTES = 256 * 1024 * 1024  # bytes; a question file is a few MB at most


@dataclass(frozen=True)
class QuestionFile:
    """The questions of a file, and what a submission needs to have the same form.

    `columns` and `rows` are those of the file (one row for each question); `encoding` and `newline`
    are those of the submission; `sha256` is the hash of the file's bytes.
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
    """Read a question file.

    - CSV with the columns `ID` and `Question` (in any case; other columns are kept). Options are
      recognised by their marks, see `split_options`.
    - JSON Lines (`.jsonl`, `.ndjson`) with `id` and `question`; a line may also have `options`
      (texts without marks) and `as_of` (the day that the question is about, `2025-07-31`).

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
    seen: dict[str, int] = {}
    for line, row in records:
        where = f"{path}:{line}"
        identity = _identity(row[id_index].strip(), seen, line, where)
        questions.append(_question(identity, row[question_index], where))
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
        questions.append(replace(question, as_of=iso_day(fields.get("as_of"), where)))
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


def _question(
    identity: str, question: object, where: str, options: tuple[str, ...] = ()
) -> Question:
    if not isinstance(question, str) or not question.strip():
        raise UserError(f"the question `{identity}` is empty", where=where, remedy="fill it in")
    if options:
        texts = tuple(normalise(option).strip() for option in options)
        stem, options = checked_options(normalise(question).strip(), texts, where)
    else:
        stem, options = split_options(normalise(question), where=where)
    return Question(identity, stem, options)
