"""Keep the words that OCR found in a picture, so that `init`, `plan` and `run` read a page once."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import zlib
from pathlib import Path

from kofinlaw.files import cache_folder

__all__ = ["keep_words", "kept_words", "picture_key"]

_MOST_BYTES = 16 << 20  # of the words of a page


def picture_key(*parts: bytes) -> str:
    """Return the key of a picture read with some settings: SHA-256 of these parts."""
    found = hashlib.sha256()
    for part in parts:
        found.update(len(part).to_bytes(8, "little"))
        found.update(part)
    return found.hexdigest()


def kept_words(key: str) -> str | None:
    """Return the words under a key; None if there are none, or if they are damaged."""
    try:
        machine = zlib.decompressobj()
        data = machine.decompress(_place(key).read_bytes(), _MOST_BYTES)
        return data.decode("utf-8") if machine.eof else None
    except (OSError, zlib.error, UnicodeDecodeError):
        return None


def keep_words(key: str, words: str) -> None:
    """Keep words under a key, readable for this user only.

    A full disk is not an error: the words are then not kept, and no part of a file remains.
    """
    place = _place(key)
    with contextlib.suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = tempfile.NamedTemporaryFile(dir=place.parent, delete=False)
        try:
            with handle:
                handle.write(zlib.compress(words.encode("utf-8")))
            os.replace(handle.name, place)
        finally:
            Path(handle.name).unlink(missing_ok=True)


def _place(key: str) -> Path:
    """Return the file of a key in the cache."""
    return cache_folder() / "ocr" / key
