"""Read questions whose options combine marked statements of the stem (`ㄱ, ㄷ`)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

__all__ = ["combination_values", "marked_statements"]

_MARK = "[ㄱ-ㅎ㉠-㉻①-⑳가나다라마바사아자차]"
_OPTION = re.compile(rf"^(?:\s|,|，|ㆍ|·|와|과|및|{_MARK}|[().])+$")
_STATEMENT = re.compile(
    rf"(?:^|\s)[(]?({_MARK})\s*[.)．:]\s*(\S[^\n]{{0,999}}?)(?=\s[(]?{_MARK}\s*[.)．:]\s|\n|$)"
)


def marked_statements(stem: str, options: Sequence[str]) -> dict[str, str]:
    """Return the statements of the stem by mark, if every option consists of their marks.

    Empty for any other question.
    """
    statements = {mark: text.strip() for mark, text in _STATEMENT.findall(stem)}
    if len(statements) < 2:
        return {}
    for option in options:
        marks = re.findall(_MARK, option)
        if not marks or not _OPTION.match(option) or not set(marks) <= set(statements):
            return {}
    return statements


def combination_values(options: Sequence[str], support: Mapping[str, float]) -> list[float]:
    """Return the value of each option: support of its statements minus support of the others.

    Support is taken relative to the mean of the statements, so that the number of statements in an
    option does not matter by itself.
    """
    mean = sum(support.values()) / len(support)
    return [
        sum(value - mean if mark in option else mean - value for mark, value in support.items())
        for option in options
    ]
