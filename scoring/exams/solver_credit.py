"""Let solvers answer an exam from the evidence that the systems were shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kofinlaw.data.prompting.stems import is_negative
from kofinlaw.data.solvers.solvers import EVIDENCE_SOLVERS, SOLVERS, Asked, Solvers
from kofinlaw.records import Key, Question

__all__ = ["evidence_credit", "evidence_free_credit"]

Credit = dict[str, float]  # 0..1 by question id


def evidence_free_credit(
    questions: Sequence[Question], keys: Mapping[str, Key]
) -> dict[str, Credit]:
    """Return the credit of the solvers that read no evidence, by solver."""
    found = _credits([n for n in SOLVERS if n not in EVIDENCE_SOLVERS], questions, keys, {})
    guess = {q.id: len(keys[q.id].indices) / len(q.options) for q in questions}
    return {"uniform": guess, **found}


def evidence_credit(
    questions: Sequence[Question], keys: Mapping[str, Key], shown: Mapping[str, Sequence[str]]
) -> dict[str, Credit]:
    """Return the credit of the solvers that read evidence, by solver.

    `shown` are the texts in each question's prompt. Options that a solver cannot distinguish, as
    all options without evidence, share the credit.
    """
    return _credits(EVIDENCE_SOLVERS, questions, keys, shown)


def _credits(
    names: Sequence[str],
    questions: Sequence[Question],
    keys: Mapping[str, Key],
    shown: Mapping[str, Sequence[str]],
) -> dict[str, Credit]:
    asked = [
        Asked(q.question, q.options, tuple(shown.get(q.id, ())), is_negative(q.question))
        for q in questions
    ]
    solvers = Solvers(names)
    solvers.prepare(asked)
    found: dict[str, Credit] = {name: {} for name in names}
    for question, one in zip(questions, asked, strict=True):
        credits = solvers.credits(one, keys[question.id].indices)
        for name, credit in credits.items():
            found[name][question.id] = credit
    return found
