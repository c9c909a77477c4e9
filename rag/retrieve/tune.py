"""Choose weights, fusion, query forms and k on questions whose articles are known.

Every list is searched once and fused again for each setting, so a sweep costs little more than one
search. The table always includes each retriever alone, for comparison with the hybrids.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from kofinlaw import Progress, UserError, silent
from kofinlaw.files import atomic_write, read_jsonl, write_json
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.retrieve.priors import CORPUS_WEIGHTS, PRIORS, Priors
from kofinlaw.rag.retrieve.refusion import FUSIONS, StoredLists
from kofinlaw.rag.retrieve.retriever import Retriever
from kofinlaw.rag.retrieve.scope import Allowed
from kofinlaw.rag.retrieve.tuning_table import Trial, Tuned, as_markdown
from kofinlaw.rag.settings import QueryForm, RagSettings, RetrieverWeights
from kofinlaw.records import Key, Question

__all__ = [
    "ALPHAS",
    "BIGRAM_WEIGHTS",
    "CASE_VOTES",
    "ENOUGH",
    "FORMS",
    "KS",
    "PASSES",
    "PRIOR_STARTS",
    "PRIOR_WEIGHTS",
    "tune",
    "tune_files",
]

ALPHAS = (0.0, 0.1, 0.2, 0.3, 0.35, 0.4, 0.5, 0.7, 1.0)
BIGRAM_WEIGHTS = (0.0, 0.5, 1.0, 2.0)
CASE_VOTES = (0.0, 0.3, 0.5, 0.7, 0.85)
PRIOR_WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.5)
# Coordinate ascent over the priors starts with none and with all: some only help together.
PRIOR_STARTS = (0.0, 0.2)
PASSES = 2
FORMS: tuple[tuple[QueryForm, ...], ...] = (
    ("stem",),
    ("stem_options",),
    ("stem", "stem_options"),
    ("stem", "stem_options", "per_option"),
)
KS = (1, 3, 5, 10, 20)
ENOUGH = 0.98  # of the recall at the largest k: the smallest k that reaches it is chosen


def tune(
    index: Index,
    settings: RagSettings,
    questions: Sequence[Question],
    gold: Sequence[Sequence[str]],
    *,
    k: int = 10,
    cache: Path | None = None,
    allowed: Allowed | None = None,
    choose_k: bool = False,
    progress: Progress = silent,
) -> Tuned:
    """Try settings on the questions and choose those with the best recall at `k`, then MRR.

    Swept are `alpha` (with an embedder), the weight of the bigrams (where both lexical indexes
    exist), the votes of decisions (where there are decisions) and the fusion; then the query forms
    (where a question has options); then the weights of the priors, one after another. On a tie the
    earlier trial wins. A server that fuses by itself is tuned by the lists of the local store.

    Args:
        index: The index to search.
        settings: The settings to start from; what is not swept stays.
        questions: The questions.
        gold: For each question the units that it should find.
        k: Units that count for recall and MRR.
        cache: Folder in which the embedder keeps vectors.
        allowed: As in `Retriever.search`.
        choose_k: Also set the settings' k, to the smallest that finds nearly what 20 find.
        progress: Called after each trial.

    Raises UserError without any question.
    """
    if not questions:
        raise UserError("there is no question to tune on")
    options = any(question.options for question in questions)
    start = _start(index, settings)
    forms = FORMS[-1] if options else FORMS[0]
    # The lists of the local store: a server that fuses does not return its single lists.
    listed = start.model_copy(update={"query_forms": forms, "store": "local"})
    retriever = Retriever(index, listed, cache=cache)
    lists = retriever.lists(questions, allowed=allowed)
    stored = StoredLists(lists, Priors(index), retriever.shown(questions, allowed=allowed))
    sweep = _Sweep(start, index, stored, gold, k, progress)
    for name, one in sweep.singles():
        sweep.try_one(name, one)
    for one in sweep.hybrids():
        sweep.try_one("hybrid", one)
    if options:
        best = sweep.best
        for forms in FORMS:
            sweep.try_one("forms", best.model_copy(update={"query_forms": forms}))
    best = sweep.best
    for weight in PRIOR_STARTS:
        weights = best.weights.model_copy(update=dict.fromkeys(PRIORS, weight))
        sweep.climb(best.model_copy(update={"weights": weights}))
    recall_at = sweep.recall_at(sweep.best)
    chosen = settings.k
    if choose_k:
        chosen = next(cut for cut in KS if recall_at[cut] >= ENOUGH * recall_at[KS[-1]])
    pools = {"pool": max(settings.pool, chosen), "rerank_pool": max(settings.rerank_pool, chosen)}
    return Tuned(
        sweep.best.model_copy(update={"k": chosen, **pools}), tuple(sweep.trials), recall_at
    )


def _start(index: Index, settings: RagSettings) -> RagSettings:
    """Return the settings with every retriever of the index in use and no prior."""
    kinds = index.meta["lexical"]
    return settings.model_copy(
        update={
            "lexical": "both" if {"kiwi", "bigram"} <= set(kinds) else kinds[0],
            "alpha": 0.5 if settings.embedder is not None else 0.0,
            "case_votes": 0.5 if index.cited else 0.0,
            "weights": RetrieverWeights(citation=settings.weights.citation),
        }
    )


class _Sweep:
    """The lists, the gold units, the trials so far and the best of them."""

    def __init__(
        self,
        start: RagSettings,
        index: Index,
        lists: StoredLists,
        gold: Sequence[Sequence[str]],
        k: int,
        progress: Progress,
    ) -> None:
        self._start = start
        self._kinds = index.meta["lexical"]
        self._lists = lists
        self._units = np.array([chunk.unit for chunk in index.chunks], dtype=object)
        self._gold = [set(one) for one in gold]
        self._k = k
        self._progress = progress
        self.trials: list[Trial] = []
        self._scores: dict[str, tuple[float, float]] = {}
        self.best = start
        self._best_score = (-1.0, -1.0)

    def singles(self) -> Iterator[tuple[str, RagSettings]]:
        """Yield each retriever alone."""
        alone = {"alpha": 0.0, "case_votes": 0.0}
        for kind in self._kinds:
            yield kind, self._start.model_copy(update={**alone, "lexical": kind})
        if self._start.embedder is not None:
            yield "dense", self._start.model_copy(update={**alone, "alpha": 1.0})

    def hybrids(self) -> Iterator[RagSettings]:
        """Yield every combination of fusion, weight of the bigrams, votes and alpha."""
        for fusion, bigram, votes, alpha in itertools.product(
            FUSIONS,
            BIGRAM_WEIGHTS if self._start.lexical == "both" else (1.0,),
            CASE_VOTES if self._start.case_votes else (0.0,),
            ALPHAS if self._start.embedder is not None else (0.0,),
        ):
            weights = self._start.weights.model_copy(update={"bigram": bigram})
            varied = {"fusion": fusion, "case_votes": votes, "alpha": alpha, "weights": weights}
            yield self._start.model_copy(update=varied)

    def climb(self, start: RagSettings) -> None:
        """Climb by coordinate ascent: from a setting, each weight in turn while the others stay."""
        here, score = start, self.try_one("priors", start)
        steps: list[tuple[str, tuple[float, ...]]] = [
            (prior, PRIOR_WEIGHTS) for prior in CORPUS_WEIGHTS
        ]
        if start.lexical == "both":
            steps.append(("bigram", BIGRAM_WEIGHTS))
        for name, values in steps * PASSES:
            for value in values:
                weights = here.weights.model_copy(update={name: value})
                one = here.model_copy(update={"weights": weights})
                if (new := self.try_one("priors", one)) > score:
                    here, score = one, new

    def try_one(self, name: str, settings: RagSettings) -> tuple[float, float]:
        """Score a setting (recall, MRR), once, and keep it if it is the best so far."""
        key = settings.model_dump_json()
        if key in self._scores:
            return self._scores[key]
        score = self._scores[key] = self._score(settings)
        if score > self._best_score:
            self.best, self._best_score = settings, score
        self.trials.append(Trial(name, settings, self._k, *score))
        self._progress("tune", len(self.trials))
        return score

    def recall_at(self, settings: RagSettings) -> dict[int, float]:
        """Return the recall at each k."""
        found = self._found(settings, KS[-1])
        return {k: round(self._recall([one[:k] for one in found]), 4) for k in KS}

    def _found(self, settings: RagSettings, k: int) -> list[list[str]]:
        """Return the first `k` units of each question."""
        # Parts of one article share a unit, so more rows than units are read.
        return [
            list(dict.fromkeys(self._units[rows[: 4 * k]].tolist()))[:k]
            for rows in self._lists.rank(settings)
        ]

    def _recall(self, found: Sequence[Sequence[str]]) -> float:
        shares = [
            len(wanted & set(units)) / max(1, len(wanted))
            for units, wanted in zip(found, self._gold, strict=True)
        ]
        return float(np.mean(shares))

    def _score(self, settings: RagSettings) -> tuple[float, float]:
        found = self._found(settings, self._k)
        ranks = [
            next((1 / (i + 1) for i, unit in enumerate(units) if unit in wanted), 0.0)
            for units, wanted in zip(found, self._gold, strict=True)
        ]
        return round(self._recall(found), 4), round(float(np.mean(ranks)), 4)


def tune_files(
    index: Path,
    questions: Path,
    key: Path,
    out: Path,
    settings: RagSettings,
    *,
    cache: Path | None = None,
    progress: Progress = silent,
) -> Tuned:
    """Tune on the questions whose key names units; write `tuning.json` and `tuning.md` into `out`.

    `index` is the folder of an index, `questions` and `key` are JSON Lines. Raises UserError where
    no question has units.
    """
    units = {one.id: one.units for one in read_jsonl(key, Key) if one.units}
    asked = [one for one in read_jsonl(questions, Question) if one.id in units]
    if not asked:
        raise UserError(
            "no question has units to find", where=str(key), remedy="name gold articles in `units`"
        )
    gold = [units[one.id] for one in asked]
    tuned = tune(
        Index.load(index), settings, asked, gold, cache=cache, choose_k=True, progress=progress
    )
    write_json(
        out / "tuning.json",
        {
            "questions": len(asked),
            "settings": tuned.settings.model_dump(mode="json"),
            "recall_at": tuned.recall_at,
            "table": tuned.table,
        },
    )
    with atomic_write(out / "tuning.md") as handle:
        handle.write(as_markdown(tuned, len(asked)))
    return tuned
