"""Exact and near duplicates: MinHash by one permutation, banded, verified exactly.

One hash a shingle falls into one of 128 bins and each bin keeps its least (one permutation
hashing, Li, Owen and Zhang 2012); empty bins borrow from the next (Shrivastava and Li 2014). That
costs one pass where ordinary MinHash makes 128. Candidates that share a band are compared by the
true Jaccard similarity of their shingle sets, so the bands decide only what is found, never what
is claimed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS = 128
CHARACTERS_PER_SHINGLE = 5
MORPHEMES_PER_SHINGLE = 3

_EMPTY = np.uint64(0xFFFFFFFFFFFFFFFF)
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_BATCH_CODES = 4_000_000
# A band with more members than this is a common phrase; only neighbours in it are compared.
_CROWDED = 64


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


def signatures(codes: Sequence[NDArray[np.uint64]], width: int) -> NDArray[np.uint64]:
    """One row of BINS hashes a text; a text without codes has a row of its own.

    All texts of a batch are hashed in one array; a minimum needs no sorting of its shingles.
    """
    out = np.full((len(codes), BINS), _EMPTY, dtype=np.uint64)
    start = 0
    while start < len(codes):
        stop, size = start, 0
        while stop < len(codes) and (size == 0 or size + len(codes[stop]) < _BATCH_CODES):
            size += len(codes[stop])
            stop += 1
        _fill(out, codes[start:stop], start, width)
        start = stop
    return _densified(out)


def _fill(
    out: NDArray[np.uint64], part: Sequence[NDArray[np.uint64]], start: int, width: int
) -> None:
    lengths = np.array([len(c) for c in part])
    flat = np.concatenate(part)
    if len(flat) >= width:
        rows = np.repeat(np.arange(start, start + len(part)), lengths)[: len(flat) - width + 1]
        # A run counts where its last code still belongs to the text of its first.
        ends = np.repeat(np.cumsum(lengths), lengths)[: len(rows)]
        inside = np.arange(len(rows)) + width <= ends
        hashes, rows = _runs(flat, width)[inside], rows[inside]
        bins = (hashes & np.uint64(BINS - 1)).astype(np.int64)
        np.minimum.at(out.reshape(-1), rows * BINS + bins, hashes >> np.uint64(7))
    for place in np.flatnonzero((lengths > 0) & (lengths < width)).tolist():
        value = _runs(part[place], len(part[place]))[0]
        out[start + place, int(value) % BINS] = value >> np.uint64(7)


def _densified(table: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Fill each empty bin from the next full one on its right, marked by the distance."""
    missing = table == _EMPTY
    if not missing.any():
        return table
    alone = missing.all(axis=1)
    steps = np.zeros(table.shape, dtype=np.uint64)
    with np.errstate(over="ignore"):
        for _ in range(BINS):
            hungry = missing & ~alone[:, None]
            if not hungry.any():
                break
            right = np.roll(table, -1, axis=1)
            gap = np.roll(steps, -1, axis=1)
            fed = hungry & (right != _EMPTY)
            table = np.where(fed, right, table)
            steps = np.where(fed, gap + np.uint64(1), steps)
            missing = table == _EMPTY
        table = table + steps * _MULTIPLIER
        table[alone] = _mixed(np.arange(1, int(alone.sum()) + 1, dtype=np.uint64))[:, None]
    return table


def band_rows(threshold: float) -> int:
    """Rows a band so that two texts at the threshold meet in a band with probability ≥ 0.99."""
    best = 1
    for rows in (1, 2, 4, 8, 16, 32):
        bands = BINS // rows
        if 1 - (1 - threshold**rows) ** bands >= 0.99:
            best = rows
    return best


def near_duplicates(
    codes: Sequence[NDArray[np.uint64]], threshold: float, width: int = CHARACTERS_PER_SHINGLE
) -> list[Pair]:
    """Pairs of texts whose shingles' Jaccard similarity reaches the threshold, in order."""
    if len(codes) < 2:
        return []
    pairs = []
    for first, second in _candidates(signatures(codes, width), band_rows(threshold)):
        similarity = jaccard(shingles(codes[first], width), shingles(codes[second], width))
        if similarity >= threshold:
            pairs.append(Pair(first, second, round(similarity, 4)))
    return pairs


def jaccard(first: NDArray[np.uint64], second: NDArray[np.uint64]) -> float:
    """Shared shingles over all shingles of two sorted unique arrays; 0 for two empty ones."""
    if len(first) == 0 or len(second) == 0:
        return 0.0
    smaller, larger = sorted((first, second), key=len)
    places = np.searchsorted(larger, smaller)
    places[places == len(larger)] = 0
    shared = int((larger[places] == smaller).sum())
    return shared / (len(first) + len(second) - shared)


def _candidates(table: NDArray[np.uint64], rows: int) -> list[tuple[int, int]]:
    """Pairs that agree on all rows of some band, each once, in order."""
    count = len(table)
    found: list[NDArray[np.int64]] = []
    with np.errstate(over="ignore"):
        for band in range(BINS // rows):
            keys = np.zeros(count, dtype=np.uint64)
            for row in range(rows):
                keys = _mixed(keys + table[:, band * rows + row])
            found.append(_pairs_of_equals(keys))
    codes = np.unique(np.concatenate(found)) if found else np.empty(0, dtype=np.int64)
    return [(int(code) // count, int(code) % count) for code in codes]


def _pairs_of_equals(keys: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Pairs of places with equal keys, coded as first × n + second."""
    count = len(keys)
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    edges = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1], [True]]))
    sizes = np.diff(edges)
    out: list[Any] = []
    for start, size in zip(edges[:-1][sizes > 1], sizes[sizes > 1], strict=True):
        members = np.sort(order[start : start + size]).astype(np.int64)
        if size > _CROWDED:
            out.append(members[:-1] * count + members[1:])
            out.append(members[0] * count + members[1:])
            continue
        first, second = np.triu_indices(size, 1)
        out.append(members[first] * count + members[second])
    return np.concatenate(out) if out else np.empty(0, dtype=np.int64)


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
