"""Check the recipe's way of answering against the policy."""

from __future__ import annotations

from kofinlaw.models.policy.rules import Verdict, policy_named
from kofinlaw.rag.answer_settings import AnswerSettings

__all__ = ["check_answering"]


def check_answering(policy: str, settings: AnswerSettings) -> list[Verdict]:
    """Return the verdicts on the recipe's way of answering.

    There are none if the policy does not require generated answers. If it does, labels must come
    from (constrained) generation: the largest of averaged scores is not text that the model
    generated, and neither is a prefilled answer opening. Raises UserError for an unknown policy.
    """
    rules = policy_named(policy)
    if not rules.generated_answers_only:
        return []
    clause = rules.clauses["generated_answers_only"]
    generated = settings.choose_by == "generate"
    return [
        Verdict(
            generated,
            "answer.choose_by",
            "generated",
            clause,
            f"options are chosen by `{settings.choose_by}`",
            "" if generated else "answer.choose_by: generate",
        ),
        Verdict(
            not settings.free_opening,
            "answer.free_opening",
            "generated",
            clause,
            "the first words of a free-text answer are "
            + ("given to the model" if settings.free_opening else "its own"),
            "answer.free_opening: false" if settings.free_opening else "",
        ),
    ]
