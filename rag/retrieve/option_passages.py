"""Search each option alone, because options may come from several articles."""

from __future__ import annotations

from collections.abc import Sequence

from kofinlaw.rag.fusion import Fused
from kofinlaw.rag.retrieve.evidence import Hit
from kofinlaw.rag.retrieve.lists import ScopedQuery
from kofinlaw.rag.retrieve.query_forms import queries_of
from kofinlaw.rag.retrieve.scope import Scope
from kofinlaw.records import Chunk, Question

__all__ = ["add_passages", "option_queries"]


def option_queries(questions: Sequence[Question], scopes: Sequence[Scope]) -> list[ScopedQuery]:
    """Return one query for each option of each question: its stem and the option.

    `position` is the index of the question. A question without options has no query.
    """
    return [
        ScopedQuery(position, query, scope)
        for position, (question, scope) in enumerate(zip(questions, scopes, strict=True))
        if question.options
        for query in queries_of(question, ("per_option",))
    ]


def add_passages(hits: list[Hit], found: Sequence[Fused], chunks: Sequence[Chunk]) -> None:
    """Append the passages that the hits do not have yet, with the score 0 like all added ones."""
    present = {hit.chunk.id for hit in hits}
    for row, _, by in found:
        chunk = chunks[row]
        if chunk.id not in present:
            present.add(chunk.id)
            hits.append(Hit(chunk, 0.0, by))
