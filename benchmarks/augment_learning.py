"""Measure what a small model learns from 300 grounded items: held-out acts, before and after.

    python benchmarks/augment_learning.py [FOLDER_OF_STATUTES] [--items 300] [--questions 120]

Two of the five core acts and their decrees are held out; the items come from the other three. The
270M model trains on the items for one pass (`--epochs`) as 16-bit LoRA. Then the base model and
the base with the adapter answer the held-out questions as the shipped recipes do: Kiwi retrieval,
evidence, scores of the options' texts. The run takes half an hour on two busy cores. The last
line is JSON.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from development_data import STATUTES, require
from outcome import outcome

from kofinlaw.augment.augment_counts import AugmentCounts
from kofinlaw.augment.settings import AugmentSettings, RaftSettings
from kofinlaw.augment.stage import generate_examples
from kofinlaw.data.corpus import build_corpus
from kofinlaw.data.settings import DataSettings
from kofinlaw.files import read_jsonl
from kofinlaw.models.engines.factory import open_engine
from kofinlaw.models.quickstart import quickstart_model
from kofinlaw.models.settings import EngineSettings
from kofinlaw.models.templates import template_for
from kofinlaw.models.tokenizer import load_tokenizer
from kofinlaw.rag.answer.answer_file import answer_questions
from kofinlaw.rag.answer.run_context import RunContext
from kofinlaw.rag.answer_settings import AnswerSettings
from kofinlaw.rag.index.build import build_index
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.retrieve.retriever import Retriever
from kofinlaw.rag.settings import RagSettings
from kofinlaw.records import Answer, Key
from kofinlaw.scoring.stats.paired import mcnemar_exact
from kofinlaw.trainer.settings import TrainSettings
from kofinlaw.trainer.sft import train

TRAINED = ("전자금융거래법", "개인정보 보호법", "신용정보의 이용 및 보호에 관한 법률")
HELD_OUT = ("전자서명법", "정보통신망 이용촉진 및 정보보호 등에 관한 법률")
EVIDENCE_TOKENS = 320


def make(arguments: argparse.Namespace, work: Path, folder: Path) -> AugmentCounts:
    """Build the corpus, the training items and the held-out questions."""
    names = [f"{t.replace(' ', '_')}{tail}" for t in TRAINED + HELD_OUT for tail in ("", "_시행령")]
    sources = [{"path": str(arguments.folder / "acts" / f"{name}.md")} for name in names]
    count = load_tokenizer(folder).count
    (work / "data").mkdir(parents=True)
    build_corpus(
        DataSettings.model_validate({"sources": sources}),
        work / "data",
        base=work,
        count_tokens=count,
    )
    settings = AugmentSettings(
        items=arguments.items,
        free_share=0,
        holdout_documents=tuple(f"{t}{tail}" for t in HELD_OUT for tail in ("", " 시행령")),
        holdout_items=arguments.questions,
        raft=RaftSettings(max_evidence_tokens=EVIDENCE_TOKENS),
    )
    return generate_examples(settings, work / "data", work / "augment", seed=42, count_tokens=count)


def ask(work: Path, folder: Path, adapter: Path | None) -> dict[str, str]:
    """Return the label that the model gives to each held-out question, by id."""
    settings = RagSettings(lexical="kiwi", embedder=None, k=5, evidence_tokens=EVIDENCE_TOKENS)
    if not (work / "index").exists():
        build_index(work / "data" / "chunks.jsonl", work / "index", settings)
    out = work / ("after" if adapter else "before")
    engine = EngineSettings(engine="transformers", dtype="bfloat16", max_batch_tokens=4096)
    answer_questions(
        work / "augment" / "heldout_questions.jsonl",
        out,
        open_engine=lambda: open_engine(engine, folder, adapter=adapter, seed=42),
        template=template_for(folder),
        retriever=Retriever(Index.load(work / "index"), settings),
        settings=AnswerSettings(engine=engine, answer_form="text", budget_minutes=None),
        context=RunContext(seed=42),
    )
    return {answer.id: answer.answer for answer in read_jsonl(out / "answers.jsonl", Answer)}


def compare(keys: list[Key], before: dict[str, str], after: dict[str, str]) -> dict[str, Any]:
    """Return both accuracies, the exact paired test, and the right answers by kind."""
    right = [(k, before.get(k.id) == k.answer, after.get(k.id) == k.answer) for k in keys]
    gained = sum(b < a for _, b, a in right)
    lost = sum(b > a for _, b, a in right)
    kinds = Counter(k.slices[0] for k in keys)
    return {
        "questions": len(keys),
        "uniform": round(sum(1 / (5 if "five" in k.slices else 4) for k in keys) / len(keys), 3),
        "before": round(sum(b for _, b, _ in right) / len(keys), 3),
        "after": round(sum(a for _, _, a in right) / len(keys), 3),
        "gained": gained,
        "lost": lost,
        "mcnemar_p": round(mcnemar_exact(lost, gained), 5),
        "by_kind": {
            kind: [
                n,
                sum(b for k, b, _ in right if k.slices[0] == kind),
                sum(a for k, _, a in right if k.slices[0] == kind),
            ]
            for kind, n in kinds.most_common()
        },
    }


def main() -> None:
    """Build, answer, train, answer again; print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "folder", nargs="?", type=Path, default=STATUTES, metavar="FOLDER_OF_STATUTES"
    )
    parser.add_argument("--items", type=int, default=300)
    parser.add_argument("--questions", type=int, default=120)
    parser.add_argument("--epochs", type=float, default=1, help="passes over the items")
    parser.add_argument("--learning-rate", type=float, default=3e-4)
    arguments = parser.parse_args()
    require(arguments.folder, "FOLDER_OF_STATUTES")
    folder = quickstart_model()
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        counts = make(arguments, work, folder)
        print(f"{counts.items} items, {counts.tokens} tokens, {counts.heldout} held out")
        before = ask(work, folder, None)
        started = time.monotonic()
        train(
            TrainSettings(
                quantization="none",
                epochs=arguments.epochs,
                learning_rate=arguments.learning_rate,
                effective_batch=4,
                max_length=1024,
            ),
            folder,
            work / "augment" / "examples.jsonl",
            work / "train",
            template=template_for(folder),
            seed=42,
        )
        seconds = time.monotonic() - started
        after = ask(work, folder, work / "train" / "adapter")
        keys = list(read_jsonl(work / "augment" / "heldout_key.jsonl", Key))
    result = {
        "items": counts.items,
        "tokens": counts.tokens,
        "epochs": arguments.epochs,
        "train_seconds": round(seconds),
        **compare(keys, before, after),
    }
    print(
        outcome(
            result,
            {
                "after less before": (round(result["after"] - result["before"], 3), (">", 0)),
                "mcnemar_p": (result["mcnemar_p"], ("<", 0.05)),
            },
        )
    )


if __name__ == "__main__":
    main()
