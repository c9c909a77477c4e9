"""The index on disk: a table of text, tokens and vectors, bm25s memory-mapped beside it.

`index.json` names the folder (a generation) that holds the rest, and is replaced last: until then
whoever opens the index sees the one before, and a build that was killed goes on from its last
block.
"""

from __future__ import annotations

import json
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kofinlaw import Progress, UserError, silent
from kofinlaw.data.files import sha256_file, write_json
from kofinlaw.data.records import Chunk
from kofinlaw.data.versions import EARLIER, read_chunks
from kofinlaw.rag.earlier import interleaved
from kofinlaw.rag.expand import read_references
from kofinlaw.rag.index_blocks import (
    BLOCK,
    VECTOR_BLOCK,
    Reusable,
    token_blocks,
    vector_blocks,
)
from kofinlaw.rag.index_generations import fingerprint, publish, start
from kofinlaw.rag.precedents import cited_places
from kofinlaw.rag.settings import RagSettings
from kofinlaw.rag.stores.table import FIELDS, read_table, write_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kofinlaw.data.lexical import LexicalIndex

FORMAT = 3


def lexical_kinds(settings: RagSettings) -> tuple[str, ...]:
    """The lexical indices the settings ask for."""
    return ("kiwi", "bigram") if settings.lexical == "both" else (settings.lexical,)


def build_index(
    chunks: Path,
    out: Path,
    settings: RagSettings,
    *,
    cache: Path | None = None,
    previous: Path | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Index the chunks of a corpus into `out`; what a killed build left there is taken up.

    `cache` keeps embeddings by content; `previous` is an older index (else the one in `out`)
    from which tokens and vectors of unchanged passages are taken. The references between articles
    come from `citations.jsonl` beside the chunks, where there is one, and texts of acts' earlier
    versions from `earlier.jsonl`. Returns counts. Raises UserError for a chunk file that is empty,
    broken, or repeats an id.
    """
    records = _records(chunks)
    earlier = chunks.parent / EARLIER
    kinds = lexical_kinds(settings)
    citations = chunks.parent / "citations.jsonl"
    meta: dict[str, Any] = {
        "format": FORMAT,
        "chunks": len(records),
        "chunks_sha256": sha256_file(chunks),
        "references_sha256": sha256_file(citations) if citations.exists() else "",
        # Only where there are such texts: other indexes stay what they are.
        **({"earlier_sha256": sha256_file(earlier)} if _holds(earlier) else {}),
        "lexical": list(kinds),
        "tokeniser": tokeniser_version(),
        "embedder": settings.embedder,
        "embed_characters": settings.embed_characters if settings.embedder else None,
    }
    building = out / "building"
    working = building / "blocks"
    start(building, {**meta, "blocks": [BLOCK, VECTOR_BLOCK]})
    old = Reusable((_older(previous) if previous else None) or _older(out))
    tokens = {
        kind: token_blocks(
            kind,
            records,
            working,
            old.tokens(kind, meta["tokeniser"]),
            old,
            settings.workers,
            progress,
        )
        for kind in kinds
    }
    vectors = None
    if settings.embedder is not None:
        characters = settings.embed_characters
        known = old.vectors(settings.embedder, characters)
        vectors = vector_blocks(
            settings.embedder, characters, records, working, known, old, cache, progress
        )
    progress("index", 0, 1)
    write_table(building / "store", records, tokens, vectors)
    from kofinlaw.data.lexical import LexicalIndex

    for kind in kinds:
        LexicalIndex.build(tokens[kind]).save(building / f"lexical-{kind}")
    cited = cited_places(records)
    write_json(building / "cited.json", [[place, targets] for place, targets in cited.items()])
    write_json(building / "references.json", read_references(citations))
    meta["dimensions"] = 0 if vectors is None else int(vectors.shape[1])
    if settings.store == "weaviate":
        from kofinlaw.rag.stores.weaviate_import import import_index

        built = Index(out, {**meta, "generation": building.name})
        import_index(built, settings, progress=progress)
    generation = publish(out, building, meta)
    progress("index", 1, 1)
    return {
        "chunks": len(records),
        "tokens": sum(len(words) for words in tokens[kinds[0]]),
        "dimensions": meta["dimensions"],
        "reused": old.used,
        "bytes": sum(file.stat().st_size for file in generation.rglob("*") if file.is_file()),
    }


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
        from kofinlaw.data.lexical import LexicalIndex

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


def _records(chunks: Path) -> list[Chunk]:
    records = list(interleaved(read_chunks(chunks)))
    if not records:
        raise UserError("the corpus has no passage", where=str(chunks), remedy="see rejected.jsonl")
    seen: set[str] = set()
    for record in records:
        if record.id in seen:
            raise UserError(f"two passages have the id `{record.id}`", where=str(chunks))
        seen.add(record.id)
    return records


def _holds(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0


def _older(folder: Path) -> Index | None:
    """The index in a folder if it can be read; a damaged or older one only costs its reuse."""
    try:
        index = Index.load(folder)
        return index if index.chunks else None
    except UserError:
        return None


def tokeniser_version() -> str:
    """The installed Kiwi and its model, which an index's tokens depend on."""
    try:
        return f"kiwipiepy {version('kiwipiepy')}, model {version('kiwipiepy_model')}"
    except PackageNotFoundError:
        return "no kiwipiepy"


def _damaged(folder: Path, detail: str) -> UserError:
    return UserError(
        f"the index is damaged ({detail})",
        where=str(folder),
        remedy="delete the folder and build it again",
    )
