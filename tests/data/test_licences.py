"""Licence names, normalised."""

from __future__ import annotations

import pytest

from kofinlaw.data.licences import normalise_licence, stated_licence


@pytest.mark.parametrize(
    "stated, wanted",
    [
        ("공공누리 제1유형", "KOGL-1"),
        ("공공누리 제 4유형: 출처표시", "KOGL-4"),
        ("KOGL Type 3", "KOGL-3"),
        ("kogl-2", "KOGL-2"),
        ("CC BY-NC 4.0", "CC-BY-NC-4.0"),
        ("cc0", "CC0"),
        ("apache 2.0", "Apache-2.0"),
        ("사내 한정", "사내 한정"),
    ],
)
def test_licences_are_spelled_in_one_way(stated, wanted):
    assert normalise_licence(stated) == wanted


def test_a_text_may_name_its_licence():
    assert stated_licence("시행일: 2026. 1. 20. · 라이선스: Apache-2.0\n\n본문") == "Apache-2.0"
    assert (
        stated_licence("본문\n" * 3 + "본 저작물은 공공누리 제2유형에 따라 이용할 수 있습니다.")
        == "KOGL-2"
    )
    assert stated_licence("라이선스를 지켜야 한다.") == ""
