"""Weights, fusion, query forms and k, chosen on questions whose articles are known.

Every list is computed once and only fused anew for each setting, so a sweep costs little more than
one search. The single retrievers always stand in the table beside the hybrids.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kofinlaw import Progress, UserError, silent
from kofinlaw.files import atomic_write, read_jsonl, write_json
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.retrieve.priors import PRIORS, Priors
from kofinlaw.rag.retrieve.refusion import FUSIONS, Lists
from kofinlaw.rag.retrieve.retriever import Retriever
from kofinlaw.rag.retrieve.scope import Allowed
from kofinlaw.rag.settings import QueryForm, RagSettings, RetrieverWeights
from kofinlaw.records import Key, Question

ALPHAS = (0.0, 0.1, 0.2, 0.3, 0.35, 0.4, 0.5, 0.7, 1.0)
BIGRAM_WEIGHTS = (0.0, 0.5, 1.0, 2.0)
CASE_VOTES = (0.0, 0.3, 0.5, 0.7, 0.85)
PRIOR_WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.5)
# The priors are climbed one after another, from none and from all at once: some only help together.
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


@dataclass(frozen=True)
class Tuned:
    """The chosen settings, a row a setting tried (name, what was varied, recall, MRR), and the
    chosen one's recall at each k."""

    settings: RagSettings
    table: list[dict[str, Any]]
    recall_at: dict[int, float]


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
    """Sweep alpha (where there is an embedder), the bigrams' weight (where both are indexed), the
    decisions' votes (where there are any), the fusion, then the query forms (where a question has
    options), then the priors' weights one after another; the best recall at `k`, then MRR, wins,
    the earlier in the table on a tie.

    `gold` are the units each question should find; `allowed` as in `Retriever.search`;
    `choose_k` sets the settings' k to the smallest that finds nearly what 20 find. A server that
    fuses by itself is tuned by the lists of the local store.
    Raises UserError without any question.
    """
    if not questions:
        raise UserError("there is no question to tune on")
    sweep = _Sweep(index, settings, questions, gold, k, cache, allowed, progress)
    for name, one in sweep.singles():
        sweep.try_one(name, one)
    for one in sweep.hybrids():
        sweep.try_one("hybrid", one)
    if any(question.options for question in questions):
        start = sweep.best
        for forms in FORMS:
            sweep.try_one("forms", start.model_copy(update={"query_forms": forms}))
    start = sweep.best
    for weight in PRIOR_STARTS:
        weights = start.weights.model_copy(update=dict.fromkeys(PRIORS, weight))
        sweep.climb(start.model_copy(update={"weights": weights}))
    recall_at = sweep.recall_at(sweep.best)
    chosen = settings.k
    if choose_k:
        chosen = next(cut for cut in KS if recall_at[cut] >= ENOUGH * recall_at[KS[-1]])
    pools = {"pool": max(settings.pool, chosen), "rerank_pool": max(settings.rerank_pool, chosen)}
    best = sweep.best.model_copy(update={"k": chosen, **pools})
    return Tuned(best, sweep.table, recall_at)


