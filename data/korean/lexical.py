"""Index passages lexically: BM25 over tokens, with the same result on every machine.

The scores come from bm25s (Lucene's variant, k1 1.5, b 0.75). Equal scores are ordered by the row
of the passage, so that the result does not depend on the internals of a partition.
"""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kofinlaw import UserError
from kofinlaw.files import write_json

if TYPE_CHECKING:
    from bm25s import BM25

__all__ = ["K1", "NUMBA_FROM_POSTINGS", "B", "LexicalIndex"]

K1 = 1.5
B = 0.75
# Below this number of postings NumPy needs under a millisecond; compiling would take seconds.
NUMBA_FROM_POSTINGS = 500_000
_META = "lexical.json"
# bm25s cannot index a corpus without tokens; this token is never in a text.
_FILLER = "\u0001"


class LexicalIndex:
    """BM25 over lists of tokens; it does not change after it was built.

    `documents` is the number of passages. `query` returns rows: indices in the order of `build`.
    """

    def __init__(self, bm25: BM25 | None, documents: int) -> None:
        self._bm25 = bm25
        self.documents = documents
        self._vocabulary: dict[str, int] = bm25.vocab_dict if bm25 is not None else {}

    @classmethod
    def build(cls, tokens: Sequence[list[str]]) -> LexicalIndex:
        """Return the index the tokens of passages; the index of an empty corpus finds nothing."""
        if not tokens:
            return cls(None, 0)
        bm25 = _bm25(sum(len(t) for t in tokens))
        # bm25s numbers the tokens of texts in the order of a set, which differs from run to run.
        numbers: dict[str, int] = {}
        ids = [[numbers.setdefault(one, len(numbers)) for one in t or [_FILLER]] for t in tokens]
        bm25.index((ids, numbers), show_progress=False)
        return cls(bm25, len(tokens))

    def save(self, folder: Path) -> None:
        """Write the arrays and the vocabulary of the index into `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        if self._bm25 is not None:
            self._bm25.save(folder, show_progress=False)
        postings = len(self._bm25.scores["data"]) if self._bm25 is not None else 0
        write_json(folder / _META, {"documents": self.documents, "postings": postings})

    @classmethod
    def load(cls, folder: Path, mmap: bool = True) -> LexicalIndex:
        """Load an index; with `mmap` its arrays stay on the disk until they are needed.

        Raises UserError if the folder contains no index.
        """
        meta = folder / _META
        if not meta.exists():
            raise UserError(
                "there is no lexical index in this folder",
                where=str(folder),
                remedy="build the index again: `kofinlaw index` with your recipe",
            )
        documents = int(json.loads(meta.read_text(encoding="utf-8"))["documents"])
        if documents == 0:
            return cls(None, 0)
        import bm25s

        bm25 = bm25s.BM25.load(folder, mmap=mmap, show_progress=False)
        return cls(_compiled(bm25, len(bm25.scores["data"])), documents)

    def query(
        self, tokens: Sequence[str], k: int, *, allowed: NDArray[np.bool_] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the rows and scores of the best `k` passages, best first, equal scores by row.

        `allowed` has one value for each passage and excludes passages. Only passages that share a
        token are returned, so there may be fewer than `k`.
        """
        scores = self.scores(tokens)
        if allowed is not None:
            scores = np.where(allowed, scores, np.float32(0))
        if 0 < k < len(scores):
            # One pass finds the k-th best score; only passages that reach it are sorted.
            cut = np.partition(scores, -k)[-k]
            rows = np.flatnonzero(scores >= cut if cut > 0 else scores > 0)
        else:
            rows = np.flatnonzero(scores > 0)
        order = np.lexsort((rows, -scores[rows]))[: max(k, 0)]
        best = rows[order]
        return best.astype(np.int64), scores[best]

    def scores(self, tokens: Sequence[str]) -> NDArray[np.float32]:
        """Return the score of every passage in the order of `build`; unknown tokens score zero."""
        known = [self._vocabulary[t] for t in tokens if t in self._vocabulary]
        if self._bm25 is None or not known:
            return np.zeros(self.documents, dtype=np.float32)
        return np.asarray(self._bm25.get_scores_from_ids(known), dtype=np.float32)

    def postings(self, token: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the rows of the passages that hold the token, and how much of it they hold.

        The amount is the token's BM25 value divided by its inverse document frequency: 0 to 1,
        larger for more occurrences and for shorter passages. An unknown token gives empty arrays.
        """
        column = self._vocabulary.get(token)
        if self._bm25 is None or column is None:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float64)
        scores = self._bm25.scores
        start, end = int(scores["indptr"][column]), int(scores["indptr"][column + 1])
        rows = np.asarray(scores["indices"][start:end], dtype=np.int64)
        values = np.asarray(scores["data"][start:end], dtype=np.float64)
        rarity = math.log(1 + (self.documents - len(rows) + 0.5) / (len(rows) + 0.5))
        return rows, values / rarity


def _bm25(postings: int) -> BM25:
    import bm25s

    return _compiled(bm25s.BM25(method="lucene", k1=K1, b=B), postings)


def _compiled(bm25: BM25, postings: int) -> BM25:
    """Compile the scorer with numba if the index is large and numba is installed."""
    if postings < NUMBA_FROM_POSTINGS:
        return bm25
    with contextlib.suppress(ImportError):
        bm25.activate_numba_scorer()
    return bm25
