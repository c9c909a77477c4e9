"""Let trivial solvers answer an exam from the evidence that the systems were shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kofinlaw.records import Key, Question
from kofinlaw.scoring.stats.baselines import largest_overlap, longest_option, uniform_expectation

__all__ = ["evidence_credit", "evidence_free_credit"]


def evidence_free_credit(
    questions: Sequence[Question], keys: Mapping[str, Key]
) -> dict[str, dict[str, float]]:
    """Return the credit (0..1) of the solvers that read no evidence, by solver and question id."""
    chances = uniform_expectation(questions)
    return {
        "uniform": {q.id: chance for q, chance in zip(questions, chances, strict=True)},
        "longest": _credit(longest_option(questions), questions, keys),
    }


def evidence_credit(
    questions: Sequence[Question], keys: Mapping[str, Key], shown: Mapping[str, Sequence[str]]
) -> dict[str, dict[str, float]]:
    """Return the credit (0..1) of the solvers that read evidence, by solver and question id.

    `shown` are the texts in each question's prompt. A question without evidence gets the credit of
    a uniform guess.
    """
    return {"overlap": _credit(largest_overlap(questions, shown), questions, keys)}


def _credit(
    chosen: Mapping[str, str], questions: Sequence[Question], keys: Mapping[str, Key]
) -> dict[str, float]:
    return {
        q.id: float(chosen[q.id] == keys[q.id].answer) if q.id in chosen else 1 / len(q.options)
        for q in questions
    }
