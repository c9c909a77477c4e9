"""Find exact and near duplicates: one-permutation MinHash with bands, verified exactly.

The hash of each shingle belongs to one of 128 bins, and each bin keeps its minimum (one
permutation hashing, Li, Owen and Zhang 2012). Empty bins borrow from the next bin (Shrivastava and
Li 2014). This needs one pass instead of the 128 passes of ordinary MinHash. Candidates that share
a band are compared by the true Jaccard similarity of their shingle sets. The bands therefore
decide only which pairs are found; every reported similarity is exact.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "BINS",
    "CHARACTERS_PER_SHINGLE",
    "MORPHEMES_PER_SHINGLE",
    "BandTable",
    "Codes",
    "Pair",
    "band_rows",
    "character_codes",
    "clusters",
    "jaccard",
    "morpheme_codes",
    "near_duplicates",
    "shingles",
    "signatures",
    "verified_pairs",
]

BINS = 128
CHARACTERS_PER_SHINGLE = 5
MORPHEMES_PER_SHINGLE = 3

_EMPTY = np.uint64(0xFFFFFFFFFFFFFFFF)
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
# The codes that are hashed in one array; so few fit into the processor's cache.
_BATCH_CODES = 100_000
# A band with more members is a common phrase; only neighbours in it are compared.
_MAX_BAND_MEMBERS = 64


class Codes(Protocol):
    """The codes of texts by row: a list of arrays, or arrays on disk."""

    def __getitem__(self, row: int, /) -> NDArray[np.uint64]: ...


@dataclass(frozen=True, slots=True)
class Pair:
    """Two texts, by row, and the Jaccard similarity of their shingles (0 to 1)."""

    first: int
    second: int
    similarity: float


def character_codes(text: str) -> NDArray[np.uint64]:
    """Return the characters of a text as numbers, without blanks; shape (characters,)."""
    bare = "".join(text.split())
    return np.frombuffer(bare.encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)


def morpheme_codes(tokens: Sequence[str]) -> NDArray[np.uint64]:
    """Return morphemes as hashes that are the same on every machine; shape (morphemes,)."""
    return np.fromiter((_token_hash(t) for t in tokens), dtype=np.uint64, count=len(tokens))


def _token_hash(token: str) -> int:
    return int.from_bytes(hashlib.blake2b(token.encode(), digest_size=8).digest(), "little")


def shingles(codes: NDArray[np.uint64], width: int) -> NDArray[np.uint64]:
    """Return the sorted unique hashes of runs of `width` codes; a shorter text is a single run."""
    if len(codes) == 0:
        return np.empty(0, dtype=np.uint64)
    return np.unique(_runs(codes, min(width, len(codes))))


def _runs(codes: NDArray[np.uint64], width: int) -> NDArray[np.uint64]:
    """Return the hash of the run that starts at each code, in order."""
    count = len(codes) - width + 1
    with np.errstate(over="ignore"):
        out = np.zeros(count, dtype=np.uint64)
        for offset in range(width):
            out *= _MULTIPLIER
            out += codes[offset : offset + count]
            out += np.uint64(1)
        return _mixed(out)


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Mix the bits of 64-bit values (the finaliser of splitmix64)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def signatures(
    codes: Sequence[NDArray[np.uint64]], width: int, before: int = 0
) -> NDArray[np.uint64]:
    """Return the MinHash signatures of texts; shape (texts, BINS).

    A text without codes gets a unique signature; `before` is the number of texts before these. The
    texts of a batch are hashed in one array, and a minimum needs no sorted shingles.
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
    """Write the smallest hash of the runs of each text into each bin."""
    lengths = np.array([len(c) for c in codes])
    flat = np.concatenate(codes)
    if len(flat) >= width:
        rows = np.repeat(np.arange(len(codes)), lengths)[: len(flat) - width + 1]
        # A run counts if its first and last code belong to the same text.
        ends = np.repeat(np.cumsum(lengths), lengths)[: len(rows)]
        inside = np.arange(len(rows)) + width <= ends
        hashes, rows = _runs(flat, width)[inside], rows[inside]
        bins = (hashes & np.uint64(BINS - 1)).astype(np.int64)
        np.minimum.at(table.reshape(-1), rows * BINS + bins, hashes >> np.uint64(7))
    for row in np.flatnonzero((lengths > 0) & (lengths < width)).tolist():
        value = _runs(codes[row], len(codes[row]))[0]
        table[row, int(value) % BINS] = value >> np.uint64(7)


