"""Answer 515 questions within the contest's time on a GPU, with models of real shape. Needs CUDA.

    python benchmarks/gpu/answering.py [--limit-gib 24] [--questions 515] [--votes 1 5]

The models are SOLAR-10.7B and EXAONE-3.5-7.8B with random weights under a 24 GB cap: in 16 bit if
the plan says that this fits, otherwise in NF4. The script runs `answer_questions`. The evidence
is articles of the bundled regulations, drawn for each question so that no two prompts start with
the same text. The tokenizer has as many tokens per Korean character as the real one. Time depends
on shapes and lengths only; the answers mean nothing. Without CUDA the script prints `not_run`.
The last line is JSON.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kofinlaw.files import read_jsonl, write_jsonl
from kofinlaw.models.catalogue import find_model
from kofinlaw.models.engines.base import Engine
from kofinlaw.models.memory.memory_plan import plan_serving_memory
from kofinlaw.models.settings import EngineSettings
from kofinlaw.models.templates import ChatTemplate
from kofinlaw.rag.abstention.decision import Judgement
from kofinlaw.rag.answer_settings import AnswerSettings
from kofinlaw.rag.retrieve.evidence import Hit
from kofinlaw.rag.retrieve.in_force import AbsentAct
from kofinlaw.rag.settings import RagSettings
from kofinlaw.records import Chunk, Question
from kofinlaw.units import GIB

MODELS = ("upstage/SOLAR-10.7B-v1.0", "LGAI-EXAONE/EXAONE-3.5-7.8B-Instruct")
BUDGET_MINUTES = 270
FREE_TEXT = 15
ARTICLE = re.compile(r"^(?=#* ?제\d+조)", re.MULTILINE)


class Drawn:
    """A searcher for the benchmark: `k` articles drawn by the question's id, best first."""

    needs_model: tuple[str, ...] = ()
    fingerprint = "drawn"

    def __init__(self, texts: Sequence[str], settings: RagSettings) -> None:
        self.settings = settings
        articles = [part.strip() for text in texts for part in ARTICLE.split(text)[1:]]
        self._chunks = [
            Chunk(
                id=f"규정/{n}",
                document_id="규정",
                title="규정",
                kind="rule",
                path=str(n),
                unit=f"규정 {n}",
                text=article,
                as_of="2025-01-01",
                source="sample",
                license="CC0",
                sha256=hashlib.sha256(article.encode("utf-8")).hexdigest(),
            )
            for n, article in enumerate(articles)
        ]

    def with_model(self, engine: Engine, template: ChatTemplate) -> Drawn:
        """Return itself: it asks no model."""
        return self

    def search(
        self,
        questions: Sequence[Question],
        *,
        as_of: Sequence[datetime.date | None] | None = None,
        rerank: bool = True,
    ) -> list[list[Hit]]:
        """Return articles from a position that the question's id picks."""
        out = []
        for question in questions:
            digest = hashlib.sha256(question.id.encode("utf-8")).digest()
            start = int.from_bytes(digest[:4], "big")
            rows = [(start + 7 * n) % len(self._chunks) for n in range(self.settings.k)]
            out.append(
                [Hit(self._chunks[row], 1 / (n + 1), ("drawn",)) for n, row in enumerate(rows)]
            )
        return out

    def absent(self, question: Question) -> tuple[AbsentAct, ...]:
        """Return no act: the articles have no versions."""
        return ()

    def judge(self, questions: Sequence[Question]) -> list[Judgement | None]:
        """Return no judgement: every question is answered."""
        return [None] * len(questions)

    def chunks(self, ids: Sequence[str]) -> list[Chunk]:
        """Return the chunks of these ids, in order."""
        known = {chunk.id: chunk for chunk in self._chunks}
        return [known[name] for name in ids]


def questions(count: int) -> list[Question]:
    """Repeat the bundled questions under new ids; the last 15 are free text."""
    sample = Path(__file__).parents[2] / "data" / "sample" / "questions.jsonl"
    known = list(read_jsonl(sample, Question))
    multiple, free = [q for q in known if q.options], [q for q in known if not q.options]
    asked = [multiple[n % len(multiple)] for n in range(max(0, count - FREE_TEXT))]
    asked += [free[n % len(free)] for n in range(min(count, FREE_TEXT))]
    return [Question(f"T{n:03d}", q.question, q.options) for n, q in enumerate(asked)]


def quantization(name: str, limit_gib: float) -> str:
    """Choose 16 bit if eight prompts of 2,048 tokens fit by the plan, otherwise NF4."""
    plan = plan_serving_memory(
        find_model(name), bits=16, context=2048, batch=8, limit_gib=limit_gib
    )
    return "none" if plan.fits(limit_gib) else "nf4"


