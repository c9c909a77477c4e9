from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kofinlaw.scoring.metrics.fsku import (
    cosine_floor,
    cosines,
    free_score,
    keyword_recall,
    label_of,
)


class FixedEmbedder:
    name = "fixed"
    dimensions = 2
    vectors: ClassVar = {"가": (1, 0), "나": (0, 1), "다": (0.6, 0.8), "비": (float("nan"), 0)}

    def encode_queries(self, texts):
        return np.array([self.vectors[text] for text in texts], dtype=np.float32)


@pytest.mark.parametrize(
    ("answer", "options", "label"),
    [
        ("3", 4, "3"),
        (" 2\n", 4, "2"),
        ("5", 4, ""),
        ("0", 4, ""),
        ("10일", 5, ""),
        ("2번", 4, "2"),
        ("", 4, ""),
        ("12", 5, ""),
        ("３", 4, "3"),
    ],
)
def test_an_answer_names_one_option_and_nothing_is_searched_in_longer_text(answer, options, label):
    assert label_of(answer, options) == label


@pytest.mark.parametrize(
    ("answer", "keywords", "recall"),
    [
        ("개인정보 처리방침을 공개한다", ("개인정보",), 1.0),
        ("정보를 개인에게 알린다", ("개인 정보",), 1.0),  # each word of a multi-word keyword
        ("정보를 알린다", ("개인 정보",), 0.0),
        ("Multi-Factor AUTH", ("multi-factor", "otp"), 0.5),
        ("", ("가",), 0.0),
        ("아무 말", (), None),
        ("아무 말", ("  ",), None),
    ],
)
def test_keyword_recall_follows_the_benchmark(answer, keywords, recall):
    assert keyword_recall(answer, keywords) == recall


def test_the_formula_by_hand_on_ten_items():
    table = [
        (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (0.5, 0.5, 0.5), (0.8, 0.0, 0.48), (0.8, 1.0, 0.88),
        (0.25, 0.5, 0.35), (-0.5, 1.0, 0.1), (0.9, 0.25, 0.64), (0.1, 0.75, 0.36), (0.7, 1 / 3, 0.42 + 0.4 / 3),
    ]  # fmt: skip
    for cosine, recall, score in table:
        assert free_score(cosine, recall) == pytest.approx(score, abs=1e-12)


def test_a_reference_without_keywords_is_scored_by_its_cosine():
    assert free_score(0.7, None) == 0.7


def test_cosines_are_of_pairs_and_zero_where_a_side_is_empty_or_not_finite():
    values = cosines(FixedEmbedder(), ["가", "다", "", "비", "나"], ["가", "가", "가", "가", "가"])
    assert values == pytest.approx([1.0, 0.6, 0.0, 0.0, 0.0], abs=1e-6)


def test_the_floor_is_the_mean_cosine_of_different_references():
    assert cosine_floor(FixedEmbedder(), ["가", "나", "다"]) == pytest.approx(
        (0 + 0.6 + 0.8) / 3, abs=1e-6
    )
    assert cosine_floor(FixedEmbedder(), ["가"]) is None


@given(st.text(max_size=50), st.lists(st.text(max_size=8), max_size=5))
def test_recall_is_a_share_or_absent(answer, keywords):
    value = keyword_recall(answer, keywords)
    assert value is None or 0 <= value <= 1
