"""Text scores of free answers over Korean morphemes: BLEU, ROUGE, METEOR, chrF.

Words of Korean carry their particles, so scores over whitespace call "은행은" and "은행이"
different; all but chrF are computed over Kiwi's morphemes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from kofinlaw import UserError

SPACE = re.compile(r"\s+")


@lru_cache(maxsize=1)
def _kiwi() -> Any:
    """The analyser; loading it takes about a second."""
    from kiwipiepy import Kiwi

    return Kiwi(num_workers=1)


def morphemes(texts: Sequence[str]) -> list[list[str]]:
    """Kiwi's morphemes of each text, all parts of speech, lower-cased."""
    return [[token.form.lower() for token in tokens] for tokens in _kiwi().tokenize(list(texts))]


class SplitMorphemes:
    """The tokenizer rouge-score asks for: text that is already morphemes joined by spaces."""

    def tokenize(self, text: str) -> list[str]:
        """The tokens between spaces."""
        return text.split()


def text_scores(answers: Sequence[str], references: Sequence[str]) -> dict[str, float]:
    """Scores of answers against one reference each, all in 0..1.

    `bleu` (corpus, sacrebleu, morphemes), `chrf` (corpus, sacrebleu, characters), `rouge1`,
    `rouge2`, `rougeL` (mean F1, morphemes), `meteor_exact` (mean, exact matches only, morphemes).
    Empty without items.
    """
    if not answers:
        return {}
    if len(answers) != len(references):
        raise UserError("as many answers as references are needed")
    import sacrebleu
    from rouge_score.rouge_scorer import RougeScorer

    flat = [SPACE.sub(" ", text).strip() for text in [*answers, *references]]
    tokens = morphemes(flat)
    half = len(answers)
    joined = [" ".join(SPACE.sub("", token) for token in row) for row in tokens]
    said, wanted = joined[:half], joined[half:]
    bleu = sacrebleu.corpus_bleu(said, [wanted], tokenize="none", force=True)
    chrf = sacrebleu.corpus_chrf(flat[:half], [flat[half:]])
    scorer = RougeScorer(["rouge1", "rouge2", "rougeL"], tokenizer=SplitMorphemes())
    rouge = [scorer.score(w, s) for s, w in zip(said, wanted, strict=True)]
    out = {"bleu": bleu.score / 100, "chrf": chrf.score / 100}
    for name in ("rouge1", "rouge2", "rougeL"):
        out[name] = sum(row[name].fmeasure for row in rouge) / half
    pairs = zip(tokens[:half], tokens[half:], strict=True)
    out["meteor_exact"] = sum(meteor_exact(a, r) for a, r in pairs) / half
    return out


class NoSynonyms:
    """Stands for wordnet, which would be a download and knows no Korean: no synonyms."""

    def synsets(self, word: str) -> list[object]:
        """Nothing."""
        return []


class NoStemming:
    """Morphemes are already reduced: the stem of a token is the token."""

    def stem(self, token: str) -> str:
        """The token."""
        return token


def meteor_exact(answer: Sequence[str], reference: Sequence[str]) -> float:
    """METEOR of two token lists with exact matches only (Banerjee & Lavie 2005, nltk's α, β, γ)."""
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
