"""Score the answers of one system."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from kofinlaw.data.law.verifying.known_law import KnownLaw
from kofinlaw.records import Answer, Chunk, Key, Question
from kofinlaw.scoring.answers import AnswerSheet, answer_sheet
from kofinlaw.scoring.item_scores import (
    ItemScorer,
    answered,
    free_cosines,
    free_text_scores,
    grounded_claims,
    matched_key,
    mean_of,
    scored_text,
    slice_figures,
    spread,
)
from kofinlaw.scoring.metrics.citations import citation_figures
from kofinlaw.scoring.metrics.fsku import SentenceEncoder, label_of
from kofinlaw.scoring.metrics.grounding import grounding_figures
from kofinlaw.scoring.metrics.law_citations import law_citation_figures
from kofinlaw.scoring.metrics.retrieval_scores import retrieval_scores
from kofinlaw.scoring.orders import OptionScores, order_figures
from kofinlaw.scoring.result import Scores
from kofinlaw.scoring.settings import ScoreSettings
from kofinlaw.scoring.stats.calibration import calibration_figures
from kofinlaw.scoring.stats.intervals import blend_figure

__all__ = ["score_system"]


def score_system(
    questions: Sequence[Question],
    key: Sequence[Key],
    answers: AnswerSheet | Iterable[Answer],
    *,
    settings: ScoreSettings,
    embedder: SentenceEncoder | None = None,
    system: str = "answers",
    seconds: Mapping[str, float] | None = None,
    unit_of: Mapping[str, str] | None = None,
    passages: Mapping[str, Chunk] | None = None,
    shown: Mapping[str, Sequence[str]] | None = None,
    texts: Mapping[str, Sequence[str]] | None = None,
    plans: Mapping[str, str] | None = None,
    reasons: Mapping[str, str] | None = None,
    option_scores: OptionScores | None = None,
    law: KnownLaw | None = None,
    seed: int = 0,
) -> Scores:
    """Score one system. Every question with a key counts; a missing answer counts as wrong.

    Raises UserError for a repeated id, or a key that does not fit its question.

    Args:
        questions: the questions; those without a key are left out.
        key: the right answers.
        answers: the answers of the system.
        settings: weights, intervals and text scores.
        embedder: for the cosine; None leaves the free-text score out, keyword recall stays.
        system: name of the system.
        seconds: time to answer, by question id.
        unit_of: article by chunk id, if the passages themselves are not given.
        passages: passages by chunk id, for grounding and articles.
        shown: ids of the passages in each question's prompt, if known.
        texts: packed texts in each question's prompt, if recorded.
        plans: plan of each question's answer, if recorded.
        reasons: what the model wrote before a choice, by question id, if recorded.
        option_scores: option scores of every permutation, by question id.
        law: the corpus, to verify the references of what the system wrote; None leaves them out.
        seed: of the bootstrap intervals.
    """
    golds = matched_key(questions, key)
    known = {q.id for q in questions}
    questions = [q for q in questions if q.id in golds]
    given = answers if isinstance(answers, AnswerSheet) else answer_sheet(answers)
    free_questions = [q for q in questions if not q.options]
    passages, shown = passages or {}, shown or {}
    unit_of = unit_of or {name: chunk.unit for name, chunk in passages.items()}
    claims = grounded_claims(questions, given, shown, passages, settings, texts or {})
    scorer = ItemScorer(
        settings=settings,
        system=system,
        golds=golds,
        given=given,
        cosines=free_cosines(free_questions, golds, given, settings, embedder),
        seconds=seconds or {},
        unit_of=unit_of,
        shown=shown,
        claims=claims,
        plans=plans or {},
    )
    items = [scorer.item(question) for question in questions]
    written = {q.id: scored_text(given, q.id, settings) for q in free_questions}
    written |= {q.id: (reasons or {})[q.id] for q in questions if q.id in (reasons or {})}
    shown_units = {name: [unit_of.get(c, "") for c in ids] for name, ids in shown.items()}
    choice = [item.score for item in items if item.kind == "choice" and item.score is not None]
    free = [item for item in items if item.kind == "free"]
    free_scores = [item.score for item in free if item.score is not None]
    return Scores(
        system=system,
        choice=mean_of(choice, settings, seed),
        free=mean_of(free_scores, settings, seed),
        cosine=mean_of([item.cosine for item in free], settings, seed),
        keywords=mean_of([item.keywords for item in free], settings, seed),
        blend=blend_figure(
            choice,
            free_scores,
            weight=settings.choice_weight,
            samples=settings.bootstrap_samples,
            confidence=settings.confidence,
            seed=seed,
        ),
        slices=slice_figures(items, settings, seed),
        retrieval=retrieval_scores(
            {name: gold.units for name, gold in golds.items()},
            {item.id: item.evidence for item in items},
            unit_of,
            shown,
        ),
        text=free_text_scores(free_questions, golds, given, settings),
        seconds=spread([item.seconds for item in items if item.seconds is not None]),
        tokens=spread([float(item.tokens) for item in items]),
        missing=tuple(q.id for q in questions if not answered(given, q.id)),
        duplicates=tuple(name for name in given.duplicates if name in known),
        foreign=tuple(name for name in given.answers if name not in known),
        unreadable=tuple(
            q.id
            for q in questions
            if q.options
            and answered(given, q.id)
            and not label_of(given.answers[q.id].answer, q.options)
        ),
        fallbacks=sum(item.origin == "fallback" for item in items),
        abstained=sum(item.origin == "abstention" for item in items),
        orders=order_figures(option_scores or {}, questions, golds, settings, seed=seed),
        calibration=calibration_figures(items),
        grounding=grounding_figures(claims),
        citations=citation_figures(written, shown_units, golds),
        law_citations=law_citation_figures(written, law, {q.id: q.as_of for q in questions}),
        plans=dict(Counter(item.plan for item in items if item.plan)),
        facts=mean_of([item.facts for item in free], settings, seed),
        items=tuple(items),
    )