def worker(args: argparse.Namespace) -> dict[str, Any]:
    """Answer all questions with one model and number of votes."""
    import torch
    from shapes import cap_memory, random_model, sample_texts, save_tokenizer

    from kofinlaw.models.engines.transformers_engine import TransformersEngine
    from kofinlaw.models.templates import template_for
    from kofinlaw.rag.answer.answer_file import answer_questions
    from kofinlaw.rag.answer.run_context import RunContext

    started = time.monotonic()
    cap_memory(args.limit_gib)
    bits = quantization(args.model, args.limit_gib)
    engine_settings = EngineSettings(
        quantization=bits,  # type: ignore[arg-type]
        max_batch_tokens=16_384,
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        save_tokenizer(folder, sample_texts(), find_model(args.model).tokens_per_korean_char)
        path = folder / "questions.jsonl"
        write_jsonl(path, questions(args.questions))
        model = random_model(args.model, quantization=bits)  # type: ignore[arg-type]
        engine = TransformersEngine(engine_settings, folder, model=model)
        found = answer_questions(
            path,
            folder / "answers",
            open_engine=lambda: engine,
            template=template_for(folder),
            retriever=Drawn(sample_texts(), RagSettings(evidence_tokens=args.evidence_tokens)),
            settings=AnswerSettings(
                engine=engine_settings,
                budget_minutes=BUDGET_MINUTES,
                answer_form="label",
                choose_by="generate",  # as the contest demands: the model writes its answer
                votes=args.vote,
            ),
            context=RunContext(started=started),
        )
        answered = len(list((folder / "answers" / "answers.jsonl").open(encoding="utf-8")))
    minutes = (time.monotonic() - started) / 60
    return {
        "weights": bits,
        "minutes": round(minutes, 2),
        "of_minutes": BUDGET_MINUTES,
        "answered": answered,
        "seconds_a_question": round(60 * minutes / max(1, answered), 2),
        "peak_gib": round(torch.cuda.max_memory_reserved() / GIB, 2),
        "fallbacks": found.fallback,
    }


def main() -> None:
    """Run every model and number of votes, print a table and one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="*", default=MODELS)
    parser.add_argument("--votes", nargs="*", type=int, default=(1, 5))
    parser.add_argument("--limit-gib", type=float, default=24.0)
    parser.add_argument("--questions", type=int, default=515)
    parser.add_argument("--evidence-tokens", type=int, default=1500)
    parser.add_argument("--model", help=argparse.SUPPRESS)
    parser.add_argument("--vote", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    from outcome import outcome
    from shapes import not_run

    if not_run():
        return
    if args.model:
        print(json.dumps(worker(args)))
        return
    result: dict[str, dict[str, Any]] = {}
    print("| model | weights | votes | minutes of 270 | s per question | peak, GiB |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name in args.models:
        for votes in args.votes:
            row = one(name, votes)
            result.setdefault(name, {})[str(votes)] = row
            keys = ("minutes", "seconds_a_question", "peak_gib")
            cells = " | ".join(str(row.get(key, "–")) for key in keys)
            note = f" ({row['not_run']})" if "not_run" in row else ""
            print(f"| {name}{note} | {row.get('weights', '–')} | {votes} | {cells} |", flush=True)
    print(outcome(result, targets_of(result, args)))


def targets_of(result: Mapping[str, Any], args: argparse.Namespace) -> dict[str, Any]:
    """Return the targets: the model answers every question in time and within the memory cap."""
    targets: dict[str, Any] = {}
    for name, rows in result.items():
        for votes, row in rows.items():
            which = f"{name}, votes {votes}"
            targets[f"minutes, {which}"] = (row.get("minutes"), ("<=", BUDGET_MINUTES))
            targets[f"answered, {which}"] = (row.get("answered"), (">=", args.questions))
            targets[f"fallbacks, {which}"] = (row.get("fallbacks"), ("==", 0))
            targets[f"peak, GiB, {which}"] = (row.get("peak_gib"), ("<=", args.limit_gib))
    return targets


def one(name: str, votes: int) -> dict[str, Any]:
    """Run one model in a separate process; `not_run` holds the error if it fails."""
    command = [sys.executable, __file__, *sys.argv[1:], "--model", name, "--vote", str(votes)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"not_run": (done.stderr.strip() or str(done.returncode)).splitlines()[-1][:160]}
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


if __name__ == "__main__":
    here = Path(__file__).parent
    sys.path[:0] = [str(here), str(here.parent)]  # shapes.py and outcome.py
    main()
