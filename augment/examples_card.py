"""The data card: what was made, from what, what was refused, and what gives answers away."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kofinlaw.augment.giveaways import describe, mean, overlap_credit
from kofinlaw.augment.option_choice import Item
from kofinlaw.augment.raft import Shelf
from kofinlaw.augment.settings import AugmentSettings
from kofinlaw.augment.teacher import teacher_card
from kofinlaw.data.korean.words import bigrams
from kofinlaw.files import write_json, write_text
from kofinlaw.records import Example, Rejected

if TYPE_CHECKING:
    from kofinlaw.augment.teacher.write import Taught

SAMPLES = 10
# Passages the retrieval baseline sees, as many as the shipped recipes keep for a question.
RETRIEVED = 5


def write(
    out: Path,
    settings: AugmentSettings,
    *,
    drafts: Mapping[str, int],
    items: Sequence[Item],
    heldout: Sequence[Item],
    examples: Sequence[Example],
    rejected: Sequence[Rejected],
    shelf: Shelf,
    count: Callable[[str], int],
    taught: Taught | None = None,
) -> dict[str, Any]:
    """Write `card.json` and `card.md`; returns the flat figures for `stage.json`."""
    tokens = [sum(count(m["content"]) for m in example.messages) for example in examples]
    figures: dict[str, Any] = {
        "train": _figures(items, shelf),
        "heldout": _figures(heldout, shelf),
        "possible": dict(sorted(drafts.items())),
        "examples": dict(sorted(Counter(e.task for e in examples).items())),
        "rejected": dict(sorted(Counter(r.reason for r in rejected).items())),
        "tokens": sum(tokens),
        "longest_example_tokens": max(tokens, default=0),
    }
    if taught is not None and settings.teacher is not None:
        figures["teacher"] = teacher_card.figures(taught, settings.teacher)
    write_json(out / "card.json", {"settings": settings.model_dump(mode="json"), **figures})
    write_text(out / "card.md", _markdown(figures, examples))
    train, held = figures["train"], figures["heldout"]
    return {
        "examples": len(examples),
        "items": len(items),
        "heldout": len(heldout),
        "rejected": len(rejected),
        "tokens": sum(tokens),
        "negative_share": train["negative_share"],
        "numeric_share": train["numeric_share"],
        "longest_gain": train["longest_gain"],
        "heldout_overlap": held["overlap_retrieved"],
        "heldout_overlap_gold": held["overlap_gold"],
        **({"taught": len(taught.examples), "sent": taught.sent} if taught is not None else {}),
    }


def _figures(items: Sequence[Item], shelf: Shelf) -> dict[str, Any]:
    """Shares, positions, longest option, and the overlap baseline in all and by kind."""
    gold: dict[str, list[float]] = defaultdict(list)
    retrieved: dict[str, list[float]] = defaultdict(list)
    plain: list[float] = []
    hits = []
    for item in items:
        draft = item.draft
        texts = [shelf.grams(place) for place in shelf.gold(draft.units, draft.focus)]
        found = shelf.search(" ".join([draft.stem, *item.options]), RETRIEVED)
        shown = [shelf.grams(place) for place in found]
        hits.append(float(any(shelf.chunks[place].unit in draft.units for place in found)))
        options, answer, negative = (
            [set(bigrams(o)) for o in item.options],
            item.answer,
            draft.negative,
        )
        gold[draft.kind].append(overlap_credit(options, answer, texts, negative=negative))
        retrieved[draft.kind].append(overlap_credit(options, answer, shown, negative=negative))
        plain.append(overlap_credit(options, answer, shown))
    rows = [(item.options, item.answer) for item in items]
    total = max(len(items), 1)
    return {
        **describe(rows),
        "negative_share": round(sum(i.draft.negative for i in items) / total, 4),
        "numeric_share": round(sum(i.draft.numeric for i in items) / total, 4),
        "retrieval_hit": round(mean(hits), 4),
        "overlap_gold": round(mean([v for values in gold.values() for v in values]), 4),
        "overlap_retrieved": round(mean([v for values in retrieved.values() for v in values]), 4),
        "overlap_retrieved_largest": round(mean(plain), 4),
        "kinds": {
            kind: {
                "items": len(gold[kind]),
                "overlap_gold": round(mean(gold[kind]), 3),
                "overlap_retrieved": round(mean(retrieved[kind]), 3),
            }
            for kind in sorted(gold)
        },
    }


def _markdown(figures: Mapping[str, Any], examples: Sequence[Example]) -> str:
    lines = ["# Training examples", ""]
    for name in ("train", "heldout"):
        part = figures[name]
        lines += [
            f"## {name}",
            "",
            f"{part['items']} multiple-choice items; negative {part['negative_share']:.0%}, "
            f"numeric {part['numeric_share']:.0%}, five options {part['five_options']}; "
            f"answer positions {part['positions']}.",
            f"Uniform {part['uniform']:.3f}; longest option {part['longest']:.3f} "
            f"({part['longest_gain']:+.1f} points).",
            f"Largest overlap (least for negative stems) with the gold passage "
            f"{part['overlap_gold']:.3f}, with retrieved passages {part['overlap_retrieved']:.3f}; "
            f"largest whatever the stem {part['overlap_retrieved_largest']:.3f}.",
            "",
            "| kind | items | overlap, gold | overlap, retrieved |",
            "| --- | ---: | ---: | ---: |",
        ]
        lines += [
            f"| {kind} | {row['items']} | {row['overlap_gold']:.3f} "
            f"| {row['overlap_retrieved']:.3f} |"
            for kind, row in part["kinds"].items()
        ]
        lines.append("")
    if "teacher" in figures:
        lines += teacher_card.funnel(figures["teacher"])
    lines += ["## Rejected", "", "| reason | records |", "| --- | ---: |"]
    lines += [f"| {reason} | {n} |" for reason, n in figures["rejected"].items()]
    lines += ["", "## Samples", ""]
    shown: Counter[str] = Counter()
    for example in examples:
        if shown[example.task] < SAMPLES:
            shown[example.task] += 1
            lines += [f"### {example.task} ({example.id})", ""]
            lines += [f"**{m['role']}**\n\n{m['content']}\n" for m in example.messages]
    return "\n".join(lines) + "\n"
