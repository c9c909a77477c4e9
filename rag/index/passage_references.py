"""Read and find references between passages; computed once, when the index is built."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kofinlaw.data.law.citations import cited_units
from kofinlaw.files import read_json_lines
from kofinlaw.records import Chunk

__all__ = ["cited_rows", "read_references"]


def read_references(citations: Path) -> list[tuple[str, list[str]]]:
    """Return (unit, units that it refers to) from a corpus's `citations.jsonl`;
    empty without the file.

    Only references to other articles of the corpus are kept, each once, in order of appearance.
    """
    if not citations.exists():
        return []
    out: dict[str, dict[str, None]] = {}
    for _, edge in read_json_lines(citations):
        if edge["resolved"] and edge["source"] != edge["target"]:
            out.setdefault(edge["source"], {})[edge["target"]] = None
    return [(source, list(targets)) for source, targets in out.items()]


def cited_rows(chunks: Sequence[Chunk]) -> dict[int, list[int]]:
    """Return the rows of the articles that each passage of a court decision (kind `case`) cites.

    A passage that cites none gets all articles that its decision cites: an issue, for example,
    whose articles are listed in a separate section.
    """
    rows_of_unit: dict[str, list[int]] = {}
    for row, chunk in enumerate(chunks):
        if chunk.kind != "case":
            rows_of_unit.setdefault(chunk.unit, []).append(row)
    titles = sorted({chunk.title for chunk in chunks if chunk.kind != "case"})
    by_passage: dict[int, list[int]] = {}
    by_decision: dict[str, dict[int, None]] = {}
    for row, chunk in enumerate(chunks):
        if chunk.kind != "case":
            continue
        units = cited_units(chunk.text, titles)
        by_passage[row] = [target for unit in units for target in rows_of_unit.get(unit, ())]
        by_decision.setdefault(chunk.document_id, {}).update(dict.fromkeys(by_passage[row]))
    out = {
        row: found or list(by_decision[chunks[row].document_id])
        for row, found in by_passage.items()
    }
    return {row: found for row, found in out.items() if found}
