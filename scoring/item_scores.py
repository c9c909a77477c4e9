"""From a question, its key and an answer to a scored item, and from items to figures."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from kofinlaw import UserError
from kofinlaw.records import Answer, Chunk, Key, Question
from kofinlaw.scoring.answers import AnswerSheet
from kofinlaw.scoring.metrics.fsku import (
    SentenceEncoder,
    cosines,
    free_score,
    keyword_recall,
    label_of,
)
from kofinlaw.scoring.metrics.grounding import Claim, ungrounded
from kofinlaw.scoring.metrics.retrieval import first_rank, in_context, ranked_units
from kofinlaw.scoring.metrics.text import text_scores
from kofinlaw.scoring.result import Figure, Item
from kofinlaw.scoring.settings import ScoreSettings
from kofinlaw.scoring.stats.intervals import mean_figure
from kofinlaw.scoring.stats.slices import slices_of


def matched_key(questions: Sequence[Question], key: Sequence[Key]) -> dict[str, Key]:
    """The key of each question that has one, by id, in the questions' order.

    Raises UserError for a doubled id, a label that is no option, a missing reference, or where
    no question has a key at all.
    """
    golds = {gold.id: gold for gold in key}
    ids = [q.id for q in questions]
    for what, names in (("questions", ids), ("keys", [gold.id for gold in key])):
        if len(set(names)) != len(names):
            doubled = next(name for name in names if names.count(name) > 1)
            raise UserError(f"two {what} share this id", where=doubled)
    for question in questions:
        gold = golds.get(question.id)
        if gold is None:
            continue
        if question.options and not label_of(gold.answer, len(question.options)):
            raise UserError(
                f"the key's answer {gold.answer!r} is none of 1..{len(question.options)}",
                where=question.id,
            )
        if not question.options and not gold.reference.strip():
            raise UserError("a free-text question needs a reference", where=question.id)
    matched = {name: golds[name] for name in ids if name in golds}
    if not matched:
        raise UserError(
            "no question has a key",
            remedy="give the key file of these questions: its ids must be theirs",
        )
    return matched


def answered(given: AnswerSheet, name: str) -> bool:
    """Whether there is an answer that is not blank."""
    return name in given.answers and bool(given.answers[name].answer.strip())


def free_cosines(
    questions: Sequence[Question],
    golds: Mapping[str, Key],
    given: AnswerSheet,
    settings: ScoreSettings,
    embedder: SentenceEncoder | None,
) -> dict[str, float]:
    """Cosine by question id; empty without an embedder."""
    if embedder is None:
        return {}
    said = [scored_text(given, q.id, settings) for q in questions]
    values = cosines(embedder, said, [golds[q.id].reference for q in questions])
    return {q.id: value for q, value in zip(questions, values, strict=True)}


def scored_text(given: AnswerSheet, name: str, settings: ScoreSettings) -> str:
    """The part of an answer that is compared; empty where there is none."""
    answer = given.answers.get(name)
    return answer.answer.strip()[: settings.scored_characters] if answer else ""


def choice_item(
    question: Question, gold: Key, answer: Answer | None, settings: ScoreSettings, system: str
) -> Item:
    """A multiple-choice item: right or wrong."""
    text = answer.answer if answer else ""
    right = label_of(text, len(question.options)) == gold.answer
    return blank_item(question, gold, text, settings, system, "choice", gold.answer, float(right))


def free_item(
    question: Question,
    gold: Key,
    answer: Answer | None,
    cosine: float | None,
    settings: ScoreSettings,
    system: str,
) -> Item:
    """A free-text item: cosine, keyword recall and the contest's mixture of them."""
    text = answer.answer if answer else ""
    recall = keyword_recall(text, gold.keywords)
    score = None
    if cosine is not None:
        score = free_score(
            cosine,
            recall,
            cosine_weight=settings.cosine_weight,
            keyword_weight=settings.keyword_weight,
        )
    return blank_item(
        question, gold, text, settings, system, "free", gold.reference, score, cosine, recall
    )


