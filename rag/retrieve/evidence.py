"""What a retriever is to the answering loop, and the hits it gives."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from kofinlaw.models.engines.base import Engine
from kofinlaw.models.templates import ChatTemplate
from kofinlaw.rag.retrieve.in_force import Absent
from kofinlaw.rag.settings import RagSettings
from kofinlaw.records import Chunk, Question
from kofinlaw.tracing import Tracer, child_span


@dataclass(frozen=True, slots=True)
class Hit:
    """A retrieved passage, its fused score and the retrievers that found it."""

    chunk: Chunk
    score: float
    by: tuple[str, ...]


class Searcher(Protocol):
    """Finds passages. `fingerprint` tells one index and setting from another."""

    settings: RagSettings

    @property
    def fingerprint(self) -> str:
        """Hexadecimal; equal for equal index and settings."""
        ...

    @property
    def needs_model(self) -> tuple[str, ...]:
        """What it can only do with a model (see `with_model`); empty where nothing is missing."""
        ...

    def with_model(self, engine: Engine, template: ChatTemplate) -> Searcher:
        """The same searcher, which asks this model where its settings say so."""
        ...

    def search(
        self,
        questions: Sequence[Question],
        *,
        as_of: Sequence[datetime.date | None] | None = None,
        rerank: bool = True,
    ) -> list[list[Hit]]:
        """Passages of each question, best first, in force on its day where one is given."""
        ...

    def absent(self, question: Question) -> tuple[Absent, ...]:
        """Acts that the question is about, without a text of the day it names."""
        ...

    def chunks(self, ids: Sequence[str]) -> list[Chunk]:
        """The chunks of these ids, in order."""
        ...


def search_as_asked(
    searcher: Searcher,
    questions: Sequence[Question],
    *,
    rerank: bool = True,
    tracer: Tracer | None = None,
) -> list[list[Hit]]:
    """Passages of each question, on the day that the question itself names, if any.

    Traced by `tracer`, else within the span that is open, as `retrieval`.
    """
    days = [datetime.date.fromisoformat(q.as_of) if q.as_of else None for q in questions]
    span_of = child_span if tracer is None else tracer.span
    with span_of("retrieval", data_source="index") as span:
        hits = searcher.search(questions, as_of=days if any(days) else None, rerank=rerank)
        for question, found in zip(questions, hits, strict=True):
            day = question.as_of or None
            span.item(question.id, query=question.question, as_of=day, documents=traced(found))
    return hits


def traced(hits: Sequence[Hit]) -> list[dict[str, Any]]:
    """The hits as a trace holds them: id, score and who found it, best first."""
    return [{"id": hit.chunk.id, "score": hit.score, "by": ", ".join(hit.by)} for hit in hits]
