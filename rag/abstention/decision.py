"""Decide whether a question is refused, and say why: one function for `ask` and `answer`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kofinlaw.data.prompting.wording import NO_EVIDENCE
from kofinlaw.rag.abstention.bearing import Score
from kofinlaw.rag.abstention.floor import Floor
from kofinlaw.rag.abstention.missing import MissingReason, Named
from kofinlaw.rag.answer_settings import AbstainMode
from kofinlaw.records import Question

__all__ = ["AbstentionReason", "Judgement", "abstains", "judge"]

AbstentionReason = Literal["", "below_floor"] | MissingReason


@dataclass(frozen=True)
class Judgement:
    """Whether the index bears on a question.

    - `reason` is why the question should be refused; empty if it should be answered:
      `below_floor`, `absent_provision`, `deleted_provision` or `absent_document`.
    - `text` is the Korean sentence of the refusal; empty without a reason.
    - `score` is how much the passages bear on the question, `floor` the least score that is
      answered (no unit); None where the index has no floor.
    - `nearest` are the units of the nearest passages, best first.
    - `bound` is the stated bound on refused answerable questions (0 if the floor is assumed),
      `passed` the measured share of questions that pass with their document hidden; None without
      a floor or a measurement.
    - `former` are the former and short names in the question, each with its present titles.
    """

    reason: AbstentionReason = ""
    text: str = ""
    score: float | None = None
    floor: float | None = None
    nearest: tuple[str, ...] = ()
    bound: float | None = None
    passed: float | None = None
    former: tuple[tuple[str, tuple[str, ...]], ...] = ()


def judge(
    named: Named, score: Score | None, floor: Floor | None, nearest: tuple[str, ...]
) -> Judgement:
    """Return the judgement on one question.

    What the question names comes first: a provision that exists is always answered, one that does
    not exist is never. Otherwise the score is compared with the floor.

    Args:
        named: The provision or document that the question names.
        score: How much the passages bear on it; None without a floor.
        floor: The floor of the index; None for an index that an older version built.
        nearest: The units of the nearest passages, best first.
    """
    value = None if score is None else score.value
    least = None if floor is None else floor.threshold
    reason: AbstentionReason = ""
    text = ""
    if named.missing is not None:
        reason, text = named.missing.reason, named.missing.text
    elif not named.exists and value is not None and least is not None and value < least:
        reason, text = "below_floor", NO_EVIDENCE
    errors = (None, None) if floor is None else (floor.rate, floor.passed)
    return Judgement(reason, text, value, least, nearest, *errors)


def abstains(judgement: Judgement | None, question: Question, mode: AbstainMode) -> bool:
    """Return whether the question is refused under a mode of `answer.abstain`.

    `never` answers all questions, `free` refuses free-text questions only, `always` choices too.
    """
    if judgement is None or not judgement.reason or mode == "never":
        return False
    return mode == "always" or not question.options
