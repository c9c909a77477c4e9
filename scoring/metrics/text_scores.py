"""Compute BLEU, ROUGE, METEOR and chrF of free-text answers over Korean morphemes.

Korean words include their particles, so whitespace tokens treat "은행은" and "은행이" as different
words. All scores except chrF are therefore computed over Kiwi's morphemes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from kofinlaw import UserError

if TYPE_CHECKING:
    from kiwipiepy import Kiwi

__all__ = [
    "SPACE",
    "NoStemming",
    "NoSynonyms",
    "SplitMorphemes",
    "meteor_exact",
    "morphemes",
    "text_scores",
]

SPACE = re.compile(r"\s+")


@lru_cache(maxsize=1)
def _kiwi() -> Kiwi:
    """Load the analyser, which takes about a second."""
    from kiwipiepy import Kiwi

    return Kiwi(num_workers=1)


def morphemes(texts: Sequence[str]) -> list[list[str]]:
    """Return Kiwi's morphemes of each text: all parts of speech, lower-cased."""
    return [[token.form.lower() for token in tokens] for tokens in _kiwi().tokenize(list(texts))]


class SplitMorphemes:
    """A tokenizer for rouge-score, whose texts are morphemes joined by spaces."""

    def tokenize(self, text: str) -> list[str]:
        """Split the text at spaces."""
        return text.split()


def text_scores(answers: Sequence[str], references: Sequence[str]) -> dict[str, float]:
    """Return scores of answers against one reference each, all in 0..1; empty without answers.

    - `bleu`: corpus BLEU by sacrebleu, over morphemes;
    - `chrf`: corpus chrF by sacrebleu, over characters;
    - `rouge1`, `rouge2`, `rougeL`: mean F1, over morphemes;
    - `meteor_exact`: mean METEOR with exact matches only, over morphemes.

    Raises UserError if answers and references are not as many.
    """
    if not answers:
        return {}
    if len(answers) != len(references):
        raise UserError(f"{len(answers)} answers for {len(references)} references")
    import sacrebleu
    from rouge_score.rouge_scorer import RougeScorer

    flat = [SPACE.sub(" ", text).strip() for text in [*answers, *references]]
    tokens = morphemes(flat)
    half = len(answers)
    joined = [" ".join(SPACE.sub("", token) for token in row) for row in tokens]
    morphs, expected = joined[:half], joined[half:]
    bleu = sacrebleu.corpus_bleu(morphs, [expected], tokenize="none", force=True)
    chrf = sacrebleu.corpus_chrf(flat[:half], [flat[half:]])
    scorer = RougeScorer(["rouge1", "rouge2", "rougeL"], tokenizer=SplitMorphemes())
    rouge = [scorer.score(e, m) for m, e in zip(morphs, expected, strict=True)]
    out = {"bleu": bleu.score / 100, "chrf": chrf.score / 100}
    for name in ("rouge1", "rouge2", "rougeL"):
        out[name] = sum(row[name].fmeasure for row in rouge) / half
    pairs = zip(tokens[:half], tokens[half:], strict=True)
    out["meteor_exact"] = sum(meteor_exact(a, r) for a, r in pairs) / half
    return out


class NoSynonyms:
    """Replaces WordNet, which would need a download and has no Korean: there are no synonyms."""

    def synsets(self, word: str) -> list[object]:
        """Return no synonyms."""
        return []


class NoStemming:
    """Replaces the stemmer: a morpheme is already a stem."""

    def stem(self, token: str) -> str:
        """Return the token unchanged."""
        return token


def meteor_exact(answer: Sequence[str], reference: Sequence[str]) -> float:
    """Return METEOR of two token lists with exact matches only.

    Source: Banerjee & Lavie 2005, with the α, β and γ of nltk.
    """
    from nltk.translate.meteor_score import single_meteor_score

    if not answer or not reference:
        return 0.0
    return float(
        single_meteor_score(
            list(reference),
            list(answer),
            stemmer=NoStemming(),
            wordnet=NoSynonyms(),
        )
    )
