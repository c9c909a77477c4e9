"""The lexical index: BM25 over tokens, with the same result for the same tokens everywhere.

bm25s scores (Lucene's form, k1 1.5, b 0.75); ties are broken by the passage's place, so that a
result never depends on a partition's internals.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kofinlaw import UserError
from kofinlaw.files import write_json

if TYPE_CHECKING:
    from numpy.typing import NDArray

K1 = 1.5
B = 0.75
# Below this many postings NumPy answers in under a millisecond and compiling would cost seconds.
NUMBA_FROM_POSTINGS = 500_000
_META = "lexical.json"
# bm25s cannot index a corpus without any token; this one never stands in a text.
_FILLER = "\u0001"


class LexicalIndex:
    """BM25 over token lists, read-only once built.

    `documents` is the number of passages; `query` gives their places in the order of `build`.
    """

    def __init__(self, bm25: Any, documents: int) -> None:
        self._bm25 = bm25
        self.documents = documents
        self._vocabulary: dict[str, int] = bm25.vocab_dict if bm25 is not None else {}

    @classmethod
    def build(cls, tokens: Sequence[list[str]]) -> LexicalIndex:
        """Index the passages' tokens; an empty corpus gives an index that finds nothing."""
        if not tokens:
            return cls(None, 0)
        bm25 = _bm25(sum(len(t) for t in tokens))
        bm25.index([t or [_FILLER] for t in tokens], show_progress=False)
        return cls(bm25, len(tokens))

    def save(self, folder: Path) -> None:
        """Write the index's arrays and vocabulary into `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        if self._bm25 is not None:
            self._bm25.save(folder, show_progress=False)
        postings = len(self._bm25.scores["data"]) if self._bm25 is not None else 0
        write_json(folder / _META, {"documents": self.documents, "postings": postings})

    @classmethod
    def load(cls, folder: Path, mmap: bool = True) -> LexicalIndex:
        """Read an index; with `mmap` its arrays stay on the disk until they are needed.

        Raises UserError where the folder holds no index.
        """
        meta = folder / _META
        if not meta.exists():
            raise UserError("no lexical index here", where=str(folder), remedy="kofinlaw index")
        documents = int(json.loads(meta.read_text(encoding="utf-8"))["documents"])
        if documents == 0:
            return cls(None, 0)
        import bm25s

        bm25 = bm25s.BM25.load(folder, mmap=mmap, show_progress=False)
        return cls(_compiled(bm25, len(bm25.scores["data"])), documents)

    def query(
        self, tokens: Sequence[str], k: int, *, allowed: NDArray[Any] | None = None
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """The best `k` passages (of those in `allowed`, bool by place): places int64 and scores
        float32, best first, equal scores by place.

        Only passages that share a token are returned, so fewer than `k` may come back.
        """
        scores = self.scores(tokens)
        if allowed is not None:
            scores = np.where(allowed, scores, np.float32(0))
        if 0 < k < len(scores):
            # One pass finds the score that the k-th best has; only what reaches it is sorted.
            cut = np.partition(scores, -k)[-k]
            places = np.flatnonzero(scores >= cut if cut > 0 else scores > 0)
        else:
            places = np.flatnonzero(scores > 0)
        order = np.lexsort((places, -scores[places]))[: max(k, 0)]
        best = places[order]
        return best.astype(np.int64), scores[best]

    def scores(self, tokens: Sequence[str]) -> NDArray[Any]:
        """The score of every passage, float32 in the order of `build`; zeros for unknown words."""
        known = [self._vocabulary[t] for t in tokens if t in self._vocabulary]
        if self._bm25 is None or not known:
            return np.zeros(self.documents, dtype=np.float32)
        return np.asarray(self._bm25.get_scores_from_ids(known), dtype=np.float32)


def _bm25(postings: int) -> Any:
    import bm25s

    return _compiled(bm25s.BM25(method="lucene", k1=K1, b=B), postings)


def _compiled(bm25: Any, postings: int) -> Any:
    """Compile the scorer with numba for a large index, where numba can be imported."""
    if postings < NUMBA_FROM_POSTINGS:
        return bm25
    with contextlib.suppress(ImportError):
        bm25.activate_numba_scorer()
    return bm25
