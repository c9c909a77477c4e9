"""Define the content of `index.json`, and compute the fingerprint of an index from it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

__all__ = ["FORMAT", "IndexMeta", "fingerprint"]

FORMAT = 3


class IndexMeta(TypedDict):
    """The sources of an index. All keys except `generation` and `floor` enter the fingerprint.

    `earlier_sha256` exists only where the corpus has texts of earlier versions, and
    `names_sha256` only where it has former names; `dimensions` (of
    the vectors, 0 without any) and `generation` (the folder of the files) are added at the end of
    a build. `floor` is the least score of a question that is answered, with its errors
    (`rag/abstention/floor.py`); an index that an older version built has none.
    """

    format: int
    chunks: int
    chunks_sha256: str
    references_sha256: str
    earlier_sha256: NotRequired[str]
    names_sha256: NotRequired[str]
    lexical: list[str]
    tokeniser: str
    embedder: str | None
    embed_characters: int | None
    dimensions: NotRequired[int]
    floor: NotRequired[dict[str, Any]]
    generation: NotRequired[str]


def fingerprint(meta: Mapping[str, object]) -> str:
    """Return the hexadecimal hash of the sources of an index; equal in every folder."""
    named = {key: value for key, value in meta.items() if key not in ("generation", "floor")}
    text = json.dumps(named, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
