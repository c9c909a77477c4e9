"""Define the JSON that a scoring writes: `scores.json` and the rows of `items.jsonl`.

`result.py` holds the computed values; the types here describe the same values as JSON, for the
code that reads them back (reports, comparisons, studies).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NotRequired, TypedDict

from kofinlaw.scoring.abstention.abstention_record import AbstentionRecord
from kofinlaw.scoring.twins.twin_record import TwinsRecord

__all__ = [
    "SCHEMA",
    "AgainstRecord",
    "Basis",
    "CalibrationBin",
    "CalibrationRecord",
    "CitationRecord",
    "ControlRecord",
    "CountsRecord",
    "EmbedderRecord",
    "EnvironmentRecord",
    "FigureRecord",
    "GroundingRecord",
    "ItemRecord",
    "JudgePairRecord",
    "JudgeRecord",
    "JudgedRecord",
    "KindCounts",
    "LawCitationRecord",
    "OrdersRecord",
    "PairRecord",
    "RetrievalRecord",
    "RubricRecord",
    "ScoreName",
    "ScoresRecord",
    "SettingsRecord",
    "SmallestRecord",
    "SolverRecord",
    "SortRecord",
    "SystemRecord",
]

SCHEMA = "kofinlaw.scores/2"
# What a baseline read: the texts in the prompts, the whole retrieved passages, or no evidence.
Basis = Literal["shown", "passages", "none"]
# The scores of a system that are a `FigureRecord`.
ScoreName = Literal["choice", "free", "cosine", "keywords", "facts", "blend"]


class FigureRecord(TypedDict):
    """A mean over `n` items with its interval; all in 0..1."""

    value: float
    low: float
    high: float
    n: int


class RetrievalRecord(TypedDict):
    """`result.Retrieval` as JSON; older files lack the last four."""

    n: int
    hit_1: float
    hit_3: float
    hit_5: float
    mrr: float
    ndcg_10: float
    depth: float
    recall_3: NotRequired[float]
    recall_5: NotRequired[float]
    in_context: NotRequired[float | None]
    in_context_n: NotRequired[int]


class OrdersRecord(TypedDict):
    """Figures over the questions that were asked with permuted options (see `orders.py`)."""

    n: int
    orders: int
    plain: FigureRecord
    permuted: FigureRecord
    averaged: FigureRecord
    consistent: FigureRecord
    by_chance: float
    gained: int
    lost: int


class CalibrationBin(TypedDict):
    """Answers of one interval of confidence: how many, mean confidence and accuracy (0..1)."""

    n: int
    confidence: float
    right: float


class CalibrationRecord(TypedDict):
    """Expected calibration error over the `n` multiple-choice answers that the model gave.

    `confidence` and `right` are the means over these answers; all figures are in 0..1.
    """

    n: int
    error: float
    confidence: float
    right: float
    bins: list[CalibrationBin]


class KindCounts(TypedDict):
    """Claims of one kind, and how many of them the evidence supports."""

    n: int
    grounded: int


class GroundingRecord(TypedDict):
    """Figures over the claims of free-text answers (see `metrics/grounding.py`)."""

    answers: int
    with_claims: int
    claims: int
    grounded: int
    share: float
    answers_with_ungrounded: int
    kinds: dict[str, KindCounts]


class CitationRecord(TypedDict):
    """Figures over the passage numbers that answers cite (see `metrics/citations.py`).

    `unknown` counts numbers of no passage. Precision and recall are shares (0 to 1).
    """

    answers: int
    citing: int
    citations: int
    right: int
    unknown: int
    precision: float
    recall: float | None


class LawCitationRecord(TypedDict):
    """Figures over the references to law in what a system wrote (see `metrics/law_citations.py`).

    `refuted` references are those that the corpus shows to be wrong, `by_verdict` counts all.
    """

    answers: int
    citing: int
    citations: int
    holds: int
    refuted: int
    unknown: int
    share: float
    answers_with_refuted: int
    by_verdict: dict[str, int]


class SystemRecord(TypedDict):
    """`result.Scores` as JSON, without its items."""

    system: str
    choice: FigureRecord | None
    free: FigureRecord | None
    cosine: FigureRecord | None
    keywords: FigureRecord | None
    facts: NotRequired[FigureRecord | None]
    blend: FigureRecord | None
    slices: dict[str, FigureRecord]
    retrieval: RetrievalRecord | None
    text: dict[str, float]
    seconds: dict[str, float]
    tokens: dict[str, float]
    missing: list[str]
    duplicates: list[str]
    foreign: list[str]
    unreadable: list[str]
    fallbacks: int
    abstained: NotRequired[int]
    orders: OrdersRecord | None
    calibration: NotRequired[CalibrationRecord | None]
    grounding: GroundingRecord | None
    citations: NotRequired[CitationRecord | None]
    law_citations: NotRequired[LawCitationRecord | None]
    plans: dict[str, int]


class PairRecord(TypedDict):
    """`result.Pair` as JSON."""

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
    facts_n: NotRequired[int]
    facts_difference: NotRequired[float | None]
    facts_low: NotRequired[float | None]
    facts_high: NotRequired[float | None]
    other_plans: int


class SolverRecord(TypedDict):
    """How a baseline of multiple choice was computed (see `stats/baselines.py`).

    - `basis`: what it read; `systems`: those whose evidence it read, empty for all systems;
    - `method`: `bigrams` or `morphemes` for the better overlap, else empty; `other`: the figure of
      the other one;
    - `tied`: number of questions on which several options share the credit.
    """

    basis: Basis
    systems: list[str]
    method: str
    other: FigureRecord | None
    tied: int


class AgainstRecord(TypedDict):
    """`result.Against` as JSON."""

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


class SortRecord(TypedDict):
    """Multiple choice on one sort of generated question (`hard`, `look_up`), by system.

    `best` compares each system with the solver that has the most credit on these questions.
    """

    n: int
    systems: dict[str, FigureRecord]
    best: dict[str, AgainstRecord]


class SmallestRecord(TypedDict):
    """`result.SmallestDifference` as JSON."""

    n: int
    alpha: float
    power: float
    discordant: float
    at_best: float | None
    observed: float | None
    powered: float | None


class JudgedRecord(TypedDict):
    """One system by one criterion of the judge (see `judge/figures.py`)."""

    figure: FigureRecord | None
    items: int
    judged: int
    verdicts: int
    unreadable: int
    unreadable_share: float
    worst: float
    best: float
    agreement: float | None
    by_chance: float | None


class ControlRecord(TypedDict):
    """Whether the judge can distinguish a reference from another question's reference."""

    reference: float | None
    stranger: float | None
    auc: float | None
    n: int


