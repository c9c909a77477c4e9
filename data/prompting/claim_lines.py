"""Find the line of the passages that bears most on each claim of a question.

The packer shows these lines first, because the other lines of an article tend to confirm the true
options once more, and the line that refutes the false one is lost.

For each claim, the line with the largest value is found:

    coverage of the claim by the line and the lines above it in the tree
    + STEM_WEIGHT * coverage of the stem by those lines and the passage's header
    + the bonus of the passage's rank

Coverage is the share of character bigrams, weighted by their rarity among the lines. The weights
were chosen on the odd rows of two real exams (`docs/studies/transfer.md`).

The contest's script copies this module, so it imports only what that machine has.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Sequence

from kofinlaw.data.korean.words import bigrams
from kofinlaw.data.prompting.claims import Claims

__all__ = ["RANK_BONUS", "STEM_WEIGHT", "claim_lines"]

STEM_WEIGHT = 0.5
# What a passage's rank adds; passages found for one option alone come behind these.
RANK_BONUS = (0.2, 0.1, 0.05, 0.05, 0.05)


def claim_lines(
    claims: Claims,
    headers: Sequence[str],
    lines: Sequence[Sequence[Collection[str]]],
    parents: Sequence[Sequence[int]],
) -> list[tuple[int, int]]:
    """Return (passage, line) of the best line for each claim, each once, the largest value first.

    Args:
        claims: The stem and what the options claim.
        headers: The header of each passage; empty if it has none.
        lines: The distinct bigrams of each line of each passage; the passages are best first.
        parents: For each line the index of the line above it in the tree, or -1.
    """
    seen = Counter(gram for body in lines for grams in body for gram in grams)
    total = sum(map(len, lines))
    weights = {gram: math.log(1 + total / count) for gram, count in seen.items()}
    unseen = math.log(1 + total)

    def weighed(text: str) -> tuple[dict[str, float], float]:
        """Return the weights of the bigrams of a text, and their sum."""
        own = {gram: weights.get(gram, unseen) for gram in sorted(set(bigrams(text)))}
        return own, sum(own.values()) or 1.0

    def coverage(own: dict[str, float], whole: float, shown: Collection[str]) -> float:
        return sum(weight for gram, weight in own.items() if gram in shown) / whole

    places: list[tuple[int, int]] = []
    covered: list[frozenset[str]] = []
    context: list[float] = []
    stem, stem_total = weighed(claims.stem)
    for passage, body in enumerate(lines):
        header = frozenset(bigrams(headers[passage]))
        bonus = RANK_BONUS[passage] if passage < len(RANK_BONUS) else 0.0
        whole: list[frozenset[str]] = []
        for line, grams in enumerate(body):
            above = parents[passage][line]
            whole.append(frozenset(grams) | (whole[above] if above >= 0 else frozenset()))
            places.append((passage, line))
            covered.append(whole[line])
            context.append(STEM_WEIGHT * coverage(stem, stem_total, whole[line] | header) + bonus)
    best: dict[tuple[int, int], float] = {}
    for text in claims.texts if places else ():
        own, whole_claim = weighed(text)
        value, at = max(
            (coverage(own, whole_claim, grams) + around, -number)
            for number, (grams, around) in enumerate(zip(covered, context, strict=True))
        )
        place = places[-at]
        best[place] = max(value, best.get(place, 0.0))
    return sorted(best, key=lambda place: (-best[place], place))
