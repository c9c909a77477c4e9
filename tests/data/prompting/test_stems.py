"""Negative stems of multiple-choice questions."""

import pytest

from kofinlaw.data.prompting.stems import is_negative


@pytest.mark.parametrize(
    "stem, negative",
    [
        ("다음 중 옳지 않은 것은?", True),
        ("다음 중 이용자의 의무로 옳지 않은 것은?", True),
        ("전자금융업무에 해당하지 않는 것은?", True),
        ("접근매체에 해당하지 아니하는 것은?", True),
        ("해당하지 않는 것은 무엇인가?", True),
        ("틀린 설명을 고르시오.", True),
        ("다음 설명 중 틀린 것을 고르시오.", True),
        ("다음 중 설명으로 부적합한 것은?", True),
        ("다음 중 옳은 것은?", False),
        ("책임을 지지 않는 금융회사가 취할 조치로 옳은 것은?", False),
        ("신고하지 않은 경우의 과태료는 얼마인가?", False),
        ("동의를 받지 않은 자에 대한 벌칙으로 옳은 것은?", False),
    ],
)
def test_a_stem_is_negative_if_its_last_clause_asks_for_a_false_option(
    stem: str, negative: bool
) -> None:
    assert is_negative(stem) is negative
