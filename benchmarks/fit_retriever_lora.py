"""Compare an embedder trained by LoRA with the static and the joined one, on the same pairs.

    python benchmarks/fit_retriever_lora.py --work DIR [--steps 150] [--rate 5e-4] [--votes]

- Pairs. Those of `fit_retriever.py` without options: built by rule from the articles, and the
  masked court issues of the earlier half of the decisions as own pairs.
- Arms. The untrained multilingual-e5-small; its static embedder after training; both joined; the
  base after training with `method: lora`. No hard negatives in any arm. The static embedder is
  trained with the settings of `fit_retriever.py`, and taken from DIR if it is there.
- Precision. All arms embed with products in bfloat16, from the converted weights. That is twice as
  fast as float32 on a CPU that has the instruction (cosine of both at least .9999).
- Questions. Court issues of the later half, without votes, and statute questions of the development
  exam by their stem. The shares of the vectors are today's and .5. Nothing is chosen by results.

- Votes. With `--votes` another table is made, of the first three arms, which must be in DIR.
  Decisions earlier than a query's own vote for the articles that they cite, by their words
  (bigrams), in every arm. The share of the votes is chosen for the untrained embedder with today's
  share, on the newer quarter of the earlier half, and used in all arms.

A killed training continues. The last line is JSON.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from development_data import DATA, require
from fit_retriever import E5, compared, corpus_pairs, fitted, indexed, issues, recalls
from fit_retriever_tables import VOTES, cases_index, stems, voted
from outcome import outcome
from retrieval import figures, halves, search
from retrieval_data import corpus

from kofinlaw.files import read_json_lines, read_jsonl
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.settings import RagSettings
from kofinlaw.records import Chunk, Question
from kofinlaw.trainer.retriever.fit import fit_embedder
from kofinlaw.trainer.retriever.joining import JOINED, join_with_base
from kofinlaw.trainer.retriever.schedule import TrainingPair
from kofinlaw.trainer.retriever.settings import RetrieverSettings
from kofinlaw.trainer.retriever.trained_base import base_folder

ARMS = ("untrained", "static", "joined", "lora")
SHARES = {"alone": 1.0, "today": RagSettings().alpha, ".5": 0.5}
FORMS = ("act named", "act removed")


def lora(base: Path, pairs: list[TrainingPair], out: Path, given: argparse.Namespace) -> Path:
    """Train the base with adapters, unless `out` has the result; returns its folder."""
    if (out / "model" / "modules.json").is_file():
        print(f"{out}: trained before", flush=True)
        return out / "model"
    settings = RetrieverSettings(
        method="lora", batch=24, steps=given.steps, learning_rate=given.rate, negatives=False,
        query_tokens=64, passage_tokens=96, held_out_share=0, checkpoint_steps=20,
        budget_minutes=given.budget_minutes,
    )  # fmt: skip

    def shown(phase: str, done: int, total: int | None = None, **values: Any) -> None:
        if done % 10 == 0:
            print(phase, done, total, values, flush=True)

    print(fit_embedder(base, pairs, settings, out, seed=0, progress=shown), flush=True)
    return out / "model"


class Table:
    """The rows of the arms, and what each found."""

    def __init__(self, given: argparse.Namespace, indexes: dict[str, tuple[str, Index]]) -> None:
        self._indexes, self._cache = indexes, given.work / "cache"
        self.rows: dict[str, dict[str, float]] = {}
        self.found: dict[tuple[str, str, str], Any] = {}

    def add(self, name: str, asked: list[Question], gold: list[dict[str, Any]]) -> None:
        """Search the questions with each arm and share."""
        for arm, (embedder, index) in self._indexes.items():
            for label, share in SHARES.items():
                settings = RagSettings(
                    lexical="both", alpha=share, k=10, pool=100, citation_lookup=False,
                    embedder=embedder, case_votes=0.0,
                )  # fmt: skip
                hits = search(index, settings, asked, self._cache)
                self.found[name, arm, label] = recalls(hits, gold, range(len(gold)))
                self.rows[f"{name}, {arm}, {label}"] = figures(hits, gold, range(len(gold)))
                print(name, arm, label, self.rows[f"{name}, {arm}, {label}"], flush=True)

    def points(self, name: str, arm: str, label: str) -> float:
        """Return the points of R@10 over the untrained embedder with today's share."""
        ours, theirs = self.found[name, arm, label], self.found[name, "untrained", "today"]
        return round(100 * float((ours - theirs).mean()), 1)


def built(
    given: argparse.Namespace, chunks: Path, embedders: dict[str, Path]
) -> Iterable[tuple[str, tuple[str, Index]]]:
    """Yield each arm's embedder and index, and print the minutes that the index took."""
    first: Path | None = None
    for arm, embedder in embedders.items():
        clock = time.perf_counter()
        name = f"half-{arm}"
        index = indexed(chunks, given.work, name, str(embedder), first)
        first = first or given.work / f"index-{name}"
        print(arm, "indexed in", round((time.perf_counter() - clock) / 60, 1), "min", flush=True)
        yield arm, (str(embedder), index)


