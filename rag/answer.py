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
from pathlib import Path
from typing import Any

from kofinlaw import Progress, UserError, silent
from kofinlaw.data.records import Answer
from kofinlaw.models.engines import Engine
from kofinlaw.models.templates import ChatTemplate
from kofinlaw.rag.agreement import combine
from kofinlaw.rag.ask import ask
from kofinlaw.rag.asking import Asked, ask_engine
from kofinlaw.rag.calls import Caller, Overdue, ThreadCaller, out_of_memory
from kofinlaw.rag.deadline import FULL, PLANS, Budget, Clock, Costs, Kind, Plan, choose_plan
from kofinlaw.rag.evidence import Hit, Searcher
from kofinlaw.rag.fallback import fallback_answer
from kofinlaw.rag.journal import Journal, Timing, Turn
from kofinlaw.rag.keeper import EngineKeeper
from kofinlaw.rag.prompts import Prompter
from kofinlaw.rag.questions import read_questions
from kofinlaw.rag.submission import write_submission
from kofinlaw.rag.settings import AnswerSettings
from kofinlaw.rag.work import Task, first_batches, task_work

__all__ = ["answer_questions", "ask"]

SEARCH_SLICE = 32  # questions searched in one guarded call
FALLBACK_PASSAGES = 3
SUBMISSION_SECONDS = 1.0  # the file on disk is at most this old, and always whole

Waiting = tuple[Sequence[Task], Plan]


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
    run = _Run(questions, out, template, retriever, settings, clock, started, seed, progress)
    return run.answer(open_engine, caller or ThreadCaller(run.beat))


