"""Keep an engine usable: load it, watch its calls, load it again, and finally give it up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TypeVar

from kofinlaw import UserError
from kofinlaw.models.engines.base import Engine
from kofinlaw.models.engines.shared_models import forget_engine, kill_engine
from kofinlaw.rag.answer.deadline import TimeBudget
from kofinlaw.rag.answer.watchdog import Caller, Overdue

__all__ = [
    "CRASHES_BEFORE_GIVING_UP",
    "CRASHES_BEFORE_RESTART",
    "STALL_FACTOR",
    "EngineSupervisor",
    "T",
]

T = TypeVar("T")

STALL_FACTOR = 10.0
CRASHES_BEFORE_RESTART = 2
CRASHES_BEFORE_GIVING_UP = 12


class EngineSupervisor:
    """An engine that may hang or crash.

    `dead` is True once there is no engine and none will be loaded.

    Args:
        open_engine: Loads the engine.
        caller: Runs the calls with a time limit.
        budget: No call lasts longer than what is left of it.
        stall_seconds: A call is abandoned after this, or after 10 times its forecast if longer.
        restarts: How often the engine may be loaded again.
        counts: Counts what goes wrong, by name.
    """

    def __init__(
        self,
        open_engine: Callable[[], Engine],
        caller: Caller,
        budget: TimeBudget,
        *,
        stall_seconds: float,
        restarts: int,
        counts: Counter[str],
    ) -> None:
        self._open = open_engine
        self._call = caller
        self._budget = budget
        self._stall_seconds = stall_seconds
        self._restarts_left = restarts
        self._crashes = 0
        self._engine: Engine | None = None
        self.counts = counts
        self.dead = False

    def engine(self) -> Engine | None:
        """Return the engine, loaded where there is none; None when it cannot be loaded (any more).

        Raises UserError where loading does: the user has to fix a missing model.
        """
        while self._engine is None and not self.dead and self._budget.left() > 0:
            try:
                self._engine = self.guarded(self._open)
            except UserError:
                raise
            except Exception as error:
                self.counts["failed_loads"] += 1
                # An engine that hangs while loading would hang again, with the memory of both.
                if isinstance(error, Overdue) or not self._restart():
                    self.dead = True
            else:
                if self._engine is None:
                    raise UserError(
                        "open_engine returned no engine",
                        remedy="return what kofinlaw.models.open_engine returns",
                    )
        return self._engine

    def guarded(self, function: Callable[[], T], forecast: float | None = None) -> T:
        """Call with a limit: never past the deadline, never 10 times the forecast (seconds).

        Raises Overdue past the limit; the caller must then `abandon` the engine.
        """
        limit = max(self._stall_seconds, STALL_FACTOR * (forecast or 0.0))
        return self._call(function, max(0.0, min(limit, self._budget.left())))

    def succeeded(self) -> None:
        """Note that a call returned normally."""
        self._crashes = 0

    def crashed(self) -> bool:
        """Note that a call raised; returns whether a new engine should try the same tasks."""
        self.counts["crashes"] += 1
        self._crashes += 1
        if self._crashes >= CRASHES_BEFORE_GIVING_UP:
            self.dead = True
            return False
        if self._crashes >= CRASHES_BEFORE_RESTART and self._restart():
            self.close()
            self._crashes = 0
            return True
        return False

    def abandon(self) -> None:
        """Abandon a hanging engine.

        A model in a process of its own (vllm) is ended, and its memory is free for the next one.
        Another keeps its thread and memory until this process ends.
        """
        self.counts["stalls"] += 1
        engine, self._engine = self._engine, None
        if engine is not None:
            forget_engine(engine)
            try:
                self.guarded(lambda: kill_engine(engine))
            except Exception:
                self.counts["failed_closes"] += 1
        if not self._restart():
            self.dead = True

    def close(self) -> None:
        """Free the engine; a failure is only counted."""
        engine, self._engine = self._engine, None
        if engine is None:
            return
        try:
            self.guarded(engine.close)
        except Exception:
            self.counts["failed_closes"] += 1

    def _restart(self) -> bool:
        if self._restarts_left == 0:
            return False
        self._restarts_left -= 1
        self.counts["restarts"] += 1
        return True
