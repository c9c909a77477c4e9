"""Sketches of texts: their size, and the similarity that they keep."""

from __future__ import annotations

from kofinlaw.data.cleaning.sketches import SKETCH_HASHES, sketch


def test_a_sketch_is_small_and_does_not_depend_on_blanks():
    text = "".join(chr(0xAC00 + i * 7 % 11172) for i in range(5000))
    assert len(sketch(text)) == 8 * SKETCH_HASHES
    assert sketch(" ".join(text)) == sketch(text)
    assert sketch("") == b""
    assert len(sketch("은행")) == 8
