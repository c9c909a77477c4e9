"""Numbers of decisions of all courts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kofinlaw.data.law.verifying.decision_numbers import decision_mentions

SIGNS = [
    "가합", "가소", "나", "다", "마", "그", "머", "차", "차전", "카합", "카단", "카임", "카확", "타경", "타채", "회합",
    "간회합", "하단", "하면", "개회", "비합", "드단", "드", "르", "므", "느합", "느", "스", "으", "즈합", "고합", "고약전",
    "노", "도", "모", "오", "보", "코", "초기", "감고", "전고", "치고", "구합", "구", "누", "두", "루", "무", "부",
    "아", "허", "후", "흐", "추", "수", "우", "준재나", "재가단", "재두", "동버", "푸", "정라", "버", "서", "저", "처",
    "헌가", "헌나", "헌라", "헌마", "헌바", "헌아",
]  # fmt: skip


@given(st.sampled_from(SIGNS), st.integers(1950, 2026), st.integers(1, 9_999_999))
def test_the_signs_of_every_kind_of_court_are_read(sign, year, number):
    (one,) = decision_mentions(f"법원 2020. 1. 2. 선고 {year}{sign}{number} 판결")
    assert (one.key, one.day) == (f"{year}{sign}{number}", "2020-01-02")


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("서울고등법원 2018 나 2045 판결", ["2018나2045"]),
        ("대법원 2010. 12. 9. 선고 2010도\n11015 판결", ["2010도11015"]),
        ("서울회생법원 2020회합100158", ["2020회합100158"]),
        ("97다39421 판결", ["1997다39421"]),
        ("80과 90, 45사12, 매출 2000 사 10 건", []),
    ],
)
def test_blanks_count_only_in_the_words_of_a_decision(text, keys):
    assert [one.key for one in decision_mentions(text)] == keys
