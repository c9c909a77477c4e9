"""Answer a file of questions, with a complete and valid submission at every moment.

First every question gets one answer: multiple choice, then free text, longest first within a kind.
The evidence of later questions is searched meanwhile. Then spare time is used for further votes
and orders of the least confident answers. Batches depend on the whole file and never on what is
left, so that a run that was killed ends with the same bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from kofinlaw.files import sha256_file
from kofinlaw.models.engines.base import Engine
from kofinlaw.models.templates import ChatTemplate
from kofinlaw.rag.answer.answer_book import AnswerBook, AnsweringResult
from kofinlaw.rag.answer.attempts import Attempts
from kofinlaw.rag.answer.batches import Task, first_batches, turns_of
from kofinlaw.rag.answer.deadline import PLANS, Costs, TimeBudget, usable_plans
from kofinlaw.rag.answer.engine_supervisor import EngineSupervisor
from kofinlaw.rag.answer.journal import Journal
from kofinlaw.rag.answer.run_context import RunContext
from kofinlaw.rag.answer.schedule import Replay, Schedule, Step, read_plan, spare_batches
from kofinlaw.rag.answer.search_ahead import ModelLoan, SearchAhead
from kofinlaw.rag.answer.watchdog import Caller, ThreadCaller
from kofinlaw.rag.answer_settings import AnswerSettings
from kofinlaw.rag.choosing.weights_file import weights_of, weights_record
from kofinlaw.rag.questions.question_files import QuestionFile, read_questions
from kofinlaw.rag.retrieve.evidence import Searcher

__all__ = ["NOTHING_FOUND", "answer_questions"]

NOTHING_FOUND = "nothing was found to answer from"


def answer_questions(
    questions: Path,
    out: Path,
    *,
    open_engine: Callable[[], Engine],
    template: ChatTemplate,
    retriever: Searcher | None = None,
    settings: AnswerSettings | None = None,
    model: str = "",
    replay: Path | None = None,
    context: RunContext | None = None,
) -> AnsweringResult:
    """Answer a file of questions before the deadline and write the run's files into `out`.

    Writes `answers.jsonl`, `submission.csv` (complete and valid from the first second),
    `evidence.jsonl`, `plan.jsonl` and `timings.jsonl`. A run that was killed is resumed when it
    is started again with the same `out`; the time that it used counts.

    Args:
        questions: CSV with the columns ID and Question, or JSON Lines (see `read_questions`).
        out: Folder of the run; created where it does not exist.
        open_engine: Loads the model. Called after the first submission is written, and again
            after a crash or a stall.
        template: The model's chat template.
        retriever: Finds the evidence; None: the model answers without evidence.
        settings: How to answer, and the time budget in minutes; None: the defaults.
        model: Fingerprint of the model (`model_fingerprint`). A folder that another model
            started is refused.
        replay: The `plan.jsonl` of an earlier run. Its turns are repeated with its evidence,
            however long they take, and the deadline does not apply.
        context: Clock, seed, progress, tracer and the like; None: the defaults.

    Raises UserError for a question file, folder, model or index that cannot be used. Every other
    failure of an engine ends in answers marked `fallback`.
    """
    settings, context = settings or AnswerSettings(), context or RunContext()
    file = read_questions(questions)
    out.mkdir(parents=True, exist_ok=True)
    state = _state(file, settings, model, template, retriever, context.seed, replay)
    journal = Journal(out, state, context.wall_clock)
    if journal.notes:
        context.progress("journal", 0, None, note="; ".join(journal.notes))
    minutes = None if replay is not None else settings.budget_minutes
    pause = journal.pause_before if settings.count_pauses else 0.0
    budget = TimeBudget(
        None if minutes is None else minutes * 60,
        settings.reserve_minutes * 60,
        context.clock,
        context.started,
        journal.used_before + pause,
    )
    evidence_tokens = retriever.settings.evidence_tokens if retriever is not None else 0
    book = AnswerBook(file, journal, settings, evidence_tokens)
    caller = context.caller or ThreadCaller(lambda: journal.beat(budget.used()))
    run = _Run(book, budget, open_engine, template, retriever, caller, context)
    return run.answer(replay)


def _state(
    file: QuestionFile,
    settings: AnswerSettings,
    model: str,
    template: ChatTemplate,
    retriever: Searcher | None,
    seed: int,
    replay: Path | None,
) -> dict[str, object]:
    """Return the values that must be equal in a killed run and in the run that resumes it."""
    return {
        "questions": file.sha256,
        "settings": settings.model_dump(
            mode="json", exclude={"budget_minutes", "count_pauses", "expected_questions"}
        ),
        "model": model,
        "template": template.sha256,
        "retriever": retriever.fingerprint if retriever else "",
        "seed": seed,
        **(
            {"voters": weights_record(weights_of(settings))}
            if settings.choose_by == "contrast"
            else {}
        ),
        "replay": sha256_file(replay) if replay is not None and replay.is_file() else "",
    }


class _Run:
    """One answering run, from the first complete submission to the last."""

    def __init__(
        self,
        book: AnswerBook,
        budget: TimeBudget,
        open_engine: Callable[[], Engine],
        template: ChatTemplate,
        retriever: Searcher | None,
        caller: Caller,
        context: RunContext,
    ) -> None:
        self.book = book
        self.budget = budget
        self.template = template
        self.retriever = retriever
        self.caller = caller
        self.context = context
        self.counts: Counter[str] = Counter()
        settings = book.settings
        self.supervisor = EngineSupervisor(
            open_engine,
            caller,
            budget,
            stall_seconds=settings.stall_seconds,
            restarts=settings.restarts,
            counts=self.counts,
        )
        costs = Costs()
        plans = usable_plans(
            reasoning=settings.reasoning_tokens > 0, evidence=retriever is not None
        )
        self.attempts = Attempts(book, self.supervisor, template, budget, costs, plans, context)
        self.schedule: Schedule | Replay = Schedule(book, budget, costs, plans)
        self.search: SearchAhead | None = None

    def answer(self, replay: Path | None) -> AnsweringResult:
        """Carry out the whole run."""
        book = self.book
        book.submit(self.budget.used(), force=True)
        if replay is not None:
            recorded = read_plan(replay, [question.id for question in book.questions])
            self.schedule = Replay(book, recorded)
            book.journal.bare_scores.add(book.journal.read_bare(replay.parent))
        batches = list(first_batches(book.questions, book.settings.batch_questions))
        if self.retriever is not None:
            self._start_search(self.retriever, batches, replay)
        book.restore_answers()
        book.submit(self.budget.used(), force=True)
        self._first_answers(batches)
        self._use_spare_time()
        self._last_evidence()
        if self.budget.left() <= 0:  # closing the engine may take longer than there is time
            book.submit(self.budget.used(), force=True)
        self.supervisor.close()
        return self._finish()

    def _start_search(
        self, retriever: Searcher, batches: Sequence[Sequence[Task]], replay: Path | None
    ) -> None:
        book = self.book
        book.restore_evidence(retriever, book.journal.read_evidence())
        if replay is not None:
            recorded = book.journal.read_evidence(replay.parent)
            book.copy_evidence(retriever, recorded, book.journal.read_judgements(replay.parent))
        loan = ModelLoan(self._with_model, self.supervisor.abandon)
        self.search = SearchAhead(
            retriever,
            book.questions,
            self.caller,
            self.context,
            self.budget,
            self.counts,
            stall_seconds=book.settings.stall_seconds,
            abstain=book.settings.abstain,
            loan=loan if retriever.needs_model else None,
        )
        slices = ([t.position for t in batch if not book.searched(t.position)] for batch in batches)
        self.search.start([positions for positions in slices if positions])
        if isinstance(self.schedule, Schedule):
            self.schedule.search = self.search

    def _with_model(self, searcher: Searcher) -> Searcher:
        """Return the searcher with the model that answers, where that can be loaded."""
        engine = self.supervisor.engine()
        return searcher if engine is None else searcher.with_model(engine, self.template)

    def _first_answers(self, batches: Sequence[list[Task]]) -> None:
        """Answer turn 0 of every question under plans by which all the rest fits."""
        for number, batch in enumerate(batches):
            if self.book.recorded(batch):
                continue
            self._take_evidence([t.position for t in batch if not self.book.searched(t.position)])
            batch = self._answerable(batch)
            rest = [task for later in batches[number:] for task in later]
            if not self._carry_out(self.schedule.first(batch, rest) if batch else []):
                return

    def _use_spare_time(self) -> None:
        """Take further turns, least confident first, while a batch fits under the full plan."""
        book = self.book
        for turn in range(1, max(turns_of(q, book.settings) for q in book.questions)):
            for batch in spare_batches(book, turn):
                if not book.recorded(batch) and not self._carry_out(self.schedule.spare(batch)):
                    return

    def _carry_out(self, steps: Iterable[Step] | None) -> bool:
        """Carry out the steps of the schedule; False when there are none or no engine is left."""
        if steps is None or self.supervisor.dead:
            return False
        for batch, plan in steps:
            self.attempts.attempt(batch, plan)
            info: dict[str, object] = {"plan": plan.name}
            if self.budget.seconds is not None:
                info["left_minutes"] = round(self.budget.left() / 60, 1)
            answered, asked = len(self.book.answers), len(self.book.questions)
            self.context.progress("answer", answered, asked, **info)
        return True

    # -- evidence

    def _take_evidence(self, positions: Sequence[int]) -> None:
        """Take the evidence of these questions, after waiting for it if necessary."""
        found = self.search.take(positions) if self.search is not None and positions else None
        if found is None:
            return
        share = found.seconds / len(positions)
        for place, position in enumerate(positions):
            self.book.add_evidence(position, found.hits[place], share, found.judgements[place])

    def _answerable(self, batch: list[Task]) -> list[Task]:
        """Return the batch without the questions that are refused, and without free text for which
        nothing was found, where the recipe wants that.
        """
        book = self.book
        if self.retriever is None:
            return batch
        for task in batch:
            refusal = book.refusal(task.position)
            if refusal is not None and book.turn(task) is None:
                book.refuse(task, PLANS[0].name, refusal)
        batch = [task for task in batch if (turn := book.turn(task)) is None or not turn.abstained]
        if book.settings.without_evidence == "answer":
            return batch
        for task in batch:
            empty = book.searched(task.position) and not book.hits(task.position)
            if task.kind == "free" and empty and book.turn(task) is None:
                book.give_up(task, PLANS[0].name, NOTHING_FOUND)
                self.counts["nothing_found"] += 1
        return [
            task
            for task in batch
            if (turn := book.turn(task)) is None or turn.failed != NOTHING_FOUND
        ]

    def _last_evidence(self) -> None:
        """Take the evidence of questions that were never asked: it improves their fallback."""
        for positions in self.search.not_taken() if self.search is not None else []:
            if self.budget.left() > 0:
                self._take_evidence(positions)

    def _finish(self) -> AnsweringResult:
        book, journal = self.book, self.book.journal
        answers = book.all_answers()
        book.submit(self.budget.used(), force=True)
        timings = journal.finish([question.id for question in book.questions], answers)
        journal.beat(self.budget.used(), force=True)
        if not book.file.path.is_file() or sha256_file(book.file.path) != book.file.sha256:
            self.counts["question_file_changed"] = 1
        return book.result(timings, self.budget, self.counts)
