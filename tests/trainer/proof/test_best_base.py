"""The merge on both bases, of which the better one is kept."""

from __future__ import annotations

import json

from kofinlaw.trainer.proof.best_base import merge_on_better_base
from kofinlaw.trainer.proof.settings import VerifySettings

SMALL = VerifySettings.model_validate({"greedy_tokens": 6, "max_tokens_per_prompt": 64})


def test_the_better_of_both_bases_is_kept_and_both_are_reported(tmp_path, base, adapter):
    result = merge_on_better_base(adapter, base, tmp_path / "model", settings=SMALL)
    report = json.loads((tmp_path / "best.json").read_text())
    losses = report["answer_loss"]
    assert set(losses) == set(report["proofs"]) == {"dequantized", "original"}
    assert report["kept"] == min(losses, key=losses.get)
    assert result.answer_losses == losses
    kept = json.loads((tmp_path / "model" / "kofinlaw.json").read_text())["merge"]["base"]
    assert kept == report["kept"] == result.base
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best.json", "model"]
