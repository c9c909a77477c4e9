"""What the contest says about how answers are chosen."""

from __future__ import annotations

from kofinlaw.rag.answer_settings import AnswerSettings
from kofinlaw.rag.contest.contest_rules import check_answering


def test_the_contest_takes_only_text_the_model_wrote() -> None:
    scored = check_answering("contest-2025", AnswerSettings(free_opening=True))
    assert [verdict.allowed for verdict in scored] == [
        "answer.choose_by: generate",
        "answer.free_opening: false",
    ]
    written = check_answering("contest-2025", AnswerSettings(choose_by="generate"))
    assert all(verdict.ok for verdict in written)
    assert check_answering("open", AnswerSettings()) == []
