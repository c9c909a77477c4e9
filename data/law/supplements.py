"""Tell passages of 부칙 from articles, and questions that ask for them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from kofinlaw.data.law.versions import VERSIONED
from kofinlaw.records import Chunk

__all__ = ["asks_for_supplements", "is_supplement"]

_SUPPLEMENT = re.compile(
    r"부\s?칙|시행\s?(?:일|시기)|경과\s?(?:조치|규정)|적용\s?례|언제(?:부터)?\s시행|시행(?:되는|하는)\s날"
)


def asks_for_supplements(texts: Iterable[str]) -> bool:
    """Return whether one of the texts, a stem and its options, names 부칙, 시행일, 경과조치 or
    적용례.

    Only then are 부칙 searched: they repeat the words of all articles, one 부칙 an amendment.
    """
    return any(_SUPPLEMENT.search(text) for text in texts)


def is_supplement(chunk: Chunk) -> bool:
    """Return whether a passage is a 부칙 of a statute or rule."""
    return chunk.kind in VERSIONED and chunk.path.startswith("부칙")
