"""Render the traces of slow and wrong items as a page that the report links to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

from kofinlaw.rag.answer.deadline import FULL
from kofinlaw.scoring.report.item_rows import Anchors, is_right, read_items
from kofinlaw.scoring.report.labels import system_label
from kofinlaw.scoring.report.template import template
from kofinlaw.scoring.scores_record import ItemRecord
from kofinlaw.scoring.value_text import Words, script_json
from kofinlaw.tolerant_files import shorten
from kofinlaw.trace_files import TRACE_FILE, read_traces

__all__ = [
    "CALLS",
    "FACTS",
    "MOST_ENTRIES",
    "OPTION_SCORES",
    "SLOW_SHARE",
    "TEXTS",
    "TEXT_CHARACTERS",
    "WORDS",
    "TraceEntry",
    "TracedCall",
    "anchors_of",
    "calls_by_id",
    "slowest",
    "text_of",
    "trace_entries",
    "trace_page",
]

MOST_ENTRIES = 200
SLOW_SHARE = 0.05  # the slowest twentieth of a system's items counts as slow
TEXT_CHARACTERS = 1600
# The words of the page by key: calls, the figures and the texts of a call that are shown.
CALLS: dict[str, Words] = {
    "retrieval": ("검색", "retrieval"),
    "packing": ("근거 배치", "packing the evidence"),
    "answer": ("답변", "answering"),
    "score": ("보기 비교", "comparing the options"),
    "generate": ("글쓰기", "writing"),
}
FACTS: dict[str, Words] = {
    "plan": ("답변 계획", "answer plan"),
    "found": ("찾은 청크", "chunks found"),
    "input_tokens": ("읽은 토큰", "tokens read"),
    "output_tokens": ("쓴 토큰", "tokens written"),
}
TEXTS: dict[str, Words] = {
    "query": ("검색문", "query"),
    "documents": ("찾은 청크", "chunks found"),
    "prompt": ("프롬프트", "prompt"),
    "answer": ("답", "answer"),
}
OPTION_SCORES: Words = ("보기별 확률", "probability of each option")
WORDS: dict[str, Words] = {
    **{f"call-{name}": words for name, words in CALLS.items()},
    **{f"fact-{name}": words for name, words in FACTS.items()},
    **{f"text-{name}": words for name, words in TEXTS.items()},
    "text-scores": OPTION_SCORES,
    "wrong": ("틀림", "wrong"),
    "slow": ("느림", "slow"),
    "batch": ("함께 계산한 문항", "items in the same call"),
}


class TracedCall(TypedDict):
    """One call of a question: where it is recorded, its time in seconds, values and texts.

    `name`, and the names of values and texts, are keys of the page's words.
    """

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
                    "name": f"call-{span.get('name')}",
                    "where": f"{path.parent.name}/{path.name}:{line}",
                    "seconds": span.get("seconds"),
                    "batch": len(span["items"]),
                    "error": str(span.get("error") or ""),
                    "facts": [
                        (f"fact-{name}", _fact(values[name]))
                        for name in FACTS
                        if isinstance(values.get(name), (str, int, float))
                        and values[name] not in (0, "", FULL.name)
                    ],
                    "texts": [
                        (_text_key(name, values[name]), text_of(values[name]))
                        for name in TEXTS
                        if values.get(name)
                    ],
                }
            )
    return out


def _text_key(name: str, value: object) -> str:
    """Return the key of a text's name; a list as the answer holds the options' probabilities."""
    return "text-scores" if name == "answer" and isinstance(value, list) else f"text-{name}"


def _fact(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


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
    """Return the page as HTML; every text is escaped.

    A label that occurs many times is written in Korean, and the script replaces it.
    """
    calls = (call["name"] for entry in entries for call in entry["calls"])
    words = {
        **{key: (key.removeprefix("call-"),) * 2 for key in calls},
        **WORDS,
        **{entry["system"]: system_label(entry["system"]) for entry in entries},
    }
    return template("traces.html")(
        name=name, entries=entries, words=words, words_json=script_json(words)
    )
