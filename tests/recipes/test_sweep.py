"""The sweep: its grid, what its points share, its figures, and one that really runs."""

import csv
import json
import os
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kofinlaw import UserError
from kofinlaw.recipes.cli.sweep_command import compare_hint
from kofinlaw.recipes.pipeline.run import bind
from kofinlaw.recipes.pipeline.schema import load_recipe
from kofinlaw.recipes.studies.sweep import Failure, cause, grid, point_name, share_stages
from kofinlaw.recipes.studies.sweep_figures import (
    PointFigures,
    compared,
    conclusion,
    read_point,
    smoothed,
)
from kofinlaw.recipes.studies.sweep_page import write_sweep


def figures(rank: int, loss: float, seconds: float, memory: float, **more) -> PointFigures:
    given = {
        "keys": {"train.lora.rank": str(rank)},
        "steps": 3,
        "losses": [3.0, 2.0, loss],
        "evaluations": [],
        "final_loss": loss,
        "held_out": False,
        "seconds": seconds,
        "memory_mean": memory,
        "memory_sd": 0.0,
        "memory_min": memory,
        "memory_max": memory,
        "trained_parameters": 1000 * rank,
        "accuracy": None,
    }
    return PointFigures(**{**given, **more})


# The published OPT-350m study: final loss, runtime in seconds, process memory in GiB.
STUDY = [
    figures(8, 1.72, 761, 1.898),
    figures(128, 1.43, 823, 1.917),
    figures(256, 1.33, 907, 1.964),
]


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


def test_points_of_korean_names_have_folders_of_their_own():
    points = grid(["data.sources=금융법,상법전"])
    assert [point_name(point) for point in points] == ["sources=금융법", "sources=상법전"]


def test_the_hint_compares_the_points_that_have_scores(tmp_path):
    runs = [tmp_path / name for name in ("rank=2", "rank=4", "금융 법")]
    for run in (runs[0], runs[2]):
        (run / "score").mkdir(parents=True)
        (run / "score" / "scores.json").write_text("{}", encoding="utf-8")
    assert compare_hint(runs[:2]) == []
    (hint,) = compare_hint(runs)
    assert shlex.split(hint)[:4] == ["kofinlaw", "compare", str(runs[0]), str(runs[2])]


def test_a_failed_point_is_told_by_its_cause_not_by_the_remedy():
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


def test_the_published_study_gives_its_own_conclusion():
    chosen = conclusion(STUDY)
    assert chosen["best_loss"].keys["train.lora.rank"] == "256"
    assert chosen["best_value"].keys["train.lora.rank"] == "128"
    assert chosen["least_memory"].keys["train.lora.rank"] == "8"
    points, level = compared(STUDY)
    assert level == 1.72
    assert all(point.pareto for point in points)
    assert [point.steps_to_level for point in points] == [3, 3, 3]


def test_steps_to_a_level_are_counted_on_the_held_out_loss_where_there_is_one():
    slow = figures(4, 1.3, 9, 1, losses=[3.0, 0.5, 2.0], evaluations=[(12, 2.0), (38, 1.3)])
    fast = figures(64, 0.5, 9, 1, losses=[3.0, 0.5, 1.0], evaluations=[(12, 1.2), (38, 0.5)])
    points, level = compared([slow, fast])
    assert level == 1.3
    assert [point.steps_to_level for point in points] == [38, 12]


@given(st.lists(st.tuples(*[st.integers(1, 5)] * 3), min_size=1, max_size=8))
def test_pareto_marks_are_those_that_nothing_beats(costs):
    points, _ = compared([figures(8, float(a), float(b), float(c)) for a, b, c in costs])
    for point, cost in zip(points, costs, strict=True):
        beaten = any(
            all(x <= y for x, y in zip(other, cost, strict=True)) and other != cost
            for other in costs
        )
        assert point.pareto == (not beaten)
    assert any(point.pareto for point in points)


def test_smoothing_looks_back_only():
    losses = [float(20 - step) for step in range(20)]
    assert smoothed(losses)[:3] == [20.0, 19.5, 18.5]
    assert smoothed([5.0]) == [5.0]


def test_a_point_without_training_is_refused(tmp_path):
    with pytest.raises(UserError, match="no finished training"):
        read_point((("train.lora.rank", "8"),), tmp_path)


def test_the_written_files_name_failures_and_escape_them(tmp_path):
    failures = [Failure((("train.lora.rank", "0"),), "<script>alert(1)</script>")]
    lines = write_sweep(tmp_path, "study", STUDY, failures)
    assert any(line.startswith("- failed: rank=0") for line in lines)
    page = (tmp_path / "sweep.html").read_text(encoding="utf-8")
    assert "<script>" not in page
    assert page.count("<svg") == 3
    rows = list(csv.DictReader((tmp_path / "sweep.csv").open(encoding="utf-8")))
    assert [row["train.lora.rank"] for row in rows] == ["8", "128", "256"]
    record = json.loads((tmp_path / "sweep.json").read_text(encoding="utf-8"))
    assert record["conclusion"]["best_value"] == {"train.lora.rank": "128"}


def test_a_sweep_of_which_nothing_finished_still_says_so(tmp_path):
    lines = write_sweep(tmp_path, "study", [], [Failure((("seed", "x"),), "no")])
    assert "No point finished." in lines


def test_a_point_takes_over_only_the_stages_it_would_repeat(pico, tmp_path):
    def point(rank: int):
        loaded, document = load_recipe(str(pico / "recipe.yaml"), [f"train.lora.rank={rank}"])
        return replace(bind(loaded, document, tmp_path), folder=tmp_path / str(rank))

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
    # What training reads is made by a process of its own: its memory is no part of the point's.
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
