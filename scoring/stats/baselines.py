"""Score trivial baselines, which every result is compared with."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from kofinlaw.data.prompting.stems import is_negative
from kofinlaw.data.solvers.credit import chosen_option
from kofinlaw.data.solvers.overlap import token_overlap
from kofinlaw.data.solvers.tokens import TokenSets, morpheme_tokens
from kofinlaw.records import Chunk, Key, Question
from kofinlaw.scoring.answers import AnswerSheet
from kofinlaw.scoring.result import Figure
from kofinlaw.scoring.settings import ScoreSettings
from kofinlaw.scoring.stats.intervals import mean_figure

__all__ = [
    "distinct_evidence",
    "largest_overlap",
    "longest_option",
    "majority_digit",
    "score_baselines",
    "uniform_expectation",
]


def majority_digit(questions: Sequence[Question], key: Mapping[str, Key]) -> dict[str, str]:
    """Answer every question with the most common right digit; the smaller one of two equals.

    The baseline reads the key, so no constant answer scores higher.
    """
    counts = Counter(key[q.id].answer for q in questions)
    if not counts:
        return {}
    digit = min(counts, key=lambda label: (-counts[label], label))
    return {q.id: digit for q in questions}


def longest_option(questions: Sequence[Question]) -> dict[str, str]:
    """Answer with the longest option in characters; the first of equal ones."""
    return {
        q.id: str(1 + max(range(len(q.options)), key=lambda i: len(q.options[i])))
        for q in questions
    }


def uniform_expectation(questions: Sequence[Question]) -> list[float]:
    """Return the probability of guessing each question right."""
    return [1 / len(q.options) for q in questions]


def largest_overlap(
    questions: Sequence[Question], evidence: Mapping[str, Sequence[str]]
) -> dict[str, str]:
    """Answer with the option that shares most words with the evidence (fewest if negative).

    A question without evidence, or whose options overlap equally, is left out and counts as wrong.
    The overlap is that of `kofinlaw.rag`, over Kiwi content morphemes. The evidence texts are the
    whole retrieved passages; what packing cut from the prompt is not considered.
    """
    tokens = TokenSets(morpheme_tokens)
    tokens.add(t for q in questions for t in (*q.options, *evidence.get(q.id, ())))
    out = {}
    for q in questions:
        if not evidence.get(q.id):
            continue
        scores = token_overlap(
            tokens.of(q.options), tokens.of(evidence[q.id]), negative=is_negative(q.question)
        )
        index = chosen_option(scores, q.options)
        if index >= 0:
            out[q.id] = str(1 + index)
    return out


def score_baselines(
    asked: Sequence[Question],
    golds: Sequence[Key],
    sheets: Mapping[str, AnswerSheet],
    passages: Mapping[str, Chunk],
    *,
    settings: ScoreSettings,
    seed: int,
) -> dict[str, Figure]:
    """Return the scores of the multiple-choice baselines by name.

    They are `majority`, `longest`, `uniform` and `overlap`; if systems retrieved different
    evidence, there is one `overlap:SYSTEM` for each. `free_baselines.py` has those of free text.
    """
    choice = [q for q in asked if q.options]
    by_id = {gold.id: gold for gold in golds}
    figures: dict[str, Figure | None] = {}

    def add(name: str, values: list[float]) -> None:
        figures[name] = mean_figure(
            values,
            samples=settings.bootstrap_samples,
            confidence=settings.confidence,
            seed=seed,
        )

    def add_labels(name: str, labels: Mapping[str, str]) -> None:
        add(name, [float(labels.get(q.id) == by_id[q.id].answer) for q in choice])

    if choice:
        add_labels("majority", majority_digit(choice, by_id))
        add_labels("longest", longest_option(choice))
        chances = uniform_expectation(choice)
        mean = math.fsum(chances) / len(chances)
        figures["uniform"] = Figure(mean, mean, mean, len(chances))
        for name, evidence in distinct_evidence(choice, sheets, passages).items():
            add_labels(name, largest_overlap(choice, evidence))
    return {name: figure for name, figure in figures.items() if figure is not None}


def distinct_evidence(
    asked: Sequence[Question], sheets: Mapping[str, AnswerSheet], passages: Mapping[str, Chunk]
) -> dict[str, dict[str, list[str]]]:
    """Return evidence texts by question id for each overlap baseline.

    Systems that retrieved the same evidence share one baseline.
    """
    found: dict[str, dict[str, list[str]]] = {}
    for name, given in sheets.items():
        evidence = {
            q.id: [passages[c].text for c in given.answers[q.id].evidence if c in passages]
            for q in asked
            if q.id in given.answers
        }
        if any(evidence.values()) and evidence not in found.values():
            found[name] = evidence
    if len(found) == 1:
        return {"overlap": next(iter(found.values()))}
    return {f"overlap:{name}": evidence for name, evidence in found.items()}
