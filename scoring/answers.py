"""Read answers from a run's `answers.jsonl` or a submission CSV, and their timings."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.decoding import clean_value
from kofinlaw.files import read_json_lines
from kofinlaw.rag.questions.field_names import GIVEN_NAMES, ID_NAMES, field_named, field_of
from kofinlaw.rag.questions.question_csv import decoded
from kofinlaw.records import Answer
from kofinlaw.tolerant_files import finite_number

__all__ = [
    "PARTS",
    "SHEET_IDS",
    "AnswerSheet",
    "answer_of",
    "answer_sheet",
    "number_or_nan",
    "read_answers",
    "read_csv_rows",
    "read_timings",
    "text_of",
]

SHEET_IDS = (*ID_NAMES, "문항")  # a submission names questions, it does not hold them
PARTS = ("retrieve", "rerank", "prefill", "decode")


@dataclass(frozen=True, slots=True)
class AnswerSheet:
    """Answers by id, in the file's order. Ids in `duplicates` came again; the first one counts."""

    answers: dict[str, Answer]
    duplicates: tuple[str, ...]


def read_answers(path: Path, order: Sequence[str] = ()) -> AnswerSheet:
    """Read answers from `answers.jsonl`, or from a CSV with `ID,Answer`.

    The CSV is UTF-8 with or without a byte-order mark, UTF-16 or CP949. Its columns may have other
    usual names (`번호`, `답`, `prediction`).

    The rows of a CSV without an `ID` column belong to the questions whose ids are in `order`. A
    field that is missing, or not a number (NaN), counts as absent and is never averaged.

    Raises UserError if the file is absent or has another form, if a row has no id, or if the rows
    without ids are not as many as the questions.
    """
    if path.suffix.lower() == ".csv":
        rows = read_csv_rows(path)
        if rows and field_named([str(name) for name in rows[0][1]], SHEET_IDS) is None:
            if len(rows) != len(order):
                raise UserError(
                    f"{len(rows)} answers without ids for {len(order)} questions",
                    where=str(path),
                    remedy="add an ID column, or give one row for each question in their order",
                )
            rows = [
                (line, {**row, "ID": name}) for name, (line, row) in zip(order, rows, strict=True)
            ]
    else:
        rows = list(read_json_lines(path))
    return answer_sheet(answer_of(value, where=f"{path}:{line}") for line, value in rows)


def answer_sheet(answers: Iterable[Answer]) -> AnswerSheet:
    """Return the answers by id; of several with the same id the first is kept."""
    kept: dict[str, Answer] = {}
    repeated: list[str] = []
    for answer in answers:
        if answer.id in kept:
            repeated.append(answer.id)
        else:
            kept[answer.id] = answer
    return AnswerSheet(kept, tuple(dict.fromkeys(repeated)))


def answer_of(value: Mapping[str, object], *, where: str) -> Answer:
    """Return the answer of one row, from either form; raises UserError if it has no id."""
    row = {str(name).strip().lower(): item for name, item in value.items() if name is not None}
    name = field_of(row, SHEET_IDS)
    if name is None or str(name).strip() == "":
        raise UserError(
            "this answer has no id", where=where, remedy="give every row an `id` (or `ID`)"
        )
    evidence = row.get("evidence")
    return Answer(
        id=str(name),
        answer=text_of(field_of(row, GIVEN_NAMES)),
        evidence=tuple(str(chunk) for chunk in evidence) if isinstance(evidence, list) else (),
        confidence=number_or_nan(row.get("confidence")),
        tokens=int(number_or_nan(row.get("tokens"), 0.0)),
        origin=str(row.get("origin") or "model"),
    )


def text_of(value: object) -> str:
    """Return an answer as text: null and NaN are empty, 3.0 is the digit 3."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def number_or_nan(value: object, absent: float = math.nan) -> float:
    """Return a finite number, or `absent` for any other value."""
    number = finite_number(value)
    return absent if number is None else number


def read_csv_rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    """Return (line, row) of each row of a CSV; raises UserError if its header has no `Answer`."""
    text, _ = decoded(path)
    csv.field_size_limit(16 * 1024 * 1024)
    reader = csv.DictReader(io.StringIO(text, newline=""))
    names = [name for name in reader.fieldnames or () if name]
    if field_named(names, GIVEN_NAMES) is None:
        raise UserError(
            f"the header has no answer column: {', '.join(names)}",
            where=f"{path}:1",
            remedy="the contest's form is `ID,Answer`; the answers may also be called "
            f"{', '.join(GIVEN_NAMES[1:])}",
        )
    by_order = field_named(names, SHEET_IDS) is None
    return [(reader.line_num, clean_value(row)) for row in reader if by_order or any(row.values())]


def read_timings(path: Path) -> tuple[dict[str, float], list[dict[str, object]]]:
    """Return (seconds by question id, the rows unchanged); both are empty without the file.

    A row has its parts (`retrieve`, `prefill`, `decode`) and their `total`, in seconds, on the row
    itself or under `seconds`. Without a total the parts are summed. Rows with the same id are
    added up.
    """
    if not path.is_file():
        return {}, []
    seconds: dict[str, float] = {}
    rows: list[dict[str, object]] = [value for _, value in read_json_lines(path)]
    for row in rows:
        if "id" not in row:
            continue
        given = row.get("seconds", row)
        if isinstance(given, dict):
            parts = [number_or_nan(given.get(part), 0.0) for part in PARTS]
            value = number_or_nan(given.get("total"), sum(parts))
        else:
            value = number_or_nan(given, 0.0)
        name = str(row["id"])
        seconds[name] = seconds.get(name, 0.0) + value
    return seconds, rows
