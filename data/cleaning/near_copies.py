"""List the questions that other texts repeat, wholly or nearly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from kofinlaw.data.cleaning.contamination import overlap
from kofinlaw.data.cleaning.question_copies import QuestionCopies

__all__ = ["NearCopy", "near_copies"]


class NearCopy(NamedTuple):
    """The text at index `text` holds a `share` (0 to 1) of the question at index `question`."""

    text: int
    question: int
    share: float


def near_copies(texts: Sequence[str], questions: Sequence[str]) -> list[NearCopy]:
    """Return, for each text that holds most of a question, the question it holds the most of.

    A text is found by its character n-grams (`overlap`), or by the parts of a question in any
    order inside one window of it (`QuestionCopies`).

    Args:
        texts: Training examples, or questions of another file.
        questions: Questions with their options, one a line.
    """
    found = {
        hit.text: NearCopy(hit.text, hit.protected, hit.share) for hit in overlap(texts, questions)
    }
    copies = QuestionCopies(questions)
    for index, text in enumerate(texts):
        held = copies.held_by(text) if index not in found else None
        if held is not None:
            found[index] = NearCopy(index, held[0], held[1])
    return [found[index] for index in sorted(found)]
