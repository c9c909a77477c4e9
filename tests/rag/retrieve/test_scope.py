"""The fingerprint of the passages that today hides."""

from __future__ import annotations

from datetime import date

from corpora import settings

from kofinlaw.rag.index.index import Index
from kofinlaw.rag.retrieve.retriever import Retriever


def test_the_day_that_another_version_comes_into_force_is_another_fingerprint(
    index: Index,
) -> None:
    fingerprints = [
        Retriever(index, settings(), today=day).fingerprint
        for day in (date(2026, 1, 1), date(2026, 12, 31), date(2027, 1, 1))
    ]
    assert fingerprints[0] == fingerprints[1] != fingerprints[2]
    fixed = settings(as_of="2023-01-01")
    assert (
        Retriever(index, fixed, today=date(2026, 1, 1)).fingerprint
        == Retriever(index, fixed, today=date(2030, 1, 1)).fingerprint
    )
