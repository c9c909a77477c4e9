"""Define the context that an answering run shares: clocks, seed, progress, tracer and caller."""

from __future__ import annotations

import time
from dataclasses import dataclass

from kofinlaw import Progress, silent
from kofinlaw.rag.answer.deadline import Clock
from kofinlaw.rag.answer.watchdog import Caller
from kofinlaw.tracing import NO_TRACE, Tracer

__all__ = ["RunContext"]


@dataclass(frozen=True)
class RunContext:
    """The surroundings of one answering run. The defaults suit a run on a real machine.

    Args:
        seed: Seed of everything that is sampled.
        started: `clock()` at process start, in seconds. The time budget counts from there;
            None: from the call of `answer_questions`.
        progress: Called after each batch.
        tracer: Receives a span for each search and each model call.
        clock: Seconds from any origin, monotonic.
        wall_clock: Seconds since the epoch, to measure the pause between two processes.
        caller: Runs functions with a time limit; None: a `ThreadCaller`.
    """

    seed: int = 0
    started: float | None = None
    progress: Progress = silent
    tracer: Tracer = NO_TRACE
    clock: Clock = time.monotonic
    wall_clock: Clock = time.time
    caller: Caller | None = None
