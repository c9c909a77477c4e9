"""Track the deadline: the time left, the cost of a plan, and the plan that still fits.

Nothing here reads a clock by itself. The caller gives `clock` (seconds from any origin), so that
tests run whole contests in milliseconds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = [
    "DECODE_EFFORT",
    "FULL",
    "HALF",
    "LABEL_ONLY",
    "NO_REASONING",
    "PLANS",
    "QUARTER",
    "SAFETY",
    "Clock",
    "Costs",
    "Plan",
    "QuestionKind",
    "TimeBudget",
    "choose_plan",
    "usable_plans",
]

QuestionKind = Literal["choice", "free"]
Clock = Callable[[], float]

# Decoding one token takes as long as reading this many: only the ratio between plans matters.
DECODE_EFFORT = 20.0
SAFETY = 1.2  # a forecast is multiplied by this before it is compared with the time left


@dataclass(frozen=True)
class Plan:
    """One way to answer: how much evidence is shown, and how a choice is made.

    `evidence_share` is the share of `rag.evidence_tokens` (0..1); `reasoning` lets the model write
    before it chooses, where the recipe wants that; `label_only` makes it choose by number even
    where the recipe wants it to choose by text.
    """

    name: str
    evidence_share: float
    reasoning: bool = False
    label_only: bool = False


# From the best to the cheapest; below the last there is only the answer without the model.
# Votes and orders are not plans: they are further turns, taken once every question has an answer.
FULL = Plan("full", 1.0, reasoning=True)
NO_REASONING = Plan("no-reasoning", 1.0)
HALF = Plan("half-context", 0.5)
QUARTER = Plan("quarter-context", 0.25)
LABEL_ONLY = Plan("label-only", 0.0, label_only=True)
PLANS = (FULL, NO_REASONING, HALF, QUARTER, LABEL_ONLY)


def usable_plans(*, reasoning: bool, evidence: bool) -> tuple[Plan, ...]:
    """Return the plans that differ for a recipe with or without reasoning and evidence,
    best first.
    """
    plans = [FULL]
    if reasoning:
        plans.append(NO_REASONING)
    if evidence:
        plans += [HALF, QUARTER]
    return (*plans, LABEL_ONLY)


class TimeBudget:
    """Seconds used and left of a budget that outlives the process.

    A clock that jumps back adds nothing. One that jumps forward is believed: time that may be over
    must count as over.

    Args:
        seconds: The whole budget; None: no deadline.
        reserve: Seconds at its end that are kept for writing the last answers.
        clock: Seconds from any origin.
        started: `clock()` when the budget started to run; None: now.
        used_before: Seconds that earlier processes used (and the pauses between them, where those
            count).
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
        """Return the seconds used so far, never less than before."""
        now = self._clock()
        self._used += max(0.0, now - self._last)
        self._last = now
        return self._used

    def left(self) -> float:
        """Return the seconds until the reserve begins (infinite without a deadline,
        negative when over).
        """
        used = self.used()
        return float("inf") if self.seconds is None else self.seconds - self.reserve - used


class Costs:
    """Seconds per unit of effort by kind of question, from the last calls.

    Effort is counted in prompt tokens (`DECODE_EFFORT` for a token that is written). The slower of
    the recent mean and the last call is used, so that a machine that slows down is noticed at once.
    """

    def __init__(self, remembered: int = 8) -> None:
        self._calls: dict[str, deque[tuple[float, float]]] = {}
        self._remembered = remembered

    def observe(self, kind: str, effort: float, seconds: float) -> None:
        """Add one finished call."""
        calls = self._calls.setdefault(kind, deque(maxlen=self._remembered))
        calls.append((max(effort, 1.0), max(seconds, 0.0)))

    def forecast(self, kind: str, effort: float) -> float | None:
        """Return the seconds for so much effort; None before the first call of any kind.

        A kind without a call is assumed to cost as much per unit as the other kind.
        """
        calls = self._calls.get(kind)
        if calls is None:
            calls = next(iter(self._calls.values()), None)
        if calls is None:
            return None
        # The first call includes the warm-up; once there are others it no longer counts.
        recent = list(calls)[1:] if 2 < len(calls) < self._remembered else list(calls)
        mean = sum(seconds for _, seconds in recent) / sum(units for units, _ in recent)
        last = recent[-1][1] / recent[-1][0]
        return effort * max(mean, min(last, 4 * mean))


def choose_plan(
    costs: Costs,
    left: float,
    effort_under: Callable[[Plan], Mapping[QuestionKind, float]],
    *,
    plans: Sequence[Plan],
    other_seconds: float = 0.0,
) -> Plan | None:
    """Return the best plan by which all remaining questions fit into `left` seconds;
    None without time.

    When even the cheapest plan does not fit it is returned all the same: some questions then keep
    their fallback.

    Args:
        costs: What calls cost so far.
        left: Seconds left.
        effort_under: The remaining effort of each kind under a plan.
        plans: The plans to choose from, best first.
        other_seconds: Seconds that something else will take (the search for evidence).
    """
    if left <= 0:
        return None
    for plan in plans:
        seconds = other_seconds * SAFETY
        for kind, effort in effort_under(plan).items():
            seconds += (costs.forecast(kind, effort) or 0.0) * SAFETY
        if seconds <= left:
            return plan
    return plans[-1]
