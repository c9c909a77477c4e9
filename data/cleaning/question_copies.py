"""Find copies and near-copies of multiple-choice questions inside other texts.

A training example repeats a question with its options in another order, behind other marks, after
long evidence, or with a few edits. Therefore a question is compared by its parts (stem and options,
one a line), as runs of five characters that never cross two parts, and with the best *window* of
the other text: an article in the evidence that happens to use the same words all over does not
count.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kofinlaw.data.cleaning.contamination import THRESHOLD, normalise
from kofinlaw.data.cleaning.duplicates import CHARACTERS_PER_SHINGLE

__all__ = ["MARKS", "SMALL", "WINDOW", "QuestionCopies"]

WINDOW = 1.5  # length of the window, in lengths of the question
MARKS = 24  # further characters of the window: marks of options, `문제`, `정답`
SMALL = 12  # a question with fewer runs counts only if the window holds all of them
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


class QuestionCopies:
    """Questions, indexed for the search; about 16 bytes for each of their characters."""

    def __init__(self, questions: Sequence[str]) -> None:
        """Index the questions. Each is one text with its parts (stem, options) on lines."""
        width = CHARACTERS_PER_SHINGLE
        self._lengths: list[int] = []
        self._short: list[tuple[str, ...]] = []
        hashes: list[NDArray[np.uint64]] = []
        owners: list[NDArray[np.int64]] = []
        for index, question in enumerate(questions):
            parts = dict.fromkeys(filter(None, (normalise(p) for p in question.split("\n"))))
            long = [_runs(part, width) for part in parts if len(part) >= width]
            distinct = np.unique(np.concatenate([*long, np.empty(0, dtype=np.uint64)]))
            hashes.append(distinct)
            owners.append(np.full(len(distinct), index, dtype=np.int64))
            self._short.append(tuple(part for part in parts if len(part) < width))
            self._lengths.append(sum(map(len, parts)))
        flat = np.concatenate([*hashes, np.empty(0, dtype=np.uint64)])
        order = np.argsort(flat, kind="stable")
        self._hashes = flat[order]
        self._owners = np.concatenate([*owners, np.empty(0, dtype=np.int64)])[order]
        self._sizes = np.array(
            [len(runs) + len(short) for runs, short in zip(hashes, self._short, strict=True)],
            dtype=np.int64,
        )
        self._shorts = np.array([len(parts) for parts in self._short], dtype=np.int64)
        self._least = np.array(
            [self._needed(index) for index in range(len(questions))], dtype=np.int64
        )

    def held_by(self, text: str) -> tuple[int, float] | None:
        """Return (index, share) of the question that `text` holds the most of, or None.

        The share is the largest share of a question's distinct runs in one window of the text. None
        if no share reaches `THRESHOLD` (every run, for a question with fewer than SMALL runs).
        """
        item = normalise(text)
        if not len(self._sizes) or not item:
            return None
        runs = _runs(item, CHARACTERS_PER_SHINGLE)
        left = np.searchsorted(self._hashes, runs, side="left")
        counts = np.searchsorted(self._hashes, runs, side="right") - left
        steps = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        postings = np.repeat(left, counts) + steps
        positions = np.repeat(np.arange(len(runs)), counts)
        owners = self._owners[postings]
        distinct = np.bincount(self._owners[np.unique(postings)], minlength=len(self._sizes))
        possible = (distinct + self._shorts) >= self._least
        best: tuple[int, float] | None = None
        for index in np.flatnonzero(possible & (self._sizes > 0)).tolist():
            mine = owners == index
            share = self._share(index, item, positions[mine], postings[mine])
            if share >= self._needed(index) / self._sizes[index] and (
                best is None or share > best[1]
            ):
                best = index, share
        return best

    def _needed(self, index: int) -> int:
        """Return how many runs of a question make a copy."""
        size = int(self._sizes[index])
        return size if size < SMALL else int(np.ceil(THRESHOLD * size))

    def _share(
        self, index: int, item: str, positions: NDArray[np.int64], runs: NDArray[np.int64]
    ) -> float:
        """Return the largest share of the question's distinct runs in one window of `item`.

        `positions` are where a run of the question starts in `item`, in order, and `runs` which one
        it is.
        """
        found = list(zip(positions.tolist(), runs.tolist(), strict=True))
        for number, part in enumerate(self._short[index], 1):
            start = item.find(part)
            while start >= 0:
                found.append((start, -number))
                start = item.find(part, start + 1)
        found.sort()
        width = int(WINDOW * self._lengths[index]) + MARKS
        inside: dict[int, int] = {}
        best = first = 0
        for position, run in found:
            inside[run] = inside.get(run, 0) + 1
            while position - found[first][0] > width:
                gone = found[first][1]
                inside[gone] -= 1
                if not inside[gone]:
                    del inside[gone]
                first += 1
            best = max(best, len(inside))
        return best / int(self._sizes[index])


def _runs(text: str, width: int) -> NDArray[np.uint64]:
    """Return the hash of the run of `width` characters at each position; empty for a shorter
    text.
    """
    codes = np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
    count = max(0, len(codes) - width + 1)
    out = np.zeros(count, dtype=np.uint64)
    with np.errstate(over="ignore"):
        for offset in range(width):
            out = out * _MULTIPLIER + codes[offset : offset + count] + np.uint64(1)
    return out
