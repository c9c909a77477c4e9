"""Names of annexes in one spelling."""

from __future__ import annotations

import pytest

from kofinlaw.data.law.annexes import annex_name, split_unit


@pytest.mark.parametrize(
    "title, name",
    [
        ("[별표1의2] 과태료의 부과기준(제20조 관련)", "별표 1의2"),
        ("<별표 3>", "별표 3"),
        ("별표 5-3 점검표", "별표 5-3"),
        ("별지 제3호의2 서식", "별지 제3호의2서식"),
        ("별지 제3호서식 등록신청서", "별지 제3호서식"),
        ("별표", "별표"),
        ("부칙 <제1호>", ""),
    ],
)
def test_annexes_are_named_in_one_spelling(title, name):
    assert annex_name(title) == name
    if name:
        assert split_unit(f"전자금융거래법 시행령 {name}") == ("전자금융거래법 시행령", name)
