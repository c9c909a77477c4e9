"""Score single questions, and turn the scored items into means, slices and spreads."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kofinlaw import UserError
from kofinlaw.records import Chunk, Key, Question
from kofinlaw.scoring.answers import AnswerSheet
from kofinlaw.scoring.metrics.fsku import (
    SentenceEncoder,
    cosines,
    free_score,
    keyword_recall,
    label_of,
)
from kofinlaw.scoring.metrics.grounding import Claim, ungrounded
from kofinlaw.scoring.metrics.key_facts import FactScore, score_facts
from kofinlaw.scoring.metrics.retrieval_scores import first_rank, in_context, ranked_units
from kofinlaw.scoring.metrics.text_scores import text_scores
from kofinlaw.scoring.result import Figure, Item
from kofinlaw.scoring.settings import ScoreSettings
from kofinlaw.scoring.stats.intervals import mean_figure
from kofinlaw.scoring.stats.slices import slices_of

__all__ = [
    "Claims",
    "ItemScorer",
    "answered",
    "free_cosines",
    "free_text_scores",
    "grounded_claims",
    "matched_key",
    "mean_of",
    "scored_text",
    "slice_figures",
    "spread",
]

# By question id: all claims of an answer, and those that no passage supports.
Claims = Mapping[str, tuple[list[Claim], list[Claim]]]


@dataclass(frozen=True, slots=True)
class ItemScorer:
    """Scores the questions of one system. All mappings are by question id, except `unit_of`.

    - `golds`: the keys; `given`: the answers; `cosines`: of the free-text answers;
    - `seconds`: time to answer; `unit_of`: article by chunk id;
    - `shown`: ids of the passages in the prompt; `claims`: claims of the free-text answers;
    - `plans`: plan of the answer by question id.
    """

    settings: ScoreSettings
    system: str
    golds: Mapping[str, Key]
    given: AnswerSheet
    cosines: Mapping[str, float]
    seconds: Mapping[str, float]
    unit_of: Mapping[str, str]
    shown: Mapping[str, Sequence[str]]
    claims: Claims
    plans: Mapping[str, str]

    def item(self, question: Question) -> Item:
        """Return the scored item of a question that has a key."""
        gold = self.golds[question.id]
        answer = self.given.answers.get(question.id)
        text = answer.answer if answer else ""
        score, cosine, keywords = self._scores(question, gold, text)
        facts = self._facts(question, gold)
        return Item(
            system=self.system,
            id=question.id,
            kind="choice" if question.options else "free",
            answer=text[: self.settings.scored_characters],
            answer_length=len(text),
            gold=gold.answer if question.options else gold.reference,
            score=score,
            cosine=cosine,
            keywords=keywords,
            slices=slices_of(question, gold),
            evidence=answer.evidence if answer else (),
            rank=first_rank(ranked_units(answer.evidence, self.unit_of), gold.units)
            if answer
            else None,
            seconds=self.seconds.get(question.id),
            tokens=answer.tokens if answer else 0,
            confidence=answer.confidence if answer and math.isfinite(answer.confidence) else None,
            origin=answer.origin if answer else "missing",
            ungrounded=tuple(claim.text for claim in self._ungrounded(question)) if answer else (),
            in_context=in_context(question.id, gold.units, self.shown, self.unit_of)
            if answer and gold.units
            else None,
            plan=self.plans.get(question.id, "") if answer else "",
            facts=facts.score if facts else None,
            missing_facts=facts.missing if facts else (),
            contradicted_facts=facts.contradicted if facts else (),
        )

    def _scores(
        self, question: Question, gold: Key, text: str
    ) -> tuple[float | None, float | None, float | None]:
        """Return (score, cosine, keyword recall); the last two are None for multiple choice."""
        if question.options:
            right = label_of(text, question.options) in gold.labels
            return float(right), None, None
        recall = keyword_recall(text, gold.keywords)
        cosine = self.cosines.get(question.id)
        if cosine is None:
            return None, None, recall
        weights = self.settings
        score = free_score(
            cosine,
            recall,
            cosine_weight=weights.cosine_weight,
            keyword_weight=weights.keyword_weight,
        )
        return score, cosine, recall

    def _facts(self, question: Question, gold: Key) -> FactScore | None:
        """Return the key-fact score of a free-text answer; None for multiple choice."""
        if question.options:
            return None
        text = scored_text(self.given, question.id, self.settings)
        return score_facts(question.question, gold.reference, text)

    def _ungrounded(self, question: Question) -> list[Claim]:
        return self.claims[question.id][1] if question.id in self.claims else []


def matched_key(questions: Sequence[Question], key: Sequence[Key]) -> dict[str, Key]:
    """Return the key of each question that has one, by id, in the questions' order.

    Raises UserError for a repeated id, a label that is not an option, a missing reference, or if
    no question has a key.
    """
    golds = {gold.id: gold for gold in key}
    ids = [q.id for q in questions]
    for kind, names in (("questions", ids), ("keys", [gold.id for gold in key])):
        if len(set(names)) != len(names):
            repeated = next(name for name in names if names.count(name) > 1)
            raise UserError(f"two {kind} share this id", where=repeated)
    for question in questions:
        gold = golds.get(question.id)
        if gold is None:
            continue
        labels = set(map(str, range(1, len(question.options) + 1)))
        if question.options and not (gold.labels and labels.issuperset(gold.labels)):
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
            remedy="give the key file of these questions: the ids must match",
        )
    return matched


def answered(given: AnswerSheet, question_id: str) -> bool:
    """Return whether the question has an answer that is not blank."""
    return question_id in given.answers and bool(given.answers[question_id].answer.strip())


def free_cosines(
    questions: Sequence[Question],
    golds: Mapping[str, Key],
    given: AnswerSheet,
    settings: ScoreSettings,
    embedder: SentenceEncoder | None,
) -> dict[str, float]:
    """Return the cosine of answer and reference by question id; empty without an embedder."""
    if embedder is None:
        return {}
    texts = [scored_text(given, q.id, settings) for q in questions]
    values = cosines(embedder, texts, [golds[q.id].reference for q in questions])
    return {q.id: value for q, value in zip(questions, values, strict=True)}


def scored_text(given: AnswerSheet, question_id: str, settings: ScoreSettings) -> str:
    """Return the part of an answer that is compared; empty if there is no answer."""
    answer = given.answers.get(question_id)
    return answer.answer.strip()[: settings.scored_characters] if answer else ""


def mean_of(values: Iterable[float | None], settings: ScoreSettings, seed: int) -> Figure | None:
    """Return mean and interval of the values that are not None; None if all are."""
    return mean_figure(
        [value for value in values if value is not None],
        samples=settings.bootstrap_samples,
        confidence=settings.confidence,
        seed=seed,
    )


def slice_figures(items: Sequence[Item], settings: ScoreSettings, seed: int) -> dict[str, Figure]:
    """Return multiple-choice accuracy by slice, in alphabetical order of the slices."""
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
    """Return BLEU, ROUGE and so on of free-text questions; empty if they are switched off."""
    if not settings.text_scores or not questions:
        return {}
    texts = [scored_text(given, q.id, settings) for q in questions]
    return text_scores(texts, [golds[q.id].reference for q in questions])


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return total, mean, p50, p95 and max of the values; empty without values."""
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
    texts: Mapping[str, Sequence[str]],
) -> dict[str, tuple[list[Claim], list[Claim]]]:
    """Return (claims, unsupported claims) of each answered free-text question with passages.

    If the packed texts of the prompt are recorded (`texts`), only these can support a claim. If
    only the passages in the prompt are known (`shown`), these can; otherwise all the retrieved
    evidence can.
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
            seen = texts.get(question.id) or [passage.text for passage in found]
            sources = [question.question, *seen]
            units = [passage.unit for passage in found]
            out[question.id] = ungrounded(text, sources, units, titles)
    return out
