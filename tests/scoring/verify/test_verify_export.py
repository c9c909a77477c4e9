"""What an export lost is stated against the merged model."""

from __future__ import annotations

import json

import pytest

from kofinlaw import UserError
from kofinlaw.data.records import Key
from kofinlaw.scoring.verify_export import verify_export
from kofinlaw.scoring.verify_gguf import GgufModel
from kofinlaw.trainer.export import to_bnb4
from kofinlaw.trainer.merge_settings import VerifySettings

SMALL = VerifySettings.model_validate({"greedy_tokens": 4, "kl_positions": 64})


def test_an_export_that_changed_nothing_agrees_everywhere(merged, questions):
    keys = [Key(item.id, answer="2") for item in questions]
    figures = verify_export(
        merged, merged, questions=questions, keys=keys, settings=SMALL.model_copy(
            update={"dtype": "bfloat16"}
        )
    )  # fmt: skip
    assert figures["argmax_agreement"] == figures["choice_agreement"] == 1.0
    assert figures["perplexity_export"] == figures["perplexity_merged"]
    assert figures["accuracy_export"] == figures["accuracy_merged"]
    assert figures["positions"] >= 32


def test_4_bits_cost_something_and_say_so(tmp_path, merged, questions):
    to_bnb4(merged, tmp_path / "q")
    figures = verify_export(
        tmp_path / "q", merged, questions=questions, settings=SMALL, out=tmp_path / "loss.json"
    )
    assert 0.3 < figures["argmax_agreement"] < 1
    assert figures["perplexity_export"] != figures["perplexity_merged"]
    assert figures["share_of_merged_bytes"] < 1
    assert json.loads((tmp_path / "loss.json").read_text()) == figures


def test_a_broken_gguf_is_refused(tmp_path):
    pytest.importorskip("xllamacpp", reason="the extra `quickstart` is not installed")
    (tmp_path / "m.gguf").write_bytes(b"GGUF" + b"\0" * 100)
    with pytest.raises(UserError, match="refuses the file"):
        GgufModel(tmp_path / "m.gguf", context=32)
