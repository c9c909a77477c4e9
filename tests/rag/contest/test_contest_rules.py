"""What the contest says about how answers are chosen."""

from __future__ import annotations

from pathlib import Path

import pytest

from kofinlaw.models.policy.rules import policy_named
from kofinlaw.rag.answer_settings import AnswerSettings
from kofinlaw.rag.contest.contest_rules import check_answering

GENERATE = "answer.choose_by: generate, also with answer.contrast_decoding"


def test_the_contest_takes_only_text_the_model_wrote() -> None:
    scored = check_answering("contest-2025", AnswerSettings(free_opening=True))
    assert [verdict.allowed for verdict in scored if not verdict.ok] == [
        GENERATE,
        "answer.free_replace: false",
        "answer.abstain: never",
        "answer.free_opening: false",
    ]
    own = AnswerSettings(choose_by="generate", free_replace=False, abstain="never")
    written = check_answering("contest-2025", own)
    assert all(verdict.ok for verdict in written)
    assert check_answering("open", AnswerSettings()) == []


def test_two_prompts_and_votes_of_one_model_are_allowed_by_their_clauses() -> None:
    settings = AnswerSettings(
        choose_by="generate", contrast_decoding=0.5, votes=3, free_replace=False, abstain="never"
    )
    clauses = policy_named("contest-2025").clauses
    found = [
        (verdict.subject, verdict.ok, verdict.clause)
        for verdict in check_answering("contest-2025", settings)
    ]
    assert found == [
        ("answer.choose_by", True, clauses["generated_answers_only"]),
        ("answer.contrast_decoding", True, clauses["generated_answers_only"]),
        ("answer.free_by", True, clauses["generated_answers_only"]),
        ("answer.free_replace", True, clauses["generated_answers_only"]),
        ("answer.abstain", True, clauses["generated_answers_only"]),
        ("answer.free_opening", True, clauses["generated_answers_only"]),
        ("answer.contrast_decoding", True, clauses["one_llm"]),
        ("answer.votes", True, clauses["one_llm"]),
    ]
    assert check_answering("open", settings) == []


@pytest.mark.parametrize(
    "voters,ok,named",
    [
        ({"contrast": 1.0, "evidence": 0.5, "overlap": 0.0}, True, "only values of the model"),
        ({"contrast": 1.0, "reading": 0.4, "overlap": 0.3}, False, "overlap, reading: rules vote"),
        ({"look_up": 1.0}, False, "look_up, overlap: rules vote"),
        ("fit", False, "fitted weights may include"),
        (Path("voters.json"), False, "fitted weights may include"),
    ],
)
def test_scores_are_refused_and_rule_voters_by_name(voters: object, ok: bool, named: str) -> None:
    unrelated = {"likelihood": 1.0, "overlap": 0.2 if voters == {"look_up": 1.0} else 0.0}
    settings = AnswerSettings(
        choose_by="contrast",
        voters=voters,  # type: ignore[arg-type]
        unrelated_voters=unrelated if isinstance(voters, dict) else {},  # type: ignore[arg-type]
    )
    chosen, votes, *_ = check_answering("contest-2025", settings)
    assert (chosen.ok, chosen.allowed) == (False, GENERATE)
    assert "generates no text" in chosen.detail
    assert votes.ok == ok
    assert named in votes.detail
    assert votes.clause == policy_named("contest-2025").clauses["generated_answers_only"]


def test_sentences_of_the_documents_are_refused_as_free_text() -> None:
    settings = AnswerSettings(
        choose_by="generate", free_by="choose", free_voters={"question": 1.0}, abstain="never"
    )
    (refused,) = [v for v in check_answering("contest-2025", settings) if not v.ok]
    assert (refused.subject, refused.allowed) == ("answer.free_by", "answer.free_by: generate")
    assert "generates no text" in refused.detail
    assert refused.clause == policy_named("contest-2025").clauses["generated_answers_only"]
    assert check_answering("open", settings) == []
