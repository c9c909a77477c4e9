"""Questions in, passages out: lexical, dense and citation retrievers fused into one ranking.

queries of a question → a list from each retriever → fusion → reranker → neighbours and
cross-references behind.
"""

from __future__ import annotations

import copy
import datetime
import hashlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kofinlaw import UserError
from kofinlaw.rag.fusion import Ranked
from kofinlaw.rag.index.build import lexical_kinds
from kofinlaw.rag.index.check import check_index
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.index.stores import open_store
from kofinlaw.rag.retrieve.case_votes import vote
from kofinlaw.rag.retrieve.evidence import Hit, traced
from kofinlaw.rag.retrieve.expand import cross_references, neighbours
from kofinlaw.rag.retrieve.in_force import Absent
from kofinlaw.rag.retrieve.priors import Priors
from kofinlaw.rag.retrieve.query_forms import Generate, generate_with, queries_of, write_queries
from kofinlaw.rag.retrieve.ranking import kind_weights, rank
from kofinlaw.rag.retrieve.rerank import Reranker, open_reranker
from kofinlaw.rag.retrieve.scope import Allowed, Days, Scope, Scopes
from kofinlaw.rag.settings import WRITTEN_FORMS, QueryForm, RagSettings
from kofinlaw.records import Chunk, Question
from kofinlaw.tracing import annotate_span, child_span

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kofinlaw.models.embedders import Embedder
    from kofinlaw.models.engines.base import Engine
    from kofinlaw.models.templates import ChatTemplate
    from kofinlaw.rag.index.stores import Found, Store


