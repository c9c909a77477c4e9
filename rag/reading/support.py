"""Measure how well the provisions support each option: the best line, minus contradicted slots.

For each option the line with the largest value is found:

    coverage of the option by the line and its parent
    + STEM_WEIGHT * coverage of the stem by the line, its parent and its header
    + CITED_WEIGHT if the stem cites the line's article

From the value of that line, CONTRADICTION_WEIGHT is subtracted for each kind of contradicted slot,
NEGATION_WEIGHT for a negation that the line does not have. Coverage is the share of character
bigrams, weighted by their rarity among the lines. The weights were chosen on the odd rows of two
real exams (`docs/studies/transfer.md`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from kofinlaw.data.korean.words import bigrams
from kofinlaw.data.prompting.claims import marked_statements
from kofinlaw.rag.reading.combinations import combination_values
from kofinlaw.rag.reading.lines import Line, cited_articles, passage_lines
from kofinlaw.rag.reading.rarity import Rarity
from kofinlaw.rag.reading.slots import contradictions

__all__ = ["OptionSupport", "option_support", "read_options"]

STEM_WEIGHT = 0.5
CITED_WEIGHT = 0.4
CONTRADICTION_WEIGHT = 0.25
NEGATION_WEIGHT = 0.2


@dataclass(frozen=True, slots=True)
class OptionSupport:
    """The support of an option.

    `value` is the support, `coverage` the share of the option that its best line covers (0 to 1),
    `contradicted` are the kinds of slots that the line contradicts, `line` is that line (None if
    there is no evidence).
    """

    value: float
    coverage: float
    contradicted: tuple[str, ...]
    line: Line | None


@lru_cache(maxsize=4_096)  # lines of 80 characters: about 30 MiB
def _grams(text: str) -> frozenset[str]:
    return frozenset(bigrams(text))


class _Reader:
    """The lines of a question's passages, with the part of a line's value that the stem decides."""

    def __init__(self, stem: str, passages: Sequence[str]) -> None:
        self._lines = passage_lines(passages)
        self._line_grams = [_grams(line.full) for line in self._lines]
        self._rarity = Rarity(self._line_grams)
        cited = set(cited_articles(stem))
        shown = [
            grams | _grams(line.header)
            for line, grams in zip(self._lines, self._line_grams, strict=True)
        ]
        self._context = [
            STEM_WEIGHT * coverage
            + (CITED_WEIGHT if line.article and line.article in cited else 0.0)
            for line, coverage in zip(self._lines, self._coverage(stem, shown), strict=True)
        ]

    def support(self, statement: str) -> OptionSupport:
        """Return the support of one statement."""
        if not self._lines:
            return OptionSupport(0.0, 0.0, (), None)
        covered = self._coverage(statement, self._line_grams)
        values = [own + context for own, context in zip(covered, self._context, strict=True)]
        best = max(range(len(values)), key=lambda row: (values[row], -row))
        line = self._lines[best]
        kinds = tuple(kind for kind, n in contradictions(statement, line.full).items() if n)
        lost = sum(
            NEGATION_WEIGHT if kind == "negation" else CONTRADICTION_WEIGHT for kind in kinds
        )
        return OptionSupport(values[best] - lost, covered[best], kinds, line)

    def _coverage(self, said: str, shown: Sequence[frozenset[str]]) -> list[float]:
        """Return the share of what is said (0 to 1, by rarity) that each of the sets shows."""
        weights = self._rarity.weights(_grams(said))
        total = sum(weights.values())
        if not total:
            return [0.0] * len(shown)
        return [sum(w for g, w in weights.items() if g in grams) / total for grams in shown]


def option_support(
    stem: str, options: Sequence[str], passages: Sequence[str]
) -> list[OptionSupport]:
    """Return the support of each option by the lines of the passages.

    Args:
        stem: The question without its options.
        options: The texts of the options.
        passages: Whole passages; the first line of each is its header.
    """
    reader = _Reader(stem, passages)
    return [reader.support(option) for option in options]


def read_options(stem: str, options: Sequence[str], passages: Sequence[str]) -> list[float]:
    """Return a value for each option, larger if the passages support it more.

    Options that combine marked statements of the stem get the value of their combination. A
    negative stem (`옳지 않은 것은?`) does not change the values: the caller turns the sign. All
    values are 0 without passages.
    """
    statements = marked_statements(stem, options)
    if statements:
        found = option_support(stem, list(statements.values()), passages)
        values = {mark: one.value for mark, one in zip(statements, found, strict=True)}
        return combination_values(options, values)
    return [one.value for one in option_support(stem, options, passages)]
