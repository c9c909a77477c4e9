"""Find the passages for questions: several retrievers, fused into one ranking.

queries of a question → one list from each retriever → fusion → reranker → neighbours and
cross-references behind the hits.

How to add a retriever that gives one list for each query (as lexical and dense search do):

1. Yield its lists in `lists.search_lists` under a new name, with the weight that
   `ranking.retriever_weights` gives it: for each query the rows and scores of its passages, best
   first, ties by row, and only rows that `scope.shown` lets through.
2. Add the weight to `RagSettings` (rag/settings.py) and to `ranking.retriever_weights`, whose
   weights must add up to 1.
3. If it needs files, write them in `rag/index/build.py` and read them in `rag/index/index.py`.
4. Let `tune` vary its weight, and test it in `tests/rag/retrieve/`.

A value that raises passages which others found is a prior: see `priors.py`. Another place to
search the same tokens and vectors is a store: see `rag/index/stores/__init__.py`.
"""

from __future__ import annotations

import copy
import datetime
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from kofinlaw import UserError
from kofinlaw.data.law.citations import cited_units
from kofinlaw.data.law.former_names import with_present_names
from kofinlaw.rag.abstention.bearing import Passages
from kofinlaw.rag.abstention.decision import Judgement, judge
from kofinlaw.rag.abstention.missing import read_names
from kofinlaw.rag.abstention.misspelling import correct_names
from kofinlaw.rag.arrays import Mask
from kofinlaw.rag.fusion import Fused, Ranked
from kofinlaw.rag.index.check import check_index
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.retrieve.evidence import Hit, trace_records
from kofinlaw.rag.retrieve.expand import annex_rows, cross_references, neighbours
from kofinlaw.rag.retrieve.in_force import AbsentAct
from kofinlaw.rag.retrieve.lists import Backends, ScopedQuery, search_lists
from kofinlaw.rag.retrieve.option_passages import add_passages, option_queries
from kofinlaw.rag.retrieve.priors import Priors
from kofinlaw.rag.retrieve.query_forms import (
    Generate,
    generate_with,
    queries_of,
    write_queries,
)
from kofinlaw.rag.retrieve.ranking import rank
from kofinlaw.rag.retrieve.rerank import Reranker, mixed, open_reranker
from kofinlaw.rag.retrieve.scope import Allowed, Days, Scope, Scopes
from kofinlaw.rag.settings import WRITTEN_FORMS, QueryForm, RagSettings
from kofinlaw.records import Chunk, Question
from kofinlaw.tracing import annotate_span, child_span

if TYPE_CHECKING:
    from kofinlaw.models.embedders import Vectors
    from kofinlaw.models.engines.base import Engine
    from kofinlaw.models.templates import ChatTemplate

