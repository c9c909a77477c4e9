"""Find the articles that each passage of a court decision rests on."""

from __future__ import annotations

from collections.abc import Sequence

from kofinlaw.data.law.citations import cited_units
from kofinlaw.records import Chunk

__all__ = ["cited_rows"]


def cited_rows(chunks: Sequence[Chunk]) -> dict[int, list[int]]:
    """Return the rows of the articles that each passage of a court decision (kind `case`) cites.

    A long issue is split into several passages, and the last one lists its articles. So a passage
    gets the articles that its issue (its unit) cites. If the issue cites none, it gets all articles
    that the decision cites.
    """
    rows_of_unit: dict[str, list[int]] = {}
    for row, chunk in enumerate(chunks):
        if chunk.kind != "case":
            rows_of_unit.setdefault(chunk.unit, []).append(row)
    titles = sorted({chunk.title for chunk in chunks if chunk.kind != "case"})
    by_issue: dict[tuple[str, str], dict[int, None]] = {}
    by_decision: dict[str, dict[int, None]] = {}
    cases = [(row, chunk) for row, chunk in enumerate(chunks) if chunk.kind == "case"]
    for _, chunk in cases:
        units = cited_units(chunk.text, titles)
        found = dict.fromkeys(row for unit in units for row in rows_of_unit.get(unit, ()))
        by_issue.setdefault((chunk.document_id, chunk.unit), {}).update(found)
        by_decision.setdefault(chunk.document_id, {}).update(found)
    out = {
        row: list(by_issue[chunk.document_id, chunk.unit] or by_decision[chunk.document_id])
        for row, chunk in cases
    }
    return {row: found for row, found in out.items() if found}
