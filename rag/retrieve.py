"""Questions in, passages out: lexical, dense and citation retrievers fused into one ranking."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kofinlaw import UserError
from kofinlaw.data.records import Chunk, Question
from kofinlaw.rag.evidence import Hit
from kofinlaw.rag.fusion import Ranked, fuse
from kofinlaw.rag.index import Index, lexical_kinds, tokens_of
from kofinlaw.rag.precedents import vote
from kofinlaw.rag.settings import QueryForm, RagSettings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kofinlaw.data.lexical import LexicalIndex

# For a question: which passages it may find or be led by (bool, by place).
Allowed = Callable[[Question], "NDArray[Any]"]


class Retriever:
    """Searches one index by one recipe's settings.

    Raises UserError where the index was built without what the settings ask for.
    """

    def __init__(self, index: Index, settings: RagSettings, *, cache: Path | None = None) -> None:
        self.index = index
        self.settings = settings
        self._cache = cache
        missing = [kind for kind in lexical_kinds(settings) if kind not in index.meta["lexical"]]
        if missing:
            index.lexical(missing[0])  # raises with what to do
        if settings.embedder is not None and settings.embedder != index.meta["embedder"]:
            raise UserError(
                f"the index holds vectors of {index.meta['embedder'] or 'no embedder'}, "
                f"the recipe asks for {settings.embedder}",
                where=str(index.folder),
                remedy="build the index again, or set rag.embedder to the one it was built with",
            )

    @property
    def fingerprint(self) -> str:
        """Hexadecimal; equal for equal index and settings."""
        text = self.index.fingerprint + self.settings.model_dump_json()
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
        self, questions: Sequence[Question], *, allowed: Allowed | None = None
    ) -> list[list[Hit]]:
        """Passages of each question, best first; `k` of them, and neighbours behind where asked.

        `allowed` gives, for a question, which passages it may find or be led by (bool, by place).
        """
        masks = [self._mask(question, allowed) for question in questions]
        lists = self.lists(questions, allowed=allowed)
        return [
            self._hits(question, found, mask)
            for question, found, mask in zip(questions, lists, masks, strict=True)
        ]

    def lists(
        self, questions: Sequence[Question], *, allowed: Allowed | None = None
    ) -> list[list[Ranked]]:
        """Each retriever's own list for each query form of each question, with its weight."""
        asked = [
            (owner, form, query, share)
            for owner, question in enumerate(questions)
            for form, query, share in queries_of(question, self.settings.query_forms)
        ]
        queries = [query for _, _, query, _ in asked]
        masks = [self._mask(question, allowed) for question in questions]
        may = [None if allowed is None else allowed(question) for question in questions]
        weights = kind_weights(self.settings)
        out: list[list[Ranked]] = [[] for _ in questions]

        def add(at: int, kind: str, found: tuple[NDArray[Any], NDArray[Any]]) -> None:
            owner, form, _, share = asked[at]
            out[owner].append(Ranked(f"{kind}:{form}", *found, weights[kind] * share))

        for number, kind in enumerate(lexical_kinds(self.settings) if queries else ()):
            votes = weights["cases"] > 0 and number == 0
            if not weights[kind] and not votes:
                continue
            for at, tokens in enumerate(tokens_of(kind, queries, workers=self.settings.workers)):
                owner = asked[at][0]
                if masks[owner] is None and not votes:
                    add(at, kind, self._lexical[kind].query(tokens, self.settings.pool))
                    continue
                scores = self._lexical[kind].scores(tokens)
                if weights[kind]:
                    add(at, kind, best(scores, self.settings.pool, masks[owner]))
                if votes:
                    able = may[owner]
                    voters = scores if able is None else np.where(able, scores, 0)
                    add(at, "cases", self._votes(voters))
        if weights["dense"] and queries:
            for at, vector in enumerate(self._embedder.encode_queries(queries)):
                mask = masks[asked[at][0]]
                add(at, "dense", nearest(self.index.vectors, vector, self.settings.pool, mask))
        return out

    def _mask(self, question: Question, allowed: Allowed | None) -> NDArray[Any] | None:
        """Which passages may be shown; None for all."""
        mask = None if allowed is None else allowed(question)
        if self._shown is None:
            return mask
        return self._shown if mask is None else self._shown & mask

    @cached_property
    def _shown(self) -> NDArray[Any] | None:
        kinds = self.settings.kinds
        if not kinds:
            return None
        return np.array([chunk.kind in kinds for chunk in self.index.chunks], dtype=bool)

    def _votes(self, scores: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        settings = self.settings
        return vote(scores, self.index.cited, settings.case_pool, settings.pool)

    def _hits(
        self, question: Question, lists: Sequence[Ranked], mask: NDArray[Any] | None
    ) -> list[Hit]:
        settings = self.settings
        fused = fuse(lists, settings.fusion)
        scored = {place: (score, by) for place, score, by in fused}
        if settings.citation_lookup and settings.weights.citation > 0:
            for place in self._cited(question):
                score, by = scored.get(place, (0.0, ()))
                scored[place] = (score + settings.weights.citation, (*by, "citation"))
        if mask is not None:
            scored = {place: value for place, value in scored.items() if mask[place]}
        order = sorted(scored, key=lambda place: (-scored[place][0], place))[: settings.k]
        hits = [Hit(self.index.chunks[p], round(scored[p][0], 6), scored[p][1]) for p in order]
        return [*hits, *self._neighbours(order)]

    def _cited(self, question: Question) -> list[int]:
        from kofinlaw.data.citations import cited_units

        text = "\n".join([question.question, *question.options])
        units = cited_units(text, self.index.titles)
        return [place for unit in units for place in self.index.places_of_unit.get(unit, ())]

    def _neighbours(self, order: Sequence[int]) -> list[Hit]:
        """Passages beside the best one in the same document."""
        if not self.settings.neighbours or not order:
            return []
        chunks, best = self.index.chunks, order[0]
        reach = self.settings.neighbours
        beside = [p for step in range(1, reach + 1) for p in (best - step, best + step)]
        return [
            Hit(chunks[place], 0.0, ("neighbour",))
            for place in beside
            if 0 <= place < len(chunks)
            and place not in order
            and chunks[place].document_id == chunks[best].document_id
        ]

    @cached_property
    def _lexical(self) -> dict[str, LexicalIndex]:
        return {kind: self.index.lexical(kind) for kind in lexical_kinds(self.settings)}

    @cached_property
    def _embedder(self) -> Any:
        from kofinlaw.models.embedders import open_embedder

        assert self.settings.embedder is not None
        return open_embedder(self.settings.embedder, cache=self._cache)


def kind_weights(settings: RagSettings) -> dict[str, float]:
    """Each retriever's part of the fused score: the decisions' `case_votes`, of the rest `alpha`
    for the vectors, of that rest each lexical index by weight."""
    alpha = settings.alpha if settings.embedder is not None else 0.0
    kinds = lexical_kinds(settings)
    total = sum(getattr(settings.weights, kind) for kind in kinds)
    rest = 1 - settings.case_votes
    out = {kind: rest * (1 - alpha) * getattr(settings.weights, kind) / total for kind in kinds}
    return {**out, "dense": rest * alpha, "cases": settings.case_votes}


def queries_of(
    question: Question, forms: Sequence[QueryForm]
) -> list[tuple[QueryForm, str, float]]:
    """(form, query text, share of the weight) for a question; shares add up to 1.

    A question without options has only its stem.
    """
    if not question.options:
        return [("stem", question.question, 1.0)]
    out: list[tuple[QueryForm, str, float]] = []
    for form in forms:
        share = 1 / len(forms)
        if form == "stem":
            out.append((form, question.question, share))
        elif form == "stem_options":
            out.append((form, "\n".join([question.question, *question.options]), share))
        else:
            each = share / len(question.options)
            out += [(form, f"{question.question}\n{o}", each) for o in question.options]
    return out


def nearest(
    vectors: NDArray[Any], query: NDArray[Any], k: int, mask: NDArray[Any] | None = None
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Places and cosines of the `k` nearest rows (of those in `mask`), best first; exact."""
    scores = vectors @ np.asarray(query, dtype=np.float32)
    return _top(scores, np.arange(len(scores)) if mask is None else np.flatnonzero(mask), k)


def best(
    scores: NDArray[Any], k: int, mask: NDArray[Any] | None = None
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Places and scores of the `k` best passages above 0 (of those in `mask`), best first."""
    return _top(scores, np.flatnonzero(scores > 0 if mask is None else (scores > 0) & mask), k)


def _top(scores: NDArray[Any], places: NDArray[Any], k: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """The `k` best of `places`, ties by place."""
    if len(places) > k:
        cut = np.partition(scores[places], -k)[-k]
        places = places[scores[places] >= cut]
    order = np.lexsort((places, -scores[places]))[:k]
    return places[order], scores[places[order]]
