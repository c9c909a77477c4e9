"""Write and read the passages: one LanceDB table of text, tokens joined by blanks, and vectors."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kofinlaw.rag.arrays import Vectors
from kofinlaw.records import Chunk, to_json

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["ADDED", "FIELDS", "ROW", "TABLE", "read_table", "write_table"]

TABLE = "chunks"
ROW = "place"  # the column with each passage's row
FIELDS = tuple(Chunk.__dataclass_fields__)
ADDED = ("since", "until", "pages", "ocr")  # fields that older tables of this format may lack


def write_table(
    folder: Path,
    records: Sequence[Chunk],
    tokens: dict[str, list[list[str]]],
    vectors: Vectors | None,
) -> None:
    """Write the table, replacing what was in `folder`.

    `tokens` are by kind of lexical index, `vectors` [passages, dimensions]. Tokens are joined by
    blanks, where LanceDB's whitespace tokenizer splits them again.
    """
    import lancedb
    import pyarrow as pa

    rows = [to_json(record) for record in records]
    columns: dict[str, pa.Array] = {
        ROW: pa.array(range(len(rows)), pa.int64()),
        **{name: pa.array([row[name] for row in rows], pa.string()) for name in FIELDS},
    }
    for kind, words in tokens.items():
        columns[f"tokens_{kind}"] = pa.array([" ".join(one) for one in words], pa.string())
    if vectors is not None:
        flat = pa.array(np.ascontiguousarray(vectors, dtype=np.float32).ravel())
        columns["vector"] = pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])
    shutil.rmtree(folder, ignore_errors=True)
    lancedb.connect(str(folder)).create_table(TABLE, pa.table(columns))


def read_table(folder: Path, names: Sequence[str], count: int) -> pa.Table:
    """Return the columns `names` of all `count` passages, sorted by row.

    A field that was added after the table was written (`since`, `pages`) is empty. Raises
    ValueError where the table is damaged or has another number of passages.
    """
    import lancedb
    import pyarrow as pa

    try:
        table = lancedb.connect(str(folder)).open_table(TABLE)
        absent = [name for name in ADDED if name in names and name not in table.schema.names]
        held = [name for name in names if name not in absent]
        rows = table.search().select([*held, ROW]).limit(count + 1).to_arrow()
    except (OSError, ValueError, RuntimeError) as error:
        raise ValueError(str(error).splitlines()[0]) from error
    if len(rows) != count:
        raise ValueError(f"{len(rows)} of {count} passages in the store")
    for name in absent:
        rows = rows.append_column(name, pa.array([""] * len(rows), pa.string()))
    return rows.sort_by(ROW)
