"""The traces of slow and wrong items on a page of their own, which the report links to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kofinlaw.scoring.report.item_rows import is_right, lines
from kofinlaw.scoring.report.labels import system_label
from kofinlaw.scoring.report.template import template
from kofinlaw.trace_files import TRACE_FILE, read_traces

MOST_ENTRIES = 400
SLOW_SHARE = 0.05  # the slowest twentieth of a system's items
TEXT_CHARACTERS = 2400

Anchors = dict[tuple[str, str], str]


def trace_entries(run: Path, systems: Sequence[str]) -> list[dict[str, Any]]:
    """One entry for each slow or wrong item of a system that was traced, in the items' order."""
    items = [item for _, item in lines(run / "score" / "items.jsonl")]
    out: list[dict[str, Any]] = []
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
                        "label": (system_label(system, "ko"), system_label(system, "en")),
                        "id": item["id"],
                        "wrong": wrong,
                        "slow": late,
                        "seconds": item["seconds"],
                        "calls": calls[item["id"]],
                    }
                )
    return out


def slowest(items: Sequence[Mapping[str, Any]]) -> set[str]:
    """Ids of the slowest twentieth, one at least where any was timed."""
    timed = sorted((i for i in items if i["seconds"] is not None), key=lambda i: -i["seconds"])
    return {i["id"] for i in timed[: max(1, int(SLOW_SHARE * len(timed)))]} if timed else set()


def calls_by_id(path: Path) -> dict[str, list[dict[str, Any]]]:
    """What each question's traced calls were, in order: name, line, seconds, what was said."""
    out: dict[str, list[dict[str, Any]]] = {}
    for line, span in read_traces(path):
        for item in span.get("items") or ():
            if not isinstance(item, dict) or "id" not in item:
                continue
            known = {**(span.get("attributes") or {}), **item}
            out.setdefault(str(item["id"]), []).append(
                {
                    "name": str(span.get("name")),
                    "where": f"{path.parent.name}/{path.name}:{line}",
                    "seconds": span.get("seconds"),
                    "batch": len(span["items"]),
                    "error": str(span.get("error") or ""),
                    "facts": [
                        (name, str(value))
                        for name, value in known.items()
                        if name not in ("id", "prompt", "answer", "documents", "query")
                        and isinstance(value, (str, int, float))
                    ],
                    "texts": [
                        (name, text_of(known[name]))
                        for name in ("query", "documents", "prompt", "answer")
                        if known.get(name)
                    ],
                }
            )
    return out


def text_of(value: Any) -> str:
    """A traced text, cut to what one reads."""
    rows = value if isinstance(value, list) else [value]
    text = "\n".join(
        " · ".join(map(str, row.values())) if isinstance(row, dict) else str(row) for row in rows
    )
    return text if len(text) <= TEXT_CHARACTERS else text[:TEXT_CHARACTERS] + "…"


def anchors_of(entries: Sequence[Mapping[str, Any]]) -> Anchors:
    """Where on the page each (system, id) stands."""
    return {(entry["system"], entry["id"]): entry["anchor"] for entry in entries}


def trace_page(name: str, entries: Sequence[Mapping[str, Any]]) -> str:
    """The page as HTML; every text is escaped."""
    return template("traces.html")(name=name, entries=entries)
