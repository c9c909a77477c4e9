"""Runs compared item by item."""

import json
import shutil

import pytest

from kofinlaw import UserError
from kofinlaw.files import write_json, write_jsonl
from kofinlaw.scoring.compare import compare_items, compare_runs
from kofinlaw.scoring.result import Item


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
    shutil.copytree(other / "train", other / "train.set-aside-1")
    write_json(
        other / "train.set-aside-1/stage.json", {"settings": {"train": {"learning_rate": 9}}}
    )
    assert compare_runs([run_folder, other]) == text
    with pytest.raises(UserError, match="not been scored"):
        compare_runs([run_folder, tmp_path])
    for broken in ("{", "[" * 100_000, "[1]"):
        (other / "score/scores.json").write_text(broken)
        with pytest.raises(UserError, match="the scores cannot be read"):
            compare_runs([run_folder, other])


def item(name, score, plan):
    return Item(
        "s", name, "choice", "1", 1, "1", score, None, None, (), (), None, None, 0, None, "model",
        plan=plan,
    )  # fmt: skip


def test_items_that_were_asked_under_different_plans_are_counted(settings):
    one = [item("a", 1, "full"), item("b", 0, "full"), item("c", 0, ""), item("d", 1, "full")]
    two = [item("a", 1, "full"), item("b", 1, "half-context"), item("c", 0, "full")]
    assert compare_items("x", one, "y", two, settings=settings).other_plans == 1
    assert compare_items("y", two, "x", one, settings=settings).other_plans == 1


def test_runs_under_different_plans_are_compared_without_a_test(run_folder, tmp_path):
    runs = []
    for plan in ("full", "half-context"):
        shutil.copytree(run_folder, tmp_path / plan)
        path = tmp_path / plan / "score/items.jsonl"
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        write_jsonl(path, [{**row, "plan": plan} for row in rows])
        runs.append(tmp_path / plan)
    text = compare_runs(runs)
    (row,) = [line for line in text.splitlines() if line.startswith("| base | 60 |")]
    assert row.endswith(" items under different plans |")
    assert "[" not in row


def test_scores_of_another_schema_are_refused_with_a_remedy(run_folder, tmp_path):
    shutil.copytree(run_folder, tmp_path / "old")
    path = tmp_path / "old/score/scores.json"
    write_json(path, {**json.loads(path.read_text()), "schema": "kofinlaw.scores/1"})
    with pytest.raises(UserError, match="another schema") as error:
        compare_runs([tmp_path / "old", run_folder])
    again = f"kofinlaw score {tmp_path / 'old'} --out {tmp_path / 'old' / 'score'}"
    assert again in str(error.value)
