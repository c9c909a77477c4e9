"""Read questions and keys from JSON Lines, or from the CSV forms of the FSKU benchmark and contest.

Questions and key may be in one CSV or in two. The forms are:

- `Domain,Sub_domain,Question,Answer`: multiple choice, with the options inside the question;
- `Question,Answer,Keyword`: free text;
- `ID,Question` and `ID,Answer`: the contest.

Rows without `ID` are named by their number. Source of the forms: FSI-AI/FSKU-benchmark (MIT) and
the contest's files.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.rag.questions.exam_files import row_id
from kofinlaw.rag.questions.field_names import (
    ANSWER_NAMES,
    ID_NAMES,
    QUESTION_NAMES,
    field_named,
)
from kofinlaw.rag.questions.key_files import key_answer, read_keys
from kofinlaw.rag.questions.question_csv import csv_records, decoded
from kofinlaw.rag.questions.question_fields import question_of
from kofinlaw.rag.questions.question_files import read_questions
from kofinlaw.records import Key, Question

__all__ = ["Row", "keywords_of", "read_asked", "read_key"]

_SEPARATORS = re.compile(r"[,;|/\n]")
Row = tuple[int, dict[str, str]]


def read_asked(path: Path) -> list[Question]:
    """Read questions from JSON Lines or CSV, with or without an `ID` column.

    Raises UserError for a repeated id, an empty question or a file of another form.
    """
    if path.suffix.lower() != ".csv":
        return list(read_questions(path).questions)
    return [question for _, question, _, _ in _questions(path)]


def read_key(path: Path, asked: Sequence[Question]) -> list[Key]:
    """Read keys from JSON Lines, or from a CSV with `Answer` (`Keyword`, `Domain`, `Sub_domain`).

    The rows of a CSV that has neither ids nor questions follow the order of `asked`. Domains become
    slices. Raises UserError if rows and questions do not fit together.
    """
    if path.suffix.lower() != ".csv":
        return read_keys(path, asked)
    rows = _rows(path)
    if "answer" not in rows[0][1]:
        raise UserError(
            "a key needs the column `Answer`",
            where=f"{path}:1",
            remedy="the benchmark's forms are Domain,Sub_domain,Question,Answer and "
            "Question,Answer,Keyword",
        )
    if "question" in rows[0][1]:
        return [_key(name, q, row, where) for name, q, row, where in _questions(path)]
    by_id = {question.id: question for question in asked}
    if "id" in rows[0][1]:
        return [_key(row["id"], by_id.get(row["id"]), row, f"{path}:{line}") for line, row in rows]
    if len(rows) != len(asked):
        raise UserError(
            f"{len(rows)} answers without ids for {len(asked)} questions",
            where=str(path),
            remedy="give both files an ID column, or as many rows",
        )
    return [
        _key(q.id, q, row, f"{path}:{line}") for q, (line, row) in zip(asked, rows, strict=True)
    ]


def _rows(path: Path) -> list[Row]:
    """Return (line, cells by lower-cased column) of each row."""
    text, _ = decoded(path)
    header, records = csv_records(path, text)
    names = [_canonical(name, header) for name in header]
    if not records:
        raise UserError("the file has a header but no rows", where=str(path))
    return [
        (line, {name: cell.strip() for name, cell in zip(names, row, strict=True)})
        for line, row in records
    ]


def _canonical(name: str, header: Sequence[str]) -> str:
    """Return `id`, `question` or `answer` for the column that holds it, else the name in lower
    case.
    """
    for wanted, aliases in (
        ("id", ID_NAMES),
        ("question", QUESTION_NAMES),
        ("answer", ANSWER_NAMES),
    ):
        if field_named(header, aliases) == name:
            return wanted
    return name.lower()


def _questions(path: Path) -> list[tuple[str, Question, dict[str, str], str]]:
    rows = _rows(path)
    if "question" not in rows[0][1]:
        raise UserError(
            "no column `Question`", where=f"{path}:1", remedy="the contest's form is ID,Question"
        )
    out: list[tuple[str, Question, dict[str, str], str]] = []
    seen: set[str] = set()
    for number, (line, row) in enumerate(rows, 1):
        where = f"{path}:{line}"
        name = row.get("id") or row_id(number)
        if name in seen:
            raise UserError(f"two questions share the id {name}", where=where)
        if not row["question"]:
            raise UserError("this question is empty", where=where)
        seen.add(name)
        found = question_of(row, where)
        out.append((name, Question(name, found.stem, found.options), row, where))
    return out


def _key(name: str, question: Question | None, row: dict[str, str], where: str) -> Key:
    """Return a row's key: a label if the question has options, else a reference with keywords.

    Raises UserError, with `where`, for an answer that names no option.
    """
    answer = row["answer"]
    slices = tuple(f"{kind}:{row[kind]}" for kind in ("domain", "sub_domain") if row.get(kind))
    if question is not None and question.options:
        return Key(name, answer=key_answer(answer, question, where), slices=slices)
    keywords = keywords_of(row.get("keyword") or row.get("keywords") or "")
    return Key(name, reference=answer, keywords=keywords, slices=slices)


def keywords_of(text: str) -> tuple[str, ...]:
    """Return the keywords of a cell, split at commas, semicolons, bars, slashes and line ends.

    The brackets and quotes of a Python list are removed.
    """
    bare = text.strip().removeprefix("[").removesuffix("]")
    parts = (part.strip().strip("'\"").strip() for part in _SEPARATORS.split(bare))
    return tuple(dict.fromkeys(part for part in parts if part))