def with_votes(
    given: argparse.Namespace, rows: list[dict[str, Any]], embedders: dict[str, Path]
) -> str:
    """Search the later half with votes of earlier decisions; return the line of JSON."""
    early, late = halves(rows)
    _, newer = halves([rows[p] for p in early])
    newer = [early[p] for p in newer]
    indexes: dict[str, Index] = {}
    first: Path | None = None
    with torch.autocast("cpu", dtype=torch.bfloat16):
        for arm, embedder in embedders.items():
            name = f"half-{arm}"
            indexes[arm] = cases_index(given.data, given.work, name, str(embedder), first)
            first = first or given.work / f"index-cases-{name}"

        def found(arm: str, share: float, votes: float, chosen: list[int]) -> list[list[str]]:
            cache, embedder = given.work / "cache", str(embedders[arm])
            return voted(indexes[arm], rows, chosen, embedder, share, votes, cache)

        today = SHARES["today"]
        gold = [rows[p] for p in newer]
        scores = {
            votes: recalls(found("untrained", today, votes, newer), gold, range(len(gold))).mean()
            for votes in VOTES
        }
        votes = max(scores, key=lambda one: (scores[one], -one))
        print("votes by R@10 on the newer quarter", scores, flush=True)
        listed = [rows[p] for p in late]
        table: dict[str, Any] = {}
        parts: dict[str, Any] = {}
        for arm in embedders:
            for label in ("today", ".5"):
                hits = found(arm, SHARES[label], votes, late)
                table[f"{arm}, {label}"] = figures(hits, listed, range(len(listed)))
                parts[f"{arm}, {label}"] = recalls(hits, listed, range(len(listed)))
                print(arm, label, table[f"{arm}, {label}"], flush=True)
    gains = {
        name: compared(one, parts["untrained, today"], listed, range(len(listed)))
        for name, one in parts.items()
        if name != "untrained, today"
    }
    joined = gains["joined, .5"]["points"]
    targets = {"joined with votes, share .5, points of R@10 over untrained": (joined, (">=", 0.0))}
    return outcome({"votes": votes, "table": table, "gains": gains}, targets)


def main() -> None:
    """Train, index, search, and print one line of JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA, help="folder with kr_prec_statute")
    parser.add_argument("--work", type=Path, required=True, help="folder for models and indexes")
    parser.add_argument("--steps", type=int, default=150, help="optimizer steps of LoRA")
    parser.add_argument("--rate", type=float, default=5e-4, help="its highest learning rate")
    parser.add_argument("--budget-minutes", type=float, help="end LoRA after so many minutes")
    parser.add_argument("--votes", action="store_true", help="make the table with votes")
    given = parser.parse_args()
    require(given.data / "kr_prec_statute", "--data")
    given.work.mkdir(parents=True, exist_ok=True)
    rows = [row for _, row in read_json_lines(given.data / "kr_prec_statute" / "dev.jsonl")]
    early, late = halves(rows)
    chunks = corpus(given.data, given.work)
    if given.votes:
        static = require(given.work / "fit-static", "--work")
        arms = (base_folder(E5), static / "model", static / JOINED)
        print(with_votes(given, rows, dict(zip(ARMS, arms, strict=False))))
        return
    made, units = corpus_pairs(given.data, chunks)
    pairs = made + issues(rows, early, units)
    base = base_folder(E5)
    static = given.work / "fit-static"
    embedders = {"untrained": base, "static": fitted(base, pairs, static)}
    passages = [chunk.text for chunk in read_jsonl(chunks, Chunk)]
    share = RetrieverSettings(method="static").joined_share
    join_with_base(str(base), static, passages, share, given.work / "cache")
    embedders["joined"] = static / JOINED
    embedders["lora"] = lora(base, pairs, given.work / "fit-lora", given)
    listed = [rows[p] for p in late]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        table = Table(given, dict(built(given, chunks, embedders)))
        table.add("issues", [Question(row["id"], row["query_masked"]) for row in listed], listed)
        exam = stems(given.data, set(units))
        for form in FORMS:
            table.add(form, [Question(row["id"], row[form]) for row in exam], exam)

    def over(arm: str, label: str, theirs: str) -> dict[str, float]:
        pair = table.found["issues", arm, label], table.found["issues", "untrained", theirs]
        return compared(*pair, listed, range(len(listed)))

    gains = {
        f"{arm}, {label}": over(arm, label, "alone" if label == "alone" else "today")
        for arm in ARMS[1:]
        for label in SHARES
    }
    kept = {
        arm: round(gains[f"{arm}, alone"]["points"] / gains["lora, alone"]["points"], 3)
        for arm in ("static", "joined")
    }
    stem_points = {
        f"{form}, {arm}, {label}": table.points(form, arm, label)
        for form in FORMS
        for arm in ARMS[1:]
        for label in SHARES
    }
    targets = {
        "lora, vectors alone, points of R@10": (gains["lora, alone"]["points"], (">=", 8.0)),
        "lora, share .5, points of R@10 over today": (gains["lora, .5"]["points"], (">=", 4.0)),
        **{
            f"lora, {form}, share .5, points": (stem_points[f"{form}, lora, .5"], (">=", 0.0))
            for form in FORMS
        },
        "static: share of the gain of lora": (kept["static"], (">=", 0.95)),
        "joined: share of the gain of lora": (kept["joined"], (">=", 0.95)),
    }
    result = {
        "steps": given.steps, "rate": given.rate, "pairs": len(pairs), "issues": len(listed),
        "stems": len(exam), "table": table.rows, "gains": gains, "kept": kept,
        "stem points": stem_points,
    }  # fmt: skip
    print(outcome(result, targets))


if __name__ == "__main__":
    main()
