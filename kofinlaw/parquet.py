"""Records as Parquet, batch by batch; a corpus's beside their JSON Lines."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from kofinlaw.files import atomic_write, read_json_lines
from kofinlaw.records import Chunk

_BATCH = 1024
# 항, 호 and 목: a provision nests no deeper.
_LEVELS = 3
_TEXTS = {
    "chunks": " ".join(Chunk.__dataclass_fields__),
    "earlier": " ".join(Chunk.__dataclass_fields__),
    "articles": "id document_id title kind number heading path lead text",
    "citations": "source target provision text",
    "duplicates": "first second",
    "rejected": "id stage reason detail record",
}


def write_parquet(folder: Path, names: tuple[str, ...] = tuple(_TEXTS)) -> None:
    """Write `NAME.parquet` beside each `NAME.jsonl` of a corpus, with the same rows.

    The column types are fixed, so that an empty file has its columns too. A leaf's `children` are
    an empty list of texts. Raises UserError where a file is missing or the disk is full.
    """
    for name in names:
        rows = (row for _, row in read_json_lines(folder / f"{name}.jsonl"))
        write_rows(folder / f"{name}.parquet", rows, _schema(name))


def write_rows(path: Path, rows: Iterator[dict[str, Any]], schema: Any) -> None:
    """Write a table of those columns (a `pyarrow.Schema`). Raises UserError on a full disk."""
    import pyarrow
    import pyarrow.parquet as parquet

    with (
        atomic_write(path, "wb") as handle,
        parquet.ParquetWriter(handle, schema, compression="zstd") as writer,
    ):
        for batch in _batches(rows):
            writer.write_table(pyarrow.Table.from_pylist(batch, schema=schema))


def _batches(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    while batch := list(islice(rows, _BATCH)):
        yield batch


def _schema(name: str) -> Any:
    """The columns in the records' order."""
    import pyarrow as pa

    text, texts = pa.string(), pa.list_(pa.string())
    columns = [(column, text) for column in _TEXTS[name].split()]
    if name == "articles":
        children = texts
        for _ in range(_LEVELS):
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
