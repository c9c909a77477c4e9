"""Exact and near duplicates: MinHash by one permutation, banded, verified exactly.

One hash a shingle falls into one of 128 bins and each bin keeps its least (one permutation
hashing, Li, Owen and Zhang 2012); empty bins borrow from the next (Shrivastava and Li 2014). That
costs one pass where ordinary MinHash makes 128. Candidates that share a band are compared by the
true Jaccard similarity of their shingle sets, so the bands decide only what is found, never what
is claimed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

BINS = 128
CHARACTERS_PER_SHINGLE = 5
MORPHEMES_PER_SHINGLE = 3

_EMPTY = np.uint64(0xFFFFFFFFFFFFFFFF)
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
# Codes hashed in one array: few enough to stay in the processor's cache.
_BATCH_CODES = 100_000
# A band with more members than this is a common phrase; only neighbours in it are compared.
_CROWDED = 64


class Codes(Protocol):
    """The codes of texts by place: a list of arrays, or a file of them."""

    def __getitem__(self, place: int, /) -> NDArray[np.uint64]: ...


@dataclass(frozen=True, slots=True)
class Pair:
    """Two texts, by place, and the Jaccard similarity of their shingles (0 to 1)."""

    first: int
    second: int
    similarity: float


def character_codes(text: str) -> NDArray[np.uint64]:
    """The text's characters as numbers, blanks left out."""
    bare = "".join(text.split())
    return np.frombuffer(bare.encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)


def morpheme_codes(tokens: Sequence[str]) -> NDArray[np.uint64]:
    """Morphemes as numbers that are the same on every machine."""
    return np.fromiter((_token_hash(t) for t in tokens), dtype=np.uint64, count=len(tokens))


def _token_hash(token: str) -> int:
    return int.from_bytes(hashlib.blake2b(token.encode(), digest_size=8).digest(), "little")


def shingles(codes: NDArray[np.uint64], width: int) -> NDArray[np.uint64]:
    """Sorted unique hashes of the runs of `width` codes; a shorter text is one run."""
    if len(codes) == 0:
        return np.empty(0, dtype=np.uint64)
    return np.unique(_runs(codes, min(width, len(codes))))


def _runs(codes: NDArray[np.uint64], width: int) -> NDArray[np.uint64]:
    """The hash of the run that begins at each code, in order."""
    count = len(codes) - width + 1
    with np.errstate(over="ignore"):
        out = np.zeros(count, dtype=np.uint64)
        for place in range(width):
            out *= _MULTIPLIER
            out += codes[place : place + count]
            out += np.uint64(1)
        return _mixed(out)


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """splitmix64's finaliser: spreads the bits."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def signatures(
    codes: Sequence[NDArray[np.uint64]], width: int, before: int = 0
) -> NDArray[np.uint64]:
    """One row of BINS hashes a text; a text without codes has a row of its own.

    `before` texts were signed earlier. All texts of a batch are hashed in one array; a minimum
    needs no sorting of its shingles.
    """
    out = np.full((len(codes), BINS), _EMPTY, dtype=np.uint64)
    start = 0
    while start < len(codes):
        stop, size = start, 0
        while stop < len(codes) and (size == 0 or size + len(codes[stop]) < _BATCH_CODES):
            size += len(codes[stop])
            stop += 1
        part = out[start:stop]
        _fill(part, codes[start:stop], width)
        _densify(part, before + start)
        start = stop
    return out


def _fill(table: NDArray[np.uint64], codes: Sequence[NDArray[np.uint64]], width: int) -> None:
    """The least hash of each text's runs in each bin."""
    lengths = np.array([len(c) for c in codes])
    flat = np.concatenate(codes)
    if len(flat) >= width:
        rows = np.repeat(np.arange(len(codes)), lengths)[: len(flat) - width + 1]
        # A run counts where its last code still belongs to the text of its first.
        ends = np.repeat(np.cumsum(lengths), lengths)[: len(rows)]
        inside = np.arange(len(rows)) + width <= ends
        hashes, rows = _runs(flat, width)[inside], rows[inside]
        bins = (hashes & np.uint64(BINS - 1)).astype(np.int64)
        np.minimum.at(table.reshape(-1), rows * BINS + bins, hashes >> np.uint64(7))
    for place in np.flatnonzero((lengths > 0) & (lengths < width)).tolist():
        value = _runs(codes[place], len(codes[place]))[0]
        table[place, int(value) % BINS] = value >> np.uint64(7)


