"""Read exam files: multiple-choice questions with answers, as CSV, JSON, JSON Lines or Parquet.

The row number of a question (from 1, without the header) is kept, so that a choice can be made on
the questions of odd rows and reported on those of even rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from kofinlaw import UserError
from kofinlaw.data.cleaning.question_rows import ROW_SUFFIXES, question_rows
from kofinlaw.data.korean.words import normalise
from kofinlaw.files import read_json_lines, sha256_file
from kofinlaw.rag.questions.field_names import (
    ANSWER_NAMES,
    ID_NAMES,
    QUESTION_NAMES,
    field_named,
    field_of,
    text_of_field,
)
from kofinlaw.rag.questions.key_files import key_answer, read_keys
from kofinlaw.rag.questions.question_csv import csv_records, decoded
from kofinlaw.rag.questions.question_fields import is_option_name, question_of
from kofinlaw.rag.questions.question_files import Doubt, iso_day
from kofinlaw.records import Key, Question

__all__ = [
    "ExamFile",
    "Row",
    "Rows",
    "exam_from_rows",
    "exam_rows",
    "file_rows",
    "read_exam",
    "row_id",
]

Rows = Literal["all", "odd", "even"]
Row = Mapping[str, object]

# Columns that describe a question; each value becomes a slice such as `domain:대출`.
_DESCRIBING = ("domain", "sub_domain", "category", "year", "paper")
_FORMS = (
    "an exam has the columns question, answer (1 to 9) and A, B, C, D, or question, options and "
    "answer in JSON Lines"
)


@dataclass(frozen=True)
class ExamFile:
    """The questions of an exam, their keys in the same order, and the row of each in the file.

    The keys' slices name what the file says of a question (`domain:…`) and its half (`rows:odd`).
    `sha256` is the hash of the file's bytes. `doubts` are questions that are not read with
    certainty.
    """

    path: Path
    questions: tuple[Question, ...]
    keys: tuple[Key, ...]
    rows: tuple[int, ...]
    sha256: str
    doubts: tuple[Doubt, ...] = ()


def read_exam(path: Path, key: Path | None = None) -> ExamFile:
    """Read an exam.

    - CSV (UTF-8 with or without a byte-order mark, UTF-16 or CP949; column names in any case):
      `question`, `answer` and the options in the columns `A` to `D` (more or fewer letters, the
      numbers `1` to `5`, `보기1`, `choice_1` …, see `question_of`). Without such columns the
      options are read from the question by their marks. Optional: `id`, `domain`, `sub_domain`,
      `category`, `year`, `paper`.
    - JSON Lines with the same fields, or `options` as a list or mapping, or the records of
      `Question`. A JSON list of such objects and a Parquet table are read the same way; their
      errors name the row (from 1) where those of the other forms name the line.

    An answer is a number, a letter or the text of the option, in any form of `option_label`;
    several right answers are `1,3`, and any one of them counts.

    Args:
        path: The exam.
        key: JSON Lines of `Key` records with the answers, where the exam itself has none.

    Raises UserError, with file, line and remedy, for a file that is missing, empty or has another
    form, a missing column, an empty question or option, an answer that names no option, and an id
    that is used twice.
    """
    needed = (QUESTION_NAMES,) if key is not None else (QUESTION_NAMES, ANSWER_NAMES)
    return exam_from_rows(path, list(file_rows(path, needed)), key)


def exam_from_rows(
    path: Path, rows: Sequence[tuple[int, Row]], key: Path | None = None
) -> ExamFile:
    """Return the exam in rows that have the fields of `read_exam`.

    Args:
        path: The file of the rows, which errors name.
        rows: The line (or row) of each question in the file, and its fields by lower-case name.
        key: JSON Lines of `Key` records, where the rows have no answers.

    Raises UserError as `read_exam` does.
    """
    questions: list[Question] = []
    doubts: list[Doubt] = []
    lines: dict[str, int] = {}
    for number, (line, row) in enumerate(rows, 1):
        where = f"{path}:{line}"
        name = text_of_field(field_of(row, ID_NAMES)) or row_id(number)
        if name in lines:
            raise UserError(
                f"the id `{name}` is used on line {lines[name]} already",
                where=where,
                remedy="give each question a unique id",
            )
        lines[name] = line
        question, doubt = _question(name, row, where)
        questions.append(question)
        doubts += [Doubt(name, line, doubt)] if doubt else []
    keys = {one.id: one for one in read_keys(key, questions)} if key is not None else None
    golds: list[Key] = []
    for number, (question, (line, row)) in enumerate(zip(questions, rows, strict=True), 1):
        where = f"{path}:{line}"
        gold = keys.get(question.id) if keys is not None else None
        if keys is not None and gold is None:
            raise UserError(
                f"the question `{question.id}` has no answer in {key}",
                where=where,
                remedy="add its Key record, or remove the question",
            )
        answer = gold.answer if gold else key_answer(field_of(row, ANSWER_NAMES), question, where)
        slices = [*(gold.slices if gold else _named_slices(row)), *_described(row)]
        slices.append("rows:odd" if number % 2 else "rows:even")
        key_of_row = replace(gold or Key(question.id), answer=answer)
        golds.append(replace(key_of_row, slices=tuple(dict.fromkeys(slices))))
    if not questions:
        raise UserError("the exam has no question", where=str(path), remedy=_FORMS)
    return ExamFile(
        path,
        tuple(questions),
        tuple(golds),
        tuple(range(1, len(golds) + 1)),
        sha256_file(path),
        tuple(doubts),
    )


def exam_rows(exam: ExamFile, rows: Rows = "all", limit: int | None = None) -> ExamFile:
    """Return the exam with the questions of odd or even rows only, at most `limit` of them."""
    kept = [i for i, row in enumerate(exam.rows) if rows == "all" or row % 2 == (rows == "odd")]
    kept = kept[:limit]
    return replace(
        exam,
        questions=tuple(exam.questions[i] for i in kept),
        keys=tuple(exam.keys[i] for i in kept),
        rows=tuple(exam.rows[i] for i in kept),
    )


def row_id(number: int) -> str:
    """Return the id of the `number`-th row (from 1) of a file without ids."""
    return f"row-{number:04d}"


def file_rows(path: Path, needed: Sequence[Sequence[str]] = ()) -> Iterator[tuple[int, Row]]:
    """Yield (line, fields by lower-case name) of each row of a file of questions.

    The number is that of the line, in Parquet tables and JSON lists that of the row (from 1).

    Args:
        path: CSV, JSON Lines (`.jsonl`, `.ndjson`), a JSON list (`.json`) or Parquet.
        needed: The columns that a CSV must have, each under one of several names; without any,
            no column may be there twice.

    Raises UserError, with the line, for a file that is missing, damaged or of another encoding.
    """
    with_fields = path.suffix.lower() in (".jsonl", ".ndjson", *ROW_SUFFIXES)
    return _rows_with_fields(path) if with_fields else _csv_rows(path, needed)


def _csv_rows(path: Path, needed: Sequence[Sequence[str]]) -> Iterator[tuple[int, Row]]:
    """Yield (line, cells by lower-cased column) of each row of a CSV."""
    text, _ = decoded(path)
    header, records = csv_records(path, text)
    names = [normalise(name).lower() for name in header]
    for wanted in needed:
        if field_named(names, wanted) is None:
            raise UserError(
                f"no column `{wanted[0]}`",
                where=f"{path}:1",
                remedy=f"the header is {', '.join(header)}; {_FORMS}",
            )
    read = {*ID_NAMES, *QUESTION_NAMES, *ANSWER_NAMES, *_DESCRIBING, "as_of"}
    for name in names:
        if names.count(name) > 1 and (not needed or name in read or is_option_name(name)):
            raise UserError(
                f"more than one column `{name}`",
                where=f"{path}:1",
                remedy=f"the header is {', '.join(header)}; {_FORMS}",
            )
    for line, row in records:
        yield line, dict(zip(names, row, strict=True))


def _rows_with_fields(path: Path) -> Iterator[tuple[int, Row]]:
    if not path.is_file():
        raise UserError("the exam does not exist", where=str(path), remedy="check the path")
    listed = path.suffix.lower() in ROW_SUFFIXES
    for line, value in question_rows(path) if listed else read_json_lines(path):
        yield line, {str(name).lower(): item for name, item in value.items()}


def _question(name: str, row: Row, where: str) -> tuple[Question, str]:
    """Return the question of a row, and why its reading is not certain."""
    if not normalise(text_of_field(field_of(row, QUESTION_NAMES))).strip():
        raise UserError(
            "the question is empty"
            if field_named(tuple(row), QUESTION_NAMES)
            else "this line has no `question`",
            where=where,
            remedy=_FORMS,
        )
    found = question_of(row, where)
    if not found.options:
        raise UserError(
            f"the question has no options{f': {found.doubt}' if found.doubt else ''}",
            where=where,
            remedy=f"{_FORMS}; free-text questions belong into evaluate.questions",
        )
    day = iso_day(row.get("as_of"), where)
    return Question(name, found.stem, found.options, day), found.doubt


def _named_slices(row: Row) -> list[str]:
    """Return the slices of a line that is a Question and a Key record in one."""
    slices = row.get("slices")
    return [str(name) for name in slices] if isinstance(slices, (list, tuple)) else []


def _described(row: Row) -> list[str]:
    return [f"{name}:{text}" for name in _DESCRIBING if (text := text_of_field(row.get(name)))]
