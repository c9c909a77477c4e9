"""Pack a multiple-choice item into one row in which its options share the prompt.

The row is: prompt, every option, reference prompt, every option again; or the first two alone.
Evidence and stem are read once. An option sees its own prompt and its own tokens. Its positions
continue those of its prompt, as if it were alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray

__all__ = ["PackedChoice", "pack_choice"]


@dataclass(frozen=True, slots=True)
class PackedChoice:
    """Where the parts of an item lie in its row of tokens, and which option is right.

    `edges` are the positions at which its parts start, followed by the length of the row; the
    parts are 2 + 2 · options with a reference prompt (`referred`), 1 + options without. `answer` is
    the index of the right option from 0. `sign` is -1 if the stem asks for the least supported
    option, else 1.
    """

    edges: tuple[int, ...]
    answer: int
    sign: int
    referred: bool = True

    @property
    def options(self) -> int:
        """Number of options."""
        return len(self.edges) // 2 - 1 if self.referred else len(self.edges) - 2

    @property
    def span(self) -> int:
        """Number of positions that the longest branch uses: a prompt with one option."""
        return int(self.positions().max()) + 1

    def sizes(self) -> list[int]:
        """Return the tokens of each option after the prompt, then after the reference prompt."""
        return [end - start for start, end in self._option_spans()]

    def positions(self) -> NDArray[np.int64]:
        """Return the position of each token in its own branch, int64 [n]."""
        out = np.arange(self.edges[-1], dtype=np.int64)
        for start, end, prompt in self._parts():
            before = 0 if start == prompt else self._prompt_length(prompt)
            out[start:end] = before + np.arange(end - start)
        return out

    def segments(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the part of each token and the part of its prompt, both int64 [n].

        A token sees the tokens before it in its own part and in the part of its prompt.
        """
        own = np.zeros(self.edges[-1], dtype=np.int64)
        parent = np.zeros_like(own)
        reference = 1 + self.options
        for number, (start, end) in enumerate(pairwise(self.edges)):
            own[start:end] = number
            parent[start:end] = reference if number >= reference else 0
        return own, parent

    def scored(self) -> NDArray[np.bool_]:
        """Return a mask of the tokens of the options, bool [n]."""
        mask = np.zeros(self.edges[-1], dtype=bool)
        for start, end in self._option_spans():
            mask[start:end] = True
        return mask

    def sources(self) -> NDArray[np.int64]:
        """Return the index in the row from which each scored token is predicted, int64 [m].

        The first token of an option is predicted from the last token of its prompt.
        """
        parts = []
        for start, end, prompt in self._parts():
            if start != prompt:
                source = np.arange(start - 1, end - 1)
                source[0] = prompt + self._prompt_length(prompt) - 1
                parts.append(source)
        return np.concatenate(parts)

    def branches(
        self, tokens: NDArray[np.int64]
    ) -> list[tuple[NDArray[np.int64], NDArray[np.bool_]]]:
        """Return the same options as separate rows with their masks, in the order of `sizes`."""
        out = []
        for start, end, prompt in self._parts():
            if start != prompt:
                head = tokens[prompt : prompt + self._prompt_length(prompt)]
                mask = np.arange(len(head) + end - start) >= len(head)
                out.append((np.concatenate([head, tokens[start:end]]), mask))
        return out

    def _prompt_length(self, prompt: int) -> int:
        return self.edges[self.edges.index(prompt) + 1] - prompt

    def _parts(self) -> list[tuple[int, int, int]]:
        """Return start and end of each part, and the start of its prompt."""
        reference = 1 + self.options
        return [
            (start, end, self.edges[reference if number >= reference else 0])
            for number, (start, end) in enumerate(pairwise(self.edges))
        ]

    def _option_spans(self) -> list[tuple[int, int]]:
        return [(start, end) for start, end, prompt in self._parts() if start != prompt]


def pack_choice(
    prompt: Sequence[int],
    options: Sequence[Sequence[int]],
    reference: Sequence[int],
    reference_options: Sequence[Sequence[int]],
    *,
    answer: int,
    negative: bool,
) -> tuple[NDArray[np.int64], PackedChoice]:
    """Join the token ids of an item into one row, int64 [n], and describe its parts.

    `reference` is the prompt whose scores are subtracted, and `reference_options` are the options
    after it; both are empty for an item without one. Every other part has at least one token.
    """
    parts = [prompt, *options]
    if reference:
        parts += [reference, *reference_options]
    edges = (0, *accumulate(map(len, parts)))
    tokens = np.array([token for part in parts for token in part], dtype=np.int64)
    return tokens, PackedChoice(edges, answer, -1 if negative else 1, bool(reference))
