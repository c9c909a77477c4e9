"""Set the floor of an index from its own documents: questions by rule, with and without the answer.

Each question is scored twice: with all passages, where its own document answers it, and with that
document hidden, where other documents are near and none answers it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from kofinlaw.data.korean.lexical import LexicalIndex
from kofinlaw.rag.abstention.bearing import Passages, Score
from kofinlaw.rag.abstention.floor import ASSUMED, Floor, conformal_threshold
from kofinlaw.rag.abstention.made_questions import make_questions
from kofinlaw.rag.abstention.off_topic import OFF_TOPIC
from kofinlaw.rag.arrays import Vectors
from kofinlaw.records import Chunk

__all__ = ["QUESTIONS", "RATES", "set_floor"]

QUESTIONS = 160  # made from a corpus; embedding them takes most of the time
# Share of the answerable questions that may be refused, with vectors and without. Words alone see
# less, and users differ from the documents in words most, so the bound is stricter there.
RATES = {True: 0.1, False: 0.05}
# Questions → vectors [questions, dimensions].
Encode = Callable[[Sequence[str]], Vectors]


def set_floor(
    chunks: Sequence[Chunk],
    lexical: LexicalIndex,
    kind: str,
    vectors: Vectors | None,
    encode: Encode | None,
) -> Floor:
    """Return the floor of a corpus, the same for the same passages.

    Args:
        chunks: The passages, by row.
        lexical: The lexical index of the passages.
        kind: Its tokens, `kiwi` or `bigram`.
        vectors: float32 [passages, dimensions]; None without an embedder.
        encode: Embeds questions; None without an embedder.
    """
    made = make_questions(chunks, QUESTIONS, _share_of_passages(chunks))
    texts = [*(question.text for question in made), *OFF_TOPIC]
    embedded = encode(texts) if encode is not None and vectors is not None else None
    spread = 0.0
    if embedded is not None and vectors is not None:
        spread = round(float((embedded @ vectors.T).std(axis=1).mean()), 6)
    passages = Passages(chunks, lexical, kind, vectors, spread or 1.0)
    titles = np.array([chunk.title for chunk in chunks])
    several = len(set(titles.tolist())) > 1

    def score(place: int, hidden: str = "") -> Score:
        vector = None if embedded is None else embedded[place]
        shown = titles != hidden if hidden else None
        return passages.score(texts[place], vector, shown)

    scores = [score(place) for place in range(len(made))]
    # A question that does not find its own passage is not one that the index answers. Words alone
    # miss a passage because the words differ, which is the case that must be in the sample.
    asked = [
        place
        for place, question in enumerate(made)
        if vectors is None or question.row in scores[place].rows
    ]
    answerable = [scores[place].value for place in asked]
    hidden = [score(place, chunks[made[place].row].title).value for place in asked if several]
    off_topic = [score(len(made) + place).value for place in range(len(OFF_TOPIC))]
    rate = RATES[vectors is not None]
    found = conformal_threshold(answerable, rate)
    threshold = ASSUMED[vectors is not None] if found is None else found
    refused, passed = _held_out_errors(answerable, hidden, rate)
    return Floor(
        threshold=round(threshold, 6),
        rate=0.0 if found is None else rate,
        assumed=found is None,
        questions=len(asked),
        refused=refused,
        passed=passed,
        off_topic=_share([value >= threshold for value in off_topic]) or 0.0,
        spread=spread,
        vectors=vectors is not None,
    )


def _held_out_errors(
    answerable: Sequence[float], hidden: Sequence[float], rate: float
) -> tuple[float | None, float | None]:
    """Return (share refused, share passed): each half measured with the threshold of the other."""
    refused: list[bool] = []
    passed: list[bool] = []
    for half in (0, 1):
        threshold = conformal_threshold(answerable[half::2], rate)
        if threshold is None:
            return None, None
        refused += [value < threshold for value in answerable[1 - half :: 2]]
        passed += [value >= threshold for value in hidden[1 - half :: 2]]
    return _share(refused), _share(passed)


def _share(flags: Sequence[bool]) -> float | None:
    return round(sum(flags) / len(flags), 4) if flags else None


def _share_of_passages(chunks: Sequence[Chunk]) -> Callable[[str], float]:
    known: dict[str, float] = {}

    def share(name: str) -> float:
        if name not in known:
            known[name] = sum(name in chunk.text for chunk in chunks) / len(chunks)
        return known[name]

    return share
