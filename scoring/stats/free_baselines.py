"""Score the baselines of free text, by the contest's score and by key facts.

- `echo` gives the question back. The contest's score rewards it; by key facts it scores 0.
- `sentence` gives the sentence of the shown evidence that is nearest to the question: what a
  search for words finds without a model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from kofinlaw.rag.choosing.nearest import nearest_sentence
from kofinlaw.records import Chunk, Key, Question
from kofinlaw.scoring.answers import AnswerSheet
from kofinlaw.scoring.metrics.fsku import SentenceEncoder, cosines, free_score, keyword_recall
from kofinlaw.scoring.metrics.key_facts import score_facts
from kofinlaw.scoring.result import Figure
from kofinlaw.scoring.settings import ScoreSettings
from kofinlaw.scoring.shown import shown_texts
from kofinlaw.scoring.stats.intervals import mean_figure

__all__ = [
    "ECHO",
    "SENTENCE",
    "baseline_answers",
    "is_free_baseline",
    "score_free_baselines",
    "shown_evidence",
]

ECHO, SENTENCE = "echo", "sentence"


def is_free_baseline(name: str) -> bool:
    """Return whether a baseline answers free text; `sentence:SYSTEM` names its evidence."""
    return name.partition(":")[0] in (ECHO, SENTENCE)


def shown_evidence(
    folder: Path, given: AnswerSheet, passages: Mapping[str, Chunk]
) -> dict[str, tuple[str, ...]]:
    """Return the evidence texts that a system was shown, by question id.

    They are the packed texts where `plan.jsonl` records them, else the whole retrieved passages.
    """
    recorded = shown_texts(folder)
    return {
        name: recorded[name]
        if name in recorded
        else tuple(passages[chunk].text for chunk in answer.evidence if chunk in passages)
        for name, answer in given.answers.items()
    }


def baseline_answers(
    asked: Sequence[Question], shown: Mapping[str, Mapping[str, Sequence[str]]]
) -> dict[str, dict[str, str]]:
    """Return the answers of each baseline by question id.

    Systems that were shown the same evidence share one `sentence`; otherwise there is one
    `sentence:SYSTEM` for each. Systems without evidence have none.

    Args:
        asked: the free-text questions.
        shown: evidence texts by system and question id.
    """
    found: dict[str, dict[str, list[str]]] = {}
    for system, texts in shown.items():
        evidence = {q.id: list(texts.get(q.id, ())) for q in asked}
        if any(evidence.values()) and evidence not in found.values():
            found[system] = evidence
    out = {ECHO: {q.id: q.question for q in asked}}
    for system, evidence in found.items():
        name = SENTENCE if len(found) == 1 else f"{SENTENCE}:{system}"
        out[name] = {q.id: nearest_sentence(q.question, evidence[q.id]) for q in asked}
    return out


def score_free_baselines(
    asked: Sequence[Question],
    golds: Mapping[str, Key],
    shown: Mapping[str, Mapping[str, Sequence[str]]],
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
        shown: evidence texts by system and question id.
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
    for name, answers in baseline_answers(free, shown).items():
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
