"""The deadline: how much time is left, what a plan costs, which plan still fits.

Nothing here looks at a wall clock by itself: the caller's `clock` (seconds, any origin) does, so
that tests run whole contests in milliseconds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["choice", "free"]
Clock = Callable[[], float]

# Decoding one token takes as long as reading this many: only the ratio between plans matters.
DECODE_WORK = 20.0
SAFETY = 1.2  # a forecast is taken this much longer before it is compared with the time left


@dataclass(frozen=True)
class Plan:
    """One way to answer: the share of the evidence budget shown, and the form of the choice.

    `reasoning` lets the model write before it chooses, where the recipe asks for that;
    `label_only` has it choose by number even where the recipe has it choose by text.
    """

    name: str
    evidence_share: float
    reasoning: bool = False
    label_only: bool = False


# From the best to the cheapest; below the last there is only the answer without the model.
# Votes and orders are no plan: they are further turns, taken once every question has an answer.
FULL = Plan("full", 1.0, reasoning=True)
NO_REASONING = Plan("no-reasoning", 1.0)
HALF = Plan("half-context", 0.5)
QUARTER = Plan("quarter-context", 0.25)
LABEL_ONLY = Plan("label-only", 0.0, label_only=True)
PLANS = (FULL, NO_REASONING, HALF, QUARTER, LABEL_ONLY)


def usable_plans(*, reasoning: bool, evidence: bool) -> tuple[Plan, ...]:
    """The plans that differ for a recipe with or without reasoning and evidence, best first."""
    plans = [FULL]
    if reasoning:
        plans.append(NO_REASONING)
    if evidence:
        plans += [HALF, QUARTER]
    return (*plans, LABEL_ONLY)


class Budget:
    """Seconds used and left of a budget that outlives the process.

    `used_before` is what killed processes used of it (and the pauses between them, where those
    count). A clock that jumps back adds nothing; one
    that jumps forward is believed, since time that may be over must count as over.
    """

    def __init__(
        self,
        seconds: float | None,
        reserve: float,
        clock: Clock,
        started: float | None = None,
        used_before: float = 0.0,
    ) -> None:
        self.seconds = seconds
        self.reserve = reserve
        self._clock = clock
        self._last = clock() if started is None else min(started, clock())
        self._used = used_before

    def used(self) -> float:
        """Seconds used so far, never less than before."""
        now = self._clock()
        self._used += max(0.0, now - self._last)
        self._last = now
        return self._used

    def left(self) -> float:
        """Seconds until the reserve begins (infinite without a deadline, negative when over)."""
        used = self.used()
        return float("inf") if self.seconds is None else self.seconds - self.reserve - used


class Costs:
    """Seconds per unit of work by kind of question, from the last calls.

    Work is in prompt tokens (`DECODE_WORK` for one that is written). The slower of the recent mean
    and the last call is believed, so that a machine that slows down is noticed at once.
    """

    def __init__(self, remembered: int = 8) -> None:
        self._calls: dict[str, deque[tuple[float, float]]] = {}
        self._remembered = remembered

    def observe(self, kind: str, work: float, seconds: float) -> None:
        """Add one finished call."""
        calls = self._calls.setdefault(kind, deque(maxlen=self._remembered))
        calls.append((max(work, 1.0), max(seconds, 0.0)))

    def known(self, kind: str) -> bool:
        """Whether a call of this kind has been timed."""
        return kind in self._calls

    def forecast(self, kind: str, work: float) -> float | None:
        """Seconds for so much work; None before the first call of any kind.

        A kind not seen yet is taken to cost what the other does a unit.
        """
        calls = self._calls.get(kind)
        if calls is None:
            calls = next(iter(self._calls.values()), None)
        if calls is None:
            return None
        # The first call pays for warming up; once others are there it no longer counts.
        recent = list(calls)[1:] if 2 < len(calls) < self._remembered else list(calls)
        mean = sum(seconds for _, seconds in recent) / sum(units for units, _ in recent)
        last = recent[-1][1] / recent[-1][0]
        return work * max(mean, min(last, 4 * mean))


def choose_plan(
    costs: Costs,
    left: float,
    work: Callable[[Plan], Mapping[Kind, float]],
    *,
    plans: Sequence[Plan],
    beside: float = 0.0,
) -> Plan | None:
    """The best plan by which all the rest fits into `left` seconds.

    `work` gives the remaining work of each kind under a plan, `beside` the seconds something
    else will take (the search for evidence). When even the cheapest does not fit
    it is chosen all the same (some questions then stay without the model's answer); None when
    there is no time at all.
    """
    if left <= 0:
        return None
    for plan in plans:
        seconds = beside * SAFETY
        for kind, units in work(plan).items():
            seconds += (costs.forecast(kind, units) or 0.0) * SAFETY
        if seconds <= left:
            return plan
    return plans[-1]
