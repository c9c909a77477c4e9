"""Reasons for which a chunk is rejected."""

from __future__ import annotations

import pytest

from kofinlaw.data.cleaning.quality import quality_problem
from kofinlaw.data.settings import QualitySettings


@pytest.mark.parametrize(
    "body, reason",
    [
        ("은행은 이용자를 보호하여야 한다.", ""),
        ("짧다", "too_short"),
        ("은행\ufffd은 \ufffd이용자를 보호하여야 한다.", "broken_text"),
        ("This page is in English and holds no Korean at all.", "not_korean"),
        ("로그인 회원가입 사이트맵 이용약관 목록보기 이전글", "boilerplate"),
        ("| 100 | 200 | 300.5 | 400 |", ""),
    ],
)
def test_quality_names_its_reason(body, reason):
    assert quality_problem(body, QualitySettings())[0] == reason