class _Run:
    """One answering run: its questions, what is known about them, what is written down."""

    def __init__(
        self,
        questions: Path,
        out: Path,
        template: ChatTemplate,
        retriever: Searcher | None,
        settings: AnswerSettings,
        clock: Clock,
        started: float | None,
        seed: int,
        progress: Progress,
    ) -> None:
        self.file = read_questions(questions)
        self.questions = self.file.questions
        self.settings = settings
        self.template = template
        self.retriever = retriever
        self.evidence_tokens = retriever.settings.evidence_tokens if retriever else 0
        self.seed = seed
        self.progress = progress
        self.clock = clock
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
        self.costs = Costs()
        self.works: dict[tuple[int, str], float] = {}
        self.hits: list[list[Hit]] = [[] for _ in self.questions]
        self.answers: dict[str, Answer] = {}
        self.fallbacks = [fallback_answer(question, ()) for question in self.questions]
        self.counts: Counter[str] = Counter()
        self.last_submission = float("-inf")

    def answer(self, open_engine: Callable[[], Engine], call: Caller) -> dict[str, Any]:
        """The whole run, from the first complete submission to the last."""
        self.keeper = EngineKeeper(
            open_engine,
            call,
            self.budget,
            stall_seconds=self.settings.stall_seconds,
            restarts=self.settings.restarts,
            counts=self.counts,
        )
        self._submit(force=True)
        if self.retriever is not None:
            self._search(self.retriever, call)
        self._take_up_answers()
        self._submit(force=True)
        self._first_answers()
        self._spare_time()
        self.keeper.close()
        return self._finish()

    # -- before the first answer

    def _state(self) -> dict[str, Any]:
        """What must not change between a killed run and the one that goes on."""
        return {
            "questions": self.file.sha256,
            "settings": self.settings.model_dump(mode="json", exclude={"budget_minutes"}),
            "template": self.template.sha256,
            "retriever": self.retriever.fingerprint if self.retriever else "",
            "seed": self.seed,
        }

    def _search(self, retriever: Searcher, call: Caller) -> None:
        """Retrieve for all questions, in at most half of the time; what fails has no evidence."""
        known = self.journal.read_evidence()
        todo = []
        for place, question in enumerate(self.questions):
            if question.id in known:
                self.hits[place] = _restored(retriever, known[question.id])
            else:
                todo.append(place)
        half = self.budget.left() / 2 if self.budget.seconds is not None else 0.0
        for start in range(0, len(todo), SEARCH_SLICE):
            places = todo[start : start + SEARCH_SLICE]
            limit = min(self.budget.left() - half, self.settings.stall_seconds)
            if limit <= 0 or not self._search_slice(retriever, call, places, limit):
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

    def _search_slice(
        self, retriever: Searcher, call: Caller, places: Sequence[int], limit: float
    ) -> bool:
        before = self.clock()
        try:
            found = call(lambda: retriever.search([self.questions[p] for p in places]), limit)
        except UserError:
            raise
        except Overdue:
            self.counts["search_stalls"] += 1
            return False
        except Exception:
            self.counts["search_failures"] += 1
            return True
        seconds = round(max(0.0, self.clock() - before) / len(places), 6)
        for place, hits in zip(places, found, strict=True):
            self.hits[place] = hits
            identity = self.questions[place].id
            self.journal.add_evidence(identity, hits)
            self.journal.time(Timing(identity, seconds, 0.0, 0.0, seconds, 0, ""))
        return True

    def _take_up_answers(self) -> None:
        """The answers that a killed run's journal gives."""
        for place, question in enumerate(self.questions):
            found = self._combined(place)
            if found is not None:
                self.answers[question.id] = found
        self.journal.start_answers(
            self.answers[q.id] for q in self.questions if q.id in self.answers
        )

    # -- which batch, by which plan

    def _first_answers(self) -> None:
        """Turn 0 of every question under plans that let all the rest fit."""
        batches = list(
            first_batches(self.questions, self.hits, self.settings, self.evidence_tokens)
        )
        for number, batch in enumerate(batches):
            if self._recorded(batch):
                continue
            rest = [task for later in batches[number:] for task in later]
            plan = choose_plan(
                self.costs,
                self.budget.left(),
                lambda plan, rest=rest: self._work(rest, plan),  # type: ignore[misc]
                plans=self._plans(),
            )
            if plan is None or self.keeper.dead:
                return
            self._attempt(batch, self._plan_before(batch) or plan)

    def _spare_time(self) -> None:
        """Further turns, least sure first, while a whole batch of them fits under the full plan."""
        for turn in range(1, self._most_turns()):
            for batch in self._spare_batches(turn):
                if self._recorded(batch):
                    continue
                work = self._work(batch, FULL)
                chosen = choose_plan(self.costs, self.budget.left(), lambda plan, work=work: work)  # type: ignore[misc]
                if self.keeper.dead or chosen is not FULL:
                    return
                self._attempt(batch, FULL)

    def _spare_batches(self, turn: int) -> Iterator[list[Task]]:
        """Free text first, as one item weighs more; by confidence after the turns before."""
        found: dict[Kind, list[tuple[float, int]]] = {"free": [], "choice": []}
        for place, question in enumerate(self.questions):
            answer = self._combined(place, before=turn)
            if answer is None:
                continue
            if not question.options and turn < self.settings.votes:
                found["free"].append((answer.confidence, place))
            elif question.options and turn < min(self.settings.permutations, len(question.options)):
                found["choice"].append((answer.confidence, place))
        size = self.settings.batch_questions
        for kind, places in found.items():
            places.sort()
            for start in range(0, len(places), size):
                yield [Task(place, turn, kind) for _, place in places[start : start + size]]

    def _plan_before(self, batch: Sequence[Task]) -> Plan | None:
        """The plan of a batch that a kill left half recorded: it is done again as it was."""
        for task in batch:
            turn = self.journal.turns.get((self.questions[task.place].id, task.turn))
            if turn is not None:
                return next((plan for plan in PLANS if plan.name == turn.plan), None)
        return None

    def _plans(self) -> Sequence[Plan]:
        return PLANS if self.retriever is not None else (FULL, PLANS[-1])

    def _most_turns(self) -> int:
        return max(self.settings.permutations, self.settings.votes)

    def _recorded(self, batch: Sequence[Task]) -> bool:
        return all((self.questions[t.place].id, t.turn) in self.journal.turns for t in batch)

    def _work(self, tasks: Sequence[Task], plan: Plan) -> dict[Kind, float]:
        """Work of the tasks that are not recorded yet, by kind."""
        work: dict[Kind, float] = {}
        for task in tasks:
            if not self._recorded([task]):
                work[task.kind] = work.get(task.kind, 0.0) + self._task_work(task, plan)
        return work

    def _task_work(self, task: Task, plan: Plan) -> float:
        key = (task.place, plan.name)
        if key not in self.works:
            self.works[key] = task_work(
                self.questions[task.place],
                self.hits[task.place],
                plan,
                self.settings,
                self.evidence_tokens,
            )
        return self.works[key]

    # -- one batch, whatever the engine does

    def _attempt(self, batch: Sequence[Task], plan: Plan) -> None:
        """Answer a batch: halve it, step down, load the engine again, leave questions out."""
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
        self._show(plan)

    def _after_crash(self, error: Exception, tasks: Sequence[Task], plan: Plan) -> list[Waiting]:
        if out_of_memory(error):
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
        plans = self._plans()
        place = next((i for i, p in enumerate(plans) if p.name == plan.name), len(plans) - 1)
        if place + 1 < len(plans):
            return [(tasks, plans[place + 1])]
        task = tasks[0]
        turn = Turn(self.questions[task.place].id, task.turn, plan.name, 0, 0, 0, failed=reason)
        self.journal.record(turn)
        self.counts["failed_turns"] += 1
        return []

    def _ask(self, engine: Engine, tasks: Sequence[Task], plan: Plan) -> list[Asked | None]:
        """One timed engine call for tasks of one kind."""
        prompter = Prompter(
            self.template, self.settings, self.evidence_tokens, engine.tokenizer.count
        )
        prompts = [
            prompter.build(
                self.questions[task.place],
                [hit.chunk for hit in self.hits[task.place]],
                plan,
                task.turn,
            )
            for task in tasks
        ]
        kind = tasks[0].kind
        work = sum(self._task_work(task, plan) for task in tasks)
        before = self.clock()
        asked = self.keeper.guarded(
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
            if item is None or self._recorded([task]):
                continue
            own = round(seconds * item.work / total, 6)
            scored, written = (own, 0.0) if item.scores else (0.0, own)
            identity = self.questions[task.place].id
            self.journal.time(Timing(identity, 0.0, scored, written, own, 1, plan.name))
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
            question, prompt = self.questions[task.place], item.prompt
            turn = Turn(
                question.id,
                task.turn,
                plan.name,
                prompt.shown,
                prompt.tokens,
                item.tokens,
                prompt.cut,
                item.scores,
                item.text,
                item.logprob,
            )
            if self.journal.record(turn):
                answer = self._combined(task.place)
                if answer is not None and answer != self.answers.get(question.id):
                    self.answers[question.id] = answer
                    self.journal.answer(answer)
        self.journal.sync()
        self.beat(force=True)
        self._submit()
        return empty

    # -- what stands at this moment

    def _combined(self, place: int, *, before: int | None = None) -> Answer | None:
        question = self.questions[place]
        last = self._most_turns() if before is None else before
        turns = [
            turn
            for number in range(last)
            if (turn := self.journal.turns.get((question.id, number))) is not None
        ]
        return combine(question, turns, [hit.chunk.id for hit in self.hits[place]])

    def beat(self, *, force: bool = False) -> None:
        """Write the seconds used."""
        self.journal.beat(self.budget.used(), force=force)

    def _submit(self, *, force: bool = False) -> None:
        now = self.budget.used()
        if not force and now - self.last_submission < SUBMISSION_SECONDS:
            return
        self.last_submission = now
        write_submission(
            self.journal.out / "submission.csv",
            self.file,
            {answer.id: answer.answer for answer in self._all_answers()},
            sample=self.settings.sample_submission,
        )

    def _all_answers(self) -> list[Answer]:
        return [
            self.answers.get(question.id, fallback)
            for question, fallback in zip(self.questions, self.fallbacks, strict=True)
        ]

    def _show(self, plan: Plan) -> None:
        info: dict[str, object] = {"plan": plan.name}
        if self.budget.seconds is not None:
            info["left_minutes"] = round(self.budget.left() / 60, 1)
        self.progress("answer", len(self.answers), len(self.questions), **info)

    def _finish(self) -> dict[str, Any]:
        answers = self._all_answers()
        self._submit(force=True)
        timings = self.journal.finish([question.id for question in self.questions], answers)
        self.beat(force=True)
        totals = sorted(timing.total for timing in timings) or [0.0]
        plans = Counter(turn.plan for turn in self.journal.turns.values() if turn.turn == 0)
        return {
            "questions": len(answers),
            "choice": sum(bool(question.options) for question in self.questions),
            "free": sum(not question.options for question in self.questions),
            "fallback": sum(answer.origin == "fallback" for answer in answers),
            "turns": len(self.journal.turns),
            "tokens": sum(answer.tokens for answer in answers),
            "seconds_used": round(self.budget.used(), 3),
            "budget_seconds": self.budget.seconds,
            "seconds_p50": round(totals[len(totals) // 2], 4),
            "seconds_p95": round(totals[min(len(totals) - 1, int(0.95 * len(totals)))], 4),
            **{f"plan_{plan.name}": plans[plan.name] for plan in PLANS},
            **dict(sorted(self.counts.items())),
        }


def _restored(retriever: Searcher, hits: Sequence[Mapping[str, Any]]) -> list[Hit]:
    chunks = retriever.chunks([hit["chunk"] for hit in hits])
    return [
        Hit(chunk, hit["score"], tuple(hit["by"])) for chunk, hit in zip(chunks, hits, strict=True)
    ]


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