class Retriever:
    """Searches one index by one recipe's settings.

    A retriever does not change: `with_model` gives a new one, which shares the opened store and
    embedder with this one.

    Args:
        index: The index to search.
        settings: How to search it.
        cache: Folder in which the embedder keeps vectors.
        today: The day whose law is shown where no day is asked for; None: this machine's date.
        generate: Writes queries (forms `multi_query` and `hypothetical`); None: `with_model`
            gives it.
        reranker: Scores (question, passage) pairs; None: the one that the settings name, for
            `llm` that of `with_model`.

    Raises UserError where the index was built without what the settings ask for.
    """

    def __init__(
        self,
        index: Index,
        settings: RagSettings,
        *,
        cache: Path | None = None,
        today: datetime.date | None = None,
        generate: Generate | None = None,
        reranker: Reranker | None = None,
    ) -> None:
        self.index = index
        self.settings = settings
        self._priors = Priors(index)
        self._scopes = Scopes(index, settings, today or datetime.date.today())
        self._backends = _Backends(index, settings, cache)
        self._generate = generate
        self._written: dict[tuple[str, QueryForm], list[str]] = {}
        self._asked_model: set[str] = set()
        check_index(index, settings)
        if reranker is None and settings.reranker != "llm":
            reranker = open_reranker(settings.reranker)
        self._reranker = reranker

    def with_model(self, engine: Engine, template: ChatTemplate) -> Retriever:
        """This retriever with a model that writes queries and reranks where the settings say so."""
        other = copy.copy(self)
        other._written, other._asked_model = {}, set()
        if any(form in WRITTEN_FORMS for form in self.settings.query_forms):
            other._generate = generate_with(engine, template)
        if self.settings.reranker == "llm":
            other._reranker = open_reranker("llm", engine=engine, template=template)
        return other

    @property
    def needs_model(self) -> tuple[str, ...]:
        """What the settings ask for and only `with_model` makes possible; empty: nothing."""
        forms = [form for form in self.settings.query_forms if form in WRITTEN_FORMS]
        out = [f"query form {form}" for form in forms if self._generate is None]
        waits = self.settings.reranker == "llm" and self._reranker is None
        return (*out, *(["reranker llm"] if waits else []))

    @property
    def fingerprint(self) -> str:
        """Hexadecimal; equal for equal index, settings and law in force."""
        text = self.index.fingerprint + self.settings.model_dump_json() + self._scopes.fingerprint
        return hashlib.sha256(text.encode("utf-8")).hexdigest()

    def chunks(self, ids: Sequence[str]) -> list[Chunk]:
        """The chunks of these ids, in order. Raises UserError for an id the index lacks."""
        try:
            return [self.index.chunks[self.index.place_of[identity]] for identity in ids]
        except KeyError as error:
            raise UserError(
                f"the index has no passage {error}", where=str(self.index.folder)
            ) from error

    def search(
        self,
        questions: Sequence[Question],
        *,
        allowed: Allowed | None = None,
        as_of: Days = None,
        rerank: bool = True,
    ) -> list[list[Hit]]:
        """Passages of each question, best first: `k`, then neighbours and cross-references.

        `allowed` gives, for a question, which passages it may find or be led by (bool, by place);
        `as_of` the day whose law is asked for (None: that of the settings, else today's, an act
        that is yet to come into force with its first text; `any`: texts of all days). `rerank`
        False saves the reranker's time.
        """
        scopes = self._scopes.of(questions, allowed, as_of)
        lists = self._lists(questions, scopes)
        reranker = self._reranker if rerank else None
        keep = self.settings.rerank_pool if reranker is not None else self.settings.k
        ranked = [
            self._ranked(question, found, scope)[:keep]
            for question, found, scope in zip(questions, lists, scopes, strict=True)
        ]
        if reranker is not None:
            ranked = self._reranked(questions, ranked, reranker)
        return [self._hits(one, scope.shown) for one, scope in zip(ranked, scopes, strict=True)]

    def absent(self, question: Question) -> tuple[Absent, ...]:
        """Acts that the question's own hits would come from, and of which the index has no text of
        the day that the question or the settings name."""
        asked = datetime.date.fromisoformat(question.as_of) if question.as_of else None
        if (day := asked or self.settings.as_of) is None:
            return ()
        calendar = self._scopes.calendar
        without, first = calendar.without(day)
        if not first:
            return ()
        there = calendar.on(day) | without
        found = self.search([question], allowed=lambda _: there, as_of="any", rerank=False)[0]
        titles = dict.fromkeys(hit.chunk.title for hit in found if hit.score > 0)
        return tuple(Absent(title, first[title]) for title in titles if title in first)

    def lists(
        self,
        questions: Sequence[Question],
        *,
        allowed: Allowed | None = None,
        as_of: Days = None,
    ) -> list[list[Ranked]]:
        """Each retriever's own list for each query form of each question, with its weight."""
        return self._lists(questions, self._scopes.of(questions, allowed, as_of))

    def _lists(self, questions: Sequence[Question], scopes: Sequence[Scope]) -> list[list[Ranked]]:
        self._write(questions)
        asked = [
            (owner, form, query, share)
            for owner, question in enumerate(questions)
            for form, query, share in queries_of(question, self.settings.query_forms, self._written)
        ]
        out: list[list[Ranked]] = [[] for _ in questions]
        if not asked:
            return out
        queries = [query for _, _, query, _ in asked]
        annotate_span(queries=queries, forms=[form for _, form, _, _ in asked])
        shown = [scopes[owner].shown for owner, *_ in asked]
        weights = kind_weights(self.settings)
        pool = self.settings.pool

        def add(kind: str, weight: float, lists: Sequence[Found]) -> None:
            for (owner, form, _, share), found in zip(asked, lists, strict=True):
                out[owner].append(Ranked(f"{kind}:{form}", *found, weight * share))

        kinds = [kind for kind in lexical_kinds(self.settings) if weights[kind]]
        if self._backends.store.fuses and weights["dense"] and len(kinds) == 1:
            lists = self._backends.store.hybrid(
                kinds[0], queries, self._vectors(queries), pool, alpha=self.settings.alpha,
                fusion=self.settings.fusion, masks=shown,
            )  # fmt: skip
            add("hybrid", weights[kinds[0]] + weights["dense"], lists)
        else:
            for kind in kinds:
                add(kind, weights[kind], self._backends.store.lexical(kind, queries, pool, shown))
            if weights["dense"]:
                add(
                    "dense",
                    weights["dense"],
                    self._backends.store.dense(self._vectors(queries), pool, shown),
                )
        if weights["cases"]:
            led = [self._scopes.voters(scopes[owner]) for owner, *_ in asked]
            like = self._backends.store.lexical(
                lexical_kinds(self.settings)[0], queries, self.settings.case_pool, led
            )
            add("cases", weights["cases"], [vote(*one, self.index.cited, pool) for one in like])
        return out

    def _write(self, questions: Sequence[Question]) -> None:
        """Have the model write queries, once a question."""
        if self._generate is None:
            return
        new = [question for question in questions if question.id not in self._asked_model]
        forms, rewrites = self.settings.query_forms, self.settings.rewrites
        if not new:
            return
        with child_span("write_queries") as span:
            written = write_queries(new, forms, self._generate, rewrites)
            span.set(queries=[query for queries in written.values() for query in queries])
        self._written |= written
        self._asked_model |= {question.id for question in new}

    def _ranked(
        self, question: Question, lists: Sequence[Ranked], scope: Scope
    ) -> list[tuple[int, float, tuple[str, ...]]]:
        """(place, score, found by), best first; articles the question names are raised."""
        settings = self.settings
        scored = {place: (score, by) for place, score, by in rank(lists, settings, self._priors)}
        if settings.citation_lookup and settings.weights.citation > 0:
            for place in self._cited(question):
                score, by = scored.get(place, (0.0, ()))
                scored[place] = (score + settings.weights.citation, (*by, "citation"))
        shown = scope.shown
        places = [place for place in scored if shown is None or shown[place]]
        places.sort(key=lambda place: (-scored[place][0], place))
        return [(place, *scored[place]) for place in places]

    def _reranked(
        self,
        questions: Sequence[Question],
        ranked: Sequence[list[tuple[int, float, tuple[str, ...]]]],
        reranker: Reranker,
    ) -> list[list[tuple[int, float, tuple[str, ...]]]]:
        """The same passages in the reranker's order; on equal scores the order they had."""
        pairs = [
            ("\n".join([question.question, *question.options]), self.index.chunks[place].text)
            for question, found in zip(questions, ranked, strict=True)
            for place, _, _ in found
        ]
        out = []
        with child_span("rerank", model=self.settings.reranker, pairs=len(pairs)) as span:
            scores = iter(reranker(pairs) if pairs else [])
            for question, found in zip(questions, ranked, strict=True):
                again = [(place, next(scores), (*by, "rerank")) for place, _, by in found]
                out.append(sorted(again, key=lambda row: -row[1]))
                hits = [Hit(self.index.chunks[place], score, by) for place, score, by in out[-1]]
                span.item(question.id, documents=traced(hits))
        return out

    def _cited(self, question: Question) -> list[int]:
        from kofinlaw.data.law.citations import cited_units

        text = "\n".join([question.question, *question.options])
        units = cited_units(text, self.index.titles)
        return [place for unit in units for place in self.index.places_of_unit.get(unit, ())]

    def _hits(
        self, ranked: Sequence[tuple[int, float, tuple[str, ...]]], shown: NDArray[Any] | None
    ) -> list[Hit]:
        chunks, settings = self.index.chunks, self.settings
        best = ranked[: settings.k]
        hits = [Hit(chunks[place], round(score, 6), by) for place, score, by in best]
        places = [place for place, _, _ in best]
        behind = [(p, "neighbour") for p in neighbours(chunks, places, settings.neighbours, shown)]
        taken = {place for place, _ in behind}
        scores = {place: score for place, score, _ in best}
        for place in cross_references(self.index, scores, settings.cross_references, shown):
            if place not in taken:
                behind.append((place, "reference"))
        return [*hits, *(Hit(chunks[place], 0.0, (by,)) for place, by in behind)]

    def _vectors(self, queries: Sequence[str]) -> NDArray[Any]:
        return np.asarray(self._backends.embedder.encode_queries(queries))


class _Backends:
    """The store and the embedder of an index, opened when they are first used."""

    def __init__(self, index: Index, settings: RagSettings, cache: Path | None) -> None:
        self._index = index
        self._settings = settings
        self._cache = cache

    @cached_property
    def store(self) -> Store:
        return open_store(self._index, self._settings)

    @cached_property
    def embedder(self) -> Embedder:
        from kofinlaw.models.embedders import open_embedder

        assert self._settings.embedder is not None
        return open_embedder(self._settings.embedder, cache=self._cache)
