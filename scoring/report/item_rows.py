"""The items as the report shows them: question, options, what each system said, and evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kofinlaw.data.law.versions import EARLIER, validity_text
from kofinlaw.files import read_json_lines
from kofinlaw.scoring.metrics.fsku import label_of
from kofinlaw.scoring.report.labels import system_label

MOST_ITEMS = 1500
EVIDENCE_CHARACTERS = 180_000  # over the whole page; three bytes each in UTF-8
PASSAGES = 3
SAID_CHARACTERS = 500


def item_rows(
    run: Path, scores: Mapping[str, Any], traces: Mapping[tuple[str, str], str] | None = None
) -> tuple[list[dict[str, Any]], int]:
    """(rows in the questions' order, how many were left out).

    Where there are more than 1,500 items those that some system has wrong come first; evidence is
    cut so that a page of 1,000 items stays under 3 MB.
    """
    questions = objects(run / "questions" / "questions.jsonl")
    keys = objects(run / "questions" / "key.jsonl")
    items: dict[str, dict[str, dict[str, Any]]] = {}
    for _, item in lines(run / "score" / "items.jsonl"):
        items.setdefault(str(item["id"]), {})[item["system"]] = item
    names = [name for name in items if name in questions]
    kept = names
    if len(names) > MOST_ITEMS:
        order = sorted(names, key=lambda n: all(is_right(i) for i in items[n].values()))
        chosen = set(order[:MOST_ITEMS])
        kept = [name for name in names if name in chosen]
    passages = {
        str(c["id"]): c for name in ("chunks.jsonl", EARLIER) for _, c in lines(run / "data" / name)
    }
    shown = sum(bool(item["evidence"]) for name in kept for item in items[name].values()) or 1
    room = max(40, min(320, EVIDENCE_CHARACTERS // (shown * PASSAGES)))
    systems = list(scores["systems"])
    rows = [
        row_of(questions[name], keys.get(name, {}), items[name], systems, passages, room)
        for name in kept
    ]
    for row in rows:
        here = [(name, (traces or {}).get((name, row["id"]))) for name in systems]
        row["traces"] = [{"system": name, "anchor": anchor} for name, anchor in here if anchor]
    return rows, len(names) - len(kept)


def lines(path: Path) -> list[tuple[int, dict[str, Any]]]:
    """The objects of a JSON Lines file, none where it is absent."""
    return list(read_json_lines(path)) if path.exists() else []


def objects(path: Path) -> dict[str, dict[str, Any]]:
    """Records by id."""
    return {str(value["id"]): value for _, value in lines(path)}


def is_right(item: Mapping[str, Any]) -> bool:
    """Right for multiple choice; at least half the score for free text."""
    return (item["score"] or 0.0) >= 0.5


def row_of(
    question: Mapping[str, Any],
    key: Mapping[str, Any],
    items: Mapping[str, Mapping[str, Any]],
    systems: Sequence[str],
    passages: Mapping[str, Mapping[str, Any]],
    room: int,
) -> dict[str, Any]:
    """One question with what every system made of it."""
    options = list(question.get("options") or ())
    there = [name for name in systems if name in items]
    some = items[there[0]]
    gold = set(key.get("units") or ())
    chosen = {name: label_of(str(items[name]["answer"]), len(options)) for name in there}
    return {
        "id": question["id"],
        "question": question["question"],
        "slices": some["slices"],
        "marks": "".join(
            str(int(is_right(items[name]))) if name in items else "-" for name in systems
        ),
        "shown": [mark(items[name], system_label(name, "ko")) for name in there],
        "options": [
            {
                "text": text,
                "gold": str(place) == some["gold"],
                "chosen": [name for name in there if chosen[name] == str(place)],
            }
            for place, text in enumerate(options, 1)
        ],
        "gold": some["gold"],
        "keywords": list(key.get("keywords") or ()),
        "units": sorted(gold),
        "said": [
            said(items[name], name, free=not options)
            for name in there
            if not (options and chosen[name])
        ],
        "evidence": [
            {
                "system": name,
                "passages": [
                    passage(chunk, passages, gold, room)
                    for chunk in items[name]["evidence"][:PASSAGES]
                ],
            }
            for name in evidence_once(there, items)
        ],
    }


def evidence_once(names: Sequence[str], items: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The systems with evidence, without those that found what a later one found."""
    out: list[str] = []
    seen: set[tuple[str, ...]] = set()
    for name in reversed(names):
        found = tuple(items[name]["evidence"][:PASSAGES])
        if found and found not in seen:
            seen.add(found)
            out.append(name)
    return out[::-1]


def mark(item: Mapping[str, Any], label: str) -> dict[str, str]:
    """A sign for one system's answer; its words for a pointer and a screen reader."""
    right = is_right(item)
    if item["kind"] == "free":
        sign = "–" if item["score"] is None else f"{100 * item['score']:.0f}"
    else:
        sign = "✓" if right else "✗"
    return {"state": "right" if right else "wrong", "sign": sign, "label": label}


def said(item: Mapping[str, Any], system: str, *, free: bool) -> dict[str, Any]:
    """What a system wrote, where it is not simply one of the options."""
    text = str(item["answer"])
    long = item["answer_length"] > SAID_CHARACTERS
    return {
        "system": system,
        "score": item["score"] if free else None,
        "text": text[:SAID_CHARACTERS],
        "cut": f"{item['answer_length']:,}" if long else "",
        "loose": list(item.get("ungrounded") or ()),
    }


def passage(
    chunk: str, passages: Mapping[str, Mapping[str, Any]], gold: set[str], room: int
) -> dict[str, Any]:
    """A chunk's article with its days, whether it is gold, and the opening of its text."""
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
