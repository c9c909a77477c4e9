"""Run a batch with retries: split it, use a cheaper plan, reload the engine, or give up."""

from __future__ import annotations

import gc
import sys
from collections import Counter
from collections.abc import Sequence

from kofinlaw import UserError
from kofinlaw.models.engines.base import Engine
from kofinlaw.models.out_of_memory import is_out_of_memory
from kofinlaw.models.templates import ChatTemplate
from kofinlaw.rag.answer.answer_book import AnswerBook
from kofinlaw.rag.answer.batches import Task
from kofinlaw.rag.answer.deadline import Costs, Plan, TimeBudget
from kofinlaw.rag.answer.engine_calls import (
    Reply,
    ask_engine,
    call_model,
    missing_bare_scores,
)
from kofinlaw.rag.answer.engine_supervisor import EngineSupervisor
from kofinlaw.rag.answer.journal import Timing
from kofinlaw.rag.answer.prompts import Prompter, PromptInput, build_prompts
from kofinlaw.rag.answer.run_context import RunContext
from kofinlaw.rag.answer.watchdog import Overdue

__all__ = ["Attempts", "Waiting"]

Waiting = tuple[Sequence[Task], Plan]


class Attempts:
    """Asks batches and records the replies.

    Args:
        book: The questions and what is known about them.
        supervisor: Gives the engine and guards its calls.
        template: The model's chat template.
        budget: The time left.
        costs: Learns what calls cost.
        plans: The plans to step down through, best first.
        context: Clock, seed and tracer.
    """

    def __init__(
        self,
        book: AnswerBook,
        supervisor: EngineSupervisor,
        template: ChatTemplate,
        budget: TimeBudget,
        costs: Costs,
        plans: Sequence[Plan],
        context: RunContext,
    ) -> None:
        self.book = book
        self.supervisor = supervisor
        self.template = template
        self.budget = budget
        self.costs = costs
        self.plans = plans
        self.context = context

    @property
    def counts(self) -> Counter[str]:
        """Number of failures by kind."""
        return self.supervisor.counts

    def attempt(self, batch: Sequence[Task], plan: Plan) -> None:
        """Answer a batch of one kind under a plan, or as much of it as possible."""
        waiting: list[Waiting] = [(batch, plan)]
        while waiting and self.budget.left() > 0 and not self.supervisor.dead:
            tasks, plan = waiting.pop()
            try:
                engine = self.supervisor.engine()
                if engine is None:
                    return
                replies = self._ask(engine, tasks, plan)
            except UserError:
                raise
            except Overdue:
                self.supervisor.abandon()
                waiting += self._smaller(tasks, plan, "stalled") if self.budget.left() > 0 else []
            except Exception as error:
                waiting += self._after_crash(error, tasks, plan)
            else:
                self.supervisor.succeeded()
                for task in self._record(tasks, replies, plan):
                    waiting += self._smaller([task], plan, "empty answer")

    def _after_crash(self, error: Exception, tasks: Sequence[Task], plan: Plan) -> list[Waiting]:
        if is_out_of_memory(error):
            self.counts["out_of_memory"] += 1
            _free_memory()
            return self._smaller(tasks, plan, "out of memory")
        if self.supervisor.crashed():
            return [(tasks, plan)]
        if self.supervisor.dead:
            return []
        return self._smaller(tasks, plan, f"{type(error).__name__}: {error}"[:200])

    def _smaller(self, tasks: Sequence[Task], plan: Plan, reason: str) -> list[Waiting]:
        """Return the same tasks with less effort: halves of the batch, then cheaper plans,
        then failed.
        """
        if len(tasks) > 1:
            middle = len(tasks) // 2
            return [(tasks[middle:], plan), (tasks[:middle], plan)]
        names = [other.name for other in self.plans]
        index = names.index(plan.name) if plan.name in names else len(names) - 1
        if index + 1 < len(self.plans):
            return [(tasks, self.plans[index + 1])]
        self.book.give_up(tasks[0], plan.name, reason)
        self.counts["failed_turns"] += 1
        return []

    def _ask(self, engine: Engine, tasks: Sequence[Task], plan: Plan) -> list[Reply | None]:
        """Make one timed and guarded call to the engine."""
        book, kind = self.book, tasks[0].kind
        prompter = Prompter(
            self.template,
            book.settings,
            book.evidence_tokens,
            engine.tokenizer.count,
            book.weights,
        )
        inputs = [
            PromptInput(
                book.questions[task.position],
                [hit.chunk for hit in book.hits(task.position)],
                task.turn,
            )
            for task in tasks
        ]
        effort = sum(book.task_effort(task, plan) for task in tasks)
        with self.context.tracer.span("answer", plan=plan.name):
            prompts = build_prompts(prompter, inputs, plan)

            forecast = self.costs.forecast(kind, effort)
            seeds = [(self.context.seed, task.turn) for task in tasks]
            bare = book.journal.bare_scores

            def call() -> list[Reply | None]:
                stop = self.template.stop
                return ask_engine(
                    engine, prompts, seeds, book.settings, stop=stop, plan=plan, bare=bare
                )

            def guarded() -> list[Reply | None]:
                if any(prompt.contrast is not None for prompt in prompts):
                    # An abandoned call may end later, so only this thread keeps its scores.
                    bare.add(
                        self.supervisor.guarded(
                            lambda: missing_bare_scores(engine, prompts, bare), forecast
                        )
                    )
                return self.supervisor.guarded(call, forecast)

            before = self.context.clock()
            replies = call_model(
                guarded,
                inputs,
                prompts,
                plan,
                model=engine.name,
                choose_by=book.settings.choose_by,
            )
        seconds = max(0.0, self.context.clock() - before)
        self.costs.observe(kind, effort, seconds)
        self._share_seconds(tasks, replies, plan, seconds)
        return replies

    def _share_seconds(
        self, tasks: Sequence[Task], replies: Sequence[Reply | None], plan: Plan, seconds: float
    ) -> None:
        """Divide a batch's seconds between its questions, by effort."""
        total = sum(reply.effort for reply in replies if reply) or 1
        for task, reply in zip(tasks, replies, strict=True):
            if reply is None or self.book.recorded([task]):
                continue
            share = round(seconds * reply.effort / total, 6)
            written = bool(reply.text or reply.reasoning) and not reply.votes
            prefill, decode = (0.0, share) if written else (share, 0.0)
            identity = self.book.questions[task.position].id
            self.book.journal.record_timing(
                Timing(identity, 0.0, prefill, decode, share, 1, plan.name)
            )

    def _record(
        self, tasks: Sequence[Task], replies: Sequence[Reply | None], plan: Plan
    ) -> list[Task]:
        """Record the replies; returns the tasks without one."""
        empty = []
        for task, reply in zip(tasks, replies, strict=True):
            if reply is None:
                empty.append(task)
            else:
                identity = self.book.questions[task.position].id
                self.book.record(task, reply.turn(identity, task.turn, plan.name))
        self.book.journal.sync()
        now = self.budget.used()
        self.book.journal.beat(now, force=True)
        self.book.submit(now)
        return empty


def _free_memory() -> None:
    """Return cached GPU blocks before the smaller attempt, where torch is in use."""
    torch = sys.modules.get("torch")
    if torch is None:
        return
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
