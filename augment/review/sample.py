"""Order the examples of each kind for reading, and take the outcomes that make a random sample."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kofinlaw.augment.review.outcomes import Read, Text, outcome_of
from kofinlaw.augment.review.sequential import Outcome
from kofinlaw.augment.review.verdicts import example_sha256
from kofinlaw.files import sha256_text
from kofinlaw.records import Example

__all__ = ["Sample", "first_outcomes", "reading_order"]


@dataclass(frozen=True)
class Sample:
    """Examples in the order of reading.

    `kinds` holds the examples of each kind, `sha256` that of the text of each example, by its id.
    """

    kinds: dict[str, list[Example]]
    sha256: dict[str, str]

    def text(self, example: Example) -> Text:
        """Return what verdicts name: the id and the SHA-256 of the text of an example."""
        return example.id, self.sha256[example.id]


def reading_order(examples: Iterable[Example], seed: int) -> Sample:
    """Return the examples by kind (their task), each kind in a random order.

    The order depends on the seed and the ids only. It is the same for every reader, and examples
    that come or go do not change the order of the others.
    """
    kinds: dict[str, list[Example]] = {}
    texts = {}
    for example in examples:
        kinds.setdefault(example.task, []).append(example)
        texts[example.id] = example_sha256(example)
    for found in kinds.values():
        found.sort(key=lambda example: sha256_text(f"{seed}:review:{example.id}"))
    return Sample(dict(sorted(kinds.items())), texts)


def first_outcomes(sample: Sample, kind: str, read: Read) -> list[Outcome]:
    """Return the outcomes of a kind, up to the first example in the order without a verdict.

    Examples behind a gap are no random sample: somebody chose to read them.
    """
    out: list[Outcome] = []
    for example in sample.kinds[kind]:
        by_reader = read.get(sample.text(example))
        if not by_reader:
            break
        out.append(outcome_of(by_reader))
    return out
