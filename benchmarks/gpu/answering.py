"""Minutes of 270 that 515 questions take on one 24 GB card, with 1 and with 5 votes. Needs CUDA.

    python benchmarks/gpu/answering.py [--limit-gib 24] [--questions 515] [--votes 1 5]

SOLAR-10.7B and EXAONE-3.5-7.8B by shape, weights drawn at random (time depends on the shape alone),
under the real runner: retrieval from the bundled regulations, evidence packed to 1,600 tokens,
labels written constrained, free text written in full. Weights that do not fit in 16 bit under the
cap go in NF4. Each run is a process of its own. Without CUDA it prints `not_run`. The last line is
JSON.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

NAMES = ("upstage/SOLAR-10.7B-v1.0", "LGAI-EXAONE/EXAONE-3.5-7.8B-Instruct")
ROOT = Path(__file__).parents[2]
BUDGET_MINUTES = 270.0
FREE_SHARE = 15 / 515


def contest_file(path: Path, count: int) -> None:
    """The bundled questions again and again, in the contest's mix of kinds."""
    from kofinlaw.data.files import read_jsonl
    from kofinlaw.data.records import Question

    sample = list(read_jsonl(ROOT / "data" / "sample" / "questions.jsonl", Question))
    free = [question for question in sample if not question.options]
    choices = [question for question in sample if question.options]
    wanted = max(1, round(count * FREE_SHARE))
    with open(path, "w", encoding="utf-8-sig", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["ID", "Question"])
        for number in range(count):
            pile = free if number < wanted else choices
            question = pile[number % len(pile)]
            lines = [f"{i} {text}" for i, text in enumerate(question.options, 1)]
            writer.writerow([f"Q{number}", "\n".join([question.question, *lines])])


def worker(args: argparse.Namespace) -> dict[str, Any]:
    """One run of the runner with one shape and number of votes."""
    import torch
    from shapes import cap_memory, random_model, sample_texts, save_tokenizer

    from kofinlaw.data.corpus import build_corpus
    from kofinlaw.data.settings import DataSettings
    from kofinlaw.models.catalogue import find
    from kofinlaw.models.settings import EngineSettings
    from kofinlaw.models.templates import template_for
    from kofinlaw.models.transformers_engine import TransformersEngine
    from kofinlaw.rag.answer import answer_questions
    from kofinlaw.rag.index import Index, build_index
    from kofinlaw.rag.retrieve import Retriever
    from kofinlaw.rag.settings import AnswerSettings, RagSettings

    started = time.monotonic()
    card = find(args.worker)
    cap_memory(args.limit_gib)
    # 16 bit where weights leave a fifth of the card for caches, as `memory.serving_plan` counts.
    quantization: Any = "none" if 2 * card.parameters / 2**30 < 0.8 * args.limit_gib else "nf4"
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        save_tokenizer(work / "model", sample_texts(), card.tokens_per_korean_char)
        contest_file(work / "test.csv", args.questions)
        sources: Any = [{"path": str(ROOT / "data/sample/corpus"), "license": "Apache-2.0"}]
        build_corpus(DataSettings(sources=sources), work / "corpus", base=work)
        rag = RagSettings(evidence_tokens=1600)
        build_index(work / "corpus" / "chunks.jsonl", work / "index", rag, cache=None)
        settings = AnswerSettings(
            budget_minutes=BUDGET_MINUTES,
            reserve_minutes=10,
            answer_form="label",
            choose_by="generate",
            votes=args.votes[0],
            free_max_tokens=128,
        )
        engine_settings = EngineSettings(max_batch_tokens=16_384, max_batch_size=32)
        counts = answer_questions(
            work / "test.csv",
            work / "out",
            open_engine=lambda: TransformersEngine(
                engine_settings,
                work / "model",
                model=random_model(args.worker, quantization=quantization),
            ),
            template=template_for(work / "model"),
            retriever=Retriever(Index.load(work / "index"), rag),
            settings=settings,
            started=started,
        )
    return {
        "quantization": quantization,
        "minutes": round(counts["seconds_used"] / 60, 1),
        "turns": counts["turns"],
        "fallback": counts["fallback"],
        "out_of_memory": counts.get("out_of_memory", 0),
        "peak_gib": round(torch.cuda.max_memory_reserved() / 2**30, 2),
    }


def main() -> None:
    """Every shape with every number of votes, a table, and one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--limit-gib", type=float, default=24.0)
    parser.add_argument("--questions", type=int, default=515)
    parser.add_argument("--votes", type=int, nargs="+", default=[1, 5])
    parser.add_argument("--worker", choices=NAMES, help=argparse.SUPPRESS)
    args = parser.parse_args()
    from shapes import not_run

    if not_run():
        return
    if args.worker:
        print(json.dumps(worker(args)))
        return
    result: dict[str, dict[str, Any]] = {}
    columns = ("quantization", "minutes", "turns", "fallback", "out_of_memory", "peak_gib")
    print(f"| shape, votes | {' | '.join(columns)} |\n|{' --- |' * (len(columns) + 1)}")
    for name in NAMES:
        for votes in args.votes:
            row = result[f"{name}, {votes}"] = one(args, name, votes)
            cells = [str(row.get(column, row.get("not_run", "–"))) for column in columns]
            print(f"| {name}, {votes} | {' | '.join(cells)} |", flush=True)
    print(json.dumps(result))


def one(args: argparse.Namespace, name: str, votes: int) -> dict[str, Any]:
    """One run in a process of its own; why not, where it fails."""
    command = [
        *(sys.executable, __file__, "--worker", name, "--votes", str(votes)),
        *("--limit-gib", str(args.limit_gib), "--questions", str(args.questions)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"not_run": (done.stderr.strip() or str(done.returncode)).splitlines()[-1][:160]}
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))  # shapes.py lies beside this file
    main()
