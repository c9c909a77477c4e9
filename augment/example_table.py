"""Write the examples also as Parquet: one table with fixed column types, as TRL reads it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kofinlaw.parquet import write_rows
from kofinlaw.records import Example

__all__ = ["write_parquet"]


def write_parquet(path: Path, examples: Sequence[Example]) -> None:
    """Write the examples with the columns of `Example`; `messages` are lists of role and content.

    Raises UserError if the disk is full.
    """
    import pyarrow as pa

    text, texts = pa.string(), pa.list_(pa.string())
    names = ("generator", "version", "teacher", "teacher_revision", "teacher_license")
    provenance = pa.struct(
        [
            ("chunks", texts),
            *((name, text) for name in names),
            ("prompt_sha256", text),
            ("seed", pa.int64()),
        ]
    )
    check = pa.struct([("check", text), ("ok", pa.bool_()), ("detail", text)])
    choice = pa.struct(
        [
            ("question", text),
            ("options", texts),
            ("evidence", texts),
            ("answer", pa.int64()),
            ("negative", pa.bool_()),
            ("twin", text),
        ]
    )
    schema = pa.schema(
        [
            ("id", text),
            ("task", text),
            ("messages", pa.list_(pa.struct([("role", text), ("content", text)]))),
            ("answer_key", text),
            ("provenance", provenance),
            ("checks", pa.list_(check)),
            ("choice", choice),
        ]
    )
    write_rows(path, map(_row, examples), schema)


def _row(example: Example) -> dict[str, object]:
    return {
        "id": example.id,
        "task": example.task,
        "messages": example.messages,
        "answer_key": example.answer_key,
        "provenance": example.provenance,
        "checks": [{"detail": "", **check} for check in example.checks],
        "choice": example.choice,
    }
