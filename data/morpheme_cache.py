"""Content morphemes kept by the content of their text, so that a run counts them once.

Near duplicates, evidence, the index and the scores ask for the morphemes of the same chunks; Kiwi
needs about a second for a quarter of a megabyte. The cache holds until Kiwi's version changes.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextvars import ContextVar
from pathlib import Path

_ASKED_AT_ONCE = 500
_TABLE = "CREATE TABLE IF NOT EXISTS morphemes (key BLOB PRIMARY KEY, words TEXT) WITHOUT ROWID"
_current: ContextVar[MorphemeCache | None] = ContextVar("morpheme_cache", default=None)


class MorphemeCache:
    """A table of SHA-256(Kiwi's version, text) to content morphemes, in one SQLite file.

    It is a cache: a damaged file is begun anew, and what cannot be written is not kept.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._rows = _opened(path)
        except sqlite3.DatabaseError:
            path.unlink(missing_ok=True)
            self._rows = _opened(path)

    def close(self) -> None:
        """Let the file go."""
        self._rows.close()

    def find(self, texts: Sequence[str]) -> dict[str, list[str]]:
        """The morphemes of those texts that are known."""
        keys = {_key(text): text for text in texts}
        found = {}
        wanted = list(keys)
        for start in range(0, len(wanted), _ASKED_AT_ONCE):
            part = wanted[start : start + _ASKED_AT_ONCE]
            marks = ",".join("?" * len(part))
            query = f"SELECT key, words FROM morphemes WHERE key IN ({marks})"
            for key, words in self._rows.execute(query, part):
                found[keys[key]] = json.loads(words)
        return found

    def keep(self, pairs: Iterable[tuple[str, list[str]]]) -> None:
        """Remember the morphemes of texts."""
        rows = [(_key(text), json.dumps(words, ensure_ascii=False)) for text, words in pairs]
        with contextlib.suppress(sqlite3.OperationalError), self._rows:  # a full disk, a lock
            self._rows.executemany("INSERT OR IGNORE INTO morphemes VALUES (?, ?)", rows)


def _opened(path: Path) -> sqlite3.Connection:
    rows = sqlite3.connect(path, timeout=60)
    try:
        rows.execute("PRAGMA journal_mode=WAL")
        rows.execute("PRAGMA synchronous=NORMAL")
        rows.execute(_TABLE)
    except sqlite3.DatabaseError:
        rows.close()
        raise
    return rows


def _key(text: str) -> bytes:
    import kiwipiepy

    digest = hashlib.sha256(f"kiwi {kiwipiepy.__version__}\0".encode())
    digest.update(text.encode("utf-8", "surrogatepass"))
    return digest.digest()


def current() -> MorphemeCache | None:
    """The cache of this context; threads have none unless they open one."""
    return _current.get()


@contextlib.contextmanager
def caching(path: Path) -> Iterator[MorphemeCache | None]:
    """Inside, `korean.content_morphemes` looks here first and keeps what it counts.

    Where the file cannot be written (None) everything is counted as without a cache.
    """
    try:
        cache = MorphemeCache(path)
    except (OSError, sqlite3.Error):
        yield None
        return
    token = _current.set(cache)
    try:
        yield cache
    finally:
        _current.reset(token)
        cache.close()
