"""The answers as the file that is handed in: the question file's columns, or a sample's."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.data.files import atomic_write
from kofinlaw.rag.question_csv import column, csv_records, decoded
from kofinlaw.rag.questions import QuestionFile


def write_submission(
    path: Path, file: QuestionFile, answers: Mapping[str, str], *, sample: Path | None = None
) -> None:
    """Write the answers whole or not at all, one row a question.

    With `sample` (a sample submission) its columns, rows and order are kept and only `Answer`
    filled; else the question file's own columns, `Answer` filled or appended; for JSON Lines
    `ID,Answer`. Raises UserError where the sample names an id that was not asked, or misses one.
    """
    columns, rows, id_at = list(file.columns), [list(row) for row in file.rows], 0
    encoding, newline = file.encoding, file.newline
    id_at = columns.index(file.id_column)
    if sample is not None:
        columns, rows, id_at, encoding, newline = _read_sample(sample, file)
    answer_at = next((i for i, name in enumerate(columns) if name.strip().lower() == "answer"), -1)
    if answer_at < 0:
        answer_at = len(columns)
        columns.append("Answer")
        rows = [[*row, ""] for row in rows]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=newline)
    writer.writerow(columns)
    for row in rows:
        row[answer_at] = answers[row[id_at]]
        writer.writerow(row)
    with atomic_write(path, "wb") as handle:
        handle.write(text.getvalue().encode(encoding))


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
