"""Assemble finished questions from drafts: build and check options, select, balance positions."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from kofinlaw import Progress, silent
from kofinlaw.augment.generators.drafts import Draft, source_rng
from kofinlaw.augment.generators.falsity import true_elsewhere
from kofinlaw.augment.generators.free_text import FreeItem
from kofinlaw.augment.hard_items import (
    POOL,
    BalanceFigures,
    ShownItem,
    copies_the_law,
    lines_by_unit,
    take_hard,
)
from kofinlaw.augment.option_choice import Item, build_item, find_problem
from kofinlaw.augment.protected_questions import ProtectedTexts
from kofinlaw.augment.raft import PassageIndex
from kofinlaw.augment.reading.acts import Laws
from kofinlaw.augment.selection import pools_by_kind, select, take_by_weight
from kofinlaw.augment.settings import AugmentSettings
from kofinlaw.augment.twins import twin_pair
from kofinlaw.data.prompting.claims import claims_of
from kofinlaw.files import dumps, sha256_text
from kofinlaw.records import Key, Question, Rejected, TwinQuestion, record_fault

__all__ = [
    "HELD_OUT",
    "AskStudent",
    "AugmentContext",
    "heldout_twins",
    "item_fingerprint",
    "item_id",
    "key_of",
    "make_items",
    "question_of",
]

# Name of the set of held-out questions in `make_items`.
HELD_OUT = "heldout"
# Gives for items, by their id, how sure a model is of the right option; below 0 it is wrong.
AskStudent = Callable[[Sequence[Item]], Mapping[str, float]]


@dataclass
class AugmentContext:
    """The inputs that all steps of the stage need, and the rejected items that they collect."""

    settings: AugmentSettings
    seed: int
    laws: Laws
    passages: PassageIndex
    protected: ProtectedTexts
    rejected: list[Rejected]
    # Solvers on the hard kinds before and after balancing, by the name of the set.
    balance: dict[str, BalanceFigures] = field(default_factory=dict)
    # By id of an example: the ids of the articles and the phrases of them that decide it.
    decided_by: dict[str, tuple[Sequence[str], Sequence[str]]] = field(default_factory=dict)

    def reject_draft(self, draft: Draft, detail: str) -> None:
        """Record that a draft cannot become a question because a check failed on it."""
        record = dumps({"kind": draft.kind, "stem": draft.stem, "answer": draft.answer})
        name = f"{draft.kind}-{sha256_text(draft.stem + draft.answer)[:12]}"
        self.rejected.append(Rejected(name, "augment", "failed", detail, record))

    def reject_free(self, name: str, item: FreeItem, reason: str, detail: str) -> None:
        """Record why a free-text question is not used."""
        record = {"kind": "free", "question": item.question, "reference": item.reference}
        self.rejected.append(Rejected(name, "augment", reason, detail, dumps(record)))

    def act_report(self, title: str, kinds: str) -> Callable[[str], None]:
        """Return a function that records why an act gives no more questions of these kinds."""

        def report(why: str) -> None:
            self.rejected.append(Rejected(title, "augment", "failed", f"{title}: {why}", kinds))

        return report

    def reject(self, item: Item, reason: str, detail: str = "") -> None:
        """Record why an item is not used."""
        draft = item.draft
        record = {"kind": draft.kind, "stem": draft.stem, "options": list(item.options)}
        self.rejected.append(Rejected(item_id(item), "augment", reason, detail, dumps(record)))


def item_id(item: Item) -> str:
    """Return a stable id of an item: its kind and a hash of the question and ordered options."""
    text = "\n".join([item.draft.stem, *item.options])
    return f"{item.draft.kind}-{sha256_text(text)[:12]}"


def item_fingerprint(item: Item) -> str:
    """Return a text that is equal for items with the same question and options in any order."""
    return "\n".join([item.draft.stem, *sorted(item.options)])


def make_items(
    context: AugmentContext,
    drafts: Sequence[Draft],
    count: int,
    name: str,
    excluded: AbstractSet[str] = frozenset(),
    ask_student: AskStudent | None = None,
    progress: Progress = silent,
) -> list[Item]:
    """Return at most `count` finished questions.

    Args:
        context: Settings, acts and passages; rejected items are added to it.
        drafts: The drafts to choose from.
        count: Number of questions wanted.
        name: Name of the set, which decides the random draws.
        excluded: Fingerprints of items that may not be used.
        ask_student: Asks the model to be trained. Of each kind the items that it knows least are
            taken first.
        progress: Called while the solvers answer the hard questions.
    """
    settings = context.settings
    if count == 0:
        return []
    hard = _hard_items(context, [d for d in drafts if d.hard], name, excluded, count, progress)
    drafts = [draft for draft in drafts if not draft.hard]
    count -= len(hard)
    rng = source_rng(context.seed, "select", name)
    checked = [item for draft in drafts if (item := _item(context, draft)) is not None]
    by_draft = {id(item.draft): item for item in checked if item_fingerprint(item) not in excluded}
    pool = [item.draft for item in checked if id(item.draft) in by_draft]
    prefer = None
    if ask_student is not None:
        pool = select(pool, round(count * settings.student_pool), settings, rng)
        margins = ask_student([by_draft[id(draft)] for draft in pool])

        def prefer(draft: Draft) -> float:
            return margins[item_id(by_draft[id(draft)])]

    taken = select(pool, count, settings, rng, prefer)
    return _balance_positions([*hard, *(by_draft[id(draft)] for draft in taken)], rng)


def _hard_items(
    context: AugmentContext,
    drafts: Sequence[Draft],
    name: str,
    excluded: AbstractSet[str],
    count: int,
    progress: Progress,
) -> list[Item]:
    """Return the hard questions of a set, in their share of `count`, balanced against solvers."""
    settings = context.settings
    wanted = round(count * settings.hard_share)
    if not wanted or not drafts:
        return []
    rng = source_rng(context.seed, "hard", name)
    pools = pools_by_kind(drafts, settings.generators)
    lines = lines_by_unit(context.laws)
    for kind in sorted(pools):
        rng.shuffle(pools[kind])
        # Questions that copy no long run of the law come first.
        pools[kind].sort(key=lambda draft: copies_the_law(draft, lines))
    pool = take_by_weight(
        pools, round(wanted * POOL), settings.generators, settings.most_by_article
    )
    shown = []
    for draft in pool:
        item = _item(context, draft)
        if item is None or item_fingerprint(item) in excluded:
            continue
        texts = _shown_texts(context, item, retrieved=name == HELD_OUT)
        if texts is not None:
            shown.append(ShownItem(item, texts))
    found = take_hard(shown, wanted, settings.generators, rng, progress)
    context.balance[name] = found.figures
    # Rounding may give more than `wanted`, with a share of 1 more than the set has places.
    return found.items[:count]


def heldout_twins(
    context: AugmentContext, drafts: Sequence[Draft], most: int
) -> list[TwinQuestion]:
    """Return at most `most` pairs of twins from held-out drafts: each with the evidence to show."""
    pool = [draft for draft in drafts if draft.readings]
    rng = source_rng(context.seed, "twins")
    rng.shuffle(pool)
    out: list[TwinQuestion] = []
    for draft in pool:
        if len(out) >= 2 * most:
            break
        item = _item(context, draft)
        texts = _shown_texts(context, item, retrieved=False) if item is not None else None
        pair = twin_pair(item_id(item), item, texts, rng) if item is not None and texts else None
        if pair is not None:
            out += pair
    return out


def _shown_texts(context: AugmentContext, item: Item, *, retrieved: bool) -> tuple[str, ...] | None:
    """Return the evidence of an item's prompt; None where it lacks a deciding line.

    With `retrieved` it is what retrieval finds, without it also the deciding lines.
    """
    settings, draft = context.settings, item.draft
    if not settings.shown_evidence:
        return ()
    query = " ".join([draft.stem, *item.options])
    passages, budget = settings.raft.distractors + 1, settings.raft.max_evidence_tokens
    claims = claims_of(draft.stem, item.options)
    if retrieved:
        return context.passages.retrieved(query, passages, budget, claims)
    found = context.passages.evidence(
        query,
        draft.units,
        draft.focus,
        distractors=settings.raft.distractors,
        budget_tokens=budget,
        rng=source_rng(context.seed, "shown", draft.stem),
        claims=claims,
    )
    return found.texts if found.complete else None


def _item(context: AugmentContext, draft: Draft) -> Item | None:
    """Return the draft as an item; None where it has too few options or fails a check."""
    try:
        return _checked_item(context, draft)
    except Exception as error:
        context.reject_draft(draft, record_fault(error))
        return None


def _checked_item(context: AugmentContext, draft: Draft) -> Item | None:
    rng = source_rng(context.seed, "options", draft.kind, draft.stem, draft.answer)
    wanted = 5 if rng.random() < context.settings.five_options_share else 4
    item = build_item(draft, wanted, rng)
    if item is None:
        return None
    problem = find_problem(item)
    if problem is None and (
        text := true_elsewhere(draft, item.options, item.answer, context.laws.sentences)
    ):
        problem = ("true_elsewhere", text)
    if problem is None:
        shared = context.protected.copied_part(draft.stem, "\n".join(item.options))
        problem = ("contaminated", shared) if shared else None
    if problem is not None:
        context.reject(item, *problem)
        return None
    return item


def _balance_positions(items: list[Item], rng: random.Random) -> list[Item]:
    """Return the items with the answer equally often at each position, as far as possible."""
    out = list(items)
    for count in (4, 5):
        indexes = [i for i, item in enumerate(items) if len(item.options) == count]
        positions = [n % count for n in range(len(indexes))]
        rng.shuffle(positions)
        for index, answer in zip(indexes, positions, strict=True):
            item = items[index]
            others = [text for i, text in enumerate(item.options) if i != item.answer]
            options = (*others[:answer], item.right, *others[answer:])
            out[index] = replace(item, options=options, answer=answer)
    return out


def question_of(item: Item) -> Question:
    """Return the item as a question without its answer."""
    return Question(item_id(item), item.draft.stem, item.options)


def key_of(item: Item) -> Key:
    """Return the item's right answer, its gold articles and what it tests."""
    draft = item.draft
    slices = [draft.kind, "negative" if draft.negative else "positive"]
    slices += ["numeric"] if draft.numeric else []
    slices.append("five" if len(item.options) == 5 else "four")
    slices.append("hard" if item.hard else "look_up")
    return Key(item_id(item), answer=item.label, units=draft.units, slices=tuple(slices))