def _densify(table: NDArray[np.uint64], before: int) -> None:
    """Fill each empty bin from the next full bin (cyclically), offset by the distance."""
    full = table != _EMPTY
    if full.all():
        return
    without_codes = ~full.any(axis=1)
    bins = np.arange(BINS)
    # The index of the next full bin: the smallest index at or after each bin, over two rounds.
    indices = np.where(np.concatenate([full, full], axis=1), np.arange(2 * BINS), 2 * BINS)
    following = np.minimum.accumulate(indices[:, ::-1], axis=1)[:, ::-1][:, :BINS]
    steps = (following - bins).astype(np.uint64)
    with np.errstate(over="ignore"):
        filled = np.take_along_axis(table, following % BINS, axis=1) + steps * _MULTIPLIER
    table[~without_codes] = filled[~without_codes]
    table[without_codes] = _mixed(
        np.flatnonzero(without_codes).astype(np.uint64) + np.uint64(before + 1)
    )[:, None]


def band_rows(threshold: float) -> int:
    """Return the rows of a band, so that two texts at the threshold share a band
    with probability ≥ 0.99.
    """
    best = 1
    for rows in (1, 2, 4, 8, 16, 32):
        bands = BINS // rows
        if 1 - (1 - threshold**rows) ** bands >= 0.99:
            best = rows
    return best


class BandTable:
    """The band keys of texts: 8 bytes a band, which is 128 bytes a text at threshold 0.85."""

    def __init__(self, threshold: float, width: int = CHARACTERS_PER_SHINGLE) -> None:
        self.rows = band_rows(threshold)
        self.width = width
        self._keys: list[NDArray[np.uint64]] = []
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, codes: Sequence[NDArray[np.uint64]]) -> None:
        """Add the next texts, in order; adding hundreds at a time is fastest."""
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
        """Yield the pairs (first, second) that share all rows of a band, each pair once,
        in order.
        """
        found = np.empty(0, dtype=np.int64)
        for band in range(BINS // self.rows if self._keys else 0):
            pairs = _pairs_of_equals(np.concatenate([keys[:, band] for keys in self._keys]))
            found = np.union1d(found, pairs)
        for code in found:
            yield int(code) // self._count, int(code) % self._count


def near_duplicates(
    codes: Sequence[NDArray[np.uint64]], threshold: float, width: int = CHARACTERS_PER_SHINGLE
) -> list[Pair]:
    """Return the pairs of texts whose shingles have at least this Jaccard similarity, in order."""
    table = BandTable(threshold, width)
    table.add(codes)
    return list(verified_pairs(table, codes, threshold))


def verified_pairs(
    table: BandTable, codes: Codes, threshold: float, *, cached: int = 4096
) -> Iterator[Pair]:
    """Yield the candidates of the table whose true similarity reaches the threshold.

    The shingles of `cached` texts are kept in memory.
    """

    @lru_cache(maxsize=cached)
    def of(row: int) -> NDArray[np.uint64]:
        return shingles(codes[row], table.width)

    for first, second in table.candidates():
        similarity = jaccard(of(first), of(second))
        if similarity >= threshold:
            yield Pair(first, second, round(similarity, 4))


def jaccard(first: NDArray[np.uint64], second: NDArray[np.uint64]) -> float:
    """Return the Jaccard similarity of two sorted arrays of unique shingles;
    0 if one of them is empty.
    """
    if len(first) == 0 or len(second) == 0:
        return 0.0
    smaller, larger = sorted((first, second), key=len)
    indices = np.searchsorted(larger, smaller)
    indices[indices == len(larger)] = 0
    shared = int((larger[indices] == smaller).sum())
    return shared / (len(first) + len(second) - shared)


def _pairs_of_equals(keys: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return the pairs of rows with equal keys, encoded as first × n + second."""
    count = len(keys)
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    edges = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1], [True]]))
    sizes = np.diff(edges)
    starts = edges[:-1]
    twos = starts[sizes == 2]  # nearly all groups: handled in one step
    out: list[NDArray[np.int64]] = [
        np.minimum(order[twos], order[twos + 1]) * count + np.maximum(order[twos], order[twos + 1])
    ]
    for start, size in zip(starts[sizes > 2], sizes[sizes > 2], strict=True):
        members = np.sort(order[start : start + size]).astype(np.int64)
        if size > _MAX_BAND_MEMBERS:
            out.append(members[:-1] * count + members[1:])
            out.append(members[0] * count + members[1:])
            continue
        first, second = np.triu_indices(size, 1)
        out.append(members[first] * count + members[second])
    return np.concatenate(out)


def clusters(pairs: Iterable[Pair], count: int) -> list[int]:
    """Return for each of `count` texts the first text of its cluster
    (itself if it has no duplicate).
    """
    parent = list(range(count))

    def find(row: int) -> int:
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = parent[row]
        return row

    for pair in pairs:
        first, second = find(pair.first), find(pair.second)
        if first != second:
            parent[max(first, second)] = min(first, second)
    return [find(row) for row in range(count)]
