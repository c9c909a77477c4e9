"""The index on disk: LanceDB for text, tokens and vectors, bm25s memory-mapped beside it.

`index.json` is written last: a folder without it is an unfinished build, which goes on from its
last block of tokens or vectors when it is built again.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kofinlaw import Progress, UserError, silent
from kofinlaw.data.files import read_jsonl, sha256_file, write_json
from kofinlaw.data.records import Chunk, to_json
from kofinlaw.rag.precedents import cited_places
from kofinlaw.rag.settings import RagSettings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kofinlaw.data.lexical import LexicalIndex

FORMAT = 2
TABLE = "chunks"
BLOCK = 512  # passages between two marks a killed build goes on from
_CHUNK_FIELDS = (
    "id",
    "document_id",
    "title",
    "kind",
    "path",
    "unit",
    "text",
    "as_of",
    "source",
    "license",
    "sha256",
)


def lexical_kinds(settings: RagSettings) -> tuple[str, ...]:
    """The lexical indices the settings ask for."""
    return ("kiwi", "bigram") if settings.lexical == "both" else (settings.lexical,)


def tokens_of(kind: str, texts: Sequence[str], *, workers: int = 1) -> list[list[str]]:
    """Tokens of each text: Kiwi content morphemes, or Hangul bigrams."""
    from kofinlaw.data.korean import bigrams, content_morphemes

    if kind == "kiwi":
        return content_morphemes(texts, workers=workers)
    return [bigrams(text) for text in texts]


def build_index(
    chunks: Path,
    out: Path,
    settings: RagSettings,
    *,
    cache: Path | None = None,
    previous: Path | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Index the chunks of a corpus into `out`; a folder a killed build left is taken up.

    `cache` keeps embeddings by content; `previous` is an older index from which tokens and
    vectors of unchanged passages are taken. Returns counts. Raises UserError for a chunk file
    that is empty, broken, or repeats an id.
    """
    records = list(read_jsonl(chunks, Chunk))
    if not records:
        raise UserError("the corpus has no passage", where=str(chunks), remedy="see rejected.jsonl")
    if len({record.id for record in records}) < len(records):
        seen: set[str] = set()
        twice = next(r.id for r in records if r.id in seen or seen.add(r.id))  # type: ignore[func-returns-value]
        raise UserError(f"two passages have the id `{twice}`", where=str(chunks))
    kinds = lexical_kinds(settings)
    meta: dict[str, Any] = {
        "format": FORMAT,
        "chunks": len(records),
        "chunks_sha256": sha256_file(chunks),
        "lexical": list(kinds),
        "tokeniser": _tokeniser_version(),
        "embedder": settings.embedder,
        "dimensions": 0,
    }
    working = out / "working"
    _start(out, working, meta)
    old = _Reusable(previous, meta)
    tokens = {
        kind: _tokens(kind, records, working, settings.workers, old, progress) for kind in kinds
    }
    vectors = None
    if settings.embedder is not None:
        vectors = _vectors(settings.embedder, records, working, cache, old, progress)
        meta["dimensions"] = int(vectors.shape[1])
    progress("index", 0, 1)
    _write_table(out / "store", records, tokens, vectors)
    from kofinlaw.data.lexical import LexicalIndex

    for kind in kinds:
        _replace(out / f"lexical-{kind}", LexicalIndex.build(tokens[kind]).save)
    cited = cited_places(records)
    write_json(out / "cited.json", [[place, targets] for place, targets in cited.items()])
    write_json(out / "index.json", meta)
    shutil.rmtree(working)
    progress("index", 1, 1)
    return {
        "chunks": len(records),
        "tokens": sum(len(words) for words in tokens[kinds[0]]),
        "dimensions": meta["dimensions"],
        "reused": old.used,
        "bytes": sum(file.stat().st_size for file in out.rglob("*") if file.is_file()),
    }


