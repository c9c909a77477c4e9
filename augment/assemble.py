"""Drafts made into finished questions: options built and checked, chosen by kind, placed evenly."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from kofinlaw.augment.generators.acts import Laws
from kofinlaw.augment.generators.drafts import Draft, source_rng
from kofinlaw.augment.option_choice import Item, build, problem, true_elsewhere
from kofinlaw.augment.protected_questions import Protected
from kofinlaw.augment.raft import Shelf
from kofinlaw.augment.selection import select
from kofinlaw.augment.settings import AugmentSettings
from kofinlaw.files import dumps, sha256_text
from kofinlaw.records import Key, Question, Rejected


@dataclass
class Maker:
    """What making examples needs, and the rejects it collects."""

    settings: AugmentSettings
    seed: int
    laws: Laws
    shelf: Shelf
    protected: Protected
    rejected: list[Rejected]

    def reject(self, item: Item, reason: str, detail: str = "") -> None:
        """Note why an item leaves the path."""
        draft = item.draft
        record = {"kind": draft.kind, "stem": draft.stem, "options": list(item.options)}
        self.rejected.append(Rejected(item_id(item), "augment", reason, detail, dumps(record)))


def item_id(item: Item) -> str:
    """A stable id: the kind and a hash of the question with its options in order."""
    text = "\n".join([item.draft.stem, *item.options])
    return f"{item.draft.kind}-{sha256_text(text)[:12]}"


def fingerprint(item: Item) -> str:
    """Equal for two items that ask the same with the same options, in whatever order."""
    return "\n".join([item.draft.stem, *sorted(item.options)])


def make_items(
    maker: Maker,
    drafts: Sequence[Draft],
    count: int,
    name: str,
    barred: frozenset[str] | set[str] = frozenset(),
    margins: Callable[[Sequence[Item]], Mapping[str, float]] | None = None,
) -> list[Item]:
    """`count` finished questions, or what the drafts give.

    `margins` tells how well the student knows each item of a pool (by id, below 0 is wrong): of
    each kind what it knows least is taken first.
    """
    settings = maker.settings
    if count == 0:
        return []
    rng = source_rng(maker.seed, "select", name)
    checked = [item for draft in drafts if (item := _item(maker, draft)) is not None]
    by_draft = {id(item.draft): item for item in checked if fingerprint(item) not in barred}

    def chosen(
        pool: Sequence[Draft], count: int, prefer: Callable[[Draft], float] | None
    ) -> list[Draft]:
        return select(
            pool,
            count,
            settings.generators,
            most_by_article=settings.most_by_article,
            negative_share=settings.negative_share,
            numeric_share=settings.numeric_share,
            rng=rng,
            prefer=prefer,
        )

    pool = [item.draft for item in checked if id(item.draft) in by_draft]
    prefer = None
    if margins is not None:
        pool = chosen(pool, round(count * settings.student_pool), None)
        known = margins([by_draft[id(draft)] for draft in pool])

        def prefer(draft: Draft) -> float:
            return known[item_id(by_draft[id(draft)])]

    taken = chosen(pool, count, prefer)
    return _positions([by_draft[id(draft)] for draft in taken], rng)


def _item(maker: Maker, draft: Draft) -> Item | None:
    rng = source_rng(maker.seed, "options", draft.kind, draft.stem, draft.answer)
    wanted = 5 if rng.random() < maker.settings.five_options_share else 4
    item = build(draft, wanted, rng)
    if item is None:
        return None
    fault = problem(item)
    if fault is None and (text := true_elsewhere(item, maker.laws.sentences)):
        fault = ("true_elsewhere", text)
    if fault is None and (shared := maker.protected.shared(draft.stem)):
        fault = ("contaminated", shared)
    if fault is not None:
        maker.reject(item, *fault)
        return None
    return item


def _positions(items: list[Item], rng: random.Random) -> list[Item]:
    """The items with the answer as often at each position as can be."""
    out = list(items)
    for count in (4, 5):
        places = [i for i, item in enumerate(items) if len(item.options) == count]
        wanted = [n % count for n in range(len(places))]
        rng.shuffle(wanted)
        for place, answer in zip(places, wanted, strict=True):
            item = items[place]
            others = [text for i, text in enumerate(item.options) if i != item.answer]
            options = (*others[:answer], item.right, *others[answer:])
            out[place] = replace(item, options=options, answer=answer)
    return out


def question_of(item: Item) -> Question:
    """The item as a question without its answer."""
    return Question(item_id(item), item.draft.stem, item.options)


def key_of(item: Item) -> Key:
    """What is right, the gold articles and what the item tests."""
    draft = item.draft
    slices = [draft.kind, "negative" if draft.negative else "positive"]
    slices += ["numeric"] if draft.numeric else []
    slices.append("five" if len(item.options) == 5 else "four")
    return Key(item_id(item), answer=item.label, units=draft.units, slices=tuple(slices))
