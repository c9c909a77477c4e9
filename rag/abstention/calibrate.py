"""Set the floor of an index from its own documents: questions by rule, with and without the answer.

Each question is scored twice: with all passages, where its own document answers it, and with that
document hidden, where other documents are near and none answers it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from kofinlaw.data.korean.lexical import LexicalIndex
from kofinlaw.rag.abstention.bearing import Passages, Score
from kofinlaw.rag.abstention.floor import ASSUMED, Floor, conformal_threshold
from kofinlaw.rag.abstention.made_questions import make_questions
from kofinlaw.rag.abstention.off_topic import OFF_TOPIC
from kofinlaw.rag.arrays import Vectors
from kofinlaw.records import Chunk

__all__ = [
    "NAME_WEIGHT",
    "PASSED",
    "PASSED_OFF_TOPIC",
    "QUESTIONS",
    "RATES",
    "lowered",
    "set_floor",
]

QUESTIONS = 160  # made from a corpus; embedding them takes most of the time
# Share of the answerable questions that may be refused. It is small, because users share fewer
# words with the documents than the made questions do, so more of theirs are below the same floor.
RATES = (0.05, 0.1)  # the first one that the number of questions allows
# With vectors, the floor is lower than the bound allows while at most this share of the questions
# passes whose document is hidden. Such questions are far nearer to the corpus than users' are.
PASSED = 1 / 3
PASSED_OFF_TOPIC = 0.05  # the same for general questions
NAME_WEIGHT = 1.0  # of names that no passage has, in an index with vectors
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
    name_weight = 0.0 if vectors is None else NAME_WEIGHT
    passages = Passages(chunks, lexical, kind, vectors, spread or 1.0, name_weight)
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
    rate, found = _bound(answerable)
    threshold = _assumed(off_topic, vectors is not None) if found is None else found
    if found is not None and hidden and vectors is not None:
        threshold = lowered(found, hidden, off_topic)
    refused, passed = _held_out_errors(answerable, hidden, off_topic, vectors is not None)
    return Floor(
        threshold=round(threshold, 6),
        rate=rate,
        assumed=found is None,
        questions=len(asked),
        refused=refused,
        passed=passed,
        off_topic=_share([value >= threshold for value in off_topic]) or 0.0,
        spread=spread,
        vectors=vectors is not None,
        name_weight=name_weight,
    )


def lowered(threshold: float, hidden: Sequence[float], off_topic: Sequence[float]) -> float:
    """Return the threshold, or a lower one that still refuses enough questions without an answer.

    Users share fewer words with the documents than the made questions do, so the floor is no
    higher than needed: at most PASSED of the questions whose document is hidden, and at most
    PASSED_OFF_TOPIC of the general questions, reach it. The bound on refused questions holds for
    each lower threshold.

    Args:
        threshold: The conformal threshold.
        hidden: Scores of the questions whose document is hidden; not empty.
        off_topic: Scores of general questions; not empty.
    """
    enough = max(_above(hidden, PASSED), _above(off_topic, PASSED_OFF_TOPIC))
    return min(threshold, enough)


def _above(scores: Sequence[float], share: float) -> float:
    """Return a threshold that at most this share of the scores reaches."""
    return sorted(scores, reverse=True)[math.floor(share * len(scores))] + _STEP


def _bound(answerable: Sequence[float]) -> tuple[float, float | None]:
    """Return the bound and its threshold; (0, None) for too few questions."""
    for rate in RATES:
        if (found := conformal_threshold(answerable, rate)) is not None:
            return rate, found
    return 0.0, None


def _assumed(off_topic: Sequence[float], has_vectors: bool) -> float:
    """Return the threshold of a corpus with too few questions.

    Scores with vectors have another scale in each corpus, so the threshold is just above the scores
    of general questions.
    """
    return max(off_topic) + _STEP if has_vectors else ASSUMED


_STEP = 1e-6  # scores have six digits


def _held_out_errors(
    answerable: Sequence[float],
    hidden: Sequence[float],
    off_topic: Sequence[float],
    has_vectors: bool,
) -> tuple[float | None, float | None]:
    """Return (share refused, share passed): each half measured with the threshold of the other."""
    refused: list[bool] = []
    passed: list[bool] = []
    for half in (0, 1):
        _, threshold = _bound(answerable[half::2])
        if threshold is None:
            return None, None
        if has_vectors and hidden[half::2]:
            threshold = lowered(threshold, hidden[half::2], off_topic)
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
