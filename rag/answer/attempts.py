"""One batch to the engine, whatever that does: halved, stepped down, asked again, left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from kofinlaw import UserError
from kofinlaw.models.engines.base import Engine
from kofinlaw.models.memory.out_of_memory import is_out_of_memory
from kofinlaw.models.templates import ChatTemplate
from kofinlaw.rag.answer.answer_book import AnswerBook
from kofinlaw.rag.answer.batches import Task
from kofinlaw.rag.answer.deadline import Budget, Costs, Plan
from kofinlaw.rag.answer.engine_calls import Asked, ask_engine
from kofinlaw.rag.answer.engine_supervisor import EngineKeeper
from kofinlaw.rag.answer.journal import Timing
from kofinlaw.rag.answer.prompts import Prompter
from kofinlaw.rag.answer.run_context import RunContext
from kofinlaw.rag.answer.traced import build_prompts, call_model
from kofinlaw.rag.answer.watchdog import Overdue

Waiting = tuple[Sequence[Task], Plan]


class Attempts:
    """Asks batches and writes down what comes back; `plans` are the steps down, best first."""

    def __init__(
        self,
        book: AnswerBook,
        keeper: EngineKeeper,
        template: ChatTemplate,
        budget: Budget,
        costs: Costs,
        plans: Sequence[Plan],
        context: RunContext,
    ) -> None:
        self.book = book
        self.keeper = keeper
        self.template = template
        self.budget = budget
        self.costs = costs
        self.plans = plans
        self.context = context

    @property
    def counts(self) -> Counter[str]:
        """What went wrong how often."""
        return self.keeper.counts

    def attempt(self, batch: Sequence[Task], plan: Plan) -> None:
        """Answer a batch of one kind under a plan, or as much of it as can be had."""
        waiting: list[Waiting] = [(batch, plan)]
        while waiting and self.budget.left() > 0 and not self.keeper.dead:
            tasks, plan = waiting.pop()
            try:
                engine = self.keeper.engine()
                if engine is None:
                    return
                asked = self._ask(engine, tasks, plan)
            except UserError:
                raise
            except Overdue:
                self.keeper.leave()
                waiting += self._smaller(tasks, plan, "stalled") if self.budget.left() > 0 else []
            except Exception as error:
                waiting += self._after_crash(error, tasks, plan)
            else:
                self.keeper.worked()
                for task in self._write_down(tasks, asked, plan):
                    waiting += self._smaller([task], plan, "empty answer")

    def _after_crash(self, error: Exception, tasks: Sequence[Task], plan: Plan) -> list[Waiting]:
        if is_out_of_memory(error):
            self.counts["out_of_memory"] += 1
            _free_memory()
            return self._smaller(tasks, plan, "out of memory")
        if self.keeper.crashed():
            return [(tasks, plan)]
        if self.keeper.dead:
            return []
        return self._smaller(tasks, plan, f"{type(error).__name__}: {error}"[:200])

    def _smaller(self, tasks: Sequence[Task], plan: Plan, reason: str) -> list[Waiting]:
        """The same tasks as less work: halves of the batch, then cheaper plans, then failed."""
        if len(tasks) > 1:
            middle = len(tasks) // 2
            return [(tasks[middle:], plan), (tasks[:middle], plan)]
        names = [other.name for other in self.plans]
        place = names.index(plan.name) if plan.name in names else len(names) - 1
        if place + 1 < len(self.plans):
            return [(tasks, self.plans[place + 1])]
        self.book.give_up(tasks[0], plan.name, reason)
        self.counts["failed_turns"] += 1
        return []

    def _ask(self, engine: Engine, tasks: Sequence[Task], plan: Plan) -> list[Asked | None]:
        """One timed and guarded call."""
        book, kind = self.book, tasks[0].kind
        prompter = Prompter(
            self.template, book.settings, book.evidence_tokens, engine.tokenizer.count
        )
        wanted = [
            (
                book.questions[task.place],
                [hit.chunk for hit in book.hits(task.place)],
                task.turn,
            )
            for task in tasks
        ]
        work = sum(book.task_work(task, plan) for task in tasks)
        with self.context.tracer.span("answer", plan=plan.name):
            prompts = build_prompts(prompter, wanted, plan)

            def call() -> list[Asked | None]:
                seeds = [(self.context.seed, task.turn) for task in tasks]
                stop = self.template.stop
                return ask_engine(engine, prompts, seeds, book.settings, stop=stop, plan=plan)

            before = self.context.clock()
            asked = call_model(
                lambda: self.keeper.guarded(call, self.costs.forecast(kind, work)),
                wanted,
                prompts,
                plan,
                model=engine.name,
                choose_by=book.settings.choose_by,
            )
        seconds = max(0.0, self.context.clock() - before)
        self.costs.observe(kind, work, seconds)
        self._share_seconds(tasks, asked, plan, seconds)
        return asked

    def _share_seconds(
        self, tasks: Sequence[Task], asked: Sequence[Asked | None], plan: Plan, seconds: float
    ) -> None:
        """A batch's seconds to its questions, by tokens."""
        total = sum(item.work for item in asked if item) or 1
        for task, item in zip(tasks, asked, strict=True):
            if item is None or self.book.recorded([task]):
                continue
            own = round(seconds * item.work / total, 6)
            scored, written = (0.0, own) if item.text or item.reasoning else (own, 0.0)
            identity = self.book.questions[task.place].id
            self.book.journal.time(Timing(identity, 0.0, scored, written, own, 1, plan.name))

    def _write_down(
        self, tasks: Sequence[Task], asked: Sequence[Asked | None], plan: Plan
    ) -> list[Task]:
        """Record what came back; returns the tasks for which nothing did."""
        empty = []
        for task, item in zip(tasks, asked, strict=True):
            if item is None:
                empty.append(task)
            else:
                identity = self.book.questions[task.place].id
                self.book.record(task, item.turn(identity, task.turn, plan.name))
        self.book.journal.sync()
        now = self.budget.used()
        self.book.journal.beat(now, force=True)
        self.book.submit(now)
        return empty


def _free_memory() -> None:
    """Give cached blocks back before the smaller try, where torch is in use."""
    import gc
    import sys

    torch = sys.modules.get("torch")
    if torch is None:
        return
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
