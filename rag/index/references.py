"""References between passages, computed once when the index is built."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kofinlaw.data.law.citations import cited_units
from kofinlaw.files import read_json_lines
from kofinlaw.records import Chunk


def read_references(citations: Path) -> list[tuple[str, list[str]]]:
    """(unit, units it refers to) from a corpus's `citations.jsonl`; none where there is no file.

    Only references to other articles of the corpus are kept, each once, in order of appearance.
    """
    if not citations.exists():
        return []
    out: dict[str, dict[str, None]] = {}
    for _, edge in read_json_lines(citations):
        if edge["resolved"] and edge["source"] != edge["target"]:
            out.setdefault(edge["source"], {})[edge["target"]] = None
    return [(source, list(targets)) for source, targets in out.items()]


def cited_places(chunks: Sequence[Chunk]) -> dict[int, list[int]]:
    """For each passage of a decision (kind `case`) the places of the articles it cites.

    A passage that cites none (an issue, whose articles stand in a section of their own) counts for
    all that its decision cites.
    """
    places: dict[str, list[int]] = {}
    for place, chunk in enumerate(chunks):
        if chunk.kind != "case":
            places.setdefault(chunk.unit, []).append(place)
    titles = sorted({chunk.title for chunk in chunks if chunk.kind != "case"})
    own: dict[int, list[int]] = {}
    whole: dict[str, dict[int, None]] = {}
    for place, chunk in enumerate(chunks):
        if chunk.kind != "case":
            continue
        units = cited_units(chunk.text, titles)
        own[place] = [target for unit in units for target in places.get(unit, ())]
        whole.setdefault(chunk.document_id, {}).update(dict.fromkeys(own[place]))
    out = {p: found or list(whole[chunks[p].document_id]) for p, found in own.items()}
    return {place: found for place, found in out.items() if found}
