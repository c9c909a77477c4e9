"""The index on disk: a table of text, tokens and vectors, bm25s memory-mapped beside it.

`index.json` names the folder (a generation) that holds the rest, and is replaced last: until then
whoever opens the index sees the one before, and a build that was killed goes on from its last
block.
"""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kofinlaw import UserError
from kofinlaw.rag.index.generations import fingerprint
from kofinlaw.rag.index.stores.table import FIELDS, read_table
from kofinlaw.records import Chunk

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kofinlaw.data.korean.lexical import LexicalIndex

FORMAT = 3


class Index:
    """A finished index, read-only. Places are the passages' order in the chunk file."""

    def __init__(self, folder: Path, meta: dict[str, Any]) -> None:
        self.folder = folder
        self.meta = meta
        self._files = folder / meta["generation"]

    @classmethod
    def load(cls, folder: Path) -> Index:
        """Open an index.

        Raises UserError for a folder that holds none, an unfinished or damaged one, or one of
        another version.
        """
        folder = Path(folder)
        path = folder / "index.json"
        if not path.exists():
            raise UserError(
                "no finished index here",
                where=str(folder),
                remedy="kofinlaw index RECIPE builds it (an unfinished build goes on)",
            )
        try:
            meta = json.loads(path.read_text(encoding="utf-8"))
            found = meta["format"]
        except (ValueError, KeyError, TypeError) as error:
            raise _damaged(folder, f"index.json: {error}") from error
        if found != FORMAT:
            raise UserError(
                f"this index has format {found}; this version reads {FORMAT}",
                where=str(folder),
                remedy="build it again",
            )
        return cls(folder, meta)

    @property
    def fingerprint(self) -> str:
        """Hexadecimal; equal for the same chunks, references, tokenisers and embedder."""
        return fingerprint(self.meta)

    @cached_property
    def chunks(self) -> list[Chunk]:
        """All passages, by place. Raises UserError where the store is damaged."""
        table = self._table(FIELDS)
        columns = (table[name].to_pylist() for name in FIELDS)
        return [Chunk(*values) for values in zip(*columns, strict=True)]

    @cached_property
    def place_of(self) -> dict[str, int]:
        """Chunk id → place."""
        return {chunk.id: place for place, chunk in enumerate(self.chunks)}

    @cached_property
    def places_of_unit(self) -> dict[str, list[int]]:
        """Unit (`전자금융거래법 제9조`) → the places of its passages."""
        out: dict[str, list[int]] = {}
        for place, chunk in enumerate(self.chunks):
            out.setdefault(chunk.unit, []).append(place)
        return out

    @cached_property
    def titles(self) -> tuple[str, ...]:
        """Titles of all documents, sorted."""
        return tuple(sorted({chunk.title for chunk in self.chunks}))

    @cached_property
    def cited(self) -> dict[int, list[int]]:
        """For each passage of a court decision the places of the articles it cites."""
        return {place: targets for place, targets in self._json("cited.json")}

    @cached_property
    def references(self) -> dict[str, list[str]]:
        """Unit → the units that its text refers to, in order."""
        return dict(self._json("references.json"))

    def lexical(self, kind: str) -> LexicalIndex:
        """The bm25s index of one kind, memory-mapped.

        Raises UserError where the index was built without it, or is damaged.
        """
        from kofinlaw.data.korean.lexical import LexicalIndex

        if kind not in self.meta["lexical"]:
            raise UserError(
                f"this index has no {kind} tokens (it has {', '.join(self.meta['lexical'])})",
                where=str(self.folder),
                remedy="set rag.lexical to what it has, or build it again",
            )
        try:
            index = LexicalIndex.load(self._files / f"lexical-{kind}")
        except (OSError, ValueError, KeyError, EOFError, UserError) as error:
            raise _damaged(self.folder, str(error)) from error
        if index.documents != self.meta["chunks"]:
            raise _damaged(self.folder, f"{index.documents} of {self.meta['chunks']} passages")
        return index

    @cached_property
    def vectors(self) -> NDArray[Any]:
        """float32 (passages, dimensions), rows of length 1, by place."""
        table = self._table(("vector",))
        flat = table["vector"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
        return flat.reshape(len(table), -1).astype(np.float32, copy=False)

    def tokens(self, kind: str) -> list[list[str]]:
        """The tokens of all passages, by place."""
        name = f"tokens_{kind}"
        return [text.split() for text in self._table((name,))[name].to_pylist()]

    def _table(self, names: tuple[str, ...]) -> Any:
        try:
            return read_table(self._files / "store", names, self.meta["chunks"])
        except ValueError as error:
            raise _damaged(self.folder, str(error)) from error

    def _json(self, name: str) -> Any:
        try:
            return json.loads((self._files / name).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise _damaged(self.folder, str(error)) from error


def _damaged(folder: Path, detail: str) -> UserError:
    return UserError(
        f"the index is damaged ({detail})",
        where=str(folder),
        remedy="delete the folder and build it again",
    )
