"""The answers as the file that is handed in: the question file's columns, or a sample's."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.files import atomic_write_bytes
from kofinlaw.rag.questions.question_csv import column, csv_records, decoded
from kofinlaw.rag.questions.question_files import QuestionFile


@dataclass(frozen=True)
class Sheet:
    """What is handed in, but for the answers: `rows` are cells by column, `answer_at` included."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    id_at: int
    answer_at: int
    encoding: str
    newline: str


def read_sheet(file: QuestionFile, sample: Path | None = None) -> Sheet:
    """The question file's own columns, `Answer` among or after them; for JSON Lines `ID,Answer`.

    With `sample` (a sample submission) its columns, rows and order. Raises UserError where the
    sample cannot be read, names an id that was not asked, or misses one.
    """
    columns, rows = list(file.columns), [list(row) for row in file.rows]
    id_at, encoding, newline = columns.index(file.id_column), file.encoding, file.newline
    if sample is not None:
        columns, rows, id_at, encoding, newline = _read_sample(sample, file)
    answer_at = next((i for i, name in enumerate(columns) if name.strip().lower() == "answer"), -1)
    if answer_at < 0:
        answer_at = len(columns)
        columns.append("Answer")
        rows = [[*row, ""] for row in rows]
    return Sheet(tuple(columns), tuple(map(tuple, rows)), id_at, answer_at, encoding, newline)


def write_submission(path: Path, sheet: Sheet, answers: Mapping[str, str]) -> None:
    """Write the answers (by id) whole or not at all, one row a question."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=sheet.newline)
    writer.writerow(sheet.columns)
    for row in sheet.rows:
        answer = answers[row[sheet.id_at]]
        writer.writerow([*row[: sheet.answer_at], answer, *row[sheet.answer_at + 1 :]])
    with atomic_write_bytes(path) as handle:
        handle.write(text.getvalue().encode(sheet.encoding))


def _read_sample(
    sample: Path, file: QuestionFile
) -> tuple[list[str], list[list[str]], int, str, str]:
    text, encoding = decoded(Path(sample))
    header, records = csv_records(Path(sample), text)
    id_at = column(Path(sample), header, "ID")
    asked = {question.id for question in file.questions}
    for line, row in records:
        row[id_at] = row[id_at].strip()
        if row[id_at] not in asked:
            raise UserError(
                f"the sample names `{row[id_at]}`, which {file.path.name} does not ask",
                where=f"{sample}:{line}",
            )
    missing = asked - {row[id_at] for _, row in records}
    if missing:
        raise UserError(
            f"the sample has no row for `{min(missing)}` and {len(missing) - 1} more",
            where=str(sample),
        )
    newline = "\r\n" if "\r\n" in text[: text.find("\n") + 1] else "\n"
    return header, [row for _, row in records], id_at, encoding, newline
