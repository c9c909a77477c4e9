"""Define the typed result of a scoring, and its form as JSON for `scores.json`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

from kofinlaw.records import to_json
from kofinlaw.scoring.claims import unequal_plans
from kofinlaw.scoring.scores_record import (
    AgainstRecord,
    CalibrationRecord,
    CitationRecord,
    FigureRecord,
    GroundingRecord,
    LawCitationRecord,
    OrdersRecord,
    PairRecord,
    SettingsRecord,
    SmallestRecord,
    SystemRecord,
)
from kofinlaw.scoring.settings import ScoreSettings

__all__ = [
    "TASK_VERSIONS",
    "Against",
    "Figure",
    "Item",
    "Pair",
    "Retrieval",
    "Scores",
    "ScoringResult",
    "SmallestDifference",
    "against_record",
    "figure_record",
    "pair_record",
    "settings_record",
    "smallest_record",
    "system_record",
]

TASK_VERSIONS = {
    "fsku-choice": 1,
    "fsku-free": 1,
    "key-facts": 1,
    "retrieval-units": 1,
    "text-morphemes": 1,
}


@dataclass(frozen=True, slots=True)
class Figure:
    """A mean over `n` items with its interval; all in 0..1."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class Item:
    """One question as one system answered it.

    - `kind`: `choice` or `free`;
    - `score`: 0 or 1, or the FSKU item score in 0..1 (None without an embedder);
    - `answer`: at most `scored_characters` of the answer's `answer_length` characters;
    - `rank`: rank of the first gold article in the evidence, from 1;
    - `seconds`: time to answer; `tokens`: tokens used;
    - `ungrounded`: numbers, dates and articles of a free answer that no passage contains;
    - `in_context`: whether a gold article was in the prompt (None if unknown);
    - `plan`: the plan under which it was answered (`full`, `half-context` …; empty if unknown).
    - `facts`: key-fact score of a free answer in 0..1 (None if the question holds every fact);
      `missing_facts` and `contradicted_facts` are the facts of the reference.
    """

    system: str
    id: str
    kind: str
    answer: str
    answer_length: int
    gold: str
    score: float | None
    cosine: float | None
    keywords: float | None
    slices: tuple[str, ...]
    evidence: tuple[str, ...]
    rank: int | None
    seconds: float | None
    tokens: int
    confidence: float | None
    origin: str
    ungrounded: tuple[str, ...] = ()
    in_context: bool | None = None
    plan: str = ""
    facts: float | None = None
    missing_facts: tuple[str, ...] = ()
    contradicted_facts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Retrieval:
    """Means over the `n` questions that name gold articles.

    `hit_k` counts a question if any gold article is among the first k; `recall_k` is the share of
    its gold articles among the first k. `depth` is the median number of distinct articles in the
    evidence. `in_context` is the share of questions with a gold article in the prompt after
    packing, over the `in_context_n` questions for which that is known.
    """

    n: int
    hit_1: float
    hit_3: float
    hit_5: float
    mrr: float
    ndcg_10: float
    depth: float
    recall_3: float = 0.0
    recall_5: float = 0.0
    in_context: float | None = None
    in_context_n: int = 0


