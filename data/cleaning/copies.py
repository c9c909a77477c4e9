"""Find copies among the chunks of a corpus and keep one chunk of each cluster.

Only the band keys (128 bytes a chunk) and the pairs are in memory. The codes that decide whether
two chunks are similar are on disk.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from kofinlaw.data.cleaning.chunk_filter import chunk_body
from kofinlaw.data.cleaning.duplicates import (
    CHARACTERS_PER_SHINGLE,
    MORPHEMES_PER_SHINGLE,
    BandTable,
    Pair,
    character_codes,
    clusters,
    morpheme_codes,
    verified_pairs,
)
from kofinlaw.data.korean.words import content_morphemes
from kofinlaw.data.reject_log import RejectLog
from kofinlaw.data.settings import DataSettings
from kofinlaw.data.spool import ByteSpool, Spool

__all__ = ["CodeSpool", "CopyFinder", "DuplicateRecord", "reject_copies"]

_BATCH_TEXTS = 2048
_BATCH_CHARACTERS = 2_000_000
_STATUTORY = frozenset(["statute", "rule", "case"])


class DuplicateRecord(TypedDict):
    """A line of `duplicates.jsonl`: two similar chunks, and whether the second was removed."""

    first: str
    second: str
    similarity: float
    removed: bool


class CodeSpool:
    """The codes of texts on disk, read by row. Raises UserError if the disk is full."""

    def __init__(self, path: Path) -> None:
        self._codes = ByteSpool(path)

    def extend(self, codes: Sequence[NDArray[np.uint64]]) -> None:
        """Append the codes of the next texts."""
        for item in codes:
            self._codes.append(item.tobytes())

    def __getitem__(self, row: int, /) -> NDArray[np.uint64]:
        return np.frombuffer(self._codes[row], dtype=np.uint64)

    def close(self) -> None:
        """Close the file; it is deleted with its folder."""
        self._codes.close()


class CopyFinder:
    """Receives the texts of the chunks one by one, then finds the pairs of similar chunks."""

    def __init__(self, settings: DataSettings, folder: Path) -> None:
        self._settings = settings.near_duplicates
        self._workers = settings.workers
        kiwi = self._settings.tokens == "kiwi"
        width = MORPHEMES_PER_SHINGLE if kiwi else CHARACTERS_PER_SHINGLE
        self._table = BandTable(self._settings.threshold, width)
        self._codes = CodeSpool(folder / "codes.bin")
        self._waiting: list[str] = []
        self._size = 0

    def add(self, text: str) -> None:
        """Add the text of the next chunk, with its header."""
        if not self._settings.enabled:
            return
        self._waiting.append(chunk_body(text))
        self._size += len(text)
        if len(self._waiting) >= _BATCH_TEXTS or self._size >= _BATCH_CHARACTERS:
            self._encode_waiting()

    def _encode_waiting(self) -> None:
        if self._settings.tokens == "kiwi":
            tokens = content_morphemes(self._waiting, workers=self._workers)
            codes = [morpheme_codes(words) for words in tokens]
        else:
            codes = [character_codes(text) for text in self._waiting]
        self._table.add(codes)
        self._codes.extend(codes)
        self._waiting, self._size = [], 0

    def pairs(self) -> Iterator[Pair]:
        """Return the pairs of chunks, by row, whose texts are similar."""
        self._encode_waiting()
        return verified_pairs(self._table, self._codes, self._settings.threshold)

    def close(self) -> None:
        """Close the file of codes."""
        self._codes.close()


def reject_copies(
    pairs: Iterator[Pair], chunks: Spool, log: RejectLog, write: Callable[[DuplicateRecord], object]
) -> dict[int, int]:
    """Reject the copies; returns the row of each rejected chunk with the row of the kept one.

    Two provisions of statutes are never copies, because each is cited by its name.

    Args:
        pairs: Pairs of similar chunks, by row.
        chunks: The chunks of the corpus.
        log: Receives the rejected chunks.
        write: Called with every pair of similar chunks.
    """
    rows, similarities, removable = array("q"), array("d"), bytearray()
    for pair in pairs:
        rows.extend((pair.first, pair.second))
        similarities.append(pair.similarity)
        removable.append(_is_copy(chunks[pair.first], chunks[pair.second]))
    found = list(zip(rows[0::2], rows[1::2], similarities, strict=True))
    copies = (Pair(*item) for item, copy in zip(found, removable, strict=True) if copy)
    first_of = {
        row: first for row, first in enumerate(clusters(copies, len(chunks))) if row != first
    }
    for first, second, similarity in found:
        write(
            {
                "first": chunks[first]["id"],
                "second": chunks[second]["id"],
                "similarity": similarity,
                "removed": second in first_of,
            }
        )
    for row, first in first_of.items():
        chunk, kept = chunks[row], chunks[first]
        exact = chunk_body(chunk["text"]) == chunk_body(kept["text"])
        reason = "duplicate" if exact else "near_duplicate"
        log.reject("duplicates", chunk["id"], reason, f"like {kept['id']}", chunk)
    return first_of


def _is_copy(first: dict[str, Any], second: dict[str, Any]) -> bool:
    other_unit = first["unit"] != second["unit"] and second["kind"] in _STATUTORY
    same_unit = (first["unit"], first["document_id"]) == (second["unit"], second["document_id"])
    return not other_unit and not (same_unit and second["kind"] in _STATUTORY)
