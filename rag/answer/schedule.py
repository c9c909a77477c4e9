"""Decide which batch is next and by which plan: by the time left, or as an earlier run did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.files import read_jsonl
from kofinlaw.rag.answer.answer_book import AnswerBook
from kofinlaw.rag.answer.batches import Task, is_scored, turns_of
from kofinlaw.rag.answer.deadline import (
    FULL,
    PLANS,
    QUARTER,
    Costs,
    Plan,
    QuestionKind,
    TimeBudget,
    choose_plan,
)
from kofinlaw.rag.answer.journal import Turn
from kofinlaw.rag.answer.search_ahead import SearchAhead
from kofinlaw.rag.answer_settings import AnswerSettings
from kofinlaw.records import Question

__all__ = ["Recorded", "Replay", "Schedule", "Step", "read_plan", "spare_batches"]

# A batch and the plan by which it is answered.
Step = tuple[list[Task], Plan]
# Recorded turns by question id and turn number.
Recorded = Mapping[tuple[str, int], Turn]


@dataclass
class Schedule:
    """Chooses, before each batch, the best plan by which all remaining questions still fit.

    `plans` are those that differ for this recipe, best first; `search` is the search for evidence
    that still runs, if any.
    """

    book: AnswerBook
    budget: TimeBudget
    costs: Costs
    plans: Sequence[Plan]
    search: SearchAhead | None = None

    def first(self, batch: list[Task], rest: Sequence[Task]) -> list[Step] | None:
        """Return how to answer a batch of first turns when `rest` (the batch included) remains.

        None when there is no time at all.
        """
        plan = self._choose(rest, self.plans)
        if plan is None:
            return None
        if self.search is not None and not self._fits_with_search(rest):
            self.search.skip_reranker()
        return [(batch, self._plan_before(batch) or plan)]

    def spare(self, batch: list[Task]) -> list[Step] | None:
        """Return how to answer a batch of later turns; None when it does not fit under the full
        plan.
        """
        if self._choose(batch, (FULL, PLANS[-1])) is not FULL:
            return None
        return [(batch, FULL)]

    def _choose(self, tasks: Sequence[Task], plans: Sequence[Plan]) -> Plan | None:
        return choose_plan(
            self.costs,
            self.budget.left(),
            lambda plan: self.book.effort(tasks, plan),
            plans=plans,
            other_seconds=self._search_seconds(),
        )

    def _search_seconds(self) -> float:
        return 0.0 if self.search is None else self.search.seconds_left()

    def _fits_with_search(self, rest: Sequence[Task]) -> bool:
        """Return whether a small context fits: the reranker is skipped before evidence is left
        out.
        """
        if self._search_seconds() == 0.0:
            return True
        return self._choose(rest, (QUARTER, PLANS[-1])) is QUARTER

    def _plan_before(self, batch: Sequence[Task]) -> Plan | None:
        """Return the plan of a batch that a kill left half recorded:
        the batch is repeated as it was.

        The best plan of its tasks, because some may have stepped down alone.
        """
        names = [turn.plan for task in batch if (turn := self.book.turn(task)) is not None]
        return next((plan for plan in PLANS if plan.name in names), None)


@dataclass
class Replay:
    """Follows a recorded plan: the same turns by the same plans, however long they take."""

    book: AnswerBook
    recorded: Recorded

    def first(self, batch: list[Task], rest: Sequence[Task]) -> list[Step] | None:
        """Return the batch as it was recorded, split by plan.

        What failed then is marked as failed.
        """
        steps: dict[str, list[Task]] = {}
        for task in batch:
            turn = self.recorded.get((self.book.questions[task.position].id, task.turn))
            if turn is None:
                continue
            if turn.failed:
                self.book.give_up(task, turn.plan, turn.failed)
            else:
                steps.setdefault(turn.plan, []).append(task)
        return [(steps[plan.name], plan) for plan in PLANS if plan.name in steps]

    def spare(self, batch: list[Task]) -> list[Step] | None:
        """See `first`."""
        return self.first(batch, batch)


def read_plan(path: Path, ids: Sequence[str]) -> Recorded:
    """Return the turns of a `plan.jsonl` over the questions `ids`.

    Raises UserError where the file does not exist or is of other questions.
    """
    if not path.is_file():
        raise UserError(
            "the plan does not exist",
            where=str(path),
            remedy="name the plan.jsonl of an answer folder",
        )
    turns = {(turn.id, turn.turn): turn for turn in read_jsonl(path, Turn)}
    other = next((identity for identity, _ in turns if identity not in set(ids)), None)
    if other is not None:
        raise UserError(
            f"the plan is of other questions: it has `{other}`",
            where=str(path),
            remedy="replay a plan on the questions it was recorded with",
        )
    return turns


def spare_batches(book: AnswerBook, turn: int) -> Iterator[list[Task]]:
    """Yield the batches of one later turn: free text first (it weighs more), least confident first.

    All orders of a scored choice are in one batch, with turn 1: an engine then reads the text
    before the options once. Batches depend on earlier turns only, so that a run that was killed
    makes the same ones.
    """
    found: dict[QuestionKind, list[tuple[float, int]]] = {"free": [], "choice": []}
    for position, question in enumerate(book.questions):
        answer = book.combined(position, before=turn)
        if answer is None or answer.origin == "abstention":
            continue
        if _spare_turns(question, turn, book.settings):
            kind: QuestionKind = "choice" if question.options else "free"
            found[kind].append((answer.confidence, position))
    for kind, candidates in found.items():
        batch: list[Task] = []
        for _, position in sorted(candidates):
            turns = _spare_turns(book.questions[position], turn, book.settings)
            if batch and len(batch) + len(turns) > book.settings.batch_questions:
                yield batch
                batch = []
            batch = [*batch, *(Task(position, each, kind) for each in turns)]
        if batch:
            yield batch


def _spare_turns(question: Question, turn: int, settings: AnswerSettings) -> range:
    """Return the turns of a question that are taken together with this one."""
    last = turns_of(question, settings)
    if is_scored(question, settings):
        return range(1, last) if turn == 1 else range(0)
    return range(turn, min(turn + 1, last))
