"""Content morphemes kept by the content of their text, so that a run counts them once.

Near duplicates, evidence, the index and the scores ask for the morphemes of the same chunks; Kiwi
needs about a second for a quarter of a megabyte. Words counted in another manner (by another Kiwi,
say) have other keys.
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
    """A table of SHA-256(manner of counting, text) to content morphemes, in one SQLite file.

    It is a cache: a damaged file is begun anew (where the damage shows later, by the next run), and
    what cannot be read or written is counted. Raises sqlite3.Error where the file cannot be opened
    for another reason, as a lock.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._damaged = False
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._rows = _opened(path)
        except sqlite3.OperationalError:  # a lock, no access: the file itself may be whole
            raise
        except sqlite3.DatabaseError:
            path.unlink(missing_ok=True)
            self._rows = _opened(path)

    def close(self) -> None:
        """Let the file go."""
        self._rows.close()
        if self._damaged:
            self._path.unlink(missing_ok=True)

    def find(self, texts: Sequence[str], manner: str) -> dict[str, list[str]]:
        """The morphemes of those texts that are known; `manner` says how they are counted."""
        keys = {_key(text, manner): text for text in texts}
        found: dict[str, list[str]] = {}
        wanted = list(keys)
        with self._forgiving():
            for start in range(0, len(wanted), _ASKED_AT_ONCE):
                part = wanted[start : start + _ASKED_AT_ONCE]
                marks = ",".join("?" * len(part))
                query = f"SELECT key, words FROM morphemes WHERE key IN ({marks})"
                for key, words in self._rows.execute(query, part):
                    found[keys[key]] = json.loads(words)
        return found

    def keep(self, pairs: Iterable[tuple[str, list[str]]], manner: str) -> None:
        """Remember the morphemes of texts, counted in that manner."""
        rows = [(_key(text, manner), json.dumps(w, ensure_ascii=False)) for text, w in pairs]
        with self._forgiving(), self._rows:
            self._rows.executemany("INSERT OR IGNORE INTO morphemes VALUES (?, ?)", rows)

    @contextlib.contextmanager
    def _forgiving(self) -> Iterator[None]:
        """Errors of the file cost what it holds, never the run."""
        try:
            yield
        except sqlite3.OperationalError:  # a full disk, a lock
            return
        except (sqlite3.DatabaseError, ValueError):  # a damaged page, words that are no JSON
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


def _key(text: str, manner: str) -> bytes:
    digest = hashlib.sha256(f"{manner}\0".encode())
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