class _Sweep:
    """The lists, the gold units, the table so far and the best of it."""

    def __init__(
        self,
        index: Index,
        settings: RagSettings,
        questions: Sequence[Question],
        gold: Sequence[Sequence[str]],
        k: int,
        cache: Path | None,
        allowed: Allowed | None,
        progress: Progress,
    ) -> None:
        self._kinds = index.meta["lexical"]
        self._both = {"kiwi", "bigram"} <= set(self._kinds)
        self._votes = bool(index.cited)
        self._dense = settings.embedder is not None
        options = any(question.options for question in questions)
        forms = FORMS[-1] if options else FORMS[0]
        self._start = settings.model_copy(
            update={
                "lexical": "both" if self._both else self._kinds[0],
                "alpha": 0.5 if self._dense else 0.0,
                "case_votes": 0.5 if self._votes else 0.0,
                "query_forms": forms,
                "weights": RetrieverWeights(citation=settings.weights.citation),
            }
        )
        # Each list by itself, which a server that fuses does not give.
        local = self._start.model_copy(update={"store": "local"})
        found = Retriever(index, local, cache=cache).lists(questions, allowed=allowed)
        self._start = self._start.model_copy(update={"query_forms": settings.query_forms})
        self._lists = Lists(found, Priors(index))
        self._units = np.array([chunk.unit for chunk in index.chunks], dtype=object)
        self._gold = [set(one) for one in gold]
        self._k = k
        self._progress = progress
        self.table: list[dict[str, Any]] = []
        self._tried: dict[str, tuple[float, float]] = {}
        self.best = self._start
        self._best_score = (-1.0, -1.0)

    def singles(self) -> Iterator[tuple[str, RagSettings]]:
        """Each retriever alone."""
        alone = {"alpha": 0.0, "case_votes": 0.0}
        for kind in self._kinds:
            yield kind, self._start.model_copy(update={**alone, "lexical": kind})
        if self._dense:
            yield "dense", self._start.model_copy(update={**alone, "alpha": 1.0})

    def hybrids(self) -> Iterator[RagSettings]:
        """Every mix of fusion, bigrams' weight, votes and alpha."""
        for fusion, bigram, votes, alpha in itertools.product(
            FUSIONS,
            BIGRAM_WEIGHTS if self._both else (1.0,),
            CASE_VOTES if self._votes else (0.0,),
            ALPHAS if self._dense else (0.0,),
        ):
            weights = self._start.weights.model_copy(update={"bigram": bigram})
            varied = {"fusion": fusion, "case_votes": votes, "alpha": alpha, "weights": weights}
            yield self._start.model_copy(update=varied)

    def climb(self, start: RagSettings) -> None:
        """From a setting, each weight in turn at its best while the others stand."""
        here, score = start, self.try_one("priors", start)
        steps: list[tuple[str, tuple[float, ...]]] = [(prior, PRIOR_WEIGHTS) for prior in PRIORS]
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
        if key in self._tried:
            return self._tried[key]
        score = self._tried[key] = self._score(settings)
        if score > self._best_score:
            self.best, self._best_score = settings, score
        weights = settings.weights
        self.table.append(
            {
                "name": name,
                "alpha": settings.alpha,
                "bigram": weights.bigram if settings.lexical == "both" else None,
                "case_votes": settings.case_votes,
                "fusion": settings.fusion,
                "forms": "+".join(settings.query_forms),
                **{prior: getattr(weights, prior) for prior in PRIORS},
                f"recall@{self._k}": score[0],
                "mrr": score[1],
            }
        )
        self._progress("tune", len(self.table))
        return score

    def recall_at(self, settings: RagSettings) -> dict[int, float]:
        """Recall at each k."""
        found = self._found(settings, KS[-1])
        return {k: round(self._recall([one[:k] for one in found]), 4) for k in KS}

    def _found(self, settings: RagSettings, k: int) -> list[list[str]]:
        # Parts of one article share a unit: the places are cut after the units are counted.
        return [
            list(dict.fromkeys(self._units[places[: 4 * k]].tolist()))[:k]
            for places in self._lists.ranked(settings)
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
    """Tune on the questions whose key names units, and write `tuning.json` and `tuning.md`.

    Raises UserError where no question has units.
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


def as_markdown(tuned: Tuned, questions: int) -> str:
    """The table, best first but for the single retrievers, which open it."""
    names = list(tuned.table[0])
    singles = [row for row in tuned.table if row["name"] in ("kiwi", "bigram", "dense")]
    others = [row for row in tuned.table if row not in singles]
    others.sort(key=lambda row: (-row[names[-2]], -row["mrr"]))
    lines = [
        f"# Retrieval tuned on {questions} questions",
        "",
        "Recall of the chosen setting: "
        + ", ".join(f"{value:.3f} at {k}" for k, value in tuned.recall_at.items()),
        "",
        "| " + " | ".join(names) + " |",
        "|" + " --- |" * len(names),
        *("| " + " | ".join(_cell(row[name]) for name in names) + " |" for row in singles + others),
    ]
    return "\n".join(lines) + "\n"


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return "" if value is None else str(value)
