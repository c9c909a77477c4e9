"""Cut texts into the batches of an encoder: by number, or by the tokens that a card computes.

A fixed number of texts is too few where they are short, and too many for memory where they are
long. Characters are counted in place of tokens: Korean text has fewer tokens than characters in the
vocabularies of the catalogue's encoders, so a batch is rather too small.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["CARD_TEXTS", "CARD_TOKENS", "cut_batches"]

# Of one forward pass on a card. 16,384 tokens take KURE-v1 (0.3 G weights in its layers) about
# 0.12 s at 80 TFLOP/s and 0.4 GiB, by arithmetic.
CARD_TOKENS, CARD_TEXTS = 16_384, 512


def cut_batches(
    lengths: Sequence[int], *, texts: int, tokens: int | None = None
) -> list[tuple[int, int]]:
    """Return the bounds [start, end) of batches of texts that are sorted by length.

    Args:
        lengths: of each text, ascending, in tokens or a bound of them.
        texts: most texts in a batch.
        tokens: most padded tokens in a batch: its longest text times its number of texts; None: no
            limit. One text is always allowed.
    """
    bounds = []
    start = 0
    for end in range(1, len(lengths) + 1):
        count = end + 1 - start  # with the next text
        full = end == len(lengths) or count > texts
        if not full and tokens is not None:
            full = lengths[end] * count > tokens
        if full:
            bounds.append((start, end))
            start = end
    return bounds
