"""Evidence for later questions, searched for while the model answers earlier ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kofinlaw import UserError
from kofinlaw.rag.answer.run_context import RunContext
from kofinlaw.rag.answer.watchdog import Caller, Overdue, Pending
from kofinlaw.rag.retrieve.evidence import Hit, Searcher, search_questions
from kofinlaw.records import Question


@dataclass(frozen=True)
class Found:
    """The hits of a slice of questions, in order, and the seconds the search took."""

    hits: list[list[Hit]]
    seconds: float


class SearchAhead:
    """Searches slices of questions in order, in a thread beside the engine's.

    Hits of a question do not depend on when it is searched, so neither do answers. What stalls or
    fails leaves its questions without evidence; `left` says how many seconds there are, of which
    the caller is kept waiting at most half in all. A search that asks the engine's model itself
    (`with_model` then returns it with the engine) runs in the engine's thread, each slice only when
    it is asked for; `stalled` is called when that hangs.
    """

    def __init__(
        self,
        searcher: Searcher,
        questions: Sequence[Question],
        caller: Caller,
        context: RunContext,
        counts: Counter[str],
        *,
        stall_seconds: float,
        left: Callable[[], float],
        with_model: Callable[[Searcher], Searcher] | None = None,
        stalled: Callable[[], None] | None = None,
    ) -> None:
        self._searcher = searcher
        self._questions = questions
        self._caller = caller if with_model else caller.beside()
        self._with_model = with_model
        self._stalled = stalled
        self._rerank = True
        self._clock = context.clock
        self._counts = counts
        self._stall_seconds = stall_seconds
        self._left = left
        self._patience = left() / 2
        self._tracer = context.tracer
        self._pending: dict[tuple[int, ...], Pending[Found] | None] = {}
        self._given_up = False
        self._searched = 0
        self._seconds = 0.0

    def begin(self, slices: Sequence[Sequence[int]]) -> None:
        """Start on all slices (places of questions), first things first."""
        for places in map(tuple, slices):
            begun = None if self._with_model else self._caller.start(self._search(places))
            self._pending[places] = begun

    def take(self, places: Sequence[int]) -> Found | None:
        """What was found for a slice, waited for if need be; None where there is nothing to have.

        Raises UserError where the search does: a broken index is the person's to mend.
        """
        places = tuple(places)
        if places not in self._pending:
            return None
        pending = self._pending.pop(places)
        if self._given_up and not (pending and pending.done()):
            return None
        before = self._clock()
        try:
            if self._with_model is not None:
                self._searcher = self._with_model(self._searcher)
            pending = pending or self._caller.start(self._search(places))
            return pending.result(max(0.0, min(self._patience, self._stall_seconds, self._left())))
        except UserError:
            raise
        except Overdue:
            self._given_up = True
            self._counts["search_stalls"] += 1
            if self._stalled is not None:
                self._stalled()
        except Exception:
            self._counts["search_failures"] += 1
        finally:
            self._patience -= max(0.0, self._clock() - before)
        return None

    def waiting(self) -> list[tuple[int, ...]]:
        """The slices nobody has taken."""
        return list(self._pending)

    def seconds_left(self) -> float:
        """How long the search still takes, by the mean of what is done (0 before anything is)."""
        if self._given_up:
            return 0.0
        left = sum(
            len(places) for places, call in self._pending.items() if not (call and call.done())
        )
        return left * self._seconds / max(self._searched, 1)

    def hurry(self) -> None:
        """Leave the reranker out from here on, where there is one."""
        if self._rerank and self._searcher.settings.reranker != "none":
            self._rerank = False
            self._counts["reranker_left_out"] = 1
            self._searched, self._seconds = 0, 0.0

    def _search(self, places: tuple[int, ...]) -> Callable[[], Found]:
        def search() -> Found:
            if self._given_up:
                raise Overdue("given up")
            questions = [self._questions[place] for place in places]
            before = self._clock()
            hits = search_questions(
                self._searcher, questions, rerank=self._rerank, tracer=self._tracer
            )
            seconds = max(0.0, self._clock() - before)
            self._searched += len(places)
            self._seconds += seconds
            return Found(hits, seconds)

        return search
