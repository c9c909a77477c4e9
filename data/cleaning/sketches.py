"""Sketch a text in 512 bytes, so that the similarity of two texts can be estimated without them."""

from __future__ import annotations

import numpy as np

from kofinlaw.data.cleaning.duplicates import CHARACTERS_PER_SHINGLE, character_codes, shingles

__all__ = ["SKETCH_HASHES", "sketch"]

SKETCH_HASHES = 64


def sketch(text: str) -> bytes:
    """Return the 64 smallest hashes of the text's runs of 5 characters, as little-endian numbers.

    A bottom-k sketch: Cohen and Kaplan, Summarizing data using bottom-k sketches, 2007.
    """
    found = shingles(character_codes(text), CHARACTERS_PER_SHINGLE)[:SKETCH_HASHES]
    return found.astype(np.dtype("<u8")).tobytes()