class Index:
    """A finished index, read-only. Places are the passages' order in the chunk file."""

    def __init__(self, folder: Path, meta: dict[str, Any]) -> None:
        self.folder = folder
        self.meta = meta

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
        except json.JSONDecodeError as error:
            raise _damaged(folder, str(error)) from error
        if meta.get("format") != FORMAT:
            raise UserError(
                f"this index has format {meta.get('format')}; this version reads {FORMAT}",
                where=str(folder),
                remedy="build it again",
            )
        return cls(folder, meta)

    @property
    def fingerprint(self) -> str:
        """Hexadecimal; equal for the same chunks, tokenisers and embedder."""
        text = json.dumps(self.meta, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode("utf-8")).hexdigest()

    @cached_property
    def chunks(self) -> list[Chunk]:
        """All passages, by place. Raises UserError where the store is damaged."""
        columns = self._columns(_CHUNK_FIELDS)
        return [
            Chunk(*values)
            for values in zip(*(columns[name] for name in _CHUNK_FIELDS), strict=True)
        ]

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
        try:
            rows = json.loads((self.folder / "cited.json").read_text(encoding="utf-8"))
        except (OSError, json.JSONDecodeError) as error:
            raise _damaged(self.folder, str(error)) from error
        return {place: targets for place, targets in rows}

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
            index = LexicalIndex.load(self.folder / f"lexical-{kind}")
        except (OSError, ValueError, KeyError, EOFError) as error:
            raise _damaged(self.folder, str(error)) from error
        if index.documents != self.meta["chunks"]:
            raise _damaged(self.folder, f"{index.documents} of {self.meta['chunks']} passages")
        return index

    @cached_property
    def vectors(self) -> NDArray[Any]:
        """float32 (passages, dimensions), rows of length 1, by place."""
        table = self._arrow(("vector",))
        flat = table["vector"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
        return flat.reshape(len(table), -1).astype(np.float32, copy=False)

    def tokens(self, kind: str) -> list[list[str]]:
        """The tokens of all passages, by place."""
        return [text.split() for text in self._columns((f"tokens_{kind}",))[f"tokens_{kind}"]]

    def _columns(self, names: Sequence[str]) -> dict[str, list[Any]]:
        table = self._arrow(names)
        return {name: table[name].to_pylist() for name in names}

    def _arrow(self, names: Sequence[str]) -> Any:
        import lancedb

        try:
            table = lancedb.connect(str(self.folder / "store")).open_table(TABLE)
            count = self.meta["chunks"]
            rows = table.search().select([*names, "place"]).limit(count + 1).to_arrow()
        except (OSError, ValueError, RuntimeError) as error:
            raise _damaged(self.folder, str(error).splitlines()[0]) from error
        if len(rows) != count:
            raise _damaged(self.folder, f"{len(rows)} of {count} passages in the store")
        return rows.sort_by("place")


def _damaged(folder: Path, detail: str) -> UserError:
    return UserError(
        f"the index is damaged ({detail})",
        where=str(folder),
        remedy="delete the folder and build it again",
    )


def _tokeniser_version() -> str:
    try:
        return f"kiwipiepy {version('kiwipiepy')}, model {version('kiwipiepy_model')}"
    except PackageNotFoundError:
        return "no kiwipiepy"


def _start(out: Path, working: Path, meta: dict[str, Any]) -> None:
    """Keep what an unfinished build of the same thing left; drop everything else."""
    mark = working / "building.json"
    if mark.exists() and json.loads(mark.read_text(encoding="utf-8")) == meta:
        return
    for path in (out / "index.json", working, out / "store", *out.glob("lexical-*")):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    write_json(mark, meta)


class _Reusable:
    """Tokens and vectors of an older index, by the passage's hash."""

    def __init__(self, previous: Path | None, meta: dict[str, Any]) -> None:
        self.used = 0
        self._index = None
        self._meta = meta
        if previous is not None and (previous / "index.json").exists():
            index = Index.load(previous)
            if index.meta["tokeniser"] == meta["tokeniser"]:
                self._index = index
                self._places = {chunk.sha256: place for place, chunk in enumerate(index.chunks)}

    def tokens(self, kind: str) -> dict[str, list[str]]:
        if self._index is None or kind not in self._index.meta["lexical"]:
            return {}
        tokens = self._index.tokens(kind)
        return {sha: tokens[place] for sha, place in self._places.items()}

    def vectors(self) -> dict[str, NDArray[Any]]:
        if self._index is None or self._index.meta["embedder"] != self._meta["embedder"]:
            return {}
        vectors = self._index.vectors
        return {sha: vectors[place] for sha, place in self._places.items()}


def _tokens(
    kind: str,
    records: Sequence[Chunk],
    working: Path,
    workers: int,
    old: _Reusable,
    progress: Progress,
) -> list[list[str]]:
    """Tokens by blocks, each written whole, so that a killed build loses at most one."""
    known = old.tokens(kind)
    out: list[list[str]] = []
    for start in range(0, len(records), BLOCK):
        block = working / f"tokens-{kind}-{start:08d}.json"
        part = records[start : start + BLOCK]
        if not block.exists():
            new = [record for record in part if record.sha256 not in known]
            made = tokens_of(kind, [record.text for record in new], workers=workers)
            fresh = {record.sha256: words for record, words in zip(new, made, strict=True)}
            old.used += len(part) - len(new)
            write_json(block, [fresh.get(r.sha256) or known.get(r.sha256) or [] for r in part])
        out.extend(json.loads(block.read_text(encoding="utf-8")))
        progress(f"tokens ({kind})", len(out), len(records))
    return out


def _vectors(
    name: str,
    records: Sequence[Chunk],
    working: Path,
    cache: Path | None,
    old: _Reusable,
    progress: Progress,
) -> NDArray[Any]:
    from kofinlaw.models.embedders import open_embedder

    known = old.vectors()
    embedder = open_embedder(name, cache=cache)
    parts = []
    done = 0
    for start in range(0, len(records), BLOCK // 8):
        block = working / f"vectors-{start:08d}.npy"
        part = records[start : start + BLOCK // 8]
        if not block.exists():
            new = [record for record in part if record.sha256 not in known]
            rows = dict(known)
            if new:
                made = embedder.encode_passages([record.text for record in new])
                rows |= {record.sha256: row for record, row in zip(new, made, strict=True)}
            old.used += len(part) - len(new)
            _save_array(block, np.stack([rows[record.sha256] for record in part]))
        parts.append(np.load(block))
        done += len(part)
        progress("vectors", done, len(records), embedder=name)
    return np.concatenate(parts)


def _save_array(path: Path, rows: NDArray[Any]) -> None:
    from kofinlaw.data.files import atomic_write

    with atomic_write(path, "wb") as handle:
        np.save(handle, rows.astype(np.float32))


def _write_table(
    folder: Path,
    records: Sequence[Chunk],
    tokens: dict[str, list[list[str]]],
    vectors: NDArray[Any] | None,
) -> None:
    import lancedb
    import pyarrow as pa

    rows = [to_json(record) for record in records]
    columns: dict[str, Any] = {
        "place": pa.array(range(len(rows)), pa.int64()),
        **{name: pa.array([row[name] for row in rows], pa.string()) for name in _CHUNK_FIELDS},
    }
    for kind, words in tokens.items():
        columns[f"tokens_{kind}"] = pa.array(_joined(words), pa.string())
    if vectors is not None:
        flat = pa.array(np.ascontiguousarray(vectors, dtype=np.float32).ravel())
        columns["vector"] = pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])
    shutil.rmtree(folder, ignore_errors=True)
    lancedb.connect(str(folder)).create_table(TABLE, pa.table(columns))


def _joined(tokens: Iterable[list[str]]) -> list[str]:
    """Tokens joined by blanks: what LanceDB's whitespace tokeniser splits again."""
    return [" ".join(words) for words in tokens]


def _replace(folder: Path, save: Callable[[Path], None]) -> None:
    """Write a folder under another name first, so that it is whole or absent."""
    temporary = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(temporary, ignore_errors=True)
    save(temporary)
    shutil.rmtree(folder, ignore_errors=True)
    temporary.rename(folder)
