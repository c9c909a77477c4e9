"""Score pairs of twin questions: credit only where both are right.

A twin has the same stem and options as its partner, but another fact in the evidence and another
answer. A system that does not read the evidence answers both alike and gets no credit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kofinlaw.records import TwinQuestion

__all__ = ["TwinScore", "twin_score"]


@dataclass(frozen=True)
class TwinScore:
    """Counts of pairs: all, both right, one right, and both answered with the same option."""

    pairs: int
    both: int
    one: int
    unmoved: int


def twin_score(questions: Iterable[TwinQuestion], answers: Mapping[str, str]) -> TwinScore:
    """Return the score of `answers`, labels ("1" to "5") by question id, on pairs of twins.

    A missing answer is wrong. A question whose twin is not among `questions` is left out.
    """
    known = {question.id: question for question in questions}
    pairs = both = one = unmoved = 0
    for question in known.values():
        twin = known.get(question.twin)
        if twin is None or question.id > twin.id:
            continue
        given = [answers.get(q.id, "") for q in (question, twin)]
        right = [g == q.answer for g, q in zip(given, (question, twin), strict=True)]
        pairs += 1
        both += all(right)
        one += sum(right) == 1
        unmoved += given[0] == given[1] != ""
    return TwinScore(pairs, both, one, unmoved)
