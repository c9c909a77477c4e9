"""What is known of every question at this moment: evidence, turns, the answer that stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kofinlaw.rag.answer.agreement import combine
from kofinlaw.rag.answer.batches import Task, task_work, turns_of
from kofinlaw.rag.answer.deadline import Kind, Plan
from kofinlaw.rag.answer.fallback import fallback_answer
from kofinlaw.rag.answer.journal import Journal, Timing, Turn
from kofinlaw.rag.answer_settings import AnswerSettings
from kofinlaw.rag.questions.question_files import QuestionFile
from kofinlaw.rag.questions.submission import read_sheet, write_submission
from kofinlaw.rag.retrieve.evidence import Hit, Searcher
from kofinlaw.records import Answer

FALLBACK_PASSAGES = 3
SUBMISSION_SECONDS = 1.0  # the file on disk is at most this old, and always whole


class AnswerBook:
    """The questions of a run with all that is known about them; the journal holds the same on disk.

    `evidence_tokens` is 0 for the model alone.
    """

    def __init__(
        self, file: QuestionFile, journal: Journal, settings: AnswerSettings, evidence_tokens: int
    ) -> None:
        self.file = file
        self.questions = file.questions
        self.journal = journal
        self.settings = settings
        self.evidence_tokens = evidence_tokens
        self.answers: dict[str, Answer] = {}
        self._hits: list[list[Hit] | None] = [None] * len(file.questions)
        self._fallbacks = [fallback_answer(question, ()) for question in file.questions]
        self._works: dict[tuple[int, str], float] = {}
        self._last_submission = float("-inf")
        # Read once: what becomes of the sample meanwhile must not end the run.
        self._sheet = read_sheet(file, settings.sample_submission)

    # -- evidence

    def restore_evidence(
        self, searcher: Searcher, known: Mapping[str, Sequence[Mapping[str, Any]]]
    ) -> None:
        """The evidence that this run's journal holds, by question id."""
        for place, question in enumerate(self.questions):
            if question.id in known:
                self._set_evidence(place, _hits(searcher, known[question.id]))

    def copy_evidence(
        self, searcher: Searcher, known: Mapping[str, Sequence[Mapping[str, Any]]]
    ) -> None:
        """The evidence that another run's journal holds, into this one's too."""
        for place, question in enumerate(self.questions):
            if question.id in known and not self.searched(place):
                self.add_evidence(place, _hits(searcher, known[question.id]), 0.0)

    def add_evidence(self, place: int, hits: list[Hit], seconds: float) -> None:
        """What a search has just found, and its share of the search's seconds."""
        identity = self.questions[place].id
        self._set_evidence(place, hits)
        self.journal.add_evidence(identity, hits)
        seconds = round(seconds, 6)
        self.journal.time(Timing(identity, seconds, 0.0, 0.0, seconds, 0, ""))

    def searched(self, place: int) -> bool:
        """Whether the evidence of a question is known, be it none."""
        return self._hits[place] is not None

    def hits(self, place: int) -> list[Hit]:
        """The evidence of a question, best first; empty while it is not known."""
        return self._hits[place] or []

    def _set_evidence(self, place: int, hits: list[Hit]) -> None:
        self._hits[place] = hits
        self._fallbacks[place] = fallback_answer(
            self.questions[place],
            [hit.chunk.text for hit in hits[:FALLBACK_PASSAGES]],
            [hit.chunk.id for hit in hits],
            most_characters=self.settings.free_max_characters,
        )
        for key in [key for key in self._works if key[0] == place]:
            del self._works[key]

    # -- work and turns

    def work(self, tasks: Sequence[Task], plan: Plan) -> dict[Kind, float]:
        """Work of the tasks that are not recorded yet, by kind."""
        work: dict[Kind, float] = {}
        for task in tasks:
            if not self.recorded([task]):
                work[task.kind] = work.get(task.kind, 0.0) + self.task_work(task, plan)
        return work

    def task_work(self, task: Task, plan: Plan) -> float:
        """Work of one pass, recorded or not."""
        key = (task.place, plan.name)
        if key not in self._works:
            self._works[key] = task_work(
                self.questions[task.place],
                self._hits[task.place],
                plan,
                self.settings,
                self.evidence_tokens,
            )
        return self._works[key]

    def recorded(self, tasks: Sequence[Task]) -> bool:
        """Whether all of the tasks are written down."""
        return all(self.turn(task) is not None for task in tasks)

    def turn(self, task: Task) -> Turn | None:
        """The record of a task."""
        return self.journal.turns.get((self.questions[task.place].id, task.turn))

    def record(self, task: Task, turn: Turn) -> None:
        """Write a turn down, and the answer where it changes with it."""
        if not self.journal.record(turn):
            return
        answer = self.combined(task.place)
        if answer is not None and answer != self.answers.get(answer.id):
            self.answers[answer.id] = answer
            self.journal.answer(answer)

    def give_up(self, task: Task, plan: str, reason: str) -> None:
        """Write down that a task brought nothing, and why."""
        identity = self.questions[task.place].id
        self.record(task, Turn(identity, task.turn, plan, 0, 0, 0, failed=reason))

    # -- answers

    def combined(self, place: int, *, before: int | None = None) -> Answer | None:
        """The answer that the turns so far give (those before turn `before`); None for none."""
        question = self.questions[place]
        last = turns_of(question, self.settings) if before is None else before
        turns = [
            turn
            for number in range(last)
            if (turn := self.journal.turns.get((question.id, number))) is not None
        ]
        return combine(
            question,
            turns,
            [hit.chunk.id for hit in self.hits(place)],
            target_characters=self.settings.target_characters,
        )

    def restore_answers(self) -> None:
        """The answers that the journal's turns give."""
        for place, question in enumerate(self.questions):
            found = self.combined(place)
            if found is not None:
                self.answers[question.id] = found
        self.journal.start_answers(
            self.answers[q.id] for q in self.questions if q.id in self.answers
        )

    def all_answers(self) -> list[Answer]:
        """One answer a question: the model's, or the fallback that stands until there is one."""
        return [
            self.answers.get(question.id, fallback)
            for question, fallback in zip(self.questions, self._fallbacks, strict=True)
        ]

    def submit(self, now: float, *, force: bool = False) -> None:
        """Write the submission whole, at most once a second unless forced."""
        if not force and now - self._last_submission < SUBMISSION_SECONDS:
            return
        self._last_submission = now
        write_submission(
            self.journal.out / "submission.csv",
            self._sheet,
            {answer.id: answer.answer for answer in self.all_answers()},
        )


def _hits(searcher: Searcher, rows: Sequence[Mapping[str, Any]]) -> list[Hit]:
    chunks = searcher.chunks([row["chunk"] for row in rows])
    return [
        Hit(chunk, row["score"], tuple(row["by"])) for chunk, row in zip(chunks, rows, strict=True)
    ]
