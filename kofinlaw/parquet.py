"""Write records as Parquet in batches, with a fixed schema for each file of a corpus."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from kofinlaw.files import atomic_write_bytes, read_json_lines
from kofinlaw.records import Chunk

if TYPE_CHECKING:
    import pyarrow

__all__ = ["write_parquet", "write_rows"]

_BATCH_ROWS = 1024
# 항, 호 and 목: a provision has no deeper levels.
_PROVISION_LEVELS = 3
_TEXT_COLUMNS = {
    "chunks": " ".join(Chunk.__dataclass_fields__),
    "earlier": " ".join(Chunk.__dataclass_fields__),
    "articles": "id document_id title kind number heading path lead text",
    "citations": "source target provision text",
    "edges": "kind source target text",
    "duplicates": "first second",
    "rejected": "id stage reason detail record",
}


def write_parquet(folder: Path, names: tuple[str, ...] = tuple(_TEXT_COLUMNS)) -> None:
    """Write `NAME.parquet` next to each `NAME.jsonl` of a corpus, with the same rows.

    The column types are fixed, so an empty file also has its columns. A provision without
    children has an empty list of texts. Raises UserError if a JSON Lines file is missing or the
    disk is full.
    """
    for name in names:
        rows = (row for _, row in read_json_lines(folder / f"{name}.jsonl"))
        write_rows(folder / f"{name}.parquet", rows, _schema(name))


def write_rows(path: Path, rows: Iterator[Mapping[str, object]], schema: pyarrow.Schema) -> None:
    """Write rows as one Parquet table with the columns of `schema`.

    Raises UserError on a full disk.
    """
    import pyarrow
    import pyarrow.parquet as parquet

    with (
        atomic_write_bytes(path) as handle,
        parquet.ParquetWriter(handle, schema, compression="zstd") as writer,
    ):
        for batch in _batches(rows):
            writer.write_table(pyarrow.Table.from_pylist(batch, schema=schema))


def _batches(rows: Iterator[Mapping[str, object]]) -> Iterator[list[Mapping[str, object]]]:
    while batch := list(islice(rows, _BATCH_ROWS)):
        yield batch


def _schema(name: str) -> pyarrow.Schema:
    """Return the columns in the order of the record's fields."""
    import pyarrow as pa

    text, texts = pa.string(), pa.list_(pa.string())
    columns = [(column, text) for column in _TEXT_COLUMNS[name].split()]
    if name == "articles":
        children = texts
        for _ in range(_PROVISION_LEVELS):
            node = pa.struct([("label", text), ("text", text), ("children", children)])
            children = pa.list_(node)
        columns += [("provisions", children), ("deleted", pa.bool_())]
        columns += [(column, text) for column in ("as_of", "source", "license")]
        columns += [("chunk_ids", texts)]
    elif name == "citations":
        columns += [("start", pa.int64()), ("end", pa.int64())]
        columns += [("resolved", pa.bool_()), ("chunk_ids", texts)]
    elif name == "duplicates":
        columns += [("similarity", pa.float64()), ("removed", pa.bool_())]
    return pa.schema(columns)
