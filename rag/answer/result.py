"""The figures of an answering run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class AnsweringResult:
    """The figures of one answering run.

    `choice` and `free` count the questions by kind, `fallback` the answers that are not the
    model's. `turns` counts passes, `tokens` those read and written in them. Times are in seconds;
    `budget_seconds` is None without a deadline, the percentiles are of one question's seconds.
    `plans` gives the first passes by plan (`full`, `half-context` ...), `events` how often
    something went wrong or was left out (`stalls`, `out_of_memory` ...), only what happened.
    """

    questions: int
    choice: int
    free: int
    fallback: int
    turns: int
    tokens: int
    seconds_used: float
    budget_seconds: float | None
    seconds_p50: float
    seconds_p95: float
    plans: Mapping[str, int]
    events: Mapping[str, int]

    def to_record(self) -> dict[str, object]:
        """All figures in one level: `plan_full` for a plan, an event by its own name."""
        return {
            "questions": self.questions,
            "choice": self.choice,
            "free": self.free,
            "fallback": self.fallback,
            "turns": self.turns,
            "tokens": self.tokens,
            "seconds_used": self.seconds_used,
            "budget_seconds": self.budget_seconds,
            "seconds_p50": self.seconds_p50,
            "seconds_p95": self.seconds_p95,
            **{f"plan_{name}": count for name, count in self.plans.items()},
            **self.events,
        }
