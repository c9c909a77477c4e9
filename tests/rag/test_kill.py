"""A real process killed with SIGKILL, at several points, and started again."""

from __future__ import annotations

import csv
import json
import random
import subprocess
import sys
from pathlib import Path

import simulation

CHILD = Path(__file__).with_name("answering_child.py")


def start(questions: Path, out: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(CHILD), str(questions), str(out)], stdout=subprocess.PIPE, text=True
    )


def test_killed_processes_end_with_the_bytes_of_an_unbroken_one(tmp_path: Path) -> None:
    questions = simulation.question_file(tmp_path, 20, 4, random.Random(5))
    whole = start(questions, tmp_path / "whole")
    batches = len(whole.communicate()[0].splitlines())
    assert whole.returncode == 0
    used = 0.0
    for batch in random.Random(7).sample(range(1, batches // 2), 3):
        child = start(questions, tmp_path / "cut")
        assert child.stdout is not None
        for _ in range(batch):
            child.stdout.readline()
        child.kill()
        child.wait()
        with open(tmp_path / "cut" / "submission.csv", encoding="utf-8-sig", newline="") as handle:
            rows = list(csv.DictReader(handle))
        assert len(rows) == 24
        assert all(row["Answer"] for row in rows)
        before, used = (
            used,
            json.loads((tmp_path / "cut" / "clock.json").read_text())["seconds_used"],
        )
        assert used > before
    last = start(questions, tmp_path / "cut")
    last.communicate()
    assert last.returncode == 0
    for name in ("answers.jsonl", "plan.jsonl", "submission.csv", "evidence.jsonl"):
        one, other = (tmp_path / folder / name for folder in ("whole", "cut"))
        assert one.read_bytes() == other.read_bytes(), name
