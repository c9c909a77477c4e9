"""Build an index: tokens, vectors, references and the store. A killed build is resumed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypedDict

from kofinlaw import Progress, UserError, silent
from kofinlaw.cluster.jobs import HERE, Workers
from kofinlaw.data.decisions.cited_articles import cited_rows
from kofinlaw.data.korean.lexical import LexicalIndex
from kofinlaw.data.law.former_names import NAMES, read_names
from kofinlaw.data.law.versions import EARLIER, read_chunks
from kofinlaw.errors import raise_if_machine
from kofinlaw.files import sha256_file, write_json
from kofinlaw.models.embedders import embedder_identity
from kofinlaw.rag.abstention.calibrate import set_floor
from kofinlaw.rag.abstention.floor import Floor
from kofinlaw.rag.abstention.provisions import Provisions
from kofinlaw.rag.arrays import Vectors
from kofinlaw.rag.index.blocks import BLOCK, VECTOR_BLOCK, BlockBuilder
from kofinlaw.rag.index.generations import publish, start
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.index.meta import FORMAT, IndexMeta
from kofinlaw.rag.index.passage_references import read_references
from kofinlaw.rag.index.stores.table import write_table
from kofinlaw.rag.index.tokens import tokenizer_version
from kofinlaw.rag.index.version_merge import merge_versions
from kofinlaw.rag.settings import RagSettings
from kofinlaw.records import Chunk

__all__ = ["IndexCounts", "build_index"]


@dataclass(frozen=True)
class IndexCounts:
    """The figures of a built index.

    `chunks` counts passages, `tokens` those of the first lexical index; `dimensions` is that of the
    vectors (0 without an embedder); `reused` counts token lists and vectors taken from an older
    index; `bytes` is the size on disk.
    """

    chunks: int
    tokens: int
    dimensions: int
    reused: int
    bytes: int

    def to_record(self) -> dict[str, object]:
        """Return the figures by name."""
        return dict(asdict(self))


def build_index(
    chunks: Path,
    out: Path,
    settings: RagSettings,
    *,
    cache: Path | None = None,
    previous: Path | None = None,
    workers: Workers = HERE,
    progress: Progress = silent,
) -> IndexCounts:
    """Index the chunks of a corpus into `out`. A build that was killed there is resumed.

    Args:
        chunks: `chunks.jsonl` of a corpus. References between articles come from `citations.jsonl`
            in the same folder, texts of earlier versions from `earlier.jsonl`, former names of acts
            from `names.json`, where they exist.
        out: Folder of the index. Readers see the previous index there until the new one is ready.
        settings: Lexical indexes, embedder and store.
        cache: Folder in which the embedder keeps vectors by content.
        previous: An older index from which tokens and vectors of unchanged passages are taken;
            None: the one in `out`.
        workers: The processes that cut and embed passages.
        progress: Called after each block.

    Raises UserError for a chunk file that is empty, damaged, or repeats an id, and for a Weaviate
    server that cannot be used.
    """
    records = _read_records(chunks)
    meta = _meta(chunks, len(records), settings)
    building = out / "building"
    start(building, {**meta, "blocks": [BLOCK, VECTOR_BLOCK]})
    older = (_older_index(previous) if previous else None) or _older_index(out)
    blocks = BlockBuilder(records, building / "blocks", older, workers, progress)
    tokens = {
        kind: blocks.tokens(kind, meta["tokeniser"], threads=settings.workers)
        for kind in settings.lexical_kinds
    }
    vectors = None
    if settings.embedder is not None:
        vectors = blocks.vectors(settings.embedder, settings.embed_characters, cache)
    progress("index", 0, 1)
    write_table(building / "store", records, tokens, vectors)
    lexical = _write_lookups(building, records, tokens, chunks.parent)
    meta["dimensions"] = 0 if vectors is None else int(vectors.shape[1])
    meta["floor"] = _floor(records, lexical, settings, vectors, cache).to_record()
    if settings.store == "weaviate":
        from kofinlaw.rag.index.stores.weaviate_server.importing import import_index

        built = Index(out, {**meta, "generation": building.name})
        import_index(built, settings, progress=progress)
    generation = publish(out, building, meta)
    progress("index", 1, 1)
    return IndexCounts(
        chunks=len(records),
        tokens=sum(len(words) for words in tokens[settings.lexical_kinds[0]]),
        dimensions=meta["dimensions"],
        reused=blocks.reused,
        bytes=sum(file.stat().st_size for file in generation.rglob("*") if file.is_file()),
    )


class _EarlierTexts(TypedDict, total=False):
    earlier_sha256: str
    names_sha256: str


def _meta(chunks: Path, count: int, settings: RagSettings) -> IndexMeta:
    earlier = chunks.parent / EARLIER
    citations = chunks.parent / "citations.jsonl"
    # Only where there are such texts, so that the fingerprint of other indexes stays the same.
    texts: _EarlierTexts = {}
    if earlier.is_file() and earlier.stat().st_size > 0:
        texts["earlier_sha256"] = sha256_file(earlier)
    if read_names(chunks.parent / NAMES):
        texts["names_sha256"] = sha256_file(chunks.parent / NAMES)
    return {
        "format": FORMAT,
        "chunks": count,
        "chunks_sha256": sha256_file(chunks),
        "references_sha256": sha256_file(citations) if citations.exists() else "",
        **texts,
        "lexical": list(settings.lexical_kinds),
        "tokeniser": tokenizer_version(),
        "embedder": embedder_identity(settings.embedder) if settings.embedder else None,
        "embed_characters": settings.embed_characters if settings.embedder else None,
    }


def _write_lookups(
    building: Path, records: Sequence[Chunk], tokens: dict[str, list[list[str]]], corpus: Path
) -> LexicalIndex:
    """Write the lexical indexes, the references between passages, and the provisions.

    Returns the first lexical index.
    """
    indexes = [LexicalIndex.build(words) for words in tokens.values()]
    for kind, index in zip(tokens, indexes, strict=True):
        index.save(building / f"lexical-{kind}")
    cited = cited_rows(records)
    write_json(building / "cited.json", [[row, targets] for row, targets in cited.items()])
    write_json(building / "references.json", read_references(corpus / "citations.jsonl"))
    provisions = Provisions.of_corpus(records, corpus / "articles.jsonl")
    write_json(building / "provisions.json", provisions.to_record())
    names = read_names(corpus / NAMES)
    write_json(building / NAMES, [[one.name, one.titles, one.same] for one in names])
    return indexes[0]


def _floor(
    records: Sequence[Chunk],
    lexical: LexicalIndex,
    settings: RagSettings,
    vectors: Vectors | None,
    cache: Path | None,
) -> Floor:
    """Return the least score of a question that is answered, from questions on the passages."""
    encode = None
    if settings.embedder is not None:
        from kofinlaw.models.embedders import open_embedder

        encode = open_embedder(settings.embedder, cache=cache).encode_queries
    return set_floor(records, lexical, settings.lexical_kinds[0], vectors, encode)


def _read_records(chunks: Path) -> list[Chunk]:
    records = list(merge_versions(read_chunks(chunks)))
    if not records:
        raise UserError("the corpus has no passage", where=str(chunks), remedy="see rejected.jsonl")
    seen: set[str] = set()
    for record in records:
        if record.id in seen:
            raise UserError(f"two passages have the id `{record.id}`", where=str(chunks))
        seen.add(record.id)
    return records


def _older_index(folder: Path) -> Index | None:
    """Return the index in a folder; None where it cannot be read, and then nothing is reused."""
    try:
        index = Index.load(folder)
        return index if index.chunks else None
    except UserError as error:
        raise_if_machine(error, folder)
        return None
