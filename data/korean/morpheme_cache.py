"""Cache the content morphemes of texts on disk, so that a run analyses each text once.

Near duplicates, evidence, the index and the scores need the morphemes of the same chunks, and Kiwi
needs about a second for a quarter of a megabyte. Another analysis (for example another version of
Kiwi) has other keys.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextvars import ContextVar
from pathlib import Path

__all__ = ["MorphemeCache", "caching", "current"]

_KEYS_PER_QUERY = 500
_TABLE = "CREATE TABLE IF NOT EXISTS morphemes (key BLOB PRIMARY KEY, words TEXT) WITHOUT ROWID"
_current: ContextVar[MorphemeCache | None] = ContextVar("morpheme_cache", default=None)


class MorphemeCache:
    """A table from SHA-256(variant of the analysis, text) to content morphemes, in a SQLite file.

    A damaged file is deleted and created again, at the latest by the next run. Morphemes that
    cannot be read or written are analysed again. Raises sqlite3.Error if the file cannot be opened
    for another reason, for example a lock.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._damaged = False
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._rows = _opened(path)
        except sqlite3.OperationalError:  # a lock or no access: the file may not be damaged
            raise
        except sqlite3.DatabaseError:
            path.unlink(missing_ok=True)
            self._rows = _opened(path)

    def close(self) -> None:
        """Close the file, and delete it if it is damaged."""
        self._rows.close()
        if self._damaged:
            self._path.unlink(missing_ok=True)

    def find(self, texts: Sequence[str], variant: str) -> dict[str, list[str]]:
        """Return the morphemes of the texts that are in the cache, by text.

        `variant` identifies the analysis.
        """
        keys = {_key(text, variant): text for text in texts}
        found: dict[str, list[str]] = {}
        wanted = list(keys)
        with self._ignore_errors():
            for start in range(0, len(wanted), _KEYS_PER_QUERY):
                part = wanted[start : start + _KEYS_PER_QUERY]
                marks = ",".join("?" * len(part))
                query = f"SELECT key, words FROM morphemes WHERE key IN ({marks})"
                for key, words in self._rows.execute(query, part):
                    found[keys[key]] = json.loads(words)
        return found

    def store(self, pairs: Iterable[tuple[str, list[str]]], variant: str) -> None:
        """Store (text, morphemes) pairs of this variant of the analysis."""
        rows = [(_key(text, variant), json.dumps(w, ensure_ascii=False)) for text, w in pairs]
        with self._ignore_errors(), self._rows:
            self._rows.executemany("INSERT OR IGNORE INTO morphemes VALUES (?, ?)", rows)

    @contextlib.contextmanager
    def _ignore_errors(self) -> Iterator[None]:
        """Ignore errors of the file: they cost only cached results."""
        try:
            yield
        except sqlite3.OperationalError:  # a full disk or a lock
            return
        except (sqlite3.DatabaseError, ValueError):  # a damaged page, or words that are not JSON
            self._damaged = True


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


def _key(text: str, variant: str) -> bytes:
    digest = hashlib.sha256(f"{variant}\0".encode())
    digest.update(text.encode("utf-8", "surrogatepass"))
    return digest.digest()


def current() -> MorphemeCache | None:
    """Return the cache of this context; a new thread has none unless it opens one."""
    return _current.get()


@contextlib.contextmanager
def caching(path: Path) -> Iterator[MorphemeCache | None]:
    """Inside the block, `words.content_morphemes` uses the cache in this file.

    If the file cannot be opened, the block gets None and works without a cache.
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
