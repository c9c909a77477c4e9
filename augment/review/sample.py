"""Order the examples of each kind for reading, and take the outcomes that make a random sample."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kofinlaw.augment.review.outcomes import Read, outcome_of
from kofinlaw.augment.review.sequential import Outcome
from kofinlaw.augment.review.verdicts import example_sha256
from kofinlaw.files import sha256_text
from kofinlaw.records import Example

__all__ = ["Sample", "first_outcomes", "reading_order"]

Sample = dict[str, list[Example]]  # the examples of each kind, in the order of reading


def reading_order(examples: Iterable[Example], seed: int) -> Sample:
    """Return the examples by kind (their task), each kind in a random order.

    The order depends on the seed and the ids only. It is the same for every reader, and examples
    that come or go do not change the order of the others.
    """
    kinds: Sample = {}
    for example in examples:
        kinds.setdefault(example.task, []).append(example)
    for found in kinds.values():
        found.sort(key=lambda example: sha256_text(f"{seed}:review:{example.id}"))
    return dict(sorted(kinds.items()))


def first_outcomes(examples: Sequence[Example], read: Read) -> list[Outcome]:
    """Return the outcomes from the start of the order to the first example without a verdict.

    Examples behind a gap are no random sample: somebody chose to read them.
    """
    out: list[Outcome] = []
    for example in examples:
        by_reader = read.get((example.id, example_sha256(example)))
        if not by_reader:
            break
        out.append(outcome_of(by_reader))
    return out
