"""Find protected texts (evaluation questions) inside other texts.

An article is not contaminated because a question quotes it. A text that contains most of a
question is. Therefore the measure is the share of the *protected* text's character n-grams that
the other text contains. A near duplicate with many scattered edits loses many n-grams. For it the
measure is the Jaccard similarity of the runs of five characters of both texts.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kofinlaw import UserError
from kofinlaw.data.cleaning.duplicates import CHARACTERS_PER_SHINGLE
from kofinlaw.data.cleaning.question_rows import ROW_SUFFIXES, question_rows
from kofinlaw.decoding import clean_value, decode
from kofinlaw.errors import raise_if_machine
from kofinlaw.files import parse_json_line

__all__ = [
    "NGRAM",
    "THRESHOLD",
    "Overlap",
    "ProtectedTexts",
    "normalise",
    "overlap",
    "read_protected",
]

NGRAM = 13
THRESHOLD = 0.8

_KEPT = re.compile(r"[^가-힣0-9A-Za-z]")
_FIELDS = ("question", "Question", "query", "prompt", "text", "stem")
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class Overlap:
    """The text at index `text` contains a `share` (0 to 1) of the text at index `protected`."""

    text: int
    protected: int
    share: float


def normalise(text: str) -> str:
    """Return only Hangul, digits and lower-case Latin letters:
    spacing and punctuation do not matter.
    """
    return _KEPT.sub("", text).lower()


class _Runs:
    """The distinct character runs of texts by hash: about 16 bytes a run."""

    def __init__(self, texts: Mapping[int, str], count: int, width: int) -> None:
        self.width = width
        runs = {index: _grams(text, width) for index, text in texts.items()}
        self.sizes = np.ones(count, dtype=np.int64)
        for index, grams in runs.items():
            self.sizes[index] = len(grams)
        hashes = np.concatenate([*runs.values(), np.empty(0, dtype=np.uint64)])
        owners = np.repeat(np.fromiter(runs, np.int64, len(runs)), self.sizes[list(runs)])
        order = np.argsort(hashes, kind="stable")
        self._hashes, self._owners = hashes[order], owners[order]

    def held(self, grams: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Return the number of runs of each text that are among the distinct `grams`;
        shape (texts,).
        """
        left = np.searchsorted(self._hashes, grams, side="left")
        lengths = np.searchsorted(self._hashes, grams, side="right") - left
        # The index of every posting: the first one of a hit, and the steps from it.
        steps = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        owners = self._owners[np.repeat(left, lengths) + steps]
        return np.bincount(owners, minlength=len(self.sizes))


class ProtectedTexts:
    """Protected texts, indexed for the search; a few bytes for each of their n-grams."""

    def __init__(self, texts: Sequence[str], *, n: int = NGRAM) -> None:
        self._short: dict[str, int] = {}
        long: dict[int, str] = {}
        for index, text in enumerate(texts):
            item = normalise(text)
            if len(item) >= 2 * n:
                long[index] = item
            elif item:
                self._short.setdefault(item, index)
        self._long = bool(long)
        self._grams = _Runs(long, len(texts), n)
        self._shingles = _Runs(long, len(texts), CHARACTERS_PER_SHINGLE)

    def held_by(self, text: str) -> tuple[int, float] | None:
        """Return (index, share) of the protected text that `text` contains the most of, or None.

        The share is the share of its n-grams, or its similarity to the whole `text` if that is
        larger. Both are computed for every protected text, so none is missed. A protected text
        with fewer than 2n characters counts only if the text equals it.
        """
        if not self._short and not self._long:
            return None
        item = normalise(text)
        if item in self._short:
            return self._short[item], 1.0
        if not self._long or len(item) < CHARACTERS_PER_SHINGLE:
            return None
        shares = self._grams.held(_grams(item, self._grams.width)) / self._grams.sizes
        runs = _grams(item, CHARACTERS_PER_SHINGLE)
        both = self._shingles.held(runs)
        similarity = both / (self._shingles.sizes + len(runs) - both)
        shares = np.maximum(shares, similarity)
        best = int(np.argmax(shares))
        return (best, float(shares[best])) if shares[best] > 0 else None


def overlap(
    texts: Sequence[str],
    protected: Sequence[str],
    *,
    n: int = NGRAM,
    threshold: float = THRESHOLD,
) -> list[Overlap]:
    """Return the texts that contain at least `threshold` of a protected text.

    The share is computed as in `ProtectedTexts.held_by`. A protected text with fewer than 2n
    characters counts only if a text equals it.
    """
    index = ProtectedTexts(protected, n=n)
    out: list[Overlap] = []
    for number, text in enumerate(texts):
        held = index.held_by(text)
        if held is not None and held[1] >= threshold:
            out.append(Overlap(number, held[0], round(held[1], 4)))
    return out


def _grams(text: str, n: int) -> NDArray[np.uint64]:
    """Return the sorted hashes of the distinct runs of n characters; empty for a shorter text."""
    codes = np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
    count = max(0, len(codes) - n + 1)
    with np.errstate(over="ignore"):
        out = np.zeros(count, dtype=np.uint64)
        for offset in range(n):
            out = out * _MULTIPLIER + codes[offset : offset + count] + np.uint64(1)
    return np.unique(out)


def read_protected(path: Path) -> list[str]:
    """Return the protected texts of a file: JSONL, JSON lists, Parquet and CSV by question with
    options, else by paragraph.

    Raises UserError if the file is missing, damaged or is not text.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise_if_machine(error, path)
        raise UserError(
            "a protected file cannot be read", where=str(path), remedy="fix data.protected"
        ) from error
    suffix = path.suffix.lower()
    if suffix in ROW_SUFFIXES:
        return [joined for _, row in question_rows(path) if (joined := _joined(row))]
    text, _ = decode(data, records=suffix in (".jsonl", ".ndjson", ".csv"))
    if suffix in (".jsonl", ".ndjson"):
        rows = [_json_object(line) for line in re.split(r"[\r\n]+", text) if line.strip()]
        return [joined for row in rows if (joined := _joined(row))]
    if suffix == ".csv":
        read = map(clean_value, csv.DictReader(io.StringIO(text, newline="")))
        return [joined for row in read if (joined := _joined(row))]
    return [part.strip() for part in re.split(r"\n[^\S\n]*+\n", text) if part.strip()]


def _json_object(line: str) -> Mapping[str, object]:
    try:
        value = parse_json_line(line)
    except ValueError:
        return {"text": line}
    return value if isinstance(value, dict) else {"text": str(value)}


def _joined(row: Mapping[str, object]) -> str:
    """Return the question with its options; without a question, all texts of the row."""
    stem = next((str(row[name]) for name in _FIELDS if row.get(name)), "")
    options = row.get("options")
    listed = [str(o) for o in options] if isinstance(options, (list, tuple)) else []
    listed += [str(row[name]) for name in "ABCDE" if row.get(name)]
    if stem:
        return "\n".join([stem, *listed])
    return "\n".join(str(value) for value in row.values() if isinstance(value, str) and value)
