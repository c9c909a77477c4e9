"""Read the references between passages; computed once, when the index is built."""

from __future__ import annotations

from pathlib import Path

from kofinlaw.files import read_json_lines

__all__ = ["read_references"]


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
