"""Score the baselines of free text, by the contest's score and by key facts.

- `echo` gives the question back. The contest's score rewards it; by key facts it scores 0.
- `sentence` gives the sentence of the shown evidence that is nearest to the question: what a
  search for words finds without a model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kofinlaw.rag.choosing.nearest import nearest_sentence
from kofinlaw.records import Key, Question
from kofinlaw.scoring.metrics.fsku import SentenceEncoder, cosines, free_score, keyword_recall
from kofinlaw.scoring.metrics.key_facts import score_facts
from kofinlaw.scoring.result import Figure
from kofinlaw.scoring.settings import ScoreSettings
from kofinlaw.scoring.stats.baselines import Evidence
from kofinlaw.scoring.stats.intervals import mean_figure

__all__ = [
    "ECHO",
    "SENTENCE",
    "baseline_answers",
    "is_free_baseline",
    "score_free_baselines",
]

ECHO, SENTENCE = "echo", "sentence"


def is_free_baseline(name: str) -> bool:
    """Return whether a baseline answers free text; `sentence:SYSTEM` names its evidence."""
    return name.partition(":")[0] in (ECHO, SENTENCE)


def baseline_answers(
    asked: Sequence[Question], evidence: Sequence[Evidence]
) -> dict[str, dict[str, str]]:
    """Return the answers of each baseline by question id.

    Systems that were shown the same evidence share one `sentence`; otherwise there is one
    `sentence:SYSTEM` for each. Systems without evidence have none.

    Args:
        asked: the free-text questions.
        evidence: the texts that systems were shown (see `baselines.distinct_evidence`).
    """
    out = {ECHO: {q.id: q.question for q in asked}}
    for one in evidence:
        name = SENTENCE if len(evidence) == 1 else f"{SENTENCE}:{one.systems[0]}"
        out[name] = {q.id: nearest_sentence(q.question, one.texts.get(q.id, ())) for q in asked}
    return out


def score_free_baselines(
    asked: Sequence[Question],
    golds: Mapping[str, Key],
    evidence: Sequence[Evidence],
    *,
    settings: ScoreSettings,
    embedder: SentenceEncoder | None,
    seed: int,
) -> tuple[dict[str, Figure], dict[str, Figure]]:
    """Return (contest's scores, key-fact scores) of the free-text baselines by name.

    Without an embedder there are no scores of the contest; both are empty without free text.

    Args:
        asked: the questions that have a key.
        golds: keys by question id.
        evidence: the texts that systems were shown for the free-text questions.
        settings: weights and intervals.
        embedder: of the cosine.
        seed: of the intervals.
    """
    free = [q for q in asked if not q.options]
    contest: dict[str, Figure] = {}
    facts: dict[str, Figure] = {}
    if not free:
        return contest, facts

    def mean(values: list[float]) -> Figure | None:
        return mean_figure(
            values,
            samples=settings.bootstrap_samples,
            confidence=settings.confidence,
            seed=seed,
        )

    references = [golds[q.id].reference for q in free]
    for name, answers in baseline_answers(free, evidence).items():
        texts = [answers[q.id] for q in free]
        scores = [
            score_facts(q.question, reference, text).score
            for q, reference, text in zip(free, references, texts, strict=True)
        ]
        by_facts = mean([score for score in scores if score is not None])
        if by_facts is not None:
            facts[name] = by_facts
        if embedder is None:
            continue
        by_contest = mean(
            [
                free_score(
                    cosine,
                    keyword_recall(text, golds[q.id].keywords),
                    cosine_weight=settings.cosine_weight,
                    keyword_weight=settings.keyword_weight,
                )
                for q, text, cosine in zip(
                    free, texts, cosines(embedder, texts, references), strict=True
                )
            ]
        )
        if by_contest is not None:
            contest[name] = by_contest
    return contest, facts
