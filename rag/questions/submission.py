"""Write the submission: the columns of the question file, or those of a sample submission."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.files import atomic_write_bytes
from kofinlaw.rag.questions.field_names import GIVEN_NAMES, field_named
from kofinlaw.rag.questions.question_csv import column, csv_records, decoded
from kofinlaw.rag.questions.question_files import QuestionFile

__all__ = ["Sheet", "read_sheet", "write_submission"]


@dataclass(frozen=True)
class Sheet:
    """A submission without its answers.

    `rows` are the cells of each question in the order of `columns`; `id_index` and `answer_index`
    are the columns of the ids and of the answers.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    id_index: int
    answer_index: int
    encoding: str
    newline: str


def read_sheet(file: QuestionFile, sample: Path | None = None) -> Sheet:
    """Return the columns of the question file and `Answer`; for JSON Lines `ID,Answer`.

    With `sample` (a sample submission) its columns, rows and order are used. Raises UserError where
    the sample cannot be read, has an id that is not in the question file, or lacks one.
    """
    columns, rows = list(file.columns), [list(row) for row in file.rows]
    id_index, encoding, newline = columns.index(file.id_column), file.encoding, file.newline
    if sample is not None:
        columns, rows, id_index, encoding, newline = _read_sample(sample, file)
    # A sample says where the answers go; another column of a question file is not ours to fill.
    wanted = GIVEN_NAMES if sample is not None else ("answer",)
    answer = field_named(columns, wanted)
    answer_index = columns.index(answer) if answer is not None else -1
    if answer_index < 0:
        answer_index = len(columns)
        columns.append("Answer")
        rows = [[*row, ""] for row in rows]
    return Sheet(tuple(columns), tuple(map(tuple, rows)), id_index, answer_index, encoding, newline)


def write_submission(path: Path, sheet: Sheet, answers: Mapping[str, str]) -> None:
    """Write the answers (by id), one row for each question, completely or not at all."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=sheet.newline)
    writer.writerow(sheet.columns)
    for row in sheet.rows:
        answer = answers[row[sheet.id_index]]
        writer.writerow([*row[: sheet.answer_index], answer, *row[sheet.answer_index + 1 :]])
    with atomic_write_bytes(path) as handle:
        handle.write(text.getvalue().encode(sheet.encoding))


def _read_sample(
    sample: Path, file: QuestionFile
) -> tuple[list[str], list[list[str]], int, str, str]:
    text, encoding = decoded(Path(sample))
    header, records = csv_records(Path(sample), text)
    id_index = column(Path(sample), header, "ID")
    asked = {question.id for question in file.questions}
    for line, row in records:
        row[id_index] = row[id_index].strip()
        if row[id_index] not in asked:
            raise UserError(
                f"the sample has the id `{row[id_index]}`, which is not in {file.path.name}",
                where=f"{sample}:{line}",
            )
    missing = asked - {row[id_index] for _, row in records}
    if missing:
        raise UserError(
            f"the sample has no row for `{min(missing)}` and {len(missing) - 1} more",
            where=str(sample),
        )
    newline = "\r\n" if "\r\n" in text[: text.find("\n") + 1] else "\n"
    return header, [row for _, row in records], id_index, encoding, newline
