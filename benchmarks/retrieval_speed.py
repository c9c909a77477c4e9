"""Measure queries per second on the same tokens and the time of one question."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kofinlaw.data.korean.words import content_morphemes
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.retrieve.retriever import Retriever
from kofinlaw.rag.settings import RagSettings
from kofinlaw.records import Question


def rate(
    run: Callable[[list[str]], Any], queries: Sequence[list[str]], seconds: float
) -> dict[str, float]:
    """Return queries per second in wall-clock and processor time, over about `seconds`."""
    run(list(queries[0]))
    done, clock, processor = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - clock < seconds:
        run(list(queries[done % len(queries)]))
        done += 1
    return {
        "clock": round(done / (time.perf_counter() - clock), 2),
        "processor": round(done / (time.process_time() - processor), 2),
    }


def speed(index: Index, rows: list[dict[str, Any]], work: Path) -> dict[str, Any]:
    """Return queries per second on the same Kiwi tokens, and the milliseconds of one question.

    All use one thread. rank_bm25 is left out if it is not installed.
    """
    tokens = index.tokens("kiwi")
    queries = content_morphemes([row["query_masked"] for row in rows[:200]])
    lexical = index.lexical("kiwi")
    out: dict[str, Any] = {"bm25s": rate(lambda q: lexical.query(q, 10), queries, 5)}
    print(out, flush=True)
    try:
        from rank_bm25 import BM25Okapi

        okapi = BM25Okapi(tokens)
        out["rank_bm25"] = rate(
            lambda q: np.argpartition(-okapi.get_scores(q), 10)[:10], queries, 30
        )
        out["times rank_bm25"] = {
            by: round(out["bm25s"][by] / out["rank_bm25"][by]) for by in out["bm25s"]
        }
    except ImportError:
        out["rank_bm25"] = None
    print(out, flush=True)
    out["one question, ms"] = one_question(index, rows)
    print(out, flush=True)
    import lancedb
    from lancedb.index import FTS

    started = time.perf_counter()
    table = lancedb.connect(str(work / "fts")).create_table(
        "t", [{"place": i, "text": " ".join(t)} for i, t in enumerate(tokens)], mode="overwrite"
    )
    config = FTS(
        base_tokenizer="whitespace", stem=False, remove_stop_words=False, ascii_folding=False
    )
    table.create_index("text", config=config)
    out["lancedb_build_seconds"] = round(time.perf_counter() - started, 2)
    out["lancedb"] = rate(
        lambda q: table.search(" ".join(q), query_type="fts").limit(10).to_list(), queries, 10
    )
    return out


def one_question(index: Index, rows: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Return p50 and p95 of a single question, from its text to its passages, in milliseconds."""
    retriever = Retriever(index, RagSettings(lexical="kiwi", k=10))
    times: dict[str, list[float]] = {"clock": [], "processor": []}
    for row in rows[:310]:
        clock, processor = time.perf_counter(), time.process_time()
        retriever.search([Question(row["id"], row["query_masked"])])
        times["clock"].append(1000 * (time.perf_counter() - clock))
        times["processor"].append(1000 * (time.process_time() - processor))
    return {
        by: {
            "p50": round(float(np.percentile(taken[10:], 50)), 2),
            "p95": round(float(np.percentile(taken[10:], 95)), 2),
        }
        for by, taken in times.items()
    }
