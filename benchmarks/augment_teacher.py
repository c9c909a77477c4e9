"""Run the teacher with the small model, or kill a teaching process and compare what it left.

    python benchmarks/augment_teacher.py [FOLDER_OF_STATUTES] [--requests 60] [--engine llamacpp]
    python benchmarks/augment_teacher.py --kills 20

The first command sends a few requests to the 270M model without further training; it prints the
acceptance by filter and task, and every accepted example. The second command kills a teaching
process at random moments and compares the result with an uninterrupted run; the process and the
ledger are real, the engine has no model. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from augment_faults import core_laws
from development_data import STATUTES, require
from outcome import outcome

from kofinlaw.augment.generators.registry import draft_questions
from kofinlaw.augment.protected_questions import ProtectedTexts
from kofinlaw.augment.settings import TeacherSettings
from kofinlaw.augment.teacher.ledger import read_ledger
from kofinlaw.augment.teacher.synthesis import synthesize
from kofinlaw.files import write_jsonl
from kofinlaw.records import Chunk

SCRIPT = Path(__file__).parents[1] / "tests" / "augment" / "teacher" / "scripted.py"


def run_teacher(arguments: argparse.Namespace) -> str:
    """Ask the small model, filter its outputs and count them; return the last line."""
    settings = TeacherSettings.model_validate(
        {
            "model": {"id": "google/gemma-3-270m"},
            "engine": {"engine": arguments.engine, "threads": 2, "context_tokens": 2048},
            "items": arguments.requests,
            "max_tokens": 220,
        }
    )
    laws = core_laws(arguments.folder)
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        taught = synthesize(
            settings,
            laws.acts,
            [],
            Path(name) / "ledger.jsonl",
            seed=1,
            protected=ProtectedTexts(()),
            drafts=list(draft_questions(laws, 1)),
        )
    seconds = time.monotonic() - started
    for example in taught.examples:
        print(f"{example.task}: {[m['content'] for m in example.messages]}")
    for rejected in taught.rejected:
        print(
            f"  {rejected.reason}: {json.loads(rejected.record)['task']}: {rejected.detail[:200]}"
        )
    for task, counts in taught.funnel.items():
        print(f"  funnel {task}: {counts}")
    outputs = len(taught.examples) + len(taught.rejected)
    figures = {
        "requests": taught.requests,
        "outputs": outputs,
        "accepted": len(taught.examples),
        "refused_by": dict(Counter(r.reason for r in taught.rejected).most_common()),
        "accepted_by_task": {task: c["accepted"] for task, c in taught.funnel.items()},
        "tokens": taught.tokens,
        "seconds": round(seconds),
    }
    asked = sum(counts["asked"] for counts in taught.funnel.values())
    return outcome(figures, {"outputs not accounted for": (asked - outputs, ("==", 0))})


def kill_teacher(arguments: argparse.Namespace) -> str:
    """Send SIGKILL at random moments until enough kills hit; compare with an uninterrupted run."""
    from kofinlaw.augment.reading.acts import Laws

    rng = random.Random(0)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        laws = Laws(core_laws(arguments.folder).acts[:1])
        _write_corpus(laws, work / "corpus")
        _teach(work, "whole")
        hit = again = 0
        while hit < arguments.kills:
            recorded = {e.prompt_sha256 for e in read_ledger(work / "killed.jsonl")[0].values()}
            before = len(_sent(work, "killed"))
            alive = _teach(work, "killed", kill_after=rng.uniform(0.0, 0.35))
            again += len(recorded & set(_sent(work, "killed")[before:]))
            hit += alive
            if not alive:
                break
        _teach(work, "killed")
        same = all(
            (work / "killed" / f).read_bytes() == (work / "whole" / f).read_bytes()
            for f in ("examples.jsonl", "rejected.jsonl", "ledger.jsonl")
        )
        whole = (work / "whole.jsonl").read_bytes()
        lines = (work / "killed.jsonl").read_text("utf-8").splitlines()
        keys = [json.loads(line)["key"] for line in lines]
        lost, doubled = len(whole.splitlines()) - len(keys), len(keys) - len(set(keys))
        identical = same and (work / "killed.jsonl").read_bytes() == whole
        return outcome(
            {"requests": len(keys)},
            {
                "kills": (hit, (">=", arguments.kills)),
                "lost": (lost, ("==", 0)),
                "doubled": (doubled, ("==", 0)),
                "sent again once recorded": (again, ("==", 0)),
                "identical bytes": (identical, ("==", True)),
            },
        )


def _write_corpus(laws: Any, folder: Path) -> None:
    folder.mkdir()
    articles = [a for law in laws.acts for a in law.articles]
    write_jsonl(folder / "articles.jsonl", articles)
    write_jsonl(
        folder / "chunks.jsonl",
        [
            Chunk(a.id, a.document_id, a.title, a.kind, a.path, a.id, a.text, a.as_of, "", "", "")
            for a in articles
        ],
    )


def _teach(work: Path, name: str, kill_after: float | None = None) -> bool:
    """Run the process; return True if it was killed before its end."""
    sent = work / f"{name}.sent"
    before = len(_sent(work, name))
    process = subprocess.Popen(
        [
            sys.executable,
            str(SCRIPT),
            str(work / "corpus"),
            str(work / name),
            str(work / f"{name}.jsonl"),
            str(sent),
            "90",
            "teach",
        ]
    )
    if kill_after is None:
        process.wait(timeout=600)
        return False
    while process.poll() is None and len(_sent(work, name)) == before:
        time.sleep(0.01)
    time.sleep(kill_after)
    killed = process.poll() is None
    if killed:
        os.kill(process.pid, signal.SIGKILL)
    process.wait(timeout=600)
    return killed


def _sent(work: Path, name: str) -> list[str]:
    path = work / f"{name}.sent"
    return path.read_text("utf-8").splitlines() if path.exists() else []


def main() -> None:
    """Run one of the two measurements."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "folder", nargs="?", type=Path, default=STATUTES, metavar="FOLDER_OF_STATUTES"
    )
    parser.add_argument("--requests", type=int, default=63)
    parser.add_argument("--engine", default="llamacpp")
    parser.add_argument("--kills", type=int, help="kill a teaching process this often")
    arguments = parser.parse_args()
    require(arguments.folder, "FOLDER_OF_STATUTES")
    print(kill_teacher(arguments) if arguments.kills else run_teacher(arguments))


if __name__ == "__main__":
    main()
