"""Define the interface between retrieval and answering: the searcher and the hits it returns."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from kofinlaw.models.engines.base import Engine
from kofinlaw.models.templates import ChatTemplate
from kofinlaw.rag.abstention.decision import Judgement
from kofinlaw.rag.answer_settings import AbstainMode
from kofinlaw.rag.retrieve.in_force import AbsentAct
from kofinlaw.rag.search_limits import SearchLimits, current_limits, limit_search
from kofinlaw.rag.settings import RagSettings
from kofinlaw.records import Chunk, Question
from kofinlaw.tracing import Tracer, annotate_span, child_span

__all__ = ["Hit", "Searcher", "judge_questions", "search_questions", "trace_records"]


@dataclass(frozen=True, slots=True)
class Hit:
    """A retrieved passage, its fused score (no unit) and the retrievers that found it."""

    chunk: Chunk
    score: float
    by: tuple[str, ...]


class Searcher(Protocol):
    """Finds passages for questions. `Retriever` is the implementation over an index.

    `fingerprint` is equal for equal index and settings.
    """

    settings: RagSettings

    @property
    def fingerprint(self) -> str:
        """Hexadecimal hash, equal for an equal index and settings."""
        ...

    @property
    def needs_model(self) -> tuple[str, ...]:
        """The features that need a model (see `with_model`); empty where no feature needs one."""
        ...

    def with_model(self, engine: Engine, template: ChatTemplate) -> Searcher:
        """Return the same searcher, which asks this model where its settings say so."""
        ...

    def search(
        self,
        questions: Sequence[Question],
        *,
        as_of: Sequence[datetime.date | None] | None = None,
        rerank: bool = True,
    ) -> list[list[Hit]]:
        """Return passages of each question, best first, in force on its day where one is given."""
        ...

    def absent(self, question: Question) -> tuple[AbsentAct, ...]:
        """Return the acts that the question is about and that have no text on the day it names."""
        ...

    def judge(self, questions: Sequence[Question]) -> list[Judgement | None]:
        """Return whether the index bears on each question; None where that cannot be judged."""
        ...

    def chunks(self, ids: Sequence[str]) -> list[Chunk]:
        """Return the chunks of these ids, in order."""
        ...


def search_questions(
    searcher: Searcher,
    questions: Sequence[Question],
    *,
    rerank: bool = True,
    tracer: Tracer | None = None,
) -> list[list[Hit]]:
    """Return the passages of each question, each on the day that the question itself names, if any.

    The search is traced as `retrieval`, by `tracer` or within the span that is open. Where the
    index has a server that does not answer, the index folder may be searched instead (a warning and
    the limits of the search say so).
    """
    days = [datetime.date.fromisoformat(q.as_of) if q.as_of else None for q in questions]
    span_of = child_span if tracer is None else tracer.span
    limits = current_limits() or SearchLimits()
    with limit_search(limits), span_of("retrieval", data_source="index") as span:
        hits = searcher.search(questions, as_of=days if any(days) else None, rerank=rerank)
        if limits.searched_locally:
            span.set(searched_locally=True)
        for question, found in zip(questions, hits, strict=True):
            day = question.as_of or None
            documents = trace_records(found)
            span.item(question.id, query=question.question, as_of=day, documents=documents)
    return hits


def judge_questions(
    searcher: Searcher | None, questions: Sequence[Question], mode: AbstainMode
) -> list[Judgement | None]:
    """Return the judgement on each question; None for all without a searcher or under `never`.

    That of one question is noted in the span that is open.
    """
    if searcher is None or mode == "never":
        return [None] * len(questions)
    found = searcher.judge(questions)
    if len(found) == 1 and (one := found[0]) is not None:
        annotate_span(judgement=one.reason, score=one.score, floor=one.floor)
    return found


def trace_records(hits: Sequence[Hit]) -> list[dict[str, str | float]]:
    """Return the hits as a trace records them: id, score and retrievers, best first."""
    return [{"id": hit.chunk.id, "score": hit.score, "by": ", ".join(hit.by)} for hit in hits]
