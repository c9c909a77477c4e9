"""Options that combine marked statements."""

from __future__ import annotations

from kofinlaw.rag.reading.combinations import combination_values, marked_statements

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


def test_the_supported_statements_and_no_others_have_the_largest_value() -> None:
    support = {"ㄱ": 0.9, "ㄴ": 0.8, "ㄷ": 0.1}
    options = ["ㄱ, ㄴ", "ㄱ, ㄷ", "ㄱ, ㄴ, ㄷ", "ㄷ"]
    values = combination_values(options, support)
    assert values.index(max(values)) == 0
    assert values.index(min(values)) == 3
