"""Read exam files: multiple-choice questions with their right answers, as CSV or JSON Lines.

The row number of a question (from 1, without the header) is kept, so that a choice can be made on
the questions of odd rows and reported on those of even rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from kofinlaw import UserError
from kofinlaw.data.korean.words import normalise
from kofinlaw.files import read_json_lines, sha256_file
from kofinlaw.rag.questions.option_marks import MAX_OPTIONS, checked_options, split_options
from kofinlaw.rag.questions.question_csv import csv_records, decoded
from kofinlaw.rag.questions.question_files import iso_day
from kofinlaw.records import Key, Question, from_json

__all__ = ["ExamFile", "Rows", "answer_label", "exam_rows", "read_exam", "row_id"]

Rows = Literal["all", "odd", "even"]

# Columns that describe a question; each value becomes a slice such as `domain:대출`.
_DESCRIBING = ("domain", "sub_domain", "category", "year", "paper")
# The two ways to name the option columns; the third is `options`, a list in JSON Lines.
_OPTION_NAMES = tuple("abcdefghi"), tuple("123456789")
_READ = {"id", "question", "answer", "as_of", *_DESCRIBING, *_OPTION_NAMES[0], *_OPTION_NAMES[1]}
_REQUIRED_OPTIONS = 4  # a blank cell of these columns is an error; questions may lack later ones
_CIRCLED = "①②③④⑤⑥⑦⑧⑨"
_FORMS = (
    "an exam has the columns question, answer (1 to 9) and A, B, C, D, or question, options and "
    "answer in JSON Lines"
)


@dataclass(frozen=True)
class ExamFile:
    """The questions of an exam, their keys in the same order, and the row of each in the file.

    The keys' slices name what the file says of a question (`domain:…`) and its half (`rows:odd`).
    `sha256` is the hash of the file's bytes.
    """

    path: Path
    questions: tuple[Question, ...]
    keys: tuple[Key, ...]
    rows: tuple[int, ...]
    sha256: str


def read_exam(path: Path, key: Path | None = None) -> ExamFile:
    """Read an exam.

    - CSV (UTF-8 with or without a byte-order mark, UTF-16 or CP949; column names in any case):
      `question`, `answer` and the options in the columns `A` to `D` (more or fewer letters, or the
      numbers `1` to `5`). Without such columns the options are read from the question by their
      marks. Optional: `id`, `domain`, `sub_domain`, `category`, `year`, `paper`.
    - JSON Lines with the same fields, or `options` as a list, or the records of `Question`.

    An answer is a number, a letter or the text of the option.

    Args:
        path: The exam.
        key: JSON Lines of `Key` records with the answers, where the exam itself has none.

    Raises UserError, with file, line and remedy, for a file that is missing, empty or has another
    form, a missing column, an empty question or option, an answer that names no option, and an id
    that is used twice.
    """
    keys = _read_keys(key) if key is not None else None
    needed = ("question",) if keys is not None else ("question", "answer")
    lines_of_json = path.suffix.lower() in (".jsonl", ".ndjson")
    rows = _json_rows(path) if lines_of_json else _csv_rows(path, needed)
    questions: list[Question] = []
    golds: list[Key] = []
    lines: dict[str, int] = {}
    for number, (line, row) in enumerate(rows, 1):
        where = f"{path}:{line}"
        name = _text(row.get("id")) or row_id(number)
        if name in lines:
            raise UserError(
                f"the id `{name}` is used on line {lines[name]} already",
                where=where,
                remedy="give each question a unique id",
            )
        lines[name] = line
        question = _question(name, row, where)
        gold = keys.get(name) if keys is not None else None
        if keys is not None and gold is None:
            raise UserError(
                f"the question `{name}` has no answer in {key}",
                where=where,
                remedy="add its Key record, or remove the question",
            )
        answer = gold.answer if gold else _text(row.get("answer"))
        label = answer_label(answer, question.options)
        if not label:
            raise UserError(
                f"the answer {answer!r} names none of the {len(question.options)} options"
                if answer
                else "the answer is empty",
                where=where,
                remedy=f"write a number from 1 to {len(question.options)}",
            )
        slices = [*(gold.slices if gold else _named_slices(row)), *_described(row)]
        slices.append("rows:odd" if number % 2 else "rows:even")
        questions.append(question)
        golds.append(replace(gold or Key(name), answer=label, slices=tuple(dict.fromkeys(slices))))
    if not questions:
        raise UserError("the exam has no question", where=str(path), remedy=_FORMS)
    return ExamFile(
        path, tuple(questions), tuple(golds), tuple(range(1, len(golds) + 1)), sha256_file(path)
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


def answer_label(answer: str, options: tuple[str, ...]) -> str:
    """Return the label ("1" to "9") of the option that an answer names; empty if it names none.

    `3`, `3.0`, `3번`, `③`, `C` and the text of the third option all give `3`.
    """
    bare = re.sub(r"(\.0+|번|\.|\))\Z", "", answer.strip())
    if len(bare) == 1:
        for marks in ("123456789", _CIRCLED, "ABCDEFGHI"):
            number = marks.find(bare.upper()) + 1
            if 0 < number <= len(options):
                return str(number)
    same = [n for n, text in enumerate(options, 1) if text.strip() == answer.strip()]
    return str(same[0]) if len(same) == 1 else ""


def _csv_rows(path: Path, needed: Sequence[str]) -> Iterator[tuple[int, Mapping[str, object]]]:
    """Yield (line, cells by lower-cased column) of each row of a CSV."""
    text, _ = decoded(path)
    header, records = csv_records(path, text)
    names = [name.lower() for name in header]
    for name in (*needed, *(name for name in names if name in _READ)):
        if names.count(name) != 1:
            found = "more than one" if name in names else "no"
            raise UserError(
                f"{found} column `{name}`",
                where=f"{path}:1",
                remedy=f"the header is {', '.join(header)}; {_FORMS}",
            )
    for line, row in records:
        yield line, dict(zip(names, row, strict=True))


def _json_rows(path: Path) -> Iterator[tuple[int, Mapping[str, object]]]:
    if not path.is_file():
        raise UserError("the exam does not exist", where=str(path), remedy="check the path")
    for line, value in read_json_lines(path):
        yield line, {str(name).lower(): item for name, item in value.items()}


def _read_keys(path: Path) -> dict[str, Key]:
    if not path.is_file():
        raise UserError("the key does not exist", where=str(path), remedy="check the path")
    keys: dict[str, Key] = {}
    for line, value in read_json_lines(path):
        try:
            one = from_json(Key, value)
        except TypeError as error:
            raise UserError(
                f"not a Key record: {error}",
                where=f"{path}:{line}",
                remedy='write {"id": …, "answer": "1"} in each line',
            ) from error
        if one.id in keys:
            raise UserError(f"two keys share the id `{one.id}`", where=f"{path}:{line}")
        keys[one.id] = one
    return keys


def _question(name: str, row: Mapping[str, object], where: str) -> Question:
    stem = normalise(_text(row.get("question"))).strip()
    if not stem:
        raise UserError(
            "the question is empty" if "question" in row else "this line has no `question`",
            where=where,
            remedy=_FORMS,
        )
    options = _options(row, where)
    if options is None:
        stem, options = split_options(stem, where=where)
        if not options:
            raise UserError(
                "the question has no options",
                where=where,
                remedy=f"{_FORMS}; free-text questions belong into evaluate.questions",
            )
    else:
        stem, options = checked_options(stem, options, where)
    return Question(name, stem, options, iso_day(row.get("as_of"), where))


def _options(row: Mapping[str, object], where: str) -> tuple[str, ...] | None:
    """Return the texts of the options; None if the row has no column or field for them."""
    listed = row.get("options")
    if isinstance(listed, (list, tuple)):
        if not all(isinstance(option, str) for option in listed):
            raise UserError("`options` must be a list of texts", where=where)
        return tuple(normalise(option).strip() for option in listed) or None
    for names in _OPTION_NAMES:
        if names[0] not in row or names[1] not in row:
            continue
        count = next((i for i, name in enumerate(names) if name not in row), MAX_OPTIONS)
        texts = [normalise(_text(row[name])).strip() for name in names[:count]]
        while len(texts) > _REQUIRED_OPTIONS and not texts[-1]:
            texts.pop()
        return tuple(texts)
    return None


def _named_slices(row: Mapping[str, object]) -> list[str]:
    """Return the slices of a line that is a Question and a Key record in one."""
    slices = row.get("slices")
    return [str(name) for name in slices] if isinstance(slices, (list, tuple)) else []


def _described(row: Mapping[str, object]) -> list[str]:
    return [f"{name}:{text}" for name in _DESCRIBING if (text := _text(row.get(name)))]


def _text(value: object) -> str:
    """Return a cell or a JSON value as text; empty for none. Whole numbers have no fraction."""
    if value is None or isinstance(value, (bool, dict, list)):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
