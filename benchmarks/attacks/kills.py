"""Kill a run at random moments of its stages; compare its outputs with those of a whole run."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Kills", "finished_run", "kill_run", "kofinlaw"]

STAGES = ("data", "index", "augment", "questions", "train", "merge", "verify")
ANSWERS = ("answer-base", "answer-base-rag", "answer-trained-rag", "score", "report")
# Outputs that hold no times and no machine: they are equal in every run.
SAME = (
    *("data/chunks.jsonl", "data/articles.jsonl", "data/rejected.jsonl", "data/citations.jsonl"),
    *("augment/examples.jsonl", "augment/rejected.jsonl", "questions/questions.jsonl"),
    *("questions/key.jsonl", "train/adapter/adapter_model.safetensors"),
    *("merge/model/model.safetensors", "merge/model/config.json"),
    *("answer-base/answers.jsonl", "answer-base-rag/answers.jsonl"),
    "answer-trained-rag/answers.jsonl",
)


@dataclass
class Kills:
    """Kills by stage, runs that were completed after them, and files that differ."""

    by_stage: dict[str, int] = field(default_factory=dict)
    series: int = 0
    completed: int = 0
    different: list[str] = field(default_factory=list)

    @property
    def kills(self) -> int:
        """All kills."""
        return sum(self.by_stage.values())


def environment(folder: Path) -> dict[str, str]:
    """Return the environment of a command that works in `folder`."""
    cache = str(folder / "cache")
    return {**os.environ, "OMP_NUM_THREADS": "1", "KOFINLAW_CACHE": cache, "PYTHONUNBUFFERED": "1"}


def kofinlaw(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run one command in a folder and return what it said."""
    return subprocess.run(
        [sys.executable, "-m", "kofinlaw", *words],
        cwd=folder,
        env=environment(folder),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


def finished_run(folder: Path) -> Path:
    """Run the recipe of a folder to its end and return the run's folder.

    Raises SystemExit if the run fails.
    """
    done = kofinlaw(folder, "run", "recipe.yaml")
    if done.returncode:
        raise SystemExit(f"the undisturbed run failed:\n{done.stdout}{done.stderr}")
    return folder / "runs" / "pico"


def hashes(run: Path) -> dict[str, str]:
    """Return the SHA-256 of each file that is equal in every run."""
    return {name: hashlib.sha256((run / name).read_bytes()).hexdigest() for name in SAME}


def kill_run(
    source: Path, whole: Path, work: Path, seed: int, series: int, stages: Sequence[str] = ()
) -> Kills:
    """Run the recipe in a fresh folder `series` times; kill it once in each stage.

    The moment is drawn from the stage's duration in the whole run.

    Args:
        source: Folder with the recipe, its documents, questions and model.
        whole: The undisturbed run of the same recipe.
        work: A folder for the killed runs.
        seed: Decides the moments.
        series: How many times.
        stages: The stages to kill; empty: all.
    """
    choice, found = random.Random(seed), Kills()
    wanted = hashes(whole)
    for number in range(series):
        folder = work / f"killed-{number}"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(source, folder, ignore=shutil.ignore_patterns("runs", "cache"))
        for stage in stages or (*STAGES, *ANSWERS):
            record = json.loads((whole / stage / "stage.json").read_text(encoding="utf-8"))
            if _kill_in(folder, stage, choice.uniform(0, float(record["seconds"]))):
                found.by_stage[stage] = found.by_stage.get(stage, 0) + 1
        found.series += 1
        done = kofinlaw(folder, "run", "recipe.yaml")
        if done.returncode:
            found.different.append(f"series {number}: exit {done.returncode}: {done.stderr[-300:]}")
            continue
        found.completed += 1
        got = hashes(folder / "runs" / "pico")
        found.different += [
            f"series {number}: {name}" for name in SAME if got[name] != wanted[name]
        ]
        shutil.rmtree(folder)
    return found


def _kill_in(folder: Path, stage: str, seconds: float) -> bool:
    """Start the run and kill it `seconds` after it began a stage; False if it ended before."""
    child = subprocess.Popen(
        [sys.executable, "-m", "kofinlaw", "run", "recipe.yaml"],
        cwd=folder,
        env=environment(folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
    )
    assert child.stdout is not None
    began = False
    for line in child.stdout:
        if line.strip().startswith((f"{stage}: working", f"{stage}: continuing")):
            began = True
            break
    if began:
        time.sleep(seconds)
        child.kill()
    child.stdout.close()
    return child.wait() == -9 and began
