"""Check the recipe's way of answering against the policy, clause by clause."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kofinlaw.models.policy.rules import Policy, Verdict, policy_named
from kofinlaw.rag.answer_settings import AnswerSettings
from kofinlaw.rag.choosing.preference import MODEL_VOTERS

__all__ = ["check_answering"]

_CHOOSE_BY = {
    "score": "options are chosen by `score`: the largest log-probability names an option, and "
    "the model generates no text",
    "contrast": "options are chosen by `contrast`: the largest sum of votes names an option, and "
    "the model generates no text",
    "generate": "options are chosen by `generate`: the model generates the answer, constrained to "
    "the options",
}
_GENERATE = "answer.choose_by: generate, also with answer.contrast_decoding"


def check_answering(policy: str, settings: AnswerSettings) -> list[Verdict]:
    """Return the verdicts on the recipe's way of answering, each with its clause.

    The clause `generated_answers_only` refuses options that are chosen by scores, voters that are
    rules, a prefilled answer opening, and free-text answers that are sentences of the documents. It
    allows constrained generation, also from the difference of two prompts: each token is chosen by
    the model's own log-probabilities. The clause `one_llm` allows the second prompt and votes,
    because the same model reads and writes them. A policy without a clause gives no verdict on it.
    Raises UserError for an unknown policy.
    """
    rules = policy_named(policy)
    return [*_generated(rules, settings), *_one_llm(rules, settings)]


def _generated(rules: Policy, settings: AnswerSettings) -> Iterator[Verdict]:
    if not rules.generated_answers_only:
        return
    clause = rules.clauses["generated_answers_only"]
    generated = settings.choose_by == "generate"

    def verdict(ok: bool, subject: str, detail: str, allowed: str) -> Verdict:
        return Verdict(ok, subject, "generated", clause, detail, "" if ok else allowed)

    yield verdict(generated, "answer.choose_by", _CHOOSE_BY[settings.choose_by], _GENERATE)
    if settings.contrast_decoding > 0:
        yield verdict(
            True,
            "answer.contrast_decoding",
            "the answer is the text that a beam search finds by the difference of the model's "
            "log-probabilities after two prompts, with a beam for each option",
            "",
        )
    if settings.choose_by == "contrast":
        yield verdict(*_voters(settings), _GENERATE)
    chosen = settings.free_by == "choose"
    yield verdict(
        not chosen,
        "answer.free_by",
        "a free-text answer is a sentence of the documents that votes choose, and the model "
        "generates no text"
        if chosen
        else "the model generates free-text answers",
        "answer.free_by: generate",
    )
    if not chosen:
        yield verdict(
            not settings.free_replace,
            "answer.free_replace",
            "free text that is unusable is "
            + ("replaced by a sentence of the documents" if settings.free_replace else "kept"),
            "answer.free_replace: false",
        )
    yield verdict(
        settings.abstain == "never",
        "answer.abstain",
        "every question is answered"
        if settings.abstain == "never"
        else "questions on which the documents do not bear are refused, but all must be answered",
        "answer.abstain: never",
    )
    yield verdict(
        not settings.free_opening,
        "answer.free_opening",
        "the first words of a free-text answer are "
        + ("given to the model" if settings.free_opening else "its own"),
        "answer.free_opening: false",
    )


def _voters(settings: AnswerSettings) -> tuple[bool, str, str]:
    """Return whether no rule votes, the subject, and what votes instead."""
    subject = "answer.voters"
    if not isinstance(settings.voters, Mapping):
        return False, subject, "fitted weights may include voters that are rules, not the model"
    weights = [*settings.voters.items(), *settings.unrelated_voters.items()]
    ruled = sorted({name for name, weight in weights if weight} - MODEL_VOTERS)
    if ruled:
        return False, subject, f"{', '.join(ruled)}: rules vote, not the model"
    return True, subject, "only values of the model vote"


def _one_llm(rules: Policy, settings: AnswerSettings) -> Iterator[Verdict]:
    if not rules.one_llm:
        return
    clause = rules.clauses["one_llm"]
    if settings.contrast_decoding > 0:
        detail = "one model reads both prompts"
        yield Verdict(True, "answer.contrast_decoding", "one LLM", clause, detail)
    if settings.votes > 1:
        detail = f"the one model writes all {settings.votes} candidates"
        yield Verdict(True, "answer.votes", "one LLM", clause, detail)
