"""Run all solvers on questions: scores of the options and credit for the right one.

    solvers = Solvers()
    solvers.prepare(questions)
    solvers.credits(question, answer)   # {"stem_overlap": 0.0, "overlap_bigrams": 0.5, …}

A solver is a trivial rule. It sees the stem, the options and the shown text, and learned nothing.
The scores of an option do not depend on the position of the option.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kofinlaw.data.solvers.credit import credit_of
from kofinlaw.data.solvers.look_up import look_up_scores
from kofinlaw.data.solvers.overlap import token_overlap
from kofinlaw.data.solvers.tokens import TokenSets, morpheme_tokens

__all__ = ["EVIDENCE_SOLVERS", "OVERLAPS", "SOLVERS", "Asked", "Solvers", "longest_scores"]

OVERLAPS = ("overlap_bigrams", "overlap_morphemes")
EVIDENCE_SOLVERS = (*OVERLAPS, "look_up")  # those that read the shown text
SOLVERS = ("longest", "stem_overlap", *EVIDENCE_SOLVERS)


@dataclass(frozen=True, slots=True)
class Asked:
    """A multiple-choice question as a solver sees it.

    `texts` are the texts of the evidence in the prompt (none: no evidence). `negative` says that
    the stem asks for the option that is not true.
    """

    stem: str
    options: tuple[str, ...]
    texts: tuple[str, ...] = ()
    negative: bool = False


def longest_scores(options: Sequence[str]) -> list[float]:
    """Return the length of each option in characters."""
    return [float(len(option)) for option in options]


class Solvers:
    """The solvers `names`, with the tokens of the texts that they have seen.

    - `longest`: the longest option.
    - `stem_overlap`: the option with the largest share of its character bigrams in the stem; the
      smallest if the stem is negative.
    - `overlap_bigrams`, `overlap_morphemes`: the option with the largest share of its character
      bigrams, or of its content morphemes by Kiwi, in one passage; the smallest if negative.
    - `look_up`: see `look_up_scores`.

    Raises ValueError for an unknown name.
    """

    def __init__(self, names: Sequence[str] = SOLVERS) -> None:
        unknown = [name for name in names if name not in SOLVERS]
        if unknown:
            raise ValueError(f"unknown solvers {unknown}; known: {', '.join(SOLVERS)}")
        self.names = tuple(names)
        self._bigrams = TokenSets()
        self._morphemes = TokenSets(morpheme_tokens)

    def prepare(self, questions: Iterable[Asked]) -> None:
        """Tokenise the texts of many questions at once, which is faster than one by one."""
        if "overlap_morphemes" in self.names:
            self._morphemes.add(t for asked in questions for t in (*asked.options, *asked.texts))

    def scores(self, asked: Asked) -> dict[str, list[float]]:
        """Return the scores of the options by solver; the largest is chosen."""
        return {name: self._solve(name, asked) for name in self.names}

    def credits(self, asked: Asked, answers: int | Sequence[int]) -> dict[str, float]:
        """Return each solver's credit (0..1), given the right option or options by index from 0.

        Options with equal scores share the credit.
        """
        return {name: credit_of(found, answers) for name, found in self.scores(asked).items()}

    def _solve(self, name: str, asked: Asked) -> list[float]:
        if name == "longest":
            return longest_scores(asked.options)
        if name == "look_up":
            return look_up_scores(asked.stem, asked.options, asked.texts, negative=asked.negative)
        tokens = self._morphemes if name == "overlap_morphemes" else self._bigrams
        texts = (asked.stem,) if name == "stem_overlap" else asked.texts
        return token_overlap(tokens.of(asked.options), tokens.of(texts), negative=asked.negative)
