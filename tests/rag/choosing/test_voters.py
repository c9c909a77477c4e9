"""Voters without a model: what the shown text says, and how much it bears on the question."""

from __future__ import annotations

import pytest

from kofinlaw.rag.choosing.voters import TEXT_VOTERS, Seen, bearing, text_votes

SHOWN = ("전자금융거래법 제9조\n금융회사는 3일 이내에 이용자에게 알린다.",)
OPTIONS = ("3일 이내에 알린다", "30일 이내에 신고한다", "알리지 아니한다")
SEEN = Seen("금융회사가 이용자에게 알리는 기한으로 옳지 않은 것은?", OPTIONS, SHOWN, SHOWN)


@pytest.mark.parametrize("name", sorted(TEXT_VOTERS))
def test_every_voter_prefers_what_the_text_says_whatever_the_polarity(name: str) -> None:
    (vote,) = text_votes(SEEN, [name])
    values = vote["values"]
    assert vote["voter"] == name
    assert values.index(max(values)) == 0
    (moved,) = text_votes(Seen(SEEN.stem, OPTIONS[::-1], SHOWN, SHOWN), [name])
    assert moved["values"] == values[::-1]


def test_without_text_nobody_votes() -> None:
    assert text_votes(Seen("기한은?", OPTIONS), TEXT_VOTERS) == []
    assert bearing(Seen("기한은?", OPTIONS)) == 0.0


def test_only_the_named_voters_vote_in_a_fixed_order() -> None:
    votes = text_votes(SEEN, {"overlap", "contrast", "look_up"})
    assert [vote["voter"] for vote in votes] == ["look_up", "overlap"]


def test_the_passages_count_where_the_prompt_shows_nothing() -> None:
    hidden = Seen(SEEN.stem, OPTIONS, (), SHOWN)
    assert text_votes(hidden, ["overlap"]) == text_votes(SEEN, ["overlap"])


def test_lines_selected_for_the_options_do_not_change_the_bearing() -> None:
    selected = ("전자금융거래법 제9조\n3일 이내",)
    assert bearing(Seen(SEEN.stem, OPTIONS, selected, SHOWN)) == bearing(SEEN)
    assert bearing(Seen(SEEN.stem, OPTIONS, selected)) < bearing(SEEN)


def test_evidence_of_another_subject_bears_less_on_the_question() -> None:
    other = Seen(SEEN.stem, OPTIONS, ("방화벽은 침입을 차단하는 장비이다.",))
    assert 0 <= bearing(other) < bearing(SEEN) <= 1
    assert bearing(Seen("", OPTIONS, SHOWN)) == 0.0
