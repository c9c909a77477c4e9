"""Kill workers, raylets and the driver of a run over Ray, and compare its files with one process.

    python benchmarks/ray_kills.py --work DIR [--documents DIR] [--rounds 10] [--requests 600]
        [--whole] [--seed 1]

Two raylets on loopback, in a network namespace that has no other interface, answer the requests of
a teacher (the dummy engine) about the documents. In each round a worker and a raylet are killed by
SIGKILL when the ledger has a random number of lines; in every third round the driver is killed too,
and the same command runs again. Every file must be byte-identical to that of a single process, and
the ledger must have one line for each request. Two of the twelve tasks need questions by rule: 600
requests are 500 without `--whole`, which runs all of the stage `augment`, questions by rule too.

Needs `ray` (pip install 'kofinlaw[ray]'). The default documents are the development statutes.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from raylets import Raylets, enter_loopback

from kofinlaw.augment.protected_questions import ProtectedTexts
from kofinlaw.augment.reading.acts import read_laws
from kofinlaw.augment.settings import AugmentSettings
from kofinlaw.augment.stage import generate_examples
from kofinlaw.augment.teacher.synthesis import synthesize
from kofinlaw.cluster.opening import open_workers
from kofinlaw.data.corpus import build_corpus
from kofinlaw.data.settings import DataSettings
from kofinlaw.files import read_jsonl, write_jsonl
from kofinlaw.records import Article, Chunk

STATUTES = Path(__file__).resolve().parents[2] / "shared" / "data" / "statutes" / "acts"
WAIT_SECONDS = 600


def settings_of(requests: int, batch: int) -> AugmentSettings:
    """The section `augment`: a few questions by rule, and a teacher that is the dummy engine."""
    model = {"id": "google/gemma-3-270m"}
    teacher = {"model": model, "engine": {"engine": "dummy"}, "items": requests, "batch": batch}
    return AugmentSettings.model_validate({"items": 40, "teacher": teacher})


def drive(options: argparse.Namespace) -> None:
    """Do the work of one run into `--out`; this is the process that a round may kill."""
    out, corpus = options.out, options.work / "corpus"
    settings = settings_of(options.requests, options.batch)
    ledger = out / "teacher.ledger.jsonl"
    with open_workers(options.cluster) as workers:
        if options.whole:
            generate_examples(settings, corpus, out, seed=1, ledger=ledger, workers=workers)
            return
        chunks = list(read_jsonl(corpus / "chunks.jsonl", Chunk))
        laws = read_laws(read_jsonl(corpus / "articles.jsonl", Article), chunks)
        assert settings.teacher is not None
        made = synthesize(
            settings.teacher,
            laws.acts,
            chunks,
            ledger,
            seed=1,
            protected=ProtectedTexts(()),
            used=out / "ledger.jsonl",
            workers=workers,
        )
        write_jsonl(out / "examples.jsonl", made.examples)
        write_jsonl(out / "rejected.jsonl", made.rejected)


def start(options: argparse.Namespace, cluster: str, out: Path) -> subprocess.Popen[bytes]:
    """Start a run in a process of its own."""
    out.mkdir(parents=True, exist_ok=True)
    words = ["--drive", "--cluster", cluster, "--out", str(out), "--work", str(options.work)]
    words += ["--requests", str(options.requests), "--batch", str(options.batch)]
    words += ["--whole"] if options.whole else []
    return subprocess.Popen([sys.executable, str(Path(__file__).resolve()), *words])


def lines(path: Path) -> int:
    """Return the number of lines of a file; 0 if it is missing."""
    return path.read_bytes().count(b"\n") if path.exists() else 0


def wait_for(path: Path, count: int, run: subprocess.Popen[bytes]) -> None:
    """Wait until a file has so many lines, or the run has ended."""
    until = time.monotonic() + WAIT_SECONDS
    while lines(path) < count and run.poll() is None and time.monotonic() < until:
        time.sleep(0.001)


def kill_round(
    options: argparse.Namespace, raylets: Raylets, number: int, draw: random.Random, whole: Path
) -> dict[str, object]:
    """Run once under kills; returns what was killed and what differs from the single process."""
    out = options.work / f"round-{number}"
    shutil.rmtree(out, ignore_errors=True)
    ledger = out / "teacher.ledger.jsonl"
    total = lines(whole / "teacher.ledger.jsonl")
    places = sorted(draw.sample(range(1, max(4, total - 1)), 3))
    cluster = "auto" if number % 2 else f"ray://127.0.0.1:{raylets.client_port}"
    os.environ["RAY_ADDRESS"] = raylets.address
    started = time.monotonic()
    run = start(options, cluster, out)
    killed: list[str] = []
    events = draw.sample(["worker", "raylet"], 2) + (["driver"] if number % 3 == 0 else [])
    for event, place in zip(events, places, strict=False):
        wait_for(ledger, place, run)
        at = lines(ledger)
        if run.poll() is not None:
            break
        if event == "driver":
            run.send_signal(signal.SIGKILL)
            run.wait()
            run = start(options, cluster, out)
        elif event == "raylet":
            raylets.kill_raylet()
        elif not raylets.kill_worker(draw):
            continue
        killed.append(f"{event} after {at} answers")
    code = run.wait(WAIT_SECONDS)
    files = sorted(path.relative_to(whole) for path in whole.rglob("*") if path.is_file())
    differ = [
        str(name)
        for name in files
        if not (out / name).exists() or (out / name).read_bytes() != (whole / name).read_bytes()
    ]
    recorded = ledger.read_text("utf-8").splitlines() if ledger.exists() else []
    keys = [json.loads(line)["key"] for line in recorded]
    return {
        "round": number,
        "cluster": cluster.split(":")[0],
        "killed": killed,
        "exit": code,
        "seconds": round(time.monotonic() - started, 1),
        "answers": len(keys),
        "doubled": len(keys) - len(set(keys)),
        "missing": total - len(set(keys)),
        "differ": differ,
    }


def main() -> None:
    """Run the rounds, print one JSON line for each, and fail if one differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--documents", type=Path, default=STATUTES)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--requests", type=int, default=600)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("--drive", action="store_true")
    parser.add_argument("--cluster", default="local")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    options.work = options.work.resolve()
    if options.drive:
        drive(options)
        return
    alone = enter_loopback()
    print(json.dumps({"namespace with lo only": alone}), flush=True)
    corpus = options.work / "corpus"
    if not (corpus / "card.json").exists():
        sources = {"sources": [{"path": str(options.documents.resolve())}]}
        build_corpus(DataSettings.model_validate(sources), corpus, base=Path.cwd())
    whole = options.work / "single"
    shutil.rmtree(whole, ignore_errors=True)
    if start(options, "local", whole).wait():
        raise SystemExit("the single process failed")
    raylets = Raylets()
    try:
        bad = 0
        for number in range(options.first, options.first + options.rounds):
            draw = random.Random(f"{options.seed}:{number}")
            raylets.complete()
            row = kill_round(options, raylets, number, draw, whole)
            print(json.dumps(row, ensure_ascii=False), flush=True)
            bad += bool(row["exit"] or row["doubled"] or row["missing"] or row["differ"])
    finally:
        raylets.close()
    if bad:
        raise SystemExit(f"{bad} of {options.rounds} rounds differ from the single process")


if __name__ == "__main__":
    main()
