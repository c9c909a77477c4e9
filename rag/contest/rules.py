"""What the contest says about how answers come about."""

from __future__ import annotations

from kofinlaw.models.policy.gate import Verdict
from kofinlaw.rag.answer_settings import AnswerSettings

CLAUSE = "2025 금융 AI Challenge: the answer handed in is text that the LLM generated"


def check_answering(policy: str, settings: AnswerSettings) -> list[Verdict]:
    """The policy's verdicts on the recipe's way of answering; none outside the contest.

    Labels have to be written by (constrained) generation: the largest of averaged scores is no
    text the model wrote, nor is an opening that was put in its mouth.
    """
    if policy != "contest-2025":
        return []
    written = settings.choose_by == "generate"
    return [
        Verdict(
            written,
            "answer.choose_by",
            "generated",
            CLAUSE,
            f"options are chosen by `{settings.choose_by}`",
            "" if written else "answer.choose_by: generate",
        ),
        Verdict(
            not settings.free_opening,
            "answer.free_opening",
            "generated",
            CLAUSE,
            "the first words of a free-text answer are "
            + ("given to the model" if settings.free_opening else "its own"),
            "answer.free_opening: false" if settings.free_opening else "",
        ),
    ]
