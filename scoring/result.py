"""The typed result of a scoring: what stands in `scores.json` and `items.jsonl`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

SCHEMA = "kofinlaw.scores/1"
TASK_VERSIONS = {
    "fsku-choice": 1,
    "fsku-free": 1,
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

    `kind` is `choice` or `free`; `score` is 0/1 or the FSKU item score (None where no embedder
    was given); `rank` is the place of the first gold article in the evidence, from 1; `answer`
    holds at most `scored_characters` characters of the `answer_length` there were. `ungrounded`
    are numbers, dates and articles of a free answer that stand in no passage; `in_context` says
    whether a gold article was in the prompt (None where it is not known).
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


@dataclass(frozen=True, slots=True)
class Retrieval:
    """Means over the `n` questions that name gold articles.

    `hit` asks for any gold article, `recall` for the share of them. `depth` is the median number
    of distinct articles among the evidence; `in_context` the share of questions with a gold
    article in the prompt after packing, over the `in_context_n` of which that is known.
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
    """Everything one system scored.

    `missing` ids count as wrong; of `duplicates` the first row counts; `foreign` ids are not in
    the questions and are ignored; `unreadable` are multiple-choice answers that name no option.
    `orders` are the figures of permuted options, `grounding` those of free answers' claims.
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
    orders: dict[str, Any] | None = None
    grounding: dict[str, Any] | None = None
    items: tuple[Item, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Pair:
    """`b` against `a` on the same items.

    `only_a`/`only_b` count multiple-choice items that only one has right; `difference` is
    b − a in 0..1 with its paired bootstrap interval; `p_value` is the exact two-sided McNemar
    test and `p_holm` the same after Holm's correction over all pairs of the scoring.
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


@dataclass(frozen=True, slots=True)
class SmallestDifference:
    """What `n` paired items can show at level `alpha`.

    `at_best` is the smallest difference that can be significant at all (every discordant item
    on one side); `observed` the smallest with the discordant share that was seen; `powered`
    the true difference that would be found with probability `power` at that share. In 0..1;
    None where even a difference on every discordant item would not do.
    """

    n: int
    alpha: float
    power: float
    discordant: float
    at_best: float | None
    observed: float | None
    powered: float | None


def without_items(scores: Scores) -> dict[str, Any]:
    """The scores as JSON values, without the per-item rows (they have a file of their own)."""
    from kofinlaw.records import to_json

    out = to_json(scores)
    del out["items"]
    return out
