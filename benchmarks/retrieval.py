"""Measure retrieval of Korean statutes: court issues to cited articles, and queries per second.

    python benchmarks/retrieval.py --work DIR [--embedder intfloat/multilingual-e5-small]

The corpus has 13,358 articles. The queries are the masked issues of the dev set of
kr_prec_statute.

- Quality. The share of the vectors, the share of bigrams and the priors are tuned on the earlier
  half of the decisions and reported on the later half. No decision is in both halves. The table
  has the single retrievers, every fusion, and a row with unmasked issues whose citations are
  looked up.
- Speed. bm25s is compared with rank_bm25 and the full-text search of LanceDB on the same tokens.
  p50 and p95 of one question are measured from its text to its passages. Other work may share the
  cores, so both are given in wall-clock and in processor time.

The last line is JSON.
"""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from development_data import DATA, require
from outcome import outcome
from retrieval_data import corpus, decisions
from retrieval_speed import speed

from kofinlaw.files import read_json_lines
from kofinlaw.rag.index.build import build_index
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.retrieve.retriever import Retriever
from kofinlaw.rag.retrieve.tune import tune
from kofinlaw.rag.retrieve.tuning_table import Tuned
from kofinlaw.rag.settings import RagSettings
from kofinlaw.records import Question

EMBEDDED = 380  # characters of an article that are embedded; half of the articles are not longer
CUTS = (1, 5, 10)
NO_LABEL = "all three, the default shares"
EARLIER = "earlier decisions vote"


