"""Answer without the model where the deadline or a failed engine leaves a question open.

The rule for choices is the solver `overlap_bigrams` (`data/solvers/`), which the scoring uses as a
baseline. No prior about positions or lengths is used here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from kofinlaw.data.korean.words import bigrams
from kofinlaw.data.prompting.stems import is_negative
from kofinlaw.data.prompting.wording import NO_EVIDENCE
from kofinlaw.data.solvers.credit import chosen_option
from kofinlaw.data.solvers.overlap import token_overlap
from kofinlaw.rag.choosing.nearest import nearest_sentence
from kofinlaw.records import Answer, Question

__all__ = ["FALLBACK_PASSAGES", "fallback_answer"]

FALLBACK_PASSAGES = 3  # passages that a fallback answer reads


def fallback_answer(
    question: Question,
    evidence: Sequence[str],
    evidence_ids: Sequence[str] = (),
    *,
    max_characters: int = 160,
) -> Answer:
    """Return the answer of a question until the model has given one, marked `origin="fallback"`.

    Multiple choice: the option that best matches the passages (for a negative stem the one that
    matches least), else one chosen by a hash of the question's id. Free text: the sentence of the
    evidence that is nearest to the question, cut to `max_characters`.
    """
    if question.options:
        scores = token_overlap(
            [set(bigrams(option)) for option in question.options],
            [set(bigrams(passage)) for passage in evidence],
            negative=is_negative(question.question),
        )
        chosen = chosen_option(scores, question.options)
        if chosen < 0:
            digest = hashlib.sha256(question.id.encode("utf-8")).digest()
            chosen = int.from_bytes(digest[:8], "big") % len(question.options)
        text = str(chosen + 1)
    else:
        text = nearest_sentence(question.question, evidence, max_characters) or NO_EVIDENCE
    return Answer(question.id, text, tuple(evidence_ids), 0.0, 0, "fallback")
