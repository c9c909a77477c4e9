"""Exact search over vectors."""

from __future__ import annotations

import numpy as np

from kofinlaw.rag.index.stores.local import nearest


def test_nearest_is_exact_with_ties_by_row() -> None:
    vectors = np.array([[1, 0], [0, 1], [1, 0]], dtype=np.float32)
    rows, scores = nearest(vectors, np.array([1.0, 0.0]), 2)
    assert (rows.tolist(), scores.tolist()) == ([0, 2], [1.0, 1.0])
