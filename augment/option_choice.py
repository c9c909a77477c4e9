"""Turn a draft into a multiple-choice question: choose the wrong options and check the result.

The longest option and every position are the answer only as often as by chance. Both are drawn
here and not left to the generators.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from kofinlaw.augment.generators.drafts import Draft
from kofinlaw.augment.reading.names import normalize
from kofinlaw.data.korean.words import bigrams
from kofinlaw.data.prompting.stems import is_negative

__all__ = ["LEAK", "Item", "build_item", "find_problem"]

# Share of an option's bigrams (0 to 1) by which the right one may exceed the others in the stem.
LEAK = 0.25


@dataclass(frozen=True)
class Item:
    """A finished multiple-choice question. `answer` is the index of the right option, from 0.

    `hard` says that no trivial solver answers its kind better than by chance.
    """

    draft: Draft
    options: tuple[str, ...]
    answer: int
    hard: bool = False

    @property
    def label(self) -> str:
        """The answer as a digit, from 1."""
        return str(self.answer + 1)

    @property
    def right(self) -> str:
        """The right option's text."""
        return self.options[self.answer]


def build_item(draft: Draft, count: int, rng: random.Random) -> Item | None:
    """Return an item of `count` options (4 or 5); one fewer where the draft has too few;
    None below 4.

    The answer's rank by length is drawn first. Wrong options are then chosen to reach that rank as
    far as the preferred ones allow.
    """
    available = list(draft.distractors)
    count = min(count, len(available) + 1)
    if count < 4:
        return None
    chosen = _balanced(draft.answer, available, count - 1, rng)
    rng.shuffle(chosen)
    position = rng.randrange(count)
    options = [*chosen[:position], draft.answer, *chosen[position:]]
    return Item(draft, tuple(options), position)


def _balanced(answer: str, available: list[str], need: int, rng: random.Random) -> list[str]:
    """Return `need` of the available options,
    such that the longest option is right as often as by chance.

    With `e` wrong options as long as the answer and none longer, the longest option is right 1 time
    in `e + 1`. Such a set is drawn with probability `(e + 1) / (need + 1)`, otherwise one with
    longer options.
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


def find_problem(item: Item) -> tuple[str, str] | None:
    """Return why an item may not be used, as (code, the right option); None where nothing is wrong.

    Codes: `duplicate_option` (two options have the same letters and digits), `empty_option` (an
    option has none), `answer_in_stem` (the stem contains the right option, of more than three
    letters), `polarity` (a reader of the stem takes a positive question for a negative one, or the
    reverse), `answer_like_stem` (the right option alone repeats the stem's words).
    """
    keys = [normalize(option) for option in item.options]
    if len(set(keys)) < len(keys):
        return "duplicate_option", item.right
    if any(not key for key in keys):
        return "empty_option", item.right
    right = keys[item.answer]
    if len(right) > 3 and right in normalize(item.draft.stem):
        return "answer_in_stem", item.right
    if is_negative(item.draft.stem) != item.draft.negative:
        return "polarity", item.right
    if _repeats_the_stem(item):
        return "answer_like_stem", item.right
    return None


def _repeats_the_stem(item: Item) -> bool:
    """Return whether the right option shares far more of its bigrams with the stem than every other
    option; of a negative stem, whether each other option shares far more than the right one.

    Figures and endings share nothing with a stem and are never refused.
    """
    grams = set(bigrams(item.draft.stem))
    shares = [
        len(grams & own) / max(len(own), 1) for own in (set(bigrams(o)) for o in item.options)
    ]
    others = [share for index, share in enumerate(shares) if index != item.answer]
    if item.draft.negative:
        return min(others) - shares[item.answer] > LEAK
    return shares[item.answer] - max(others) > LEAK
