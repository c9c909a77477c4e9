"""From a draft to a question: which wrong options, in which order, and whether it may be asked.

The longest option must not be the answer more often than chance, nor any position: both are
drawn, not left to the generators.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from kofinlaw.augment.generators.drafts import Draft
from kofinlaw.augment.generators.names import normal


@dataclass(frozen=True)
class Item:
    """A finished multiple-choice question. `answer` is the place of the right option from 0."""

    draft: Draft
    options: tuple[str, ...]
    answer: int

    @property
    def label(self) -> str:
        """The answer as a bare digit, from 1."""
        return str(self.answer + 1)

    @property
    def right(self) -> str:
        """The right option's text."""
        return self.options[self.answer]


def build(draft: Draft, count: int, rng: random.Random) -> Item | None:
    """An item of `count` options (4 or 5), fewer by one where the draft has too few; None below 4.

    The answer's rank by length is drawn first, and wrong options are chosen to bring it about as
    far as the preferred ones allow.
    """
    available = list(draft.distractors)
    count = min(count, len(available) + 1)
    if count < 4:
        return None
    chosen = _balanced(draft.answer, available, count - 1, rng)
    rng.shuffle(chosen)
    place = rng.randrange(count)
    options = [*chosen[:place], draft.answer, *chosen[place:]]
    return Item(draft, tuple(options), place)


def _balanced(answer: str, available: list[str], need: int, rng: random.Random) -> list[str]:
    """`need` of the available options, so that taking the longest wins as often as chance.

    With `e` wrong options as long as the answer and none longer, the longest wins 1 time in
    `e + 1`; such a set is drawn with probability `(e + 1) / (need + 1)`, else one with longer ones.
    """
    longer = [text for text in available if len(text) > len(answer)]
    equal = [text for text in available if len(text) == len(answer)]
    shorter = [text for text in available if len(text) < len(answer)]
    same = min(len(equal), need)
    if same + len(shorter) < need:
        take = need - same - len(shorter)
        take += rng.randrange(min(len(longer), need) - take + 1)
    elif not longer or rng.random() < (same + 1) / (need + 1):
        take = 0
    else:
        take = rng.randint(1, min(len(longer), need))
    picked = [*longer[:take], *[*equal, *shorter][: need - take]]
    return [text for text in available if text in picked][:need]


def problem(item: Item) -> tuple[str, str] | None:
    """Why an item may not be asked: (code, detail), or None.

    Codes: `duplicate_option`, `option_contains_option` (two options would both be half right),
    `answer_in_stem`, `too_long`.
    """
    keys = [normal(option) for option in item.options]
    if len(set(keys)) < len(keys):
        return "duplicate_option", item.right
    if any(not key for key in keys):
        return "empty_option", item.right
    right = keys[item.answer]
    if len(right) > 3 and right in normal(item.draft.stem):
        return "answer_in_stem", item.right
    return None


def true_elsewhere(item: Item, known: frozenset[str]) -> str:
    """A wrong statement (or the false one asked for) that the corpus says word for word, or empty.

    Only for statement questions, where an option stands for itself.
    """
    if not item.draft.kind.startswith("statement"):
        return ""
    false = [item.right] if item.draft.negative else _without(item.options, item.answer)
    return next((text for text in false if normal(text) in known), "")


def _without(options: Sequence[str], place: int) -> list[str]:
    return [text for i, text in enumerate(options) if i != place]
