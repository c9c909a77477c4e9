"""Track the state of every question: its evidence, its turns and its current answer."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kofinlaw import UserError
from kofinlaw.rag.abstention.decision import Judgement, abstains
from kofinlaw.rag.answer.agreement import combine
from kofinlaw.rag.answer.batches import Task, task_effort, turns_of
from kofinlaw.rag.answer.deadline import PLANS, Plan, QuestionKind, TimeBudget
from kofinlaw.rag.answer.fallback import FALLBACK_PASSAGES, fallback_answer
from kofinlaw.rag.answer.journal import EvidenceRow, Journal, Timing, Turn
from kofinlaw.rag.answer_settings import AnswerSettings
from kofinlaw.rag.choosing.weights_file import weights_of
from kofinlaw.rag.questions.question_files import QuestionFile
from kofinlaw.rag.questions.submission import read_sheet, write_submission
from kofinlaw.rag.retrieve.evidence import Hit, Searcher
from kofinlaw.records import Answer

__all__ = ["SUBMISSION_SECONDS", "AnswerBook", "AnsweringResult"]

SUBMISSION_SECONDS = 1.0  # the submission on disk is at most this old, and always complete


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
        """Return all figures in one level: `plan_full` for a plan, an event by its own name."""
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


class AnswerBook:
    """The questions of a run with all that is known about them; the journal has the same on disk.

    Questions are given by their position in the file. `evidence_tokens` is the most tokens of
    evidence in a prompt, 0 for the model without evidence.
    """

    def __init__(
        self, file: QuestionFile, journal: Journal, settings: AnswerSettings, evidence_tokens: int
    ) -> None:
        self.file = file
        self.questions = file.questions
        self.journal = journal
        self.settings = settings
        self.evidence_tokens = evidence_tokens
        self.weights = weights_of(settings) if settings.choose_by == "contrast" else None
        self.answers: dict[str, Answer] = {}
        self._hits: list[list[Hit] | None] = [None] * len(file.questions)
        self._judgements: dict[str, Judgement] = {}
        self._fallbacks = [fallback_answer(question, ()) for question in file.questions]
        self._efforts: dict[tuple[int, str], float] = {}
        self._last_submission = float("-inf")
        # Read once: a later change of the sample must not end the run.
        self._sheet = read_sheet(file, settings.sample_submission)

    # -- evidence

    def restore_evidence(
        self, searcher: Searcher, known: Mapping[str, Sequence[EvidenceRow]]
    ) -> None:
        """Take the evidence that this run's journal holds, by question id."""
        self._judgements |= self.journal.read_judgements()
        for position, question in enumerate(self.questions):
            if question.id in known:
                # A damaged id of a passage: the question is searched again.
                with contextlib.suppress(UserError, KeyError):
                    self._set_evidence(position, _hits(searcher, known[question.id]))

    def copy_evidence(
        self,
        searcher: Searcher,
        known: Mapping[str, Sequence[EvidenceRow]],
        judgements: Mapping[str, Judgement],
    ) -> None:
        """Take the evidence that another run's journal holds, and record it in this one's too."""
        for position, question in enumerate(self.questions):
            if question.id in known and not self.searched(position):
                hits = _hits(searcher, known[question.id])
                self.add_evidence(position, hits, 0.0, judgements.get(question.id))

    def add_evidence(
        self,
        position: int,
        hits: list[Hit],
        seconds: float,
        judgement: Judgement | None = None,
    ) -> None:
        """Record what a search has found, the question's share of its seconds, and the judgement
        whether the index bears on the question.
        """
        identity = self.questions[position].id
        self._set_evidence(position, hits)
        if judgement is not None:
            self._judgements[identity] = judgement
        self.journal.record_evidence(identity, hits, judgement)
        if identity in self.answers:  # its evidence was lost: the answer names its passages again
            self.answers[identity] = self.combined(position) or self.answers[identity]
        seconds = round(seconds, 6)
        self.journal.record_timing(Timing(identity, seconds, 0.0, 0.0, seconds, 0, ""))

    def refusal(self, position: int) -> Judgement | None:
        """Return why a question is refused; None if it is answered.

        A choice is always answered, because a submission has an option for each.
        """
        question = self.questions[position]
        judgement = self._judgements.get(question.id)
        refused = not question.options and abstains(judgement, question, self.settings.abstain)
        return judgement if refused else None

    def refuse(self, task: Task, plan: str, judgement: Judgement) -> None:
        """Record that a question is refused, with the sentence that says so."""
        identity = self.questions[task.position].id
        turn = Turn(
            identity, task.turn, plan, 0, 0, 0, text=judgement.text, abstained=judgement.reason
        )
        self.record(task, turn)

    def searched(self, position: int) -> bool:
        """Return whether the evidence of a question is known, even if there is none."""
        return self._hits[position] is not None

    def hits(self, position: int) -> list[Hit]:
        """Return the evidence of a question, best first; empty while it is not known."""
        return self._hits[position] or []

    def _set_evidence(self, position: int, hits: list[Hit]) -> None:
        self._hits[position] = hits
        self._fallbacks[position] = fallback_answer(
            self.questions[position],
            [hit.chunk.text for hit in hits[:FALLBACK_PASSAGES]],
            [hit.chunk.id for hit in hits],
            max_characters=self.settings.free_max_characters,
        )
        for key in [key for key in self._efforts if key[0] == position]:
            del self._efforts[key]

    # -- effort and turns

    def effort(self, tasks: Sequence[Task], plan: Plan) -> dict[QuestionKind, float]:
        """Return the effort (in prompt tokens) of the tasks that are not recorded yet, by kind."""
        effort: dict[QuestionKind, float] = {}
        for task in tasks:
            if not self.recorded([task]):
                effort[task.kind] = effort.get(task.kind, 0.0) + self.task_effort(task, plan)
        return effort

    def task_effort(self, task: Task, plan: Plan) -> float:
        """Return the effort of one task in prompt tokens, recorded or not."""
        key = (task.position, plan.name)
        if key not in self._efforts:
            self._efforts[key] = task_effort(
                self.questions[task.position],
                self._hits[task.position],
                plan,
                self.settings,
                self.evidence_tokens,
            )
        return self._efforts[key]

    def recorded(self, tasks: Sequence[Task]) -> bool:
        """Return whether all of the tasks are recorded."""
        return all(self.turn(task) is not None for task in tasks)

    def turn(self, task: Task) -> Turn | None:
        """Return the record of a task."""
        return self.journal.turns.get((self.questions[task.position].id, task.turn))

    def record(self, task: Task, turn: Turn) -> None:
        """Record a turn, and the answer where it changes."""
        if not self.journal.record_turn(turn):
            return
        answer = self.combined(task.position)
        if answer is not None and answer != self.answers.get(answer.id):
            self.answers[answer.id] = answer
            self.journal.record_answer(answer)

    def give_up(self, task: Task, plan: str, reason: str) -> None:
        """Record that a task gave no result, and why."""
        identity = self.questions[task.position].id
        self.record(task, Turn(identity, task.turn, plan, 0, 0, 0, failed=reason))

    # -- answers

    def combined(self, position: int, *, before: int | None = None) -> Answer | None:
        """Return the answer that the turns so far give (those before turn `before`);
        None without any.
        """
        question = self.questions[position]
        last = turns_of(question, self.settings) if before is None else before
        turns = [
            turn
            for number in range(last)
            if (turn := self.journal.turns.get((question.id, number))) is not None
        ]
        return combine(
            question,
            turns,
            [hit.chunk.id for hit in self.hits(position)],
            target_characters=self.settings.target_characters,
        )

    def restore_answers(self) -> None:
        """Take the answers that the journal's turns give."""
        for position, question in enumerate(self.questions):
            found = self.combined(position)
            if found is not None:
                self.answers[question.id] = found
        self.journal.rewrite_answers(
            self.answers[q.id] for q in self.questions if q.id in self.answers
        )

    def all_answers(self) -> list[Answer]:
        """Return one answer for each question: the model's, or the fallback until there is one."""
        return [
            self.answers.get(question.id, fallback)
            for question, fallback in zip(self.questions, self._fallbacks, strict=True)
        ]

    def submit(self, now: float, *, force: bool = False) -> None:
        """Write the complete submission, at most once a second unless forced (`now` in seconds)."""
        if not force and now - self._last_submission < SUBMISSION_SECONDS:
            return
        self._last_submission = now
        write_submission(
            self.journal.out / "submission.csv",
            self._sheet,
            {answer.id: answer.answer for answer in self.all_answers()},
        )

    def result(
        self, timings: Sequence[Timing], budget: TimeBudget, events: Mapping[str, int]
    ) -> AnsweringResult:
        """Return the figures of the run; `timings` are one for each question."""
        answers = self.all_answers()
        totals = sorted(timing.total for timing in timings) or [0.0]
        plans = Counter(turn.plan for turn in self.journal.turns.values() if turn.turn == 0)
        replaced = sum(bool(turn.replaced) for turn in self.journal.turns.values())
        refused = sum(answer.origin == "abstention" for answer in answers)
        own = {"free_text_replaced": replaced, "abstained": refused}
        happened = {**events, **{name: count for name, count in own.items() if count}}
        return AnsweringResult(
            questions=len(answers),
            choice=sum(bool(question.options) for question in self.questions),
            free=sum(not question.options for question in self.questions),
            fallback=sum(answer.origin == "fallback" for answer in answers),
            turns=len(self.journal.turns),
            tokens=sum(answer.tokens for answer in answers),
            seconds_used=round(budget.used(), 3),
            budget_seconds=budget.seconds,
            seconds_p50=round(totals[len(totals) // 2], 4),
            seconds_p95=round(totals[min(len(totals) - 1, int(0.95 * len(totals)))], 4),
            plans={plan.name: plans[plan.name] for plan in PLANS},
            events=dict(sorted(happened.items())),
        )


def _hits(searcher: Searcher, rows: Sequence[EvidenceRow]) -> list[Hit]:
    chunks = searcher.chunks([row["chunk"] for row in rows])
    return [
        Hit(chunk, row["score"], tuple(row["by"])) for chunk, row in zip(chunks, rows, strict=True)
    ]
