"""Read an index: a table of text, tokens and vectors, and memory-mapped bm25s indexes.

`index.json` names the folder (a generation) that holds the files. It is replaced last: until then
a reader sees the previous index, and a build that was killed resumes after its last block.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kofinlaw import UserError
from kofinlaw.commands import stage_command
from kofinlaw.data.korean.lexical import LexicalIndex
from kofinlaw.data.law.former_names import FormerName
from kofinlaw.decoding import load_json
from kofinlaw.errors import raise_if_machine
from kofinlaw.rag.abstention.floor import Floor
from kofinlaw.rag.abstention.provisions import Provisions
from kofinlaw.rag.arrays import Vectors
from kofinlaw.rag.index.calendar import Calendar
from kofinlaw.rag.index.meta import FORMAT, IndexMeta, fingerprint
from kofinlaw.rag.index.stores.table import FIELDS, read_table
from kofinlaw.records import Chunk

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Index"]


class Index:
    """A complete index, read-only. A passage's row is its position, counted from 0.

    `Index.load(folder)` opens one; files are read when they are first used.
    """

    def __init__(self, folder: Path, meta: IndexMeta) -> None:
        self.folder = folder
        self.meta = meta
        self._files = folder / meta["generation"]

    @classmethod
    def load(cls, folder: Path) -> Index:
        """Open the index in a folder.

        Raises UserError for a folder without an index, and for an unfinished or damaged index or
        one of another format.
        """
        folder = Path(folder)
        path = folder / "index.json"
        if not path.exists():
            raise UserError(
                "no complete index in this folder",
                where=str(folder),
                remedy=f"build it with `{stage_command('index', folder.parent)}`; "
                "an unfinished build is continued",
            )
        try:
            meta = load_json(path.read_text(encoding="utf-8"))
            found = meta["format"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise_if_machine(error, path)
            raise _damaged(folder, f"index.json: {error}") from error
        if found != FORMAT:
            raise UserError(
                f"this index has format {found}; this version reads {FORMAT}",
                where=str(folder),
                remedy="build the index again",
            )
        return cls(folder, meta)

    @property
    def fingerprint(self) -> str:
        """Hexadecimal hash, equal for the same chunks, references, tokenizers and embedder."""
        return fingerprint(self.meta)

    @cached_property
    def chunks(self) -> list[Chunk]:
        """All passages, by row. Raises UserError where the table is damaged."""
        table = self._table(FIELDS)
        columns = (table[name].to_pylist() for name in FIELDS)
        return [Chunk(*values) for values in zip(*columns, strict=True)]

    @cached_property
    def row_of(self) -> dict[str, int]:
        """Chunk id → row."""
        return {chunk.id: row for row, chunk in enumerate(self.chunks)}

    @cached_property
    def rows_of_unit(self) -> dict[str, list[int]]:
        """Unit (`전자금융거래법 제9조`) → the rows of its passages."""
        out: dict[str, list[int]] = {}
        for row, chunk in enumerate(self.chunks):
            out.setdefault(chunk.unit, []).append(row)
        return out

    @cached_property
    def titles(self) -> tuple[str, ...]:
        """Titles of all documents, sorted."""
        return tuple(sorted({chunk.title for chunk in self.chunks}))

    @cached_property
    def calendar(self) -> Calendar:
        """The days of the passages."""
        return Calendar(self.chunks)

    @cached_property
    def cited(self) -> dict[int, list[int]]:
        """Row of a court decision's passage → the rows of the articles it cites."""
        return {row: targets for row, targets in self._json("cited.json")}

    @cached_property
    def references(self) -> dict[str, list[str]]:
        """Unit → the units that its text refers to, in order."""
        return dict(self._json("references.json"))

    @cached_property
    def floor(self) -> Floor | None:
        """The least score of a question that is answered; None if the index was built without."""
        record = self.meta.get("floor")
        return None if record is None else Floor.from_record(record)

    @cached_property
    def provisions(self) -> Provisions:
        """The articles, annexes and 항 of each document."""
        if not (self._files / "provisions.json").exists():
            return Provisions.of_passages(self.chunks)  # an older version built the index
        return Provisions.from_record(self._json("provisions.json"))

    @cached_property
    def former_names(self) -> tuple[FormerName, ...]:
        """The former and short names of the corpus; empty if an older version built the index."""
        if not (self._files / "names.json").exists():
            return ()
        rows = self._json("names.json")
        return tuple(FormerName(name, tuple(titles), same) for name, titles, same in rows)

    def lexical(self, kind: str) -> LexicalIndex:
        """Return the bm25s index over `kiwi` or `bigram` tokens, memory-mapped.

        Raises UserError where the index was built without it, or is damaged.
        """
        if kind not in self.meta["lexical"]:
            raise UserError(
                f"this index has no {kind} tokens (it has {', '.join(self.meta['lexical'])})",
                where=str(self.folder),
                remedy="set rag.lexical to the tokens it has, or build the index again",
            )
        try:
            index = LexicalIndex.load(self._files / f"lexical-{kind}")
        except (OSError, ValueError, KeyError, EOFError, UserError, MemoryError) as error:
            raise_if_machine(error, self._files / f"lexical-{kind}")
            raise _damaged(self.folder, str(error)) from error
        if index.documents != self.meta["chunks"]:
            raise _damaged(self.folder, f"{index.documents} of {self.meta['chunks']} passages")
        return index

    @cached_property
    def vectors(self) -> Vectors:
        """float32 [passages, dimensions], each row of length 1."""
        table = self._table(("vector",))
        flat = table["vector"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
        return flat.reshape(len(table), -1).astype(np.float32, copy=False)

    def tokens(self, kind: str) -> list[list[str]]:
        """Return the tokens of all passages, by row."""
        name = f"tokens_{kind}"
        return [text.split() for text in self._table((name,))[name].to_pylist()]

    def _table(self, names: tuple[str, ...]) -> pa.Table:
        try:
            return read_table(self._files / "store", names, self.meta["chunks"])
        except ValueError as error:
            raise_if_machine(error, self._files / "store")
            raise _damaged(self.folder, str(error)) from error

    def _json(self, name: str) -> Any:
        try:
            return load_json((self._files / name).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise_if_machine(error, self._files / name)
            raise _damaged(self.folder, str(error)) from error


def _damaged(folder: Path, detail: str) -> UserError:
    return UserError(
        f"the index is damaged ({detail})",
        where=str(folder),
        remedy=f"copy it again if it is a copy, or run `{stage_command('index', folder.parent)}`; "
        "if that finds nothing to do, delete the folder and run it again",
    )
