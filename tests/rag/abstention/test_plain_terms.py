"""Official terms are replaced whole, with the particle that fits the plain word."""

from __future__ import annotations

from kofinlaw.rag.abstention.made_questions import _question_ending
from kofinlaw.rag.abstention.plain_terms import plain_term


def test_a_term_at_either_end_of_a_word_is_replaced() -> None:
    assert plain_term("교육") == "연수"
    assert plain_term("개인정보파기") == "개인정보폐기"
    assert plain_term("우산") == "우산"


def test_a_term_inside_a_longer_name_stays() -> None:
    assert plain_term("가지급금") == "가지급금"


def test_the_particle_fits_the_plain_word() -> None:
    assert plain_term("교육을") == "연수를"
    assert plain_term("통지는") == "안내는"
    assert plain_term("해지를") == "취소를"


def test_formal_endings_become_questions() -> None:
    assert _question_ending("됩니다.") == "됩니까?"
    assert _question_ending("한다.") == "하나요?"
    assert _question_ending("받는다.") == "받나요?"
    assert _question_ending("안내") is None
