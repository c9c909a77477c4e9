"""A file of questions in; a complete, valid answer file out before the time is up.

First every question gets one answer (multiple choice, then free text, longest first within a
kind); then spare time goes to further orders and candidates where confidence is low. Before each
batch the controller picks the best plan by which all the rest still fits. Batches are cut from the
whole list, never from what is left, so that a run that was killed ends with the same bytes.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from kofinlaw import Progress, UserError, silent
from kofinlaw.data.records import Answer
from kofinlaw.models.engines import Engine
from kofinlaw.models.templates import ChatTemplate
from kofinlaw.rag.agreement import combine
from kofinlaw.rag.asking import Asked, ask_engine
from kofinlaw.rag.calls import Caller, Overdue, ThreadCaller, out_of_memory
from kofinlaw.rag.deadline import DECODE_WORK, PLANS, Budget, Clock, Costs, Kind, Plan, choose_plan
from kofinlaw.rag.evidence import Hit, Searcher
from kofinlaw.rag.fallback import fallback_answer
from kofinlaw.rag.journal import Journal, Timing, Turn
from kofinlaw.rag.prompts import Prompter
from kofinlaw.rag.questions import read_questions, write_submission
from kofinlaw.rag.settings import AnswerSettings

T = TypeVar("T")

SEARCH_SLICE = 32  # questions searched in one guarded call
FALLBACK_PASSAGES = 3
STALL_FACTOR = 10.0
CRASHES_BEFORE_RESTART = 2
CRASHES_BEFORE_GIVING_UP = 12
SUBMISSION_SECONDS = 1.0  # the file on disk is at most this old, and always whole


@dataclass(frozen=True)
class Task:
    """One pass over one question; `size` is the work expected under the full plan."""

    place: int
    turn: int
    kind: Kind


def answer_questions(
    questions: Path,
    out: Path,
    *,
    open_engine: Callable[[], Engine],
    template: ChatTemplate,
    retriever: Searcher | None,
    settings: AnswerSettings,
    clock: Clock = time.monotonic,
    started: float | None = None,
    seed: int = 0,
    progress: Progress = silent,
    caller: Caller | None = None,
) -> dict[str, Any]:
    """Answer a file of questions within the budget and write the run's files into `out`.

    Writes `answers.jsonl`, `submission.csv` (complete and valid from the first second on),
    `evidence.jsonl`, `plan.jsonl` and `timings.jsonl`. `retriever` None asks the model alone.
    `started` is `clock()` at process start; time that killed runs used in `out` is counted too.
    Returns counts and figures. Raises UserError for a question file, folder, model or index that
    cannot be used; whatever else an engine does ends in answers marked `fallback`.
    """
    return _Run(
        questions,
        out,
        open_engine,
        template,
        retriever,
        settings,
        clock,
        started,
        seed,
        progress,
        caller,
    ).answer()


class _Run:
    def __init__(
        self,
        questions: Path,
        out: Path,
        open_engine: Callable[[], Engine],
        template: ChatTemplate,
        retriever: Searcher | None,
        settings: AnswerSettings,
        clock: Clock,
        started: float | None,
        seed: int,
        progress: Progress,
        caller: Caller | None,
    ) -> None:
        self.file = read_questions(questions)
        self.questions = self.file.questions
        self.settings = settings
        self.template = template
        self.retriever = retriever
        self.seed = seed
        self.progress = progress
        self.clock = clock
        self.open_engine = open_engine
        out.mkdir(parents=True, exist_ok=True)
        self.journal = Journal(out, self._state())
        minutes = settings.budget_minutes
        self.budget = Budget(
            None if minutes is None else minutes * 60,
            settings.reserve_minutes * 60,
            clock,
            started,
            self.journal.used_before,
        )
        self.call: Caller = caller or ThreadCaller(self._beat)
        self.costs = Costs()
        self.hits: list[list[Hit]] = [[] for _ in self.questions]
        self.search_seconds = [0.0] * len(self.questions)
        self.answers: dict[str, Answer] = {}
        self.fallbacks = [fallback_answer(question, ()) for question in self.questions]
        self.engine: Engine | None = None
        self.prompter: Prompter | None = None
        self.dead = False
        self.restarts = 0
        self.crashes = 0
        self.counts: Counter[str] = Counter()
        self.last_submission = float("-inf")

    def answer(self) -> dict[str, Any]:
        self._submit(force=True)
        self._search()
        self._take_up_answers()
        self._submit(force=True)
        self._first_answers()
        self._spare_time()
        return self._finish()

    # -- before the first answer

    def _state(self) -> dict[str, Any]:
        """What must not change between a killed run and the one that goes on."""
        settings = self.settings.model_dump(mode="json", exclude={"budget_minutes"})
        return {
            "questions": self.file.sha256,
            "settings": settings,
            "template": self.template.sha256,
            "retriever": self.retriever.fingerprint if self.retriever else "",
            "seed": self.seed,
        }

    def _search(self) -> None:
        """Retrieve for all questions, in at most half of the time; what fails has no evidence."""
        if self.retriever is None:
            return
        known = self.journal.read_evidence()
        for place, question in enumerate(self.questions):
            if question.id in known:
                self.hits[place] = self._restored(known[question.id])
        todo = [p for p, question in enumerate(self.questions) if question.id not in known]
        half = self.budget.left() / 2
        for start in range(0, len(todo), SEARCH_SLICE):
            places = todo[start : start + SEARCH_SLICE]
            limit = min(self.budget.left() - half, self.settings.stall_seconds)
            if limit <= 0 or not self._search_slice(places, limit):
                break
            self.progress("retrieve", start + len(places), len(todo))
        self.fallbacks = [
            fallback_answer(
                question,
                [hit.chunk.text for hit in hits[:FALLBACK_PASSAGES]],
                [hit.chunk.id for hit in hits],
                most_characters=self.settings.free_max_characters,
            )
            for question, hits in zip(self.questions, self.hits, strict=True)
        ]

    def _search_slice(self, places: Sequence[int], limit: float) -> bool:
        retriever = self.retriever
        assert retriever is not None
        before = self.clock()
        try:
            found = self.call(lambda: retriever.search([self.questions[p] for p in places]), limit)
        except UserError:
            raise
        except Overdue:
            self.counts["search_stalls"] += 1
            return False
        except Exception:
            self.counts["search_failures"] += 1
            return True
        seconds = max(0.0, self.clock() - before) / len(places)
        for place, hits in zip(places, found, strict=True):
            self.hits[place] = hits
            self.search_seconds[place] = seconds
            identity = self.questions[place].id
            self.journal.add_evidence(
                identity,
                [
                    {"chunk": h.chunk.id, "unit": h.chunk.unit, "score": h.score, "by": list(h.by)}
                    for h in hits
                ],
            )
            self.journal.time(
                Timing(identity, round(seconds, 6), 0.0, 0.0, round(seconds, 6), 0, "")
            )
        return True

    def _restored(self, hits: Sequence[Mapping[str, Any]]) -> list[Hit]:
        assert self.retriever is not None
        chunks = self.retriever.chunks([hit["chunk"] for hit in hits])
        return [
            Hit(chunk, hit["score"], tuple(hit["by"]))
            for chunk, hit in zip(chunks, hits, strict=True)
        ]

    def _take_up_answers(self) -> None:
        for place, question in enumerate(self.questions):
            found = self._combined(place)
            if found is not None:
                self.answers[question.id] = found
        self.journal.start_answers(
            self.answers[q.id] for q in self.questions if q.id in self.answers
        )

    # -- answering

    def _first_answers(self) -> None:
        """Turn 0 of every question under plans that let all the rest fit."""
        batches = list(self._first_batches())
        for number, batch in enumerate(batches):
            if self.dead:
                return
            recorded = [self.journal.turns.get((self.questions[t.place].id, t.turn)) for t in batch]
            if all(recorded):
                continue
            rest = [task for later in batches[number:] for task in later]
            plan = choose_plan(
                self.costs,
                self.budget.left(),
                lambda plan, rest=rest: self._work(rest, plan),  # type: ignore[misc]
                plans=self._plans(),
            )
            if plan is None:
                return
            before = next((turn.plan for turn in recorded if turn is not None), plan.name)
            plan = next((p for p in PLANS if p.name == before), plan)
            self._attempt(batch, plan)
            self._show(plan)

    def _first_batches(self) -> Iterator[list[Task]]:
        """Fixed by the whole list: the longest question of each kind alone (the warm-up), then
        batches, longest first."""
        kinds: dict[Kind, list[Task]] = {"choice": [], "free": []}
        for place, question in enumerate(self.questions):
            kind: Kind = "choice" if question.options else "free"
            kinds[kind].append(Task(place, 0, kind))
        for tasks in kinds.values():
            tasks.sort(key=lambda task: (-self._length(task, PLANS[0]), task.place))
        for tasks in kinds.values():
            if tasks:
                yield tasks[:1]
        for tasks in kinds.values():
            for start in range(1, len(tasks), self.settings.batch_questions):
                yield tasks[start : start + self.settings.batch_questions]

    def _spare_time(self) -> None:
        """Further turns, least sure first, while a whole batch of them fits under the full plan."""
        last = max(self.settings.permutations, self.settings.votes)
        for turn in range(1, last):
            for batch in self._spare_batches(turn):
                done = all(
                    (self.questions[t.place].id, t.turn) in self.journal.turns for t in batch
                )
                if done:
                    continue
                left = self.budget.left()
                work = self._work(batch, PLANS[0])
                chosen = choose_plan(self.costs, left, lambda plan, work=work: work)  # type: ignore[misc]
                if self.dead or chosen is not PLANS[0]:
                    return
                self._attempt(batch, PLANS[0])
                self._show(PLANS[0])

    def _spare_batches(self, turn: int) -> Iterator[list[Task]]:
        """Free text first, as one item weighs more; by confidence after the turns before."""
        tasks: dict[Kind, list[tuple[float, int]]] = {"free": [], "choice": []}
        for place, question in enumerate(self.questions):
            answer = self._combined(place, before=turn)
            if answer is None:
                continue
            if not question.options and turn < self.settings.votes:
                tasks["free"].append((answer.confidence, place))
            elif question.options and turn < min(self.settings.permutations, len(question.options)):
                tasks["choice"].append((answer.confidence, place))
        size = self.settings.batch_questions
        for kind, found in tasks.items():
            found.sort()
            for start in range(0, len(found), size):
                yield [Task(place, turn, kind) for _, place in found[start : start + size]]

    def _attempt(self, batch: Sequence[Task], plan: Plan) -> None:
        """Answer a batch, whatever the engine does: halve, step down, load again, give up."""
        waiting: list[tuple[Sequence[Task], Plan]] = [(batch, plan)]
        while waiting and self.budget.left() > 0 and not self.dead:
            tasks, plan = waiting.pop()
            try:
                if not self._ready():
                    return
                asked = self._ask(tasks, plan)
            except UserError:
                raise
            except Overdue:
                self.counts["stalls"] += 1
                self._leave_engine()
                if self.budget.left() > 0:
                    waiting += self._smaller(tasks, plan, "stalled")
                continue
            except Exception as error:
                waiting += self._after_crash(error, tasks, plan)
                continue
            self.crashes = 0
            empty = self._write_down(tasks, asked, plan)
            for task in empty:
                waiting += self._smaller([task], plan, "empty answer")

    def _after_crash(
        self, error: Exception, tasks: Sequence[Task], plan: Plan
    ) -> list[tuple[Sequence[Task], Plan]]:
        if out_of_memory(error):
            self.counts["out_of_memory"] += 1
            _free_memory()
            return self._smaller(tasks, plan, "out of memory")
        self.counts["crashes"] += 1
        self.crashes += 1
        reason = f"{type(error).__name__}: {error}"[:200]
        if self.crashes >= CRASHES_BEFORE_GIVING_UP:
            self.dead = True
            return []
        if self.crashes >= CRASHES_BEFORE_RESTART and self.restarts < self.settings.restarts:
            self._leave_engine(close=True)
            return [(tasks, plan)]
        return self._smaller(tasks, plan, reason)

    def _smaller(
        self, tasks: Sequence[Task], plan: Plan, reason: str
    ) -> list[tuple[Sequence[Task], Plan]]:
        """The same tasks as less work: halves of the batch, then cheaper plans, then failed."""
        if len(tasks) > 1:
            middle = len(tasks) // 2
            return [(tasks[middle:], plan), (tasks[:middle], plan)]
        plans = self._plans()
        place = next((i for i, p in enumerate(plans) if p.name == plan.name), len(plans) - 1)
        if place + 1 < len(plans):
            return [(tasks, plans[place + 1])]
        task = tasks[0]
        turn = Turn(self.questions[task.place].id, task.turn, plan.name, 0, 0, 0, failed=reason)
        self.journal.record(turn)
        self.counts["failed_turns"] += 1
        return []

    def _ask(self, tasks: Sequence[Task], plan: Plan) -> list[Asked | None]:
        engine, prompter = self.engine, self.prompter
        assert engine is not None
        assert prompter is not None
        questions = [self.questions[task.place] for task in tasks]
        prompts = [
            prompter.build(
                question,
                [hit.chunk for hit in self.hits[task.place]],
                plan,
                task.turn if question.options else 0,
            )
            for task, question in zip(tasks, questions, strict=True)
        ]
        kind = tasks[0].kind
        work = sum(self._length(task, plan) for task in tasks)
        before = self.clock()
        asked = self._guarded(
            lambda: ask_engine(
                engine,
                prompts,
                [(self.seed, task.turn) for task in tasks],
                self.settings,
                stop=self.template.stop,
                label_only=plan.label_only,
            ),
            self.costs.forecast(kind, work),
        )
        seconds = max(0.0, self.clock() - before)
        self.costs.observe(kind, work, seconds)
        total = sum(item.work for item in asked if item) or 1
        for task, item in zip(tasks, asked, strict=True):
            identity = self.questions[task.place].id
            if item is None or (identity, task.turn) in self.journal.turns:
                continue
            own = round(seconds * item.work / total, 6)
            parts = (own, 0.0) if item.scores else (0.0, own)
            self.journal.time(Timing(identity, 0.0, *parts, own, 1, plan.name))
        return asked

    def _write_down(
        self, tasks: Sequence[Task], asked: Sequence[Asked | None], plan: Plan
    ) -> list[Task]:
        """Record what came back; returns the tasks for which nothing did."""
        empty = []
        for task, item in zip(tasks, asked, strict=True):
            if item is None:
                empty.append(task)
                continue
            question = self.questions[task.place]
            turn = Turn(
                question.id,
                task.turn,
                plan.name,
                item.prompt.shown,
                item.prompt.tokens,
                item.tokens,
                item.prompt.cut,
                item.scores,
                item.text,
                item.logprob,
            )
            if not self.journal.record(turn):
                continue
            answer = self._combined(task.place)
            if answer is not None and answer != self.answers.get(question.id):
                self.answers[question.id] = answer
                self.journal.answer(answer)
        self.journal.sync()
        self._beat(force=True)
        self._submit()
        return empty

    # -- the engine

    def _ready(self) -> bool:
        """Load the engine where there is none; False when it cannot be had any more."""
        while self.engine is None:
            if self.dead or self.budget.left() <= 0:
                return False
            self.progress("load", 0, 1)
            try:
                self.engine = self._guarded(self.open_engine, None)
            except UserError:
                raise
            except Exception as error:
                self.counts["failed_loads"] += 1
                self.dead = isinstance(error, Overdue) or self.restarts >= self.settings.restarts
                self.restarts += 1
                continue
            evidence = self.retriever.settings.evidence_tokens if self.retriever else 0
            self.prompter = Prompter(
                self.template, self.settings, evidence, self.engine.tokenizer.count
            )
        return True

    def _leave_engine(self, *, close: bool = False) -> None:
        """Give the engine up; a hanging one keeps its thread and memory until the process ends."""
        engine, self.engine = self.engine, None
        if self.restarts >= self.settings.restarts:
            self.dead = True
        self.restarts += 1
        self.crashes = 0
        if close and engine is not None:
            try:
                self._guarded(engine.close, 0.0)
            except Exception:
                self.counts["failed_closes"] += 1

    def _guarded(self, function: Callable[[], T], forecast: float | None) -> T:
        """Call with a limit: never past the deadline, never 10 times the forecast."""
        limit = max(self.settings.stall_seconds, STALL_FACTOR * (forecast or 0.0))
        return self.call(function, max(0.0, min(limit, self.budget.left())))

    # -- estimates and files

    def _plans(self) -> Sequence[Plan]:
        return PLANS if self.retriever is not None else (PLANS[0], PLANS[-1])

    def _length(self, task: Task, plan: Plan) -> float:
        """Work of a task by its characters (about .6 tokens each), before any prompt is built."""
        question = self.questions[task.place]
        own = 0.6 * (len(question.question) + sum(map(len, question.options))) + 60
        shown = 0.0
        if self.retriever is not None:
            found = 0.6 * sum(len(hit.chunk.text) for hit in self.hits[task.place])
            shown = min(found, self.retriever.settings.evidence_tokens * plan.evidence_share)
        if task.kind == "free":
            return own + shown + DECODE_WORK * self.settings.free_max_tokens
        if self.settings.choose_by == "generate":
            return own + shown + DECODE_WORK
        if self.settings.answer_form == "text" and not plan.label_only:
            own += 0.6 * sum(map(len, question.options))
        return own + shown

    def _work(self, tasks: Sequence[Task], plan: Plan) -> dict[Kind, float]:
        work: dict[Kind, float] = {}
        for task in tasks:
            if (self.questions[task.place].id, task.turn) not in self.journal.turns:
                work[task.kind] = work.get(task.kind, 0.0) + self._length(task, plan)
        return work

    def _combined(self, place: int, *, before: int | None = None) -> Answer | None:
        question = self.questions[place]
        last = max(self.settings.permutations, self.settings.votes) if before is None else before
        turns = [
            turn
            for number in range(last)
            if (turn := self.journal.turns.get((question.id, number))) is not None
        ]
        return combine(question, turns, [hit.chunk.id for hit in self.hits[place]])

    def _beat(self, *, force: bool = False) -> None:
        self.journal.beat(self.budget.used(), force=force)

    def _submit(self, *, force: bool = False) -> None:
        now = self.budget.used()
        if not force and now - self.last_submission < SUBMISSION_SECONDS:
            return
        self.last_submission = now
        texts = {answer.id: answer.answer for answer in self._all_answers()}
        write_submission(
            self.journal.out / "submission.csv",
            self.file,
            texts,
            sample=self.settings.sample_submission,
        )

    def _all_answers(self) -> list[Answer]:
        return [
            self.answers.get(question.id, fallback)
            for question, fallback in zip(self.questions, self.fallbacks, strict=True)
        ]

    def _show(self, plan: Plan) -> None:
        left = self.budget.left()
        info: dict[str, object] = {"plan": plan.name}
        if left != float("inf"):
            info["left_minutes"] = round(left / 60, 1)
        self.progress("answer", len(self.answers), len(self.questions), **info)

    def _finish(self) -> dict[str, Any]:
        if self.engine is not None:
            try:
                self._guarded(self.engine.close, 0.0)
            except Exception:
                self.counts["failed_closes"] += 1
        answers = self._all_answers()
        self._submit(force=True)
        timings = self.journal.finish([question.id for question in self.questions], answers)
        self._beat(force=True)
        return _figures(self, answers, timings)


def _figures(run: _Run, answers: Sequence[Answer], timings: Sequence[Timing]) -> dict[str, Any]:
    totals = sorted(timing.total for timing in timings) or [0.0]
    plans = Counter(turn.plan for turn in run.journal.turns.values() if turn.turn == 0)
    return {
        "questions": len(answers),
        "choice": sum(bool(question.options) for question in run.questions),
        "free": sum(not question.options for question in run.questions),
        "fallback": sum(answer.origin == "fallback" for answer in answers),
        "turns": len(run.journal.turns),
        "tokens": sum(answer.tokens for answer in answers),
        "seconds_used": round(run.budget.used(), 3),
        "budget_seconds": run.budget.seconds,
        "seconds_p50": round(totals[len(totals) // 2], 4),
        "seconds_p95": round(totals[min(len(totals) - 1, int(0.95 * len(totals)))], 4),
        "restarts": run.restarts,
        **{f"plan_{plan.name}": plans[plan.name] for plan in PLANS},
        **dict(sorted(run.counts.items())),
    }


def _free_memory() -> None:
    """Give cached blocks back before the smaller try; torch only where it is in use already."""
    import gc
    import sys

    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()
