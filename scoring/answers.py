"""Reading answers as they come: from a run, from the contest's form, doubled or torn."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kofinlaw import UserError
from kofinlaw.files import read_json_lines
from kofinlaw.records import Answer

PARTS = ("retrieve", "rerank", "prefill", "decode")


@dataclass(frozen=True, slots=True)
class AnswerSheet:
    """Answers by id, in the file's order; `duplicates` were given again (the first counts)."""

    answers: dict[str, Answer]
    duplicates: tuple[str, ...]


def read_answers(path: Path, order: Sequence[str] = ()) -> AnswerSheet:
    """Answers from `answers.jsonl` or a CSV with `ID,Answer` (UTF-8 with or without BOM, CP949).

    A CSV with `Answer` and no `ID` column goes by row: `order` are the questions' ids. A field that
    is missing or no number (NaN) is taken as absent, never averaged. Raises UserError where the
    file is absent, is no such file, a row has no id, or rows without ids are not as many.
    """
    if path.suffix.lower() == ".csv":
        rows = read_csv_rows(path)
        if rows and not any(str(name).strip().lower() == "id" for name in rows[0][1]):
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
    return sheet(answer_of(value, where=f"{path}:{line}") for line, value in rows)


def sheet(answers: Iterable[Answer]) -> AnswerSheet:
    """Answers by id, the first of each id kept."""
    kept: dict[str, Answer] = {}
    doubled: list[str] = []
    for answer in answers:
        if answer.id in kept:
            doubled.append(answer.id)
        else:
            kept[answer.id] = answer
    return AnswerSheet(kept, tuple(dict.fromkeys(doubled)))


def answer_of(value: Mapping[str, Any], *, where: str) -> Answer:
    """One answer from a row of either form."""
    row = {str(name).strip().lower(): item for name, item in value.items() if name is not None}
    name = row.get("id")
    if name is None or str(name).strip() == "":
        raise UserError(
            "an answer without an id", where=where, remedy="give every row an `id` (or `ID`)"
        )
    evidence = row.get("evidence")
    return Answer(
        id=str(name),
        answer=text_of(row.get("answer")),
        evidence=tuple(str(chunk) for chunk in evidence) if isinstance(evidence, list) else (),
        confidence=number_or_nan(row.get("confidence")),
        tokens=int(number_or_nan(row.get("tokens"), 0.0)),
        origin=str(row.get("origin") or "model"),
    )


def text_of(value: Any) -> str:
    """An answer as text: null and NaN are empty, 3.0 is the digit 3."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def number_or_nan(value: Any, absent: float = math.nan) -> float:
    """A finite number, else `absent`."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return absent
    return float(value)


def read_csv_rows(path: Path) -> list[tuple[int, dict[str, Any]]]:
    """(line, row) of a CSV; raises UserError where its header has no `Answer`."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError as error:
        raise UserError("no such file", where=str(path)) from error
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = raw.decode("cp949")
        except UnicodeDecodeError as error:
            raise UserError(
                "the file is neither UTF-8 nor CP949", where=str(path), remedy="save it as UTF-8"
            ) from error
    csv.field_size_limit(16 * 1024 * 1024)
    reader = csv.DictReader(text.splitlines(keepends=True))
    names = {name.strip().lower() for name in reader.fieldnames or () if name}
    if "answer" not in names:
        raise UserError(
            "the header has no answer column",
            where=f"{path}:1",
            remedy="the contest's form is `ID,Answer`",
        )
    return [(reader.line_num, row) for row in reader if "id" not in names or any(row.values())]


def read_timings(path: Path) -> tuple[dict[str, float], list[dict[str, Any]]]:
    """(seconds by question id, the rows as they stand); empty where there is no such file.

    A row has its parts (`retrieve`, `prefill`, `decode`) and their `total`, on the row itself or
    under `seconds`; without a total the parts are summed. Rows that repeat an id are added up.
    """
    if not path.is_file():
        return {}, []
    seconds: dict[str, float] = {}
    rows = [value for _, value in read_json_lines(path)]
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
