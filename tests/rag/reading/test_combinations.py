"""Options that combine marked statements."""

from __future__ import annotations

from kofinlaw.rag.reading.combinations import combination_values


def test_the_supported_statements_and_no_others_have_the_largest_value() -> None:
    support = {"ㄱ": 0.9, "ㄴ": 0.8, "ㄷ": 0.1}
    options = ["ㄱ, ㄴ", "ㄱ, ㄷ", "ㄱ, ㄴ, ㄷ", "ㄷ"]
    values = combination_values(options, support)
    assert values.index(max(values)) == 0
    assert values.index(min(values)) == 3
