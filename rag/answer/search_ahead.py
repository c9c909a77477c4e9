"""Search evidence for later questions while the model answers earlier ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kofinlaw import UserError
from kofinlaw.rag.abstention.decision import Judgement
from kofinlaw.rag.answer.deadline import TimeBudget
from kofinlaw.rag.answer.run_context import RunContext
from kofinlaw.rag.answer.watchdog import Caller, Overdue, Pending
from kofinlaw.rag.answer_settings import AbstainMode
from kofinlaw.rag.retrieve.evidence import Hit, Searcher, judge_questions, search_questions
from kofinlaw.rag.search_limits import SearchLimits, limit_search
from kofinlaw.records import Question

__all__ = ["FoundEvidence", "ModelLoan", "SearchAhead"]


@dataclass(frozen=True)
class FoundEvidence:
    """The hits of a slice of questions, in order, and the seconds that the search took.

    `judgements` say whether the index bears on each free-text question; None for a choice, and
    where nobody judges.
    """

    hits: list[list[Hit]]
    seconds: float
    judgements: list[Judgement | None]


@dataclass(frozen=True)
class ModelLoan:
    """The model that a search borrows, because it asks the answering model itself.

    `with_model` returns the searcher with the engine that runs now; `on_stall` is called when its
    call hangs.
    """

    with_model: Callable[[Searcher], Searcher]
    on_stall: Callable[[], None]


class SearchAhead:
    """Searches slices of questions in order, in a thread next to the engine's.

    The hits of a question do not depend on when it is searched, so neither do answers. A search
    that stalls or fails leaves its questions without evidence. `take` waits at most half of the
    time left in all. With a `loan` the search asks the answering model: it then runs in the
    engine's thread, and a slice is searched only when it is taken.

    Args:
        searcher: Finds the passages.
        questions: All questions of the file; slices are positions in it.
        caller: Runs the engine's calls.
        context: Clock and tracer.
        budget: The time left.
        counts: Counts what goes wrong, by name.
        stall_seconds: A search is given up after this.
        abstain: Which questions may be refused; `never`: none is judged.
        loan: The answering model, where the searcher needs it.
    """

    def __init__(
        self,
        searcher: Searcher,
        questions: Sequence[Question],
        caller: Caller,
        context: RunContext,
        budget: TimeBudget,
        counts: Counter[str],
        *,
        stall_seconds: float,
        abstain: AbstainMode = "never",
        loan: ModelLoan | None = None,
    ) -> None:
        self._searcher = searcher
        self._questions = questions
        self._caller = caller if loan else caller.separate()
        self._context = context
        self._budget = budget
        self._counts = counts
        self._stall_seconds = stall_seconds
        self._abstain: AbstainMode = abstain
        self._loan = loan
        self._rerank = True
        self._patience = budget.left() / 2
        self._ends_at = context.clock() + budget.left()  # read in the thread that searches
        self._pending: dict[tuple[int, ...], Pending[FoundEvidence] | None] = {}
        self._given_up = False
        self._searched = 0
        self._seconds = 0.0

    def start(self, slices: Sequence[Sequence[int]]) -> None:
        """Start to search all slices (positions of questions), in this order."""
        for positions in map(tuple, slices):
            started = None if self._loan else self._caller.start(self._search(positions))
            self._pending[positions] = started

    def take(self, positions: Sequence[int]) -> FoundEvidence | None:
        """Return the evidence found for a slice, after waiting if necessary; None if there is none.

        Raises UserError where the search does: the user has to fix a broken index.
        """
        positions = tuple(positions)
        if positions not in self._pending:
            return None
        pending = self._pending.pop(positions)
        if self._given_up and not (pending and pending.done()):
            return None
        before = self._context.clock()
        try:
            if self._loan is not None:
                self._searcher = self._loan.with_model(self._searcher)
            pending = pending or self._caller.start(self._search(positions))
            limit = min(self._patience, self._stall_seconds, self._budget.left())
            return pending.result(max(0.0, limit))
        except UserError:
            raise
        except Overdue:
            self._given_up = True
            self._counts["search_stalls"] += 1
            if self._loan is not None:
                self._loan.on_stall()
        except Exception:
            self._counts["search_failures"] += 1
        finally:
            self._patience -= max(0.0, self._context.clock() - before)
        return None

    def not_taken(self) -> list[tuple[int, ...]]:
        """Return the slices that nobody has taken."""
        return list(self._pending)

    def seconds_left(self) -> float:
        """Return how long the search still takes, by the mean of what is done
        (0 before anything is).
        """
        if self._given_up:
            return 0.0
        left = sum(
            len(positions)
            for positions, call in self._pending.items()
            if not (call and call.done())
        )
        return left * self._seconds / max(self._searched, 1)

    def skip_reranker(self) -> None:
        """Leave the reranker out from now on, where there is one."""
        if self._rerank and self._searcher.settings.reranker != "none":
            self._rerank = False
            self._counts["reranker_left_out"] = 1
            self._searched, self._seconds = 0, 0.0

    def _seconds_for(self, started: float) -> float:
        """Return how long a search that started then may still take."""
        now = self._context.clock()
        return min(started + self._stall_seconds, self._ends_at) - now

    def _search(self, positions: tuple[int, ...]) -> Callable[[], FoundEvidence]:
        def search() -> FoundEvidence:
            if self._given_up:
                raise Overdue("given up")
            questions = [self._questions[position] for position in positions]
            before = self._context.clock()
            with limit_search(SearchLimits(lambda: self._seconds_for(before))) as limits:
                hits = search_questions(
                    self._searcher, questions, rerank=self._rerank, tracer=self._context.tracer
                )
            if limits.searched_locally:
                self._counts["searched_locally"] += len(positions)
            free = [one for one in questions if not one.options]  # choices are always answered
            judged = iter(judge_questions(self._searcher, free, self._abstain) if free else [])
            judgements = [None if one.options else next(judged) for one in questions]
            seconds = max(0.0, self._context.clock() - before)
            self._searched += len(positions)
            self._seconds += seconds
            return FoundEvidence(hits, seconds, judgements)

        return search
