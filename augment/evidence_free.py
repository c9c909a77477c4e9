"""Guess answers without evidence: a small model of words that right options have more often.

Naive Bayes over the character bigrams of an option that its stem does not hold. It is cross-fitted
by act: the model that guesses the questions of an act never saw one of them.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence

from kofinlaw.augment.option_choice import Item
from kofinlaw.data.korean.words import bigrams
from kofinlaw.data.solvers.credit import credit_of
from kofinlaw.files import sha256_text

__all__ = ["FOLDS", "evidence_free_credits"]

FOLDS = 5


def evidence_free_credits(items: Sequence[Item]) -> list[float]:
    """Return the credit (0 to 1) of the model for each item; options with equal scores share it.

    With the questions of one act only, nothing is learned and each credit is `1/k`.
    """
    features = [_features(item) for item in items]
    folds = [int(sha256_text(item.draft.document), 16) % FOLDS for item in items]
    acts = {item.draft.document for item in items}
    if len({fold for fold in folds}) < 2 and len(acts) > 1:
        order = {act: place for place, act in enumerate(sorted(acts))}
        folds = [order[item.draft.document] % FOLDS for item in items]
    out = [0.0] * len(items)
    for fold in sorted(set(folds)):
        weights = _fit([(item, features[i]) for i, item in enumerate(items) if folds[i] != fold])
        for i, item in enumerate(items):
            if folds[i] == fold:
                known = weights[item.draft.negative]
                scores = [
                    round(sum(known.get(gram, 0.0) for gram in sorted(option)), 9)
                    for option in features[i]
                ]
                out[i] = credit_of(scores, item.answer)
    return out


def _features(item: Item) -> list[frozenset[str]]:
    stem = set(bigrams(item.draft.stem))
    return [frozenset(bigrams(option)) - stem for option in item.options]


def _fit(rows: Sequence[tuple[Item, list[frozenset[str]]]]) -> dict[bool, dict[str, float]]:
    """Return the log-odds of each bigram to be in the right option, by the stem's polarity."""
    right: dict[bool, Counter[str]] = defaultdict(Counter)
    wrong: dict[bool, Counter[str]] = defaultdict(Counter)
    keys: Counter[bool] = Counter()
    others: Counter[bool] = Counter()
    for item, options in rows:
        polarity = item.draft.negative
        # What all options hold tells nothing.
        shared = frozenset.intersection(*options) if options else frozenset()
        for index, option in enumerate(options):
            is_key = index == item.answer
            (right if is_key else wrong)[polarity].update(option - shared)
            (keys if is_key else others)[polarity] += 1
    return {
        polarity: {
            gram: math.log((right[polarity][gram] + 0.5) / (keys[polarity] + 1))
            - math.log((wrong[polarity][gram] + 0.5) / (others[polarity] + 1))
            for gram in sorted(set(right[polarity]) | set(wrong[polarity]))
        }
        for polarity in (False, True)
    }
