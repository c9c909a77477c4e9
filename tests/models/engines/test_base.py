"""What all engines share: batches by length."""

from __future__ import annotations

import pytest

from kofinlaw import UserError
from kofinlaw.models.engines.base import Request, length_batches, refuse_references
from kofinlaw.models.engines.dummy_engine import DummyEngine


def test_batches_hold_every_row_once_within_the_budget():
    lengths = [5, 9, 3, 9, 40, 1, 7]
    batches = length_batches(lengths, 20, 3)
    assert sorted(index for batch in batches for index in batch) == list(range(7))
    assert batches[0] == [4]
    for batch in batches[1:]:
        assert len(batch) * max(lengths[i] for i in batch) <= 20
        assert len(batch) <= 3


def test_a_reference_needs_choices_and_a_weight_within_bounds():
    with pytest.raises(UserError, match="needs choices"):
        Request("질문", reference="정답:", reference_weight=0.5)
    for weight in (-0.1, 10.1, float("nan")):
        with pytest.raises(UserError, match="use a weight of 0 to 10"):
            Request("질문", choices=("1", "2"), reference="정답:", reference_weight=weight)
    assert not Request("질문", choices=("1", "2"), reference="정답:").contrasted


def test_engines_without_a_second_prompt_refuse_it_with_the_remedy():
    plain = Request("질문", choices=("1", "2"), reference="정답:")
    refuse_references([plain], "dummy")
    asked = Request("질문", choices=("1", "2"), reference="정답:", reference_weight=0.5)
    with pytest.raises(UserError, match="engine dummy cannot") as error:
        DummyEngine().generate([plain, asked])
    assert error.value.where == "answer.contrast_decoding"
    assert "engine transformers" in error.value.remedy
