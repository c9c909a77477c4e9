"""Bigrams weighed by their rarity."""

from __future__ import annotations

import math

import pytest

from kofinlaw.rag.reading.rarity import Rarity


def test_the_rarer_a_bigram_the_larger_its_weight() -> None:
    rarity = Rarity([{"은행", "신고"}, {"은행", "보관"}, {"은행"}])
    assert rarity.weights(["은행", "신고", "고래"]) == {
        "고래": math.log(4),
        "신고": math.log(2.5),
        "은행": math.log(1.75),
    }
    assert rarity.total(["은행", "고래"]) == pytest.approx(math.log(7))


def test_without_texts_nothing_has_a_weight() -> None:
    assert Rarity([]).total(["은행"]) == 0