class JudgePairRecord(TypedDict):
    """Two systems compared by the judge, in items."""

    a: str
    b: str
    items: int
    wins_a: int
    wins_b: int
    same: int
    unstable: int
    unreadable: int
    p_value: float


class RubricRecord(TypedDict):
    """The rubric behind a criterion."""

    version: str
    sha256: str
    choices: list[float | str]


class JudgeRecord(TypedDict):
    """The content of `judge.json`."""

    judge: str
    engine: str
    deterministic: bool
    items: int
    repeats: int
    rubrics: dict[str, RubricRecord]
    template_sha256: str
    criteria: dict[str, dict[str, JudgedRecord]]
    controls: dict[str, ControlRecord]
    pairs: list[JudgePairRecord]


class CountsRecord(TypedDict):
    """How many questions were scored, and how many had no key."""

    questions: int
    choice: int
    free: int
    without_key: int


class EmbedderRecord(TypedDict):
    """The embedder of the cosine, and the mean cosine of references of different questions."""

    name: str
    dimensions: int
    floor: float | None


class EnvironmentRecord(TypedDict):
    """Versions, machine and commit."""

    kofinlaw: str
    commit: str
    python: str
    system: str
    processor: str
    cores: int
    memory_gib: float
    graphics: list[str]
    packages: dict[str, str]


class SettingsRecord(TypedDict):
    """The score settings that readers of a scoring use; the file holds all of them."""

    embedder: str | None
    cosine_weight: float
    keyword_weight: float
    choice_weight: float
    confidence: float
    bootstrap_samples: int
    alpha: float


class ScoresRecord(TypedDict):
    """The content of `scores.json`. `smallest` is by `A|B`, `sha256` by the name of the input.

    `solvers` describes the baselines of multiple choice by name. `against` compares every system
    with each of them that read the system's evidence or none.
    """

    schema: str
    tasks: Mapping[str, object]
    seed: int
    settings: SettingsRecord
    embedder: EmbedderRecord | None
    counts: CountsRecord
    systems: dict[str, SystemRecord]
    baselines: dict[str, FigureRecord]
    solvers: dict[str, SolverRecord]
    against: list[AgainstRecord]
    sorts: NotRequired[dict[str, SortRecord]]
    fact_baselines: NotRequired[dict[str, FigureRecord]]
    pairs: list[PairRecord]
    smallest: dict[str, SmallestRecord]
    judge: JudgeRecord | None
    abstention: NotRequired[AbstentionRecord | None]
    twins: NotRequired[TwinsRecord | None]
    environment: EnvironmentRecord
    sha256: dict[str, str]


class ItemRecord(TypedDict):
    """`result.Item` as JSON: one question as one system answered it."""

    system: str
    id: str
    kind: Literal["choice", "free"]
    answer: str
    answer_length: int
    gold: str
    score: float | None
    cosine: float | None
    keywords: float | None
    slices: list[str]
    evidence: list[str]
    rank: int | None
    seconds: float | None
    tokens: int
    confidence: float | None
    origin: str
    ungrounded: NotRequired[list[str]]
    in_context: NotRequired[bool | None]
    plan: NotRequired[str]
    facts: NotRequired[float | None]
    missing_facts: NotRequired[list[str]]
    contradicted_facts: NotRequired[list[str]]
