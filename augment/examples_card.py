"""Write the data card: what was made, from what, what was rejected, and which shortcuts work."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NotRequired, TypedDict

from kofinlaw.augment.augment_counts import AugmentCounts
from kofinlaw.augment.hard_items import BalanceFigures, balance_table
from kofinlaw.augment.option_choice import Item
from kofinlaw.augment.preferences import PairFigures
from kofinlaw.augment.raft import PassageIndex
from kofinlaw.augment.review.review_card import ReviewRecord, review_lines
from kofinlaw.augment.settings import AugmentSettings
from kofinlaw.augment.shortcuts import ShortcutFigures, mean, shortcut_figures
from kofinlaw.augment.tables.sure_rows import TABLE_REASONS
from kofinlaw.augment.teacher.synthesis import Synthesis
from kofinlaw.augment.teacher.teacher_card import TeacherFigures, funnel_table, teacher_figures
from kofinlaw.data.korean.words import bigrams
from kofinlaw.data.solvers.credit import credit_of
from kofinlaw.data.solvers.overlap import token_overlap
from kofinlaw.files import write_json, write_text
from kofinlaw.records import Example, Rejected
from kofinlaw.texts import markdown_text

__all__ = ["RETRIEVED", "SAMPLES", "CardFigures", "KindFigures", "SetFigures", "write_card"]

SAMPLES = 10
# Passages that the retrieval baseline sees: as many as the shipped recipes keep for a question.
RETRIEVED = 5


class KindFigures(TypedDict):
    """Number of items of a kind and the accuracy of the word-overlap rule on them (0 to 1)."""

    items: int
    overlap_gold: float
    overlap_retrieved: float


class SetFigures(ShortcutFigures):
    """Figures of a set of items: shares, shortcuts, the overlap rule in all and by kind."""

    negative_share: float
    numeric_share: float
    retrieval_hit: float
    overlap_gold: float
    overlap_retrieved: float
    overlap_retrieved_largest: float
    kinds: dict[str, KindFigures]


class CardFigures(TypedDict):
    """The figures of `card.json`, without the settings."""

    train: SetFigures
    heldout: SetFigures
    possible: dict[str, int]
    examples: dict[str, int]
    rejected: dict[str, int]
    tokens: int
    longest_example_tokens: int
    balance: dict[str, BalanceFigures]
    tables: NotRequired[dict[str, int]]
    held_out: NotRequired[list[str]]
    heldout_free: NotRequired[int]
    preferences: NotRequired[PairFigures]
    teacher: NotRequired[TeacherFigures]
    review: NotRequired[ReviewRecord]


def write_card(
    out: Path,
    settings: AugmentSettings,
    *,
    drafts: Mapping[str, int],
    items: Sequence[Item],
    heldout: Sequence[Item],
    heldout_free: int = 0,
    examples: Sequence[Example],
    rejected: Sequence[Rejected],
    passages: PassageIndex,
    count: Callable[[str], int],
    synthesis: Synthesis | None = None,
    pairs: PairFigures | None = None,
    balance: Mapping[str, BalanceFigures] | None = None,
    tables: Mapping[str, int] | None = None,
    held_out: Sequence[str] = (),
    review: ReviewRecord | None = None,
) -> AugmentCounts:
    """Write `card.json` and `card.md` into `out`, and return the counts of the stage.

    Args:
        out: The stage's folder.
        settings: The recipe's section `augment`.
        drafts: Number of possible questions by kind.
        items: The multiple-choice items of the examples.
        heldout: The held-out items.
        heldout_free: Number of held-out free-text questions.
        examples: All training examples.
        rejected: All rejected records.
        passages: The corpus, for the overlap baseline.
        count: Counts tokens as the trained model does.
        synthesis: What a teacher wrote; None without a teacher.
        pairs: Figures of the preference pairs; None where none were wanted.
        balance: Solvers on the hard kinds of each set, before and after balancing.
        tables: Rows of annex tables: `asked`, and the others by the reason why they are not.
        held_out: Titles of the documents that are not trained on.
        review: What people said about the examples as they were made.
    """
    tokens = [sum(count(m["content"]) for m in example.messages) for example in examples]
    train, held = _set_figures(items, passages), _set_figures(heldout, passages)
    figures: CardFigures = {
        "train": train,
        "heldout": held,
        "possible": dict(sorted(drafts.items())),
        "examples": dict(sorted(Counter(e.task for e in examples).items())),
        "rejected": dict(sorted(Counter(r.reason for r in rejected).items())),
        "tokens": sum(tokens),
        "longest_example_tokens": max(tokens, default=0),
        "balance": dict(balance or {}),
    }
    if tables:
        figures["tables"] = dict(sorted(tables.items()))
    if held_out:
        figures["held_out"] = list(held_out)
    if settings.holdout_free:
        figures["heldout_free"] = heldout_free
    if pairs is not None:
        figures["preferences"] = pairs
    if synthesis is not None and settings.teacher is not None:
        figures["teacher"] = teacher_figures(synthesis, settings.teacher)
    if review is not None:
        figures["review"] = review
    write_json(out / "card.json", {"settings": settings.model_dump(mode="json"), **figures})
    write_text(out / "card.md", _markdown(figures, examples))
    return AugmentCounts(
        examples=len(examples),
        items=len(items),
        heldout=len(heldout) + heldout_free,
        heldout_free=heldout_free if settings.holdout_free else None,
        rejected=len(rejected),
        tokens=sum(tokens),
        negative_share=train["negative_share"],
        numeric_share=train["numeric_share"],
        longest_gain=train["longest_gain"],
        heldout_overlap=held["overlap_retrieved"],
        heldout_overlap_gold=held["overlap_gold"],
        pairs=pairs["pairs"] if pairs is not None else None,
        taught=len(synthesis.examples) if synthesis is not None else None,
        sent=synthesis.sent if synthesis is not None else None,
    )


def _set_figures(items: Sequence[Item], passages: PassageIndex) -> SetFigures:
    gold: dict[str, list[float]] = defaultdict(list)
    retrieved: dict[str, list[float]] = defaultdict(list)
    largest: list[float] = []
    hits = []
    for item in items:
        draft = item.draft
        gold_texts = [passages.grams(row) for row in passages.gold(draft.units, draft.focus)]
        found = passages.search(" ".join([draft.stem, *item.options]), RETRIEVED)
        shown = [passages.grams(row) for row in found]
        hits.append(float(any(passages.chunks[row].unit in draft.units for row in found)))
        options, answer, negative = (
            [set(bigrams(option)) for option in item.options],
            item.answer,
            draft.negative,
        )
        for table, texts in ((gold, gold_texts), (retrieved, shown)):
            scores = token_overlap(options, texts, negative=negative)
            table[draft.kind].append(credit_of(scores, answer))
        largest.append(credit_of(token_overlap(options, shown), answer))
    rows = [(item.options, item.answer) for item in items]
    total = max(len(items), 1)
    return {
        **shortcut_figures(rows),
        "negative_share": round(sum(i.draft.negative for i in items) / total, 4),
        "numeric_share": round(sum(i.draft.numeric for i in items) / total, 4),
        "retrieval_hit": round(mean(hits), 4),
        "overlap_gold": round(mean([v for values in gold.values() for v in values]), 4),
        "overlap_retrieved": round(mean([v for values in retrieved.values() for v in values]), 4),
        "overlap_retrieved_largest": round(mean(largest), 4),
        "kinds": {
            kind: {
                "items": len(gold[kind]),
                "overlap_gold": round(mean(gold[kind]), 3),
                "overlap_retrieved": round(mean(retrieved[kind]), 3),
            }
            for kind in sorted(gold)
        },
    }


def _markdown(figures: CardFigures, examples: Sequence[Example]) -> str:
    lines = ["# Training examples", ""]
    lines += _set_lines("train", figures["train"])
    lines += _set_lines("heldout", figures["heldout"])
    if "held_out" in figures:
        lines += [f"Held-out documents: {', '.join(map(markdown_text, figures['held_out']))}.", ""]
    if "heldout_free" in figures:
        lines += [f"{figures['heldout_free']} free-text questions of the held-out acts.", ""]
    if "preferences" in figures:
        lines += _pair_lines(figures["preferences"])
    lines += balance_table(figures["balance"])
    if "tables" in figures:
        lines += _table_lines(figures["tables"])
    if "teacher" in figures:
        lines += funnel_table(figures["teacher"])
    if "review" in figures:
        lines += review_lines(figures["review"])
    lines += ["## Rejected", "", "| reason | records |", "| --- | ---: |"]
    lines += [f"| {markdown_text(reason)} | {n} |" for reason, n in figures["rejected"].items()]
    lines += ["", "## Samples", ""]
    shown: Counter[str] = Counter()
    for example in examples:
        if shown[example.task] < SAMPLES:
            shown[example.task] += 1
            lines += [f"### {markdown_text(example.task)} ({markdown_text(example.id)})", ""]
            for message in example.messages:
                texts = map(markdown_text, message["content"].split("\n"))
                lines += [f"**{message['role']}**", "", *texts, ""]
    return "\n".join(lines) + "\n"


def _table_lines(rows: Mapping[str, int]) -> list[str]:
    """Return the card's section on the rows of annex tables."""
    return [
        "## Tables of annexes",
        "",
        "Rows of the tables by whether they can be asked about. Any other reason is in doubt.",
        "",
        "| rows | number |",
        "| --- | ---: |",
        *(f"| {markdown_text(TABLE_REASONS.get(why, why))} | {n} |" for why, n in rows.items()),
        "",
    ]


def _pair_lines(pairs: PairFigures) -> list[str]:
    """Return the card's section on preference pairs."""
    sources = ", ".join(f"{name} {count}" for name, count in pairs["sources"].items())
    return [
        "## Preference pairs",
        "",
        f"{pairs['pairs']} pairs ({sources}); {pairs['without_pair']} examples have none.",
        f"Mean length: chosen {pairs['chosen_characters']:.1f} characters, rejected "
        f"{pairs['rejected_characters']:.1f}; chosen longer in {pairs['chosen_longer']:.0%}, "
        f"shorter in {pairs['chosen_shorter']:.0%}.",
        "",
    ]


def _set_lines(name: str, part: SetFigures) -> list[str]:
    """Return the card's section on a set of items."""
    return [
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
        *(
            f"| {markdown_text(kind)} | {row['items']} | {row['overlap_gold']:.3f} "
            f"| {row['overlap_retrieved']:.3f} |"
            for kind, row in part["kinds"].items()
        ),
        "",
    ]
