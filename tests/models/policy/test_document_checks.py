"""Check sources and documents: spellings of licences, what is refused, and why."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kofinlaw import UserError
from kofinlaw.models.policy.document_checks import check_documents, check_sources, license_name
from kofinlaw.models.policy.rules import require_allowed

POLICIES = ("open", "research", "commercial", "contest-2025")


@pytest.mark.parametrize(
    ("stated", "name"),
    [
        ("공공누리 제2유형", "KOGL-2"),
        ("KOGL Type 4", "KOGL-4"),
        ("공공누리 1유형: 출처표시", "KOGL-1"),
        ("CC BY-NC 3.0", "CC-BY-NC-4.0"),
        ("cc-by-nd-4.0", "CC-BY-ND-4.0"),
        ("Apache 2.0", "Apache-2.0"),
        ("mit", "MIT"),
        ("public domain", "public-domain"),
        ("KR-Copyright-Act-Art7", "KR-Copyright-Act-Art7"),
        ("사내 자료", "사내 자료"),
        ("unknown", ""),
        ("", ""),
    ],
)
def test_a_licence_has_one_spelling(stated, name):
    assert license_name(stated) == name


@given(st.text(max_size=40))
def test_a_licence_name_is_stable_whatever_is_stated(stated):
    once = license_name(stated)
    assert license_name(once) == once


# licence: open, research, commercial, contest-2025
ALLOWED = {
    "공공누리 제1유형": (True, True, True, True),
    "공공누리 제2유형": (True, True, False, True),
    "공공누리 제3유형": (False, False, False, False),
    "공공누리 제4유형": (False, False, False, False),
    "CC BY-ND 4.0": (False, False, False, False),
    "CC BY-NC 4.0": (True, True, False, True),
    "Apache-2.0": (True, True, True, True),
    "KR-Copyright-Act-Art7": (True, True, True, True),
    "사내 자료": (True, True, False, False),
    "": (True, True, False, False),
}


@pytest.mark.parametrize("stated", ALLOWED)
def test_sources_are_judged_by_their_licence(stated):
    found = tuple(check_sources(name, [("자료", stated)])[0].ok for name in POLICIES)
    assert found == ALLOWED[stated]


def test_texts_that_are_only_searched_may_forbid_derivatives():
    for stated in ("공공누리 제3유형", "CC BY-ND 4.0"):
        assert check_sources("commercial", [("자료", stated)], derivatives=False)[0].ok
    assert not check_sources("commercial", [("자료", "공공누리 제4유형")], derivatives=False)[0].ok


def test_a_text_in_force_after_the_day_is_named_with_its_date():
    art7 = "KR-Copyright-Act-Art7"
    texts = [
        ("전자금융거래법", "2025-07-31", art7),
        ("신용정보법", "2025-08-01", art7),
        ("고시", "", art7),
    ]
    late, undated = check_documents("contest-2025", texts)
    assert (late.ok, late.subject) == (False, "신용정보법")
    assert late.detail == "in force from 2025-08-01, after 2025-07-31"
    assert (undated.subject, undated.detail) == (
        "고시",
        "its day is not known, and the last day is 2025-07-31",
    )
    with pytest.raises(UserError) as caught:
        require_allowed([late, undated])
    assert "신용정보법: in force from 2025-08-01" in str(caught.value)
    assert [v.ok for v in check_documents("open", texts)] == [True]
