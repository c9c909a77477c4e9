"""Which passages were in force on a day."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kofinlaw.data.records import Chunk


def in_force(chunks: Sequence[Chunk], day: datetime.date) -> NDArray[np.bool_]:
    """bool by place: text of a day not after `day`, and of the newest such version of its title.

    A court decision is not replaced by a later one; a passage without a day always counts.
    """
    asked = day.isoformat()
    newest: dict[str, str] = {}
    for chunk in chunks:
        if chunk.as_of <= asked:
            newest[chunk.title] = max(newest.get(chunk.title, ""), chunk.as_of)
    return np.array(
        [
            not chunk.as_of
            or (
                chunk.as_of <= asked
                and (chunk.kind == "case" or chunk.as_of == newest[chunk.title])
            )
            for chunk in chunks
        ],
        dtype=bool,
    )