def halves(rows: Sequence[dict[str, Any]]) -> tuple[list[int], list[int]]:
    """Return the row numbers of the queries in the earlier and the later half of the decisions."""
    decided = {row["id"].rsplit("-", 1)[0]: row["date"] for row in rows}
    order = sorted(decided, key=lambda decision: (decided[decision], decision))
    early = set(order[: len(order) // 2])
    sides = [row["id"].rsplit("-", 1)[0] in early for row in rows]
    return [i for i, e in enumerate(sides) if e], [i for i, e in enumerate(sides) if not e]


def figures(
    found: Sequence[Sequence[str]], rows: Sequence[dict[str, Any]], chosen: Sequence[int]
) -> dict[str, float]:
    """Return R@k (mean share of gold articles found), hit@k (queries with any) and MRR.

    Args:
        found: units found for each query, best first.
        rows: the queries with their gold articles.
        chosen: the row numbers to average over.
    """
    out = {}
    for cut in CUTS:
        shares = [
            len(set(found[p][:cut]) & set(rows[p]["gold"])) / len(rows[p]["gold"]) for p in chosen
        ]
        out[f"R@{cut}"] = round(float(np.mean(shares)), 4)
        out[f"hit@{cut}"] = round(float(np.mean([share > 0 for share in shares])), 4)
    ranks = [
        next((1 / (i + 1) for i, unit in enumerate(found[p][:10]) if unit in rows[p]["gold"]), 0.0)
        for p in chosen
    ]
    out["MRR"] = round(float(np.mean(ranks)), 4)
    return out


def measured(
    name: str, found: list[list[str]], rows: list[dict[str, Any]], tuned: Tuned | None = None
) -> dict[str, Any]:
    """Print and return a row of the table; a tuned row has its settings and the whole sweep."""
    _, late = halves(rows)
    row: dict[str, Any] = {
        "retriever": name,
        "later half": figures(found, rows, late),
        "all": figures(found, rows, range(len(rows))),
    }
    print(row, flush=True)
    if tuned:
        row |= {"settings": tuned.settings.model_dump(mode="json"), "sweep": tuned.table}
    return row


def search(
    index: Index, settings: RagSettings, questions: list[Question], cache: Path
) -> list[list[str]]:
    """Return the units found for each question, best first."""
    hits = Retriever(index, settings, cache=cache).search(questions)
    return [[hit.chunk.unit for hit in one] for one in hits]


def quality(
    index: Index, rows: list[dict[str, Any]], embedder: str | None, cache: Path
) -> list[dict[str, Any]]:
    """Return one row per retriever and fusion."""
    early, _ = halves(rows)
    questions = [Question(row["id"], row["query_masked"]) for row in rows]
    base: dict[str, Any] = {"k": 10, "pool": 100, "citation_lookup": False, "embedder": embedder}

    def settings(**values: Any) -> RagSettings:
        return RagSettings(**{**base, "alpha": 0.0, **values})

    singles = {
        "bigram": settings(lexical="bigram"),
        "kiwi": settings(lexical="kiwi"),
        "kiwi + bigram": settings(lexical="both"),
        "kiwi + bigram, ranked": settings(lexical="both", fusion="ranked"),
    }
    if embedder:
        share = RagSettings().alpha
        singles[f"dense ({embedder})"] = settings(lexical="kiwi", alpha=1.0)
        singles[NO_LABEL] = settings(lexical="both", alpha=share)
        singles["all three, ranked"] = settings(lexical="both", alpha=share, fusion="ranked")
        singles["kiwi + dense"] = settings(lexical="kiwi", alpha=share)
    out = []
    for name, one in singles.items():
        found = search(index, one, questions, cache)
        out.append(measured(name, found, rows))
    tuned = tune(
        index,
        settings(lexical="both"),
        [questions[p] for p in early],
        [rows[p]["gold"] for p in early],
        cache=cache,
    )
    found = search(index, tuned.settings.model_copy(update={"k": 10}), questions, cache)
    out.append(measured("tuned on the earlier half", found, rows, tuned))
    named = [Question(row["id"], row["query"]) for row in rows]
    cited = tuned.settings.model_copy(update={"k": 10, "citation_lookup": True})
    found = search(index, cited, named, cache)
    out.append(measured("the same, citations not masked and looked up", found, rows))
    return out


def with_decisions(index: Index, rows: list[dict[str, Any]], cache: Path) -> list[dict[str, Any]]:
    """Return rows for articles found with the votes of court decisions.

    First only decisions vote that are earlier than the query's decision, then all others.
    The query's own decision never votes.
    """
    early, _ = halves(rows)
    questions = [Question(row["id"], row["query_masked"]) for row in rows]
    asked = {
        row["id"]: (row["id"].rsplit("-", 1)[0], re.sub(r"\D", "", row["date"])) for row in rows
    }
    owners = np.array([chunk.document_id for chunk in index.chunks])
    case = np.array([chunk.kind == "case" for chunk in index.chunks])
    dates = np.array([re.sub(r"\D", "", chunk.as_of) for chunk in index.chunks])
    lexical = "both" if len(index.meta["lexical"]) == 2 else index.meta["lexical"][0]
    base = RagSettings(lexical=lexical, k=10, pool=100, citation_lookup=False, kinds=("statute",))

    def earlier(question: Question) -> Any:
        own, date = asked[question.id]
        return ~case | ((owners != own) & (dates < date))

    def others(question: Question) -> Any:
        return ~case | (owners != asked[question.id][0])

    plain = base.model_copy(update={"lexical": "bigram"})
    found = search(index, plain, questions, cache)
    out = [measured("bigram", found, rows)]
    for name, allowed in ((EARLIER, earlier), ("all other decisions vote", others)):
        tuned = tune(
            index,
            base,
            [questions[p] for p in early],
            [rows[p]["gold"] for p in early],
            allowed=allowed,
            cache=cache,
        )
        hits = Retriever(index, tuned.settings, cache=cache).search(questions, allowed=allowed)
        found = [[hit.chunk.unit for hit in one] for one in hits]
        out.append(measured(name, found, rows, tuned))
    return out


def targets_of(result: dict[str, Any]) -> dict[str, Any]:
    """Return the targets; quality is R@10 on the later half, compared with bigram BM25."""
    rows = {row["retriever"]: row["later half"]["R@10"] for row in result.get("quality", ())}
    speed = result.get("queries a second", {})
    times, latency = speed.get("times rank_bm25"), speed.get("one question, ms")

    def over(name: str) -> float | None:
        return None if name not in rows else round(100 * (rows[name] - rows["bigram"]), 1)

    return {
        "points of R@10 over bigram, no label": (over(NO_LABEL), (">=", 3)),
        "points of R@10 over bigram, with earlier decisions": (over(EARLIER), (">=", 18)),
        "times rank_bm25": (times and min(times.values()), (">=", 1000)),
        "p95 of one question, ms": (
            latency and max(row["p95"] for row in latency.values()),
            ("<=", 20),
        ),
    }


def main() -> None:
    """Build the index if it is missing, measure, and print one line of JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA, help="folder with kr_prec_statute")
    parser.add_argument("--work", type=Path, required=True, help="folder for index and vectors")
    parser.add_argument("--embedder", help="adds the dense retriever (32 minutes on 2 cores)")
    parser.add_argument("--workers", type=int, default=2, help="threads of Kiwi")
    parser.add_argument("--cases", action="store_true", help="index court decisions too; they vote")
    parser.add_argument("--lexical", choices=["both", "bigram", "kiwi"], default="both")
    parser.add_argument("--limit", type=int, help="number of queries, for a trial")
    parser.add_argument("--only", choices=["quality", "speed"])
    given = parser.parse_args()
    require(given.data / "kr_prec_statute", "--data")
    given.work.mkdir(parents=True, exist_ok=True)
    rows = [row for _, row in read_json_lines(given.data / "kr_prec_statute" / "dev.jsonl")]
    rows = rows[: given.limit]
    settings = RagSettings(
        lexical=given.lexical,
        embedder=given.embedder,
        embed_characters=EMBEDDED if given.embedder else None,
        workers=given.workers,
    )
    name = "index-dense" if given.embedder else "index"
    folder = given.work / (name + "-cases" * given.cases)
    started = time.perf_counter()
    if not (folder / "index.json").exists():
        build_index(
            (decisions if given.cases else corpus)(given.data, given.work),
            folder,
            settings,
            cache=given.work / "cache",
            progress=lambda phase, done, total=None, **_: print(phase, done, total, flush=True),
        )
    result: dict[str, Any] = {"build_seconds": round(time.perf_counter() - started, 1)}
    index = Index.load(folder)
    cache = given.work / "cache"
    if given.cases:
        result["quality"] = with_decisions(index, rows, cache)
    else:
        if given.only != "quality":
            result["queries a second"] = speed(index, rows, given.work)
        if given.only != "speed":
            result["quality"] = quality(index, rows, given.embedder, cache)
    print(outcome(result, targets_of(result)))


if __name__ == "__main__":
    main()