@dataclass(frozen=True, slots=True)
class Scores:
    """All scores of one system. A score is None if nothing was scored for it.

    - `choice`: multiple-choice accuracy; `free`: FSKU free-text score, the weighted sum of
      `cosine` and `keywords`; `blend`: the contest's mean of both; `facts`: key-fact score of
      free text, which does not reward repeating the question (see `metrics/key_facts.py`);
    - `slices`: multiple-choice accuracy by slice;
    - `text`: BLEU, ROUGE, METEOR and chrF of free answers, in 0..1;
    - `seconds`, `tokens`: total, mean, p50, p95 and max per question;
    - `missing`: unanswered ids, counted as wrong; `duplicates`: ids answered twice (the first
      counts); `foreign`: ids that are not in the questions (ignored); `unreadable`:
      multiple-choice answers that name no option;
    - `fallbacks`: answers that the fallback rule wrote; `abstained`: free-text questions that were
      refused, whose refusal is scored as the answer;
    - `orders`: figures of permuted options; `calibration`: confidence against accuracy of multiple
      choice; `grounding`: figures of the claims in free answers;
      `citations`: figures of the passage numbers that answers and reasons cite;
      `law_citations`: figures of the articles and decisions that they cite;
    - `plans`: number of questions by the plan of their answer, as far as it is recorded.
    """

    system: str
    choice: Figure | None
    free: Figure | None
    cosine: Figure | None
    keywords: Figure | None
    blend: Figure | None
    slices: dict[str, Figure]
    retrieval: Retrieval | None
    text: dict[str, float]
    seconds: dict[str, float]
    tokens: dict[str, float]
    missing: tuple[str, ...]
    duplicates: tuple[str, ...]
    foreign: tuple[str, ...]
    unreadable: tuple[str, ...]
    fallbacks: int
    abstained: int = 0
    orders: OrdersRecord | None = None
    calibration: CalibrationRecord | None = None
    grounding: GroundingRecord | None = None
    citations: CitationRecord | None = None
    law_citations: LawCitationRecord | None = None
    facts: Figure | None = None
    plans: dict[str, int] = field(default_factory=dict)
    items: tuple[Item, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Pair:
    """`b` against `a` on the same items.

    `only_a` and `only_b` count the multiple-choice items that only one of them answers correctly.
    `difference` is b − a in accuracy, in −1..1, with its paired bootstrap interval. `p_value` is
    the exact two-sided McNemar test, `p_holm` the same after Holm's correction over all pairs of
    the scoring. `free_difference` is b − a of the free-text score, `facts_difference` that of the
    key-fact score over the `facts_n` questions that have one. `other_plans` counts the items of
    both kinds that the two systems answered under different plans.
    """

    a: str
    b: str
    n: int
    both: int
    only_a: int
    only_b: int
    neither: int
    difference: float
    low: float
    high: float
    p_value: float
    p_holm: float
    free_n: int
    free_difference: float | None
    free_low: float | None
    free_high: float | None
    facts_n: int = 0
    facts_difference: float | None = None
    facts_low: float | None = None
    facts_high: float | None = None
    other_plans: int = 0


@dataclass(frozen=True, slots=True)
class Against:
    """A system against a trivial baseline on the same multiple-choice items.

    `only_system` and `only_baseline` count the items that only one of them answers correctly,
    where a hash breaks the baseline's ties; `p_value` is the exact two-sided McNemar test of these
    counts. `difference` is system − baseline with shared ties, in −1..1, with its paired bootstrap
    interval. `tied` counts the items on which the baseline has several best options.
    """

    system: str
    baseline: str
    n: int
    only_system: int
    only_baseline: int
    tied: int
    difference: float
    low: float
    high: float
    p_value: float


@dataclass(frozen=True, slots=True)
class SmallestDifference:
    """The smallest difference that `n` paired items can show at significance level `alpha`.

    - `at_best`: smallest difference that can be significant at all (every discordant item favours
      the same system);
    - `observed`: smallest significant difference with the observed share of discordant items;
    - `powered`: true difference that is found with probability `power` at that share.

    All are in 0..1, and None if even a difference on every discordant item is not significant.
    """

    n: int
    alpha: float
    power: float
    discordant: float
    at_best: float | None
    observed: float | None
    powered: float | None


@dataclass(frozen=True, slots=True)
class ScoringResult:
    """The scores of every system by its name, and the comparison of every two systems."""

    systems: dict[str, Scores]
    pairs: tuple[Pair, ...]

    def to_record(self) -> dict[str, object]:
        """Return the counts and main figures, as `stage.json` keeps them."""
        record: dict[str, object] = {"systems": len(self.systems)}
        for name, scores in self.systems.items():
            figures = {
                "choice": scores.choice,
                "free": scores.free,
                "facts": scores.facts,
                "blend": scores.blend,
            }
            for part, figure in figures.items():
                if figure is not None:
                    record[f"{name}.{part}"] = round(figure.value, 4)
            if scores.calibration:
                record[f"{name}.calibration_error"] = round(scores.calibration["error"], 4)
            if scores.retrieval:
                record[f"{name}.hit_3"] = round(scores.retrieval.hit_3, 4)
            record[f"{name}.missing"] = len(scores.missing)
        for pair in self.pairs:
            if not unequal_plans(pair_record(pair)):
                record[f"{pair.a}|{pair.b}.p"] = round(pair.p_value, 6)
        return record


# `to_json` and `model_dump` keep the fields but not their types: hence the casts below.


def settings_record(settings: ScoreSettings) -> SettingsRecord:
    """Return all score settings as JSON."""
    return cast("SettingsRecord", settings.model_dump(mode="json"))


def figure_record(figure: Figure) -> FigureRecord:
    """Return a figure as JSON."""
    return cast("FigureRecord", to_json(figure))


def system_record(scores: Scores) -> SystemRecord:
    """Return a system's scores as JSON, without the items, which are in a separate file."""
    record = to_json(scores)
    del record["items"]
    return cast("SystemRecord", record)


def pair_record(pair: Pair) -> PairRecord:
    """Return the comparison of two systems as JSON."""
    return cast("PairRecord", to_json(pair))


def against_record(against: Against) -> AgainstRecord:
    """Return the comparison of a system with a baseline as JSON."""
    return cast("AgainstRecord", to_json(against))


def smallest_record(smallest: SmallestDifference) -> SmallestRecord:
    """Return the smallest difference that a pair can show as JSON."""
    return cast("SmallestRecord", to_json(smallest))
