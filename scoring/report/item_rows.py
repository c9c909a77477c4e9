"""Build the rows of items on the report: question, options, every system's answer, evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict, cast

from kofinlaw.data.law.versions import EARLIER, validity_text
from kofinlaw.files import read_json_lines
from kofinlaw.scoring.metrics.fsku import label_of
from kofinlaw.scoring.scores_record import ItemRecord

__all__ = [
    "ANSWER_CHARACTERS",
    "EVIDENCE_CHARACTERS",
    "MOST_ITEMS",
    "PASSAGES",
    "Anchors",
    "AnswerRow",
    "EvidenceRow",
    "ItemRow",
    "Mark",
    "OptionRow",
    "PassageRow",
    "TraceLink",
    "answer_row",
    "is_right",
    "item_rows",
    "mark",
    "passage_row",
    "read_items",
    "records_by_id",
    "row_of",
    "systems_with_evidence",
]

MOST_ITEMS = 1500
EVIDENCE_CHARACTERS = 180_000  # on the whole page; three bytes each in UTF-8
PASSAGES = 3  # of each system's evidence
ANSWER_CHARACTERS = 500

Anchors = Mapping[tuple[str, str], str]  # on traces.html, by (system, id)


class Mark(TypedDict):
    """The sign of one system's answer; the page names the system."""

    state: str
    sign: str
    system: str


class OptionRow(TypedDict):
    """An option, and the systems that chose it."""

    text: str
    gold: bool
    chosen: list[str]


class AnswerRow(TypedDict):
    """An answer that is not simply one of the options. `cut` is the full length if it was cut.

    `absent` and `wrong` are the key facts of the reference that it misses and contradicts.
    """

    system: str
    score: float | None
    text: str
    cut: str
    loose: list[str]
    absent: list[str]
    wrong: list[str]


class PassageRow(TypedDict):
    """A retrieved passage: its article with its days of validity, and the start of its text."""

    unit: str
    gold: bool
    text: str


class EvidenceRow(TypedDict):
    """The first passages that a system retrieved."""

    system: str
    passages: list[PassageRow]


class TraceLink(TypedDict):
    """A link to a system's traces of the item."""

    system: str
    anchor: str


class ItemRow(TypedDict):
    """One question with every system's answer; `marks` has one character per system."""

    id: str
    question: str
    slices: list[str]
    marks: str
    shown: list[Mark]
    options: list[OptionRow]
    gold: str
    keywords: list[str]
    units: list[str]
    said: list[AnswerRow]
    evidence: list[EvidenceRow]
    traces: list[TraceLink]


