"""Copies among the chunks of a corpus: found over the whole of it, one left of each cluster.

In memory there are only the band keys (128 bytes a chunk) and the pairs; the codes that settle a
pair lie on the disk.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kofinlaw.data.cleaning.clean import body
from kofinlaw.data.korean.words import content_morphemes
from kofinlaw.data.reject_log import RejectLog
from kofinlaw.data.settings import DataSettings
from kofinlaw.data.spool import ByteSpool, Spool

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from kofinlaw.data.cleaning.duplicates import Pair

_BATCH_TEXTS = 2048
_BATCH_CHARACTERS = 2_000_000
_STATUTORY = frozenset(["statute", "rule", "case"])


class CodeFile:
    """The codes of texts on disk, read by place. Raises UserError where the disk is full."""

    def __init__(self, path: Path) -> None:
        self._codes = ByteSpool(path)

    def extend(self, codes: Sequence[NDArray[np.uint64]]) -> None:
        """Append the codes of the next texts."""
        for item in codes:
            self._codes.append(item.tobytes())

    def __getitem__(self, place: int, /) -> NDArray[np.uint64]:
        import numpy as np

        return np.frombuffer(self._codes[place], dtype=np.uint64)

    def close(self) -> None:
        """Close the file; it goes with its folder."""
        self._codes.close()


class Copies:
    """Takes the chunks' words in as they come, then tells which chunks are copies."""

    def __init__(self, settings: DataSettings, folder: Path) -> None:
        from kofinlaw.data.cleaning.duplicates import (
            CHARACTERS_PER_SHINGLE,
            MORPHEMES_PER_SHINGLE,
            BandTable,
        )

        self._settings = settings.near_duplicates
        self._workers = settings.workers
        kiwi = self._settings.tokens == "kiwi"
        width = MORPHEMES_PER_SHINGLE if kiwi else CHARACTERS_PER_SHINGLE
        self._table = BandTable(self._settings.threshold, width)
        self._codes = CodeFile(folder / "codes.bin")
        self._waiting: list[str] = []
        self._size = 0

    def add(self, text: str) -> None:
        """The next chunk's text, header first."""
        if not self._settings.enabled:
            return
        self._waiting.append(body(text))
        self._size += len(text)
        if len(self._waiting) >= _BATCH_TEXTS or self._size >= _BATCH_CHARACTERS:
            self._take_in()

    def _take_in(self) -> None:
        from kofinlaw.data.cleaning.duplicates import character_codes, morpheme_codes

        if self._settings.tokens == "kiwi":
            tokens = content_morphemes(self._waiting, workers=self._workers)
            codes = [morpheme_codes(words) for words in tokens]
        else:
            codes = [character_codes(text) for text in self._waiting]
        self._table.add(codes)
        self._codes.extend(codes)
        self._waiting, self._size = [], 0

    def pairs(self) -> Iterator[Pair]:
        """Pairs of chunks, by place, whose words are alike."""
        from kofinlaw.data.cleaning.duplicates import verified

        self._take_in()
        return verified(self._table, self._codes, self._settings.threshold)

    def close(self) -> None:
        """Close the file of codes."""
        self._codes.close()


def settle(
    pairs: Iterator[Pair], chunks: Spool, log: RejectLog, write: Callable[[Any], Any]
) -> dict[int, int]:
    """The places of the chunks that go, each with the place of the one that stays for it.

    Every pair is written with its similarity; the copies are written off. Two provisions of
    statutes are never copies: each is cited by its name.
    """
    from kofinlaw.data.cleaning.duplicates import Pair, clusters

    places, similarities, removable = array("q"), array("d"), bytearray()
    for pair in pairs:
        places.extend((pair.first, pair.second))
        similarities.append(pair.similarity)
        removable.append(_copies(chunks[pair.first], chunks[pair.second]))
    found = list(zip(places[0::2], places[1::2], similarities, strict=True))
    going = (Pair(*item) for item, copy in zip(found, removable, strict=True) if copy)
    first_of = {n: of for n, of in enumerate(clusters(going, len(chunks))) if n != of}
    for first, second, similarity in found:
        write(
            {
                "first": chunks[first]["id"],
                "second": chunks[second]["id"],
                "similarity": similarity,
                "removed": second in first_of,
            }
        )
    for place, of in first_of.items():
        chunk, kept = chunks[place], chunks[of]
        exact = body(chunk["text"]) == body(kept["text"])
        reason = "duplicate" if exact else "near_duplicate"
        log.reject("duplicates", chunk["id"], reason, f"like {kept['id']}", chunk)
    return first_of


def _copies(first: dict[str, Any], second: dict[str, Any]) -> bool:
    named_apart = first["unit"] != second["unit"] and second["kind"] in _STATUTORY
    same_place = (first["unit"], first["document_id"]) == (second["unit"], second["document_id"])
    return not named_apart and not (same_place and second["kind"] in _STATUTORY)
