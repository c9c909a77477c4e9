"""Value options that combine marked statements of the stem (`ㄱ, ㄷ`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = ["combination_values"]


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