def blank_item(
    question: Question,
    gold: Key,
    text: str,
    settings: ScoreSettings,
    system: str,
    kind: str,
    right: str,
    score: float | None,
    cosine: float | None = None,
    keywords: float | None = None,
) -> Item:
    """An item before what is known about the run is filled in."""
    return Item(
        system=system,
        id=question.id,
        kind=kind,
        answer=text[: settings.scored_characters],
        answer_length=len(text),
        gold=right,
        score=score,
        cosine=cosine,
        keywords=keywords,
        slices=slices_of(question, gold),
        evidence=(),
        rank=None,
        seconds=None,
        tokens=0,
        confidence=None,
        origin="missing",
    )


def with_run(
    item: Item,
    answer: Answer | None,
    gold: Key,
    seconds: Mapping[str, float],
    unit_of: Mapping[str, str],
    shown: Mapping[str, Sequence[str]],
    loose: Sequence[Claim] = (),
) -> Item:
    """The item with evidence, rank, time, tokens and confidence of its answer, whether gold stood
    in the prompt, and the claims that no passage holds."""
    if answer is None:
        return replace(item, seconds=seconds.get(item.id))
    return replace(
        item,
        evidence=answer.evidence,
        rank=first_rank(ranked_units(answer.evidence, unit_of), gold.units),
        seconds=seconds.get(item.id),
        tokens=answer.tokens,
        confidence=answer.confidence if math.isfinite(answer.confidence) else None,
        origin=answer.origin,
        ungrounded=tuple(claim.text for claim in loose),
        in_context=in_context(item.id, gold.units, shown, unit_of) if gold.units else None,
    )


def mean_of(values: Iterable[float | None], settings: ScoreSettings, seed: int) -> Figure | None:
    """Mean and interval of the values that are there; None where none is."""
    return mean_figure(
        [value for value in values if value is not None],
        samples=settings.bootstrap_samples,
        confidence=settings.confidence,
        seed=seed,
    )


def slice_figures(items: Sequence[Item], settings: ScoreSettings, seed: int) -> dict[str, Figure]:
    """Multiple-choice accuracy by slice, in the slices' alphabetical order."""
    out = {}
    for name in sorted({name for item in items for name in item.slices}):
        scores = [i.score for i in items if i.kind == "choice" and name in i.slices]
        figure = mean_of(scores, settings, seed)
        if figure is not None:
            out[name] = figure
    return out


def free_text_scores(
    questions: Sequence[Question],
    golds: Mapping[str, Key],
    given: AnswerSheet,
    settings: ScoreSettings,
) -> dict[str, float]:
    """BLEU, ROUGE and so on of the free-text answers; empty where they are not wanted."""
    questions = [q for q in questions if not q.options]
    if not settings.text_scores or not questions:
        return {}
    said = [scored_text(given, q.id, settings) for q in questions]
    return text_scores(said, [golds[q.id].reference for q in questions])


def spread(values: Sequence[float]) -> dict[str, float]:
    """Sum, mean, p50, p95 and largest of values; empty without any."""
    if not values:
        return {}
    array = np.asarray(values, dtype=np.float64)
    p50, p95 = np.quantile(array, [0.5, 0.95])
    return {
        "total": float(array.sum()),
        "mean": float(array.mean()),
        "p50": float(p50),
        "p95": float(p95),
        "max": float(array.max()),
    }


def grounded_claims(
    questions: Sequence[Question],
    given: AnswerSheet,
    shown: Mapping[str, Sequence[str]],
    passages: Mapping[str, Chunk],
    settings: ScoreSettings,
) -> dict[str, tuple[list[Claim], list[Claim]]]:
    """(claims, those without ground) of each answered free-text question that came with passages.

    What is known to have stood in the prompt counts as ground, else all the evidence found.
    """
    titles = sorted({passage.title for passage in passages.values()})
    out = {}
    for question in questions:
        if question.options or not answered(given, question.id):
            continue
        ids = shown.get(question.id, given.answers[question.id].evidence)
        found = [passages[name] for name in ids if name in passages]
        if found:
            text = scored_text(given, question.id, settings)
            sources = [question.question, *(passage.text for passage in found)]
            units = [passage.unit for passage in found]
            out[question.id] = ungrounded(text, sources, units, titles)
    return out
