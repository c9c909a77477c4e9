"""Build an index: tokens, vectors, references and the store, resumed after a kill."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kofinlaw import Progress, UserError, silent
from kofinlaw.data.law.versions import EARLIER, read_chunks
from kofinlaw.files import sha256_file, write_json
from kofinlaw.rag.index.blocks import (
    BLOCK,
    VECTOR_BLOCK,
    Reusable,
    token_blocks,
    vector_blocks,
)
from kofinlaw.rag.index.generations import publish, start
from kofinlaw.rag.index.index import FORMAT, Index
from kofinlaw.rag.index.references import cited_places, read_references
from kofinlaw.rag.index.stores.table import write_table
from kofinlaw.rag.index.version_merge import interleaved
from kofinlaw.rag.settings import RagSettings
from kofinlaw.records import Chunk

if TYPE_CHECKING:
    pass


def lexical_kinds(settings: RagSettings) -> tuple[str, ...]:
    """The lexical indices the settings ask for."""
    return ("kiwi", "bigram") if settings.lexical == "both" else (settings.lexical,)


@dataclass(frozen=True)
class IndexCounts:
    """The figures of a built index.

    `tokens` are of its first lexical index, `dimensions` of its vectors (0 without an embedder);
    `reused` counts token lists and vectors taken from an older index, `bytes` is the size on disk.
    """

    chunks: int
    tokens: int
    dimensions: int
    reused: int
    bytes: int

    def to_record(self) -> dict[str, object]:
        """The figures by name."""
        return dict(asdict(self))


def build_index(
    chunks: Path,
    out: Path,
    settings: RagSettings,
    *,
    cache: Path | None = None,
    previous: Path | None = None,
    progress: Progress = silent,
) -> IndexCounts:
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
    from kofinlaw.data.korean.lexical import LexicalIndex

    for kind in kinds:
        LexicalIndex.build(tokens[kind]).save(building / f"lexical-{kind}")
    cited = cited_places(records)
    write_json(building / "cited.json", [[place, targets] for place, targets in cited.items()])
    write_json(building / "references.json", read_references(citations))
    meta["dimensions"] = 0 if vectors is None else int(vectors.shape[1])
    if settings.store == "weaviate":
        from kofinlaw.rag.index.stores.weaviate_import import import_index

        built = Index(out, {**meta, "generation": building.name})
        import_index(built, settings, progress=progress)
    generation = publish(out, building, meta)
    progress("index", 1, 1)
    return IndexCounts(
        chunks=len(records),
        tokens=sum(len(words) for words in tokens[kinds[0]]),
        dimensions=meta["dimensions"],
        reused=old.used,
        bytes=sum(file.stat().st_size for file in generation.rglob("*") if file.is_file()),
    )


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