def item_rows(
    run: Path, systems: Sequence[str], traces: Anchors | None = None
) -> tuple[list[ItemRow], int]:
    """Return (rows in the questions' order, number of rows left out).

    If there are more than MOST_ITEMS items, those that some system answered wrongly come first.
    Evidence is cut so that a page of 1,000 items stays below 3 MB.
    """
    questions = records_by_id(run / "questions" / "questions.jsonl")
    keys = records_by_id(run / "questions" / "key.jsonl")
    items: dict[str, dict[str, ItemRecord]] = {}
    for item in read_items(run):
        items.setdefault(str(item["id"]), {})[item["system"]] = item
    ids = [question_id for question_id in items if question_id in questions]
    kept = ids
    if len(ids) > MOST_ITEMS:
        order = sorted(ids, key=lambda i: all(is_right(item) for item in items[i].values()))
        chosen = set(order[:MOST_ITEMS])
        kept = [question_id for question_id in ids if question_id in chosen]
    passages: dict[str, dict[str, Any]] = {}
    for name in ("chunks.jsonl", EARLIER):
        passages |= records_by_id(run / "data" / name)
    with_evidence = sum(bool(item["evidence"]) for i in kept for item in items[i].values()) or 1
    room = max(40, min(320, EVIDENCE_CHARACTERS // (with_evidence * PASSAGES)))
    rows = [
        row_of(
            questions[i],
            keys.get(i, {}),
            {name: items[i][name] for name in systems if name in items[i]},
            systems,
            passages,
            room,
            traces or {},
        )
        for i in kept
    ]
    return rows, len(ids) - len(kept)


def read_items(run: Path) -> list[ItemRecord]:
    """Return the rows of a run's items.jsonl; empty if it is absent."""
    path = run / "score" / "items.jsonl"
    rows = [row for _, row in read_json_lines(path)] if path.exists() else []
    return cast("list[ItemRecord]", rows)


def records_by_id(path: Path) -> dict[str, dict[str, Any]]:
    """Return the records of a JSON Lines file by id; empty if the file is absent."""
    return {str(row["id"]): row for _, row in read_json_lines(path)} if path.exists() else {}


def is_right(item: ItemRecord) -> bool:
    """Return whether a choice is correct, or a free-text answer has at least half the score."""
    return (item["score"] or 0.0) >= 0.5


def row_of(
    question: Mapping[str, Any],
    key: Mapping[str, Any],
    items: Mapping[str, ItemRecord],
    systems: Sequence[str],
    passages: Mapping[str, Mapping[str, Any]],
    room: int,
    traces: Anchors,
) -> ItemRow:
    """Return one row. `items` are by system; `room` is the number of characters of a passage."""
    options = list(question.get("options") or ())
    some = next(iter(items.values()))
    gold = set(key.get("units") or ())
    chosen = {name: label_of(str(item["answer"]), options) for name, item in items.items()}
    return {
        "id": question["id"],
        "question": question["question"],
        "slices": some["slices"],
        "marks": "".join(
            str(int(is_right(items[name]))) if name in items else "-" for name in systems
        ),
        "shown": [mark(item, name) for name, item in items.items()],
        "options": [
            {
                "text": text,
                "gold": label in str(some["gold"]).split(","),
                "chosen": [name for name in items if chosen[name] == label],
            }
            for label, text in ((str(number), text) for number, text in enumerate(options, 1))
        ],
        "gold": some["gold"],
        "keywords": list(key.get("keywords") or ()),
        "units": sorted(gold),
        "said": [
            answer_row(item, name, free=not options)
            for name, item in items.items()
            if not (options and chosen[name])
        ],
        "evidence": [
            {
                "system": name,
                "passages": [
                    passage_row(chunk, passages, gold, room)
                    for chunk in items[name]["evidence"][:PASSAGES]
                ],
            }
            for name in systems_with_evidence(items)
        ],
        "traces": [
            {"system": name, "anchor": anchor}
            for name in systems
            if (anchor := traces.get((name, question["id"])))
        ],
    }


def systems_with_evidence(items: Mapping[str, ItemRecord]) -> list[str]:
    """Return the systems with evidence, without those whose evidence equals a later system's."""
    out: list[str] = []
    seen: set[tuple[str, ...]] = set()
    for name in reversed(list(items)):
        found = tuple(items[name]["evidence"][:PASSAGES])
        if found and found not in seen:
            seen.add(found)
            out.append(name)
    return out[::-1]


def mark(item: ItemRecord, system: str) -> Mark:
    """Return the mark of one system's answer: ✓ or ✗, or the free-text score in percent."""
    right = is_right(item)
    if item["kind"] == "free":
        sign = "–" if item["score"] is None else f"{100 * item['score']:.0f}"
    else:
        sign = "✓" if right else "✗"
    return {"state": "right" if right else "wrong", "sign": sign, "system": system}


def answer_row(item: ItemRecord, system: str, *, free: bool) -> AnswerRow:
    """Return the text of a system's answer, cut to ANSWER_CHARACTERS."""
    is_cut = item["answer_length"] > ANSWER_CHARACTERS
    return {
        "system": system,
        "score": item["score"] if free else None,
        "text": str(item["answer"])[:ANSWER_CHARACTERS],
        "cut": f"{item['answer_length']:,}" if is_cut else "",
        "loose": list(item.get("ungrounded") or ()),
        "absent": list(item.get("missing_facts") or ()),
        "wrong": list(item.get("contradicted_facts") or ()),
    }


def passage_row(
    chunk: str, passages: Mapping[str, Mapping[str, Any]], gold: set[str], room: int
) -> PassageRow:
    """Return the row of a chunk, with at most `room` characters of its text."""
    found = passages.get(chunk, {})
    unit = str(found.get("unit") or chunk)
    text = str(found.get("text") or "")
    text = text.removeprefix(str(found.get("title") or "")).strip()
    days = validity_text(str(found.get("since") or ""), str(found.get("until") or ""))
    return {
        "unit": f"{unit} ({days})" if days else unit,
        "gold": unit in gold,
        "text": text if len(text) <= room else text[:room] + "…",
    }
