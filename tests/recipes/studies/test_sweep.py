"""The sweep: its grid, the stages that points share, and a sweep that runs."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from kofinlaw import UserError
from kofinlaw.recipes.pipeline.run import bind
from kofinlaw.recipes.pipeline.schema import load_recipe
from kofinlaw.recipes.studies.sweep import cause, grid, point_name, run_points, share_stages


def test_a_grid_is_every_combination_in_order():
    points = grid(["train.lora.rank=8,16", "train.learning_rate=1e-4,1e-3"])
    assert [point_name(point) for point in points] == [
        "rank=8,learning_rate=1e-4",
        "rank=8,learning_rate=1e-3",
        "rank=16,learning_rate=1e-4",
        "rank=16,learning_rate=1e-3",
    ]


def test_keys_on_one_axis_move_together():
    points = grid(["train.lora.rank,train.lora.alpha=8:32,128:512"])
    assert points == [
        (("train.lora.rank", "8"), ("train.lora.alpha", "32")),
        (("train.lora.rank", "128"), ("train.lora.alpha", "512")),
    ]


def test_points_with_korean_values_have_separate_folders():
    points = grid(["data.sources=금융법,상법전"])
    assert [point_name(point) for point in points] == ["sources=금융법", "sources=상법전"]


def test_an_interrupted_sweep_says_at_which_point(pico, tmp_path):
    def bound(point):
        return bind(*load_recipe(str(pico / "recipe.yaml")), tmp_path)

    def interrupted(run, point):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as stop:
        run_points(grid(["seed=7,8"]), bound, interrupted, lambda line: None)
    assert stop.value.__notes__ == ["point 1/2, seed=7"]


def test_a_failed_point_shows_the_cause_and_not_the_remedy():
    said = ["train: working\n", "error: docs: no such folder\n", "  → name a folder\n"]
    assert cause(said) == "docs: no such folder"
    faults = ["error: 2 mistakes in my.yaml\n", "  my.yaml:3: `seed`: wrong\n", "  my.yaml:4: x\n"]
    assert cause(faults) == "2 mistakes in my.yaml my.yaml:3: `seed`: wrong my.yaml:4: x"
    assert (cause(["Killed\n", "\n"]), cause([])) == ("Killed", "")


@pytest.mark.parametrize(
    ("over", "said"),
    [
        (["train.lora.rank"], "has the form"),
        (["=8"], "has the form"),
        (["train.lora.rank="], "has the form"),
        (["a,b=1:2,3"], "has 1 values for 2 keys"),
        (["a=1", "a=2"], "on two axes"),
        (["a=x/y,x:y"], "would share the folder a=x_y"),
    ],
)
def test_a_wrong_axis_is_refused(over, said):
    with pytest.raises(UserError, match=said):
        grid(over)


def test_a_point_takes_over_only_the_stages_it_would_repeat(pico, tmp_path):
    def point(rank: int):
        loaded, recipe_file = load_recipe(str(pico / "recipe.yaml"), [f"train.lora.rank={rank}"])
        return replace(bind(loaded, recipe_file, tmp_path), folder=tmp_path / str(rank))

    first, second = point(2), point(4)
    from kofinlaw.recipes.pipeline.runner import run_stages
    from kofinlaw.recipes.pipeline.stages import build_stages

    run_stages(build_stages(first), first.folder, only=["data", "augment"])
    assert share_stages(second, [first.folder]) == ["data", "augment"]
    chunks = Path("data") / "chunks.jsonl"
    assert (second.folder / chunks).read_bytes() == (first.folder / chunks).read_bytes()
    assert share_stages(second, [first.folder]) == []


def test_a_sweep_runs_resumes_and_keeps_what_did_not_fail(pico, tmp_path):
    command = [sys.executable, "-c", "from kofinlaw.recipes.cli.entry import main; main()", "sweep"]
    command += [str(pico / "recipe.yaml"), "--until", "train"]
    command += ["--over", "train.lora.rank=2,-1", "--runs", "runs"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "KOFINLAW_CACHE": str(tmp_path / "cache")}

    def sweep():
        return subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, env=environment, check=False
        )

    done = sweep()
    assert done.returncode == 1, done.stdout + done.stderr
    assert "failed: rank=-1" in done.stdout
    # A separate process makes what training reads: its memory does not count for the point.
    assert done.stdout.count("Stopped after") == 2
    (folder,) = (tmp_path / "runs").iterdir()
    record = json.loads((folder / "sweep.json").read_text(encoding="utf-8"))
    (point,) = record["points"]
    assert point["keys"] == {"train.lora.rank": "2"}
    assert point["memory_max"] >= point["memory_mean"] > 0
    assert record["failed"][0]["keys"] == {"train.lora.rank": "-1"}
    before = (folder / "rank=2" / "train" / "stage.json").read_bytes()
    again = sweep()
    assert "train: already done" in again.stdout
    assert again.stdout.count("Stopped after") == 1
    assert (folder / "rank=2" / "train" / "stage.json").read_bytes() == before