def _densify(table: NDArray[np.uint64], before: int) -> None:
    """Fill each empty bin from the next full one on its right, round the end, marked by the
    distance."""
    full = table != _EMPTY
    if full.all():
        return
    alone = ~full.any(axis=1)
    bins = np.arange(BINS)
    # The place of the next full bin: the least at or behind each, over two rounds.
    places = np.where(np.concatenate([full, full], axis=1), np.arange(2 * BINS), 2 * BINS)
    following = np.minimum.accumulate(places[:, ::-1], axis=1)[:, ::-1][:, :BINS]
    steps = (following - bins).astype(np.uint64)
    with np.errstate(over="ignore"):
        filled = np.take_along_axis(table, following % BINS, axis=1) + steps * _MULTIPLIER
    table[~alone] = filled[~alone]
    table[alone] = _mixed(np.flatnonzero(alone).astype(np.uint64) + np.uint64(before + 1))[:, None]


def band_rows(threshold: float) -> int:
    """Rows a band so that two texts at the threshold meet in a band with probability ≥ 0.99."""
    best = 1
    for rows in (1, 2, 4, 8, 16, 32):
        bands = BINS // rows
        if 1 - (1 - threshold**rows) ** bands >= 0.99:
            best = rows
    return best


class BandTable:
    """The band keys of any number of texts: 8 bytes a band and text, 128 at a threshold of 0.85."""

    def __init__(self, threshold: float, width: int = CHARACTERS_PER_SHINGLE) -> None:
        self.rows = band_rows(threshold)
        self.width = width
        self._keys: list[NDArray[np.uint64]] = []
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, codes: Sequence[NDArray[np.uint64]]) -> None:
        """Take in the next texts, in order; hundreds at a time are quickest."""
        if not codes:
            return
        table = signatures(codes, self.width, self._count)
        self._count += len(codes)
        keys = np.zeros((len(codes), BINS // self.rows), dtype=np.uint64)
        with np.errstate(over="ignore"):
            for row in range(self.rows):
                keys = _mixed(keys + table[:, row :: self.rows])
        self._keys.append(keys)

    def candidates(self) -> Iterator[tuple[int, int]]:
        """Pairs that agree on all rows of some band, each once, in order."""
        found = np.empty(0, dtype=np.int64)
        for band in range(BINS // self.rows if self._keys else 0):
            pairs = _pairs_of_equals(np.concatenate([keys[:, band] for keys in self._keys]))
            found = np.union1d(found, pairs)
        for code in found:
            yield int(code) // self._count, int(code) % self._count


def near_duplicates(
    codes: Sequence[NDArray[np.uint64]], threshold: float, width: int = CHARACTERS_PER_SHINGLE
) -> list[Pair]:
    """Pairs of texts whose shingles' Jaccard similarity reaches the threshold, in order."""
    table = BandTable(threshold, width)
    table.add(codes)
    return list(verified(table, codes, threshold))


def verified(
    table: BandTable, codes: Codes, threshold: float, *, remembered: int = 4096
) -> Iterator[Pair]:
    """The table's candidates that reach the threshold, by their true similarity.

    The shingles of `remembered` texts are kept at hand.
    """

    @lru_cache(maxsize=remembered)
    def of(place: int) -> NDArray[np.uint64]:
        return shingles(codes[place], table.width)

    for first, second in table.candidates():
        similarity = jaccard(of(first), of(second))
        if similarity >= threshold:
            yield Pair(first, second, round(similarity, 4))


def jaccard(first: NDArray[np.uint64], second: NDArray[np.uint64]) -> float:
    """Shared shingles over all shingles of two sorted unique arrays; 0 for two empty ones."""
    if len(first) == 0 or len(second) == 0:
        return 0.0
    smaller, larger = sorted((first, second), key=len)
    places = np.searchsorted(larger, smaller)
    places[places == len(larger)] = 0
    shared = int((larger[places] == smaller).sum())
    return shared / (len(first) + len(second) - shared)


def _pairs_of_equals(keys: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Pairs of places with equal keys, coded as first × n + second."""
    count = len(keys)
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    edges = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1], [True]]))
    sizes = np.diff(edges)
    starts = edges[:-1]
    twos = starts[sizes == 2]  # nearly all groups: taken in one go
    out: list[Any] = [
        np.minimum(order[twos], order[twos + 1]) * count + np.maximum(order[twos], order[twos + 1])
    ]
    for start, size in zip(starts[sizes > 2], sizes[sizes > 2], strict=True):
        members = np.sort(order[start : start + size]).astype(np.int64)
        if size > _CROWDED:
            out.append(members[:-1] * count + members[1:])
            out.append(members[0] * count + members[1:])
            continue
        first, second = np.triu_indices(size, 1)
        out.append(members[first] * count + members[second])
    return np.concatenate(out)


def clusters(pairs: Iterable[Pair], count: int) -> list[int]:
    """For each text the first text of its cluster (itself where it stands alone)."""
    parent = list(range(count))

    def find(place: int) -> int:
        while parent[place] != place:
            parent[place] = parent[parent[place]]
            place = parent[place]
        return place

    for pair in pairs:
        first, second = find(pair.first), find(pair.second)
        if first != second:
            parent[max(first, second)] = min(first, second)
    return [find(place) for place in range(count)]
