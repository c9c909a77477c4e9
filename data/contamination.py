"""Whether protected texts (evaluation questions) stand in other texts.

A question that quotes an article does not make the article a leak; a text that holds most of a
question does. So what counts is the share of the *protected* text's character n-grams that one
other text holds. A near-duplicate with edits strewn over it loses many n-grams; what counts for it
is the Jaccard similarity of the five-character runs of both.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kofinlaw import UserError
from kofinlaw.data.decoding import decode
from kofinlaw.data.duplicates import CHARACTERS_PER_SHINGLE, jaccard

NGRAM = 13
THRESHOLD = 0.8
# An edit breaks at most 13 n-grams and five short runs: a text whose similarity reaches the
# threshold holds at least .6 of the n-grams, so no MinHash is needed to find the pairs.
_CANDIDATE = 0.5

_KEPT = re.compile(r"[^가-힣0-9A-Za-z]")
_FIELDS = ("question", "Question", "query", "prompt", "text", "stem")
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class Overlap:
    """The `text` at a place holds a `share` (0 to 1) of the protected text at another."""

    text: int
    protected: int
    share: float


def normalise(text: str) -> str:
    """Hangul, digits and lower-case Latin: spacing and punctuation do not hide a copy."""
    return _KEPT.sub("", text).lower()


class Protected:
    """Protected texts, ready to be looked for; some bytes for each of their n-grams."""

    def __init__(self, texts: Sequence[str], *, n: int = NGRAM) -> None:
        self._n = n
        self._short: dict[str, int] = {}
        self._runs: dict[int, NDArray[np.uint64]] = {}
        owners: list[NDArray[np.int64]] = []
        hashes: list[NDArray[np.uint64]] = []
        self._sizes = np.ones(len(texts), dtype=np.int64)
        for place, text in enumerate(texts):
            item = normalise(text)
            if len(item) < 2 * n:
                if item:
                    self._short.setdefault(item, place)
                continue
            grams = _grams(item, n)
            self._sizes[place] = len(grams)
            self._runs[place] = _grams(item, CHARACTERS_PER_SHINGLE)
            hashes.append(grams)
            owners.append(np.full(len(grams), place, dtype=np.int64))
        all_hashes = np.concatenate([*hashes, np.empty(0, dtype=np.uint64)])
        all_owners = np.concatenate([*owners, np.empty(0, dtype=np.int64)])
        order = np.argsort(all_hashes, kind="stable")
        self._hashes, self._owners = all_hashes[order], all_owners[order]

    def held_by(self, text: str) -> tuple[int, float] | None:
        """(protected text, share) of the one that `text` holds most of, or None.

        The share is that of its n-grams, or its similarity to the whole `text` where that is more.
        A protected text shorter than 2n characters counts only where the text equals it.
        """
        if not self._short and len(self._hashes) == 0:
            return None
        item = normalise(text)
        if item in self._short:
            return self._short[item], 1.0
        if len(self._hashes) == 0 or len(item) < self._n:
            return None
        shares = self._shares(_grams(item, self._n))
        for place in np.flatnonzero((shares >= _CANDIDATE) & (shares < 1)):  # few, mostly none
            runs = _grams(item, CHARACTERS_PER_SHINGLE)
            shares[place] = max(shares[place], jaccard(self._runs[int(place)], runs))
        best = int(np.argmax(shares))
        return (best, float(shares[best])) if shares[best] > 0 else None

    def _shares(self, grams: NDArray[np.uint64]) -> NDArray[np.float64]:
        """The share of each protected text's n-grams that is among `grams`."""
        left = np.searchsorted(self._hashes, grams, side="left")
        right = np.searchsorted(self._hashes, grams, side="right")
        hit = right > left
        spans = [self._owners[a:b] for a, b in zip(left[hit], right[hit], strict=True)]
        owners = np.concatenate([*spans, np.empty(0, dtype=np.int64)])
        return np.bincount(owners, minlength=len(self._sizes)) / self._sizes


def overlap(
    texts: Sequence[str],
    protected: Sequence[str],
    *,
    n: int = NGRAM,
    threshold: float = THRESHOLD,
) -> list[Overlap]:
    """Texts that hold at least `threshold` of a protected text, as `Protected.held_by` counts.

    A protected text shorter than 2n characters counts only where a text equals it.
    """
    looked_for = Protected(protected, n=n)
    out: list[Overlap] = []
    for place, text in enumerate(texts):
        held = looked_for.held_by(text)
        if held is not None and held[1] >= threshold:
            out.append(Overlap(place, held[0], round(held[1], 4)))
    return out


def _grams(text: str, n: int) -> NDArray[np.uint64]:
    codes = np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
    count = len(codes) - n + 1
    with np.errstate(over="ignore"):
        out = np.zeros(count, dtype=np.uint64)
        for place in range(n):
            out = out * _MULTIPLIER + codes[place : place + count] + np.uint64(1)
    return np.unique(out)


def read_protected(path: Path) -> list[str]:
    """The protected texts of a file: JSONL and CSV by question and options, else by paragraph.

    Raises UserError for a file that is missing or no text.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(
            "a protected file cannot be read", where=str(path), remedy="mend data.protected"
        ) from error
    text, _ = decode(data)
    suffix = path.suffix.lower()
    if suffix == ".jsonl":
        rows = [_json_object(line) for line in text.splitlines() if line.strip()]
        return [joined for row in rows if (joined := _joined(row))]
    if suffix == ".csv":
        return [joined for row in csv.DictReader(io.StringIO(text)) if (joined := _joined(row))]
    return [part.strip() for part in re.split(r"\n\s*\n", text) if part.strip()]


def _json_object(line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except json.JSONDecodeError:
        return {"text": line}
    return value if isinstance(value, dict) else {"text": str(value)}


def _joined(row: dict[str, Any]) -> str:
    """The question with its options; without such a field, all texts of the row."""
    stem = next((str(row[name]) for name in _FIELDS if row.get(name)), "")
    options = row.get("options")
    listed = [str(o) for o in options] if isinstance(options, (list, tuple)) else []
    listed += [str(row[name]) for name in "ABCDE" if row.get(name)]
    if stem:
        return "\n".join([stem, *listed])
    return "\n".join(str(value) for value in row.values() if isinstance(value, str) and value)
