"""Find the largest size whose peak stays below a limit, with few simulated steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping

__all__ = ["largest_that_fits"]


def largest_that_fits(
    peak: Callable[[int], float],
    limit: float,
    ceiling: int,
    *,
    known: Mapping[int, float] | None = None,
    first: int = 0,
) -> int:
    """Return the largest size in 0..ceiling with `peak(size) <= limit`; 0 if not even 1 fits.

    The peak must not fall with the size. The answer and the size above it are both evaluated, so
    the result is exact. The next size to evaluate comes from the straight line through the two
    nearest known sizes: a step's memory is nearly linear in its tokens.

    Args:
        peak: the peak of a size, in any unit.
        limit: the limit in the same unit.
        ceiling: the largest size that may be returned.
        known: peaks that are known already, by size.
        first: the size to evaluate first, if it is above 0.
    """
    found = dict(known or {})
    guess = first
    while True:
        low = max((size for size, value in found.items() if value <= limit), default=0)
        low = min(low, ceiling)
        over = [size for size, value in found.items() if value > limit]
        high = min([*over, ceiling + 1])
        if high - low <= 1:
            return low
        guess = guess or _guess(found, limit, low)
        size = min(max(guess, low + 1), high - 1)
        found[size] = peak(size)
        guess = 0


def _guess(found: Mapping[int, float], limit: float, low: int) -> int:
    """Return where the line through the two known sizes nearest to the limit meets it."""
    if len(found) < 2:
        return low + 1
    near = sorted(found, key=lambda size: abs(found[size] - limit))[:2]
    first, second = sorted(near)
    slope = (found[second] - found[first]) / (second - first)
    if slope <= 0:
        return 2 * second
    return int(second + (limit - found[second]) / slope)
