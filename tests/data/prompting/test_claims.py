"""What the options of a question claim."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kofinlaw.data.prompting.claims import Claims, claims_of, marked_statements

STEM = """다음 중 옳은 것을 모두 고르면?
ㄱ. 신고는 7일 이내에 한다.
ㄴ. 신고는 서면으로 한다.
ㄷ. 신고는 면제된다."""


def test_marks_and_their_statements_are_read() -> None:
    found = marked_statements(STEM, ["ㄱ, ㄴ", "ㄴ, ㄷ", "ㄱ"])
    assert list(found) == ["ㄱ", "ㄴ", "ㄷ"]
    assert found["ㄷ"] == "신고는 면제된다."


def test_statements_on_one_line_are_read() -> None:
    stem = "고르면? ㄱ. 첫째이다. ㄴ. 둘째이다."
    assert marked_statements(stem, ["ㄱ", "ㄱ, ㄴ"]) == {"ㄱ": "첫째이다.", "ㄴ": "둘째이다."}


def test_other_questions_have_no_statements() -> None:
    assert marked_statements(STEM, ["서면", "구두"]) == {}
    assert marked_statements(STEM, ["ㄱ, ㅁ", "ㄴ"]) == {}
    assert marked_statements("무엇인가?", ["ㄱ", "ㄴ"]) == {}


CIRCLED = "권한이 있는 사람을 모두 고르면?\n\nⓐ 서장\nⓑ 본부장\nⓒ 대장"


def test_options_may_use_another_series_of_marks() -> None:
    found = marked_statements(CIRCLED, ["ㄱ, ㄴ", "ㄱ, ㄷ", "ㄷ"])
    assert found == {"ㄱ": "서장", "ㄴ": "본부장", "ㄷ": "대장"}
    assert marked_statements(CIRCLED, ["ㄱ, ㄹ", "ㄴ"]) == {}


def test_the_claims_of_a_combination_are_its_statements() -> None:
    assert claims_of(CIRCLED, ["ㄱ, ㄴ", "ㄷ"]) == Claims(
        "권한이 있는 사람을 모두 고르면?", ("서장", "본부장", "대장")
    )


def test_the_claims_of_other_questions_are_their_options() -> None:
    assert claims_of(STEM, ["서면", "구두"]) == Claims(STEM, ("서면", "구두"))
    assert claims_of("무엇인가?", []) == Claims("무엇인가?", ())


SERIES = ["ㄱㄴㄷㄹㅁ", "㉠㉡㉢㉣㉤", "㉮㉯㉰㉱㉲", "①②③④⑤", "ⓐⓑⓒⓓⓔ", "가나다라마"]


@pytest.mark.parametrize("separator", ["\n", " ", "\n\n"])
@settings(max_examples=30, deadline=None)
@given(
    own=st.sampled_from(SERIES),
    named=st.sampled_from(SERIES),
    texts=st.lists(st.sampled_from(["신고한다", "허가한다", "30일이다"]), min_size=2, max_size=5),
    data=st.data(),
)
def test_every_series_of_marks_is_read(separator, own, named, texts, data) -> None:
    rows = [f"{own[n]}. {n}번째 {text}" for n, text in enumerate(texts)]
    stem = "옳은 것을 모두 고르면?" + separator + separator.join(rows)
    place = st.integers(0, len(texts) - 1)
    chosen = data.draw(st.lists(st.lists(place, min_size=1, max_size=3), min_size=2, max_size=4))
    options = [", ".join(named[n] for n in one) for one in chosen]
    found = marked_statements(stem, options)
    assert list(found.values()) == [f"{n}번째 {text}" for n, text in enumerate(texts)]
    assert {mark for option in options for mark in option.split(", ")} <= set(found)
