"""Runs compared item by item."""

import json
import shutil

import pytest

from kofinlaw import UserError
from kofinlaw.files import write_json, write_jsonl
from kofinlaw.scoring.compare import compare_runs


def test_runs_are_compared_item_by_item_with_what_changed(run_folder, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(run_folder, other)
    rows = [json.loads(line) for line in (other / "score/items.jsonl").read_text().splitlines()]
    changed = 0
    for row in rows:
        if (
            row["system"] == "base"
            and row["kind"] == "choice"
            and row["score"] == 0
            and changed < 8
        ):
            row["score"], changed = 1.0, changed + 1
    write_jsonl(other / "score/items.jsonl", rows)
    record = json.loads((other / "train/stage.json").read_text())
    write_json(
        other / "train/stage.json", {**record, "settings": {"train": {"learning_rate": 1e-4}}}
    )
    text = compare_runs([run_folder, other])
    assert "| base | 60 | 0 | 8 | +13.3" in text
    assert "0.0078 |" in text  # 2 · ½⁸
    assert "- train.learning_rate: – → 0.0001" in text
    with pytest.raises(UserError, match="not been scored"):
        compare_runs([run_folder, tmp_path])
