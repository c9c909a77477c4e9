"""Define the array types that the index and the retrievers share.

A row is the position of a passage in the index, counted from 0.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Found", "Mask", "Rows", "Scores", "Vectors"]

# Rows of passages.
Rows = NDArray[np.int64]
# One score for each row of a list; float32 or float64.
Scores = NDArray[np.floating]
# One value for each passage of the index: whether it may be found.
Mask = NDArray[np.bool_]
# [passages, dimensions]
Vectors = NDArray[np.float32]
# One search result: rows and scores, best first, ties by row.
Found = tuple[Rows, Scores]
