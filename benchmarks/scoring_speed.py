"""Measure the time to score 1,000 answers of three systems and write their report, and its size.

    python benchmarks/scoring_speed.py [ITEMS]

The script uses the invented run of the tests. Its embedder is a bag of bigrams, so the figures do
not include the time of a real embedder. The last line is JSON.
"""

from __future__ import annotations

import argparse
import importlib.util
import tempfile
import time
from pathlib import Path
from typing import Any

from outcome import outcome

from kofinlaw.scoring.report.write import write_report
from kofinlaw.scoring.score import score_answers
from kofinlaw.scoring.settings import ScoreSettings

ROOT = Path(__file__).resolve().parent.parent


def load_invented_run() -> Any:
    """Import the module of the scoring tests that builds an invented run."""
    path = ROOT / "tests" / "scoring" / "conftest.py"
    spec = importlib.util.spec_from_file_location("invented_run", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main() -> None:
    """Score the invented run, write its report and print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("items", nargs="?", type=int, default=1000, help="answers per system")
    items = parser.parse_args().items
    source = load_invented_run()
    with tempfile.TemporaryDirectory() as folder:
        run = source.build_run(Path(folder) / "run", choice=items - 12, free=12)
        systems = {name: run / f"answer-{name}" for name in source.SYSTEMS}
        started, used = time.perf_counter(), time.process_time()
        score_answers(
            run / "questions" / "questions.jsonl",
            run / "questions" / "key.jsonl",
            systems,
            run / "data" / "chunks.jsonl",
            run / "score",
            settings=ScoreSettings(),
            embedder=source.BigramEmbedder(),
        )
        scored, scored_cpu = time.perf_counter() - started, time.process_time() - used
        started, used = time.perf_counter(), time.process_time()
        figures = write_report(run, run / "report")
        written, written_cpu = time.perf_counter() - started, time.process_time() - used
    found = {
        "items": items,
        "systems": len(systems),
        "score_seconds": round(scored, 2),
        "score_cpu_seconds": round(scored_cpu, 2),
        "report_seconds": round(written, 2),
        "report_cpu_seconds": round(written_cpu, 2),
        "report_megabytes": round(figures.html_bytes / 1e6, 2),
    }
    targets = {
        "score and report, s": (round(scored + written, 2), ("<=", 10)),
        "report, MB": (found["report_megabytes"], ("<=", 3)),
    }
    print(outcome(found, targets))


if __name__ == "__main__":
    main()
