"""Value options by the evidence without a model and without Kiwi: overlap, look-up, reading.

The contest's script copies this module, so it imports only what that machine has.
"""

from __future__ import annotations

from collections.abc import Sequence

from kofinlaw.data.korean.words import bigrams
from kofinlaw.data.solvers.look_up import look_up_scores
from kofinlaw.data.solvers.overlap import token_overlap
from kofinlaw.rag.reading.support import read_options

__all__ = ["bearing_of", "portable_values"]


def portable_values(
    stem: str, options: Sequence[str], shown: Sequence[str], passages: Sequence[str]
) -> dict[str, list[float]]:
    """Return the values of each voter by its name, rounded; empty without any text.

    Args:
        stem: The question without its options.
        options: The texts of the options.
        shown: The texts of the evidence as the prompt shows them; none: `passages` count instead.
        passages: The whole passages.
    """
    texts = list(shown) or list(passages)
    if not texts:
        return {}
    words = [frozenset(bigrams(option)) for option in options]

    def overlap(some: Sequence[str]) -> list[float]:
        return token_overlap(words, [frozenset(bigrams(text)) for text in some])

    found = {
        "look_up": look_up_scores(stem, options, texts),
        "overlap": overlap(texts),
        "passages": overlap(passages),
        "reading": read_options(stem, options, list(passages) or texts),
    }
    return {name: [round(value, 6) for value in values] for name, values in found.items()}


def bearing_of(stem: str, texts: Sequence[str]) -> float:
    """Return the share (0..1) of the stem's distinct bigrams that the best-matching text has."""
    asked = set(bigrams(stem))
    best = max((len(asked & set(bigrams(text))) for text in texts), default=0)
    return round(best / len(asked), 6) if asked else 0.0