__all__ = ["Retriever"]


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

    Raises UserError where the index was built without what the settings need, and for a reranker
    that is not on this machine.
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
        self._backends = Backends(index, settings, cache)
        self._generate = generate
        self._written: dict[tuple[str, QueryForm], list[str]] = {}
        self._written_for: set[str] = set()
        check_index(index, settings)
        if reranker is None and settings.reranker != "llm":
            reranker = open_reranker(settings.reranker)
        self._reranker = reranker

    def with_model(self, engine: Engine, template: ChatTemplate) -> Retriever:
        """Return this retriever with a model that writes queries
        and reranks as the settings say.
        """
        other = copy.copy(self)
        other._written, other._written_for = {}, set()
        if any(form in WRITTEN_FORMS for form in self.settings.query_forms):
            other._generate = generate_with(engine, template)
        if self.settings.reranker == "llm":
            other._reranker = open_reranker("llm", engine=engine, template=template)
        return other

    @property
    def needs_model(self) -> tuple[str, ...]:
        """The settings that only `with_model` makes possible; empty if there are none."""
        forms = [form for form in self.settings.query_forms if form in WRITTEN_FORMS]
        out = [f"query form {form}" for form in forms if self._generate is None]
        waits = self.settings.reranker == "llm" and self._reranker is None
        return (*out, *(["reranker llm"] if waits else []))

    @property
    def fingerprint(self) -> str:
        """Hexadecimal hash, equal for an equal index, settings and law in force."""
        text = self.index.fingerprint + self.settings.model_dump_json() + self._scopes.fingerprint
        return hashlib.sha256(text.encode("utf-8")).hexdigest()

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Return vectors [texts, dimensions] of any texts, read as queries; none is stored.

        Raises UserError if the settings name no embedder.
        """
        if self.settings.embedder is None:
            raise UserError("this run searches without an embedder", where="rag.embedder")
        return self._backends.embedder.without_cache().encode_queries(texts)

    def count_query_tokens(self, texts: Sequence[str]) -> int:
        """Return how many tokens the embedder reads of texts as queries; 0 if it cannot count.

        Raises UserError as `embed_queries` does.
        """
        if self.settings.embedder is None:
            raise UserError("this run searches without an embedder", where="rag.embedder")
        return self._backends.embedder.count_tokens(texts)

    def chunks(self, ids: Sequence[str]) -> list[Chunk]:
        """Return the chunks of these ids, in order.

        Raises UserError for an id that the index lacks.
        """
        try:
            return [self.index.chunks[self.index.row_of[identity]] for identity in ids]
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
        """Return passages of each question, best first: `k`, then those added behind them.

        Behind them are neighbours, cross-references and passages of the options, as the settings
        say.

        Args:
            questions: The questions; a batch gives the same hits as one question after another.
            allowed: Gives, for a question, one bool for each passage of the index: whether it may
                be found or vote.
            as_of: The day whose law is asked for, or one for each question. None: that of the
                settings, else today's (of an act that is yet to come into force its first text);
                `any`: texts of all days.
            rerank: False leaves out the reranker to save its time.

        Raises UserError where the index is damaged or its server cannot be used.
        """
        scopes = self._scopes.of(questions, allowed, as_of)
        questions = [self._present(question) for question in questions]
        lists = self._lists(questions, scopes)
        reranker = self._reranker if rerank else None
        keep = self.settings.rerank_pool if reranker is not None else self.settings.k
        ranked = [
            self._rank(question, found, scope)[:keep]
            for question, found, scope in zip(questions, lists, scopes, strict=True)
        ]
        if reranker is not None:
            ranked = self._rerank(questions, ranked, reranker)
        hits = [
            self._hits(question, one, scope.shown)
            for question, one, scope in zip(questions, ranked, scopes, strict=True)
        ]
        if self.settings.option_passages:
            self._add_option_passages(questions, scopes, hits)
        return hits

    def absent(self, question: Question) -> tuple[AbsentAct, ...]:
        """Return the acts that the question is about and that have no text on the day it names.

        These are the acts of the question's best hits among texts of all days. The day is the
        question's own or that of the settings; without one the result is empty.
        """
        asked = datetime.date.fromisoformat(question.as_of) if question.as_of else None
        if (day := asked or self.settings.as_of) is None:
            return ()
        calendar = self._scopes.calendar
        without, first = calendar.without_text(day)
        if not first:
            return ()
        searched = calendar.in_force(day) | without
        found = self.search([question], allowed=lambda _: searched, as_of="any", rerank=False)[0]
        titles = dict.fromkeys(hit.chunk.title for hit in found if hit.score > 0)
        return tuple(AbsentAct(title, first[title]) for title in titles if title in first)

    def judge(self, questions: Sequence[Question]) -> list[Judgement | None]:
        """Return whether the passages bear on each question, by its stem and the index's floor.

        Each question is judged by the law in force on its own day. An index without a floor judges
        only the provisions that a question names.
        """
        days = [datetime.date.fromisoformat(q.as_of) if q.as_of else None for q in questions]
        scopes = self._scopes.of(questions, None, days if any(days) else None)
        names, titles = self.index.former_names, self.index.titles
        renamed = [with_present_names(one.question, names, titles) for one in questions]
        questions = [
            replace(one, question=text.text) if text.found else one
            for one, text in zip(questions, renamed, strict=True)
        ]
        vectors = None
        if self._passages is not None and self._passages.vectors is not None and questions:
            vectors = self._backends.query_vectors([one.question for one in questions])
        out: list[Judgement | None] = []
        for place, (question, scope) in enumerate(zip(questions, scopes, strict=True)):
            score = None
            if self._passages is not None:
                vector = None if vectors is None else vectors[place]
                score = self._passages.score(question.question, vector, scope.shown)
            rows = () if score is None else score.rows
            nearest = tuple(dict.fromkeys(self.index.chunks[row].unit for row in rows))
            named = read_names(question.question, self.index.provisions)
            judged = judge(named, score, self.index.floor, nearest)
            out.append(replace(judged, former=renamed[place].found))
        return out

    @cached_property
    def _passages(self) -> Passages | None:
        """Scores how much the passages bear on a question; None for an index without a floor."""
        floor = self.index.floor
        if floor is None:
            return None
        kind = str(self.index.meta["lexical"][0])
        vectors = self.index.vectors if floor.vectors and self.settings.embedder else None
        if floor.vectors and vectors is None:
            return None  # the recipe searches without the vectors that the floor was set with
        return Passages(
            self.index.chunks,
            self.index.lexical(kind),
            kind,
            vectors,
            floor.spread or 1.0,
            floor.name_weight,
        )

    def lists(
        self,
        questions: Sequence[Question],
        *,
        allowed: Allowed | None = None,
        as_of: Days = None,
    ) -> list[list[Ranked]]:
        """Return the list of each retriever for each query of each question, with its weight.

        The arguments are those of `search`.
        """
        scopes = self._scopes.of(questions, allowed, as_of)
        return self._lists([self._present(question) for question in questions], scopes)

    def shown(
        self,
        questions: Sequence[Question],
        *,
        allowed: Allowed | None = None,
        as_of: Days = None,
    ) -> list[Mask | None]:
        """Return for each question which passages it may find; None: all.

        The arguments are those of `search`.
        """
        return [scope.shown for scope in self._scopes.of(questions, allowed, as_of)]

    def _lists(self, questions: Sequence[Question], scopes: Sequence[Scope]) -> list[list[Ranked]]:
        self._write_queries(questions)
        asked = [
            ScopedQuery(position, query, scopes[position])
            for position, question in enumerate(questions)
            for query in queries_of(question, self.settings.query_forms, self._written)
        ]
        out: list[list[Ranked]] = [[] for _ in questions]
        if not asked:
            return out
        annotate_span(
            queries=[one.query.text for one in asked], forms=[one.query.form for one in asked]
        )
        for name, weight, lists in search_lists(asked, self.index, self.settings, self._backends):
            for one, found in zip(asked, lists, strict=True):
                by = f"{name}:{one.query.form}"
                out[one.position].append(Ranked(by, *found, weight * one.query.share))
        return out

    def _present(self, question: Question) -> Question:
        """Return the question with the present titles of acts that it calls by former names."""
        names, titles = self.index.former_names, self.index.titles
        if not names:
            return question
        stem = with_present_names(question.question, names, titles)
        options = [with_present_names(option, names, titles) for option in question.options]
        if not stem.found and not any(option.found for option in options):
            return question
        return replace(question, question=stem.text, options=tuple(one.text for one in options))

    def _write_queries(self, questions: Sequence[Question]) -> None:
        """Let the model write the queries of new questions, once for each."""
        if self._generate is None:
            return
        new = [question for question in questions if question.id not in self._written_for]
        forms, rewrites = self.settings.query_forms, self.settings.rewrites
        if not new:
            return
        with child_span("write_queries") as span:
            written = write_queries(new, forms, self._generate, rewrites)
            span.set(queries=[query for queries in written.values() for query in queries])
        self._written |= written
        self._written_for |= {question.id for question in new}

    def _rank(self, question: Question, lists: Sequence[Ranked], scope: Scope) -> list[Fused]:
        """Return the shown passages, best first; articles that the question cites are raised."""
        settings = self.settings
        by_row = {fused.row: fused for fused in rank(lists, settings, self._priors, scope.shown)}
        if settings.citation_lookup and settings.weights.citation > 0:
            for row in self._cited_rows(question):
                fused = by_row.get(row, Fused(row, 0.0, ()))
                score = fused.score + settings.weights.citation
                by_row[row] = Fused(row, score, (*fused.by, "citation"))
        shown = scope.shown
        ranked = [fused for row, fused in by_row.items() if shown is None or shown[row]]
        return sorted(ranked, key=lambda fused: (-fused.score, fused.row))

    def _rerank(
        self,
        questions: Sequence[Question],
        ranked: Sequence[list[Fused]],
        reranker: Reranker,
    ) -> list[list[Fused]]:
        """Return the same passages in the reranker's order, or in that of the mixed scores.

        Equal scores keep the order they had.
        """
        share = self.settings.rerank_share
        pairs = [
            ("\n".join([question.question, *question.options]), self.index.chunks[fused.row].text)
            for question, found in zip(questions, ranked, strict=True)
            for fused in found
        ]
        out = []
        with child_span("rerank", model=self.settings.reranker, pairs=len(pairs)) as span:
            scores = iter(reranker(pairs) if pairs else [])
            for question, found in zip(questions, ranked, strict=True):
                own = [next(scores) for _ in found]
                if share < 1:
                    own = mixed(own, [fused.score for fused in found], share)
                scored = [
                    Fused(row, score, (*by, "rerank"))
                    for (row, _, by), score in zip(found, own, strict=True)
                ]
                out.append(sorted(scored, key=lambda fused: -fused.score))
                hits = [Hit(self.index.chunks[row], score, by) for row, score, by in out[-1]]
                span.item(question.id, documents=trace_records(hits))
        return out

    def _cited_rows(self, question: Question) -> list[int]:
        text = "\n".join([question.question, *question.options])
        text = correct_names(text, self.index.titles)
        units = cited_units(text, self.index.titles)
        return [row for unit in units for row in self.index.rows_of_unit.get(unit, ())]

    def _add_option_passages(
        self, questions: Sequence[Question], scopes: Sequence[Scope], hits: Sequence[list[Hit]]
    ) -> None:
        """Add the best passages of each option behind the hits of its question."""
        queries = option_queries(questions, scopes)
        lists: list[list[Ranked]] = [[] for _ in queries]
        if queries:
            searched = [replace(one, position=at) for at, one in enumerate(queries)]
            for name, weight, found in search_lists(
                searched, self.index, self.settings, self._backends
            ):
                for own, ranked in zip(lists, found, strict=True):
                    own.append(Ranked(f"{name}:per_option", *ranked, weight))
        for query, own in zip(queries, lists, strict=True):
            asked = Question("", query.query.text)
            best = self._rank(asked, own, query.scope)[: self.settings.option_passages]
            add_passages(hits[query.position], best, self.index.chunks)

    def _hits(self, question: Question, ranked: Sequence[Fused], shown: Mask | None) -> list[Hit]:
        chunks, settings = self.index.chunks, self.settings
        best = ranked[: settings.k]
        hits = [Hit(chunks[row], round(score, 6), by) for row, score, by in best]
        rows = [fused.row for fused in best]
        behind = [(r, "neighbour") for r in neighbours(chunks, rows, settings.neighbours, shown)]
        taken = {row for row, _ in behind}
        scores = {fused.row: fused.score for fused in best}
        for row in cross_references(self.index, scores, settings.cross_references, shown):
            if row not in taken:
                behind.append((row, "reference"))
        query = " ".join([question.question, *question.options])
        named = annex_rows(self.index, rows, query, settings.annex_rows, shown)
        for position, row in reversed(named):
            hits.insert(position + 1, Hit(chunks[row], hits[position].score, ("annex",)))
        inserted = {row for _, row in named}
        behind = [(row, by) for row, by in behind if row not in inserted]
        return [*hits, *(Hit(chunks[row], 0.0, (by,)) for row, by in behind)]
