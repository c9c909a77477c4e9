"""Render the traces of slow and wrong items as a page that the report links to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

from kofinlaw.scoring.report.item_rows import Anchors, is_right, read_items
from kofinlaw.scoring.report.labels import system_label
from kofinlaw.scoring.report.template import template
from kofinlaw.scoring.scores_record import ItemRecord
from kofinlaw.scoring.value_text import Words
from kofinlaw.tolerant_files import shorten
from kofinlaw.trace_files import TRACE_FILE, read_traces

__all__ = [
    "MOST_ENTRIES",
    "SLOW_SHARE",
    "TEXTS",
    "TEXT_CHARACTERS",
    "TraceEntry",
    "TracedCall",
    "anchors_of",
    "calls_by_id",
    "slowest",
    "text_of",
    "trace_entries",
    "trace_page",
]

MOST_ENTRIES = 400
SLOW_SHARE = 0.05  # the slowest twentieth of a system's items counts as slow
TEXT_CHARACTERS = 2400
TEXTS = ("query", "documents", "prompt", "answer")


class TracedCall(TypedDict):
    """One call of a question: where it is recorded, its time in seconds, values and texts."""

    name: str
    where: str
    seconds: float | None
    batch: int
    error: str
    facts: list[tuple[str, str]]
    texts: list[tuple[str, str]]


class TraceEntry(TypedDict):
    """A slow or wrong item with its calls; `anchor` is its id on the page."""

    anchor: str
    system: str
    label: Words
    id: str
    wrong: bool
    slow: bool
    seconds: float | None
    calls: list[TracedCall]


def trace_entries(run: Path, systems: Sequence[str]) -> list[TraceEntry]:
    """Return an entry for each slow or wrong item that was traced, in the items' order."""
    items = read_items(run)
    out: list[TraceEntry] = []
    for system in systems:
        calls = calls_by_id(run / f"answer-{system}" / TRACE_FILE)
        own = [item for item in items if item["system"] == system]
        slow = slowest(own)
        for item in own:
            wrong, late = not is_right(item), item["id"] in slow
            if item["id"] in calls and (wrong or late) and len(out) < MOST_ENTRIES:
                out.append(
                    {
                        "anchor": f"t{len(out) + 1}",
                        "system": system,
                        "label": system_label(system),
                        "id": item["id"],
                        "wrong": wrong,
                        "slow": late,
                        "seconds": item["seconds"],
                        "calls": calls[item["id"]],
                    }
                )
    return out


def slowest(items: Sequence[ItemRecord]) -> set[str]:
    """Return the ids of the slowest twentieth; at least one if any item was timed."""
    seconds = {item["id"]: item["seconds"] for item in items if item["seconds"] is not None}
    timed = sorted(seconds, key=lambda name: -seconds[name])
    return set(timed[: max(1, int(SLOW_SHARE * len(timed)))])


def calls_by_id(path: Path) -> dict[str, list[TracedCall]]:
    """Return each question's traced calls, in order."""
    out: dict[str, list[TracedCall]] = {}
    for line, span in read_traces(path):
        for item in span.get("items") or ():
            if not isinstance(item, dict) or "id" not in item:
                continue
            values = {**(span.get("attributes") or {}), **item}
            out.setdefault(str(item["id"]), []).append(
                {
                    "name": str(span.get("name")),
                    "where": f"{path.parent.name}/{path.name}:{line}",
                    "seconds": span.get("seconds"),
                    "batch": len(span["items"]),
                    "error": str(span.get("error") or ""),
                    "facts": [
                        (name, str(value))
                        for name, value in values.items()
                        if name not in ("id", *TEXTS) and isinstance(value, (str, int, float))
                    ],
                    "texts": [(name, text_of(values[name])) for name in TEXTS if values.get(name)],
                }
            )
    return out


def text_of(value: object) -> str:
    """Return a traced text or list, one row per line, cut to TEXT_CHARACTERS."""
    rows = value if isinstance(value, list) else [value]
    text = "\n".join(
        " · ".join(map(str, row.values())) if isinstance(row, dict) else str(row) for row in rows
    )
    return shorten(text, TEXT_CHARACTERS)


def anchors_of(entries: Sequence[TraceEntry]) -> Anchors:
    """Return the anchor of each (system, id) on the page."""
    return {(entry["system"], entry["id"]): entry["anchor"] for entry in entries}


def trace_page(name: str, entries: Sequence[TraceEntry]) -> str:
    """Return the page as HTML; every text is escaped."""
    return template("traces.html")(name=name, entries=entries)
