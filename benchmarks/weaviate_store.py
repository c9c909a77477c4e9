"""Measure the Weaviate store: quality, masks, batches and servers that die.

    python benchmarks/weaviate_store.py --work DIR [--only batch|death|quality]

- Quality. R@10 of words alone on every third masked issue of kr_prec_statute's dev set (809) among
  13,358 articles: the local index, and the same tokens on the server with b = 1 and b = .75.
- Masks. With .1 to 100 % of the passages allowed: the time of a question next to that without a
  mask, and the results for ten.
- Batch. One batch of 100 questions next to 100 single ones.
- Death. Seconds until the error of a server that was killed, and of one that never answers.

WEAVIATE_URL names a real server. Without it a stand-in on loopback is measured, which answers
after 20 and 100 ms in batches. Its BM25 follows what was measured on real servers; its speed
says nothing about theirs, so the times of masks are not judged. The last line is JSON.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from development_data import DATA, require
from outcome import outcome
from retrieval import figures
from retrieval_data import corpus

from kofinlaw.files import read_json_lines
from kofinlaw.rag.index.admission import EVERYTHING
from kofinlaw.rag.index.build import build_index
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.index.stores.local import LocalStore
from kofinlaw.rag.index.stores.weaviate_server import layout
from kofinlaw.rag.index.stores.weaviate_server.failures import ServerUnavailable
from kofinlaw.rag.index.stores.weaviate_server.importing import import_index
from kofinlaw.rag.index.stores.weaviate_server.store import WeaviateStore
from kofinlaw.rag.settings import RagSettings

ROOT = Path(__file__).parents[1]
LATENCIES = (0.02, 0.1)  # seconds of the stand-in; a busy machine needs the longer one
SHARES = (1.0, 0.5, 0.1, 0.01, 0.001)


@contextlib.contextmanager
def stand_in(latency: float = 0.0) -> Iterator[tuple[dict[str, Any], Any]]:
    """Run the stand-in in another process; yields the keys of `rag.weaviate` and the process."""
    ports = []
    for _ in range(2):
        with socket.create_server(("127.0.0.1", 0)) as free:
            ports.append(free.getsockname()[1])
    words = ["--http-port", str(ports[0]), "--grpc-port", str(ports[1])]
    child = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "checks.weaviate_stand_in.server",
            *words,
            "--latency",
            str(latency),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        assert child.stdout is not None
        url = child.stdout.readline().strip()
        yield {"url": url, "grpc_port": ports[1]}, child
    finally:
        child.kill()
        child.communicate()


@contextlib.contextmanager
def some_server(latency: float = 0.0) -> Iterator[dict[str, Any]]:
    """Yield the keys of the real server, or of a stand-in where there is none."""
    if os.environ.get("WEAVIATE_URL"):
        yield {}
        return
    with stand_in(latency) as (keys, _):
        yield keys


def settings(keys: dict[str, Any], **values: Any) -> RagSettings:
    """Return settings that search words on the server."""
    return RagSettings(store="weaviate", lexical="kiwi", weaviate={**keys, **values})


def quality(index: Index, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the figures of each way to search the same tokens."""
    texts = [row["query_masked"] for row in rows]
    free = [EVERYTHING] * len(texts)
    units = [chunk.unit for chunk in index.chunks]

    def measured(name: str, found: Sequence[Any]) -> dict[str, float]:
        ranked = [[units[row] for row in one.tolist()] for one, _ in found]
        row = figures(ranked, rows, range(len(rows)))
        print(name, row, flush=True)
        return row

    out = {"local, b .75": measured("local", LocalStore(index).lexical("kiwi", texts, 10, free))}
    for b in (1.0, 0.75):
        layout.SERVER_B = b
        with some_server() as keys:
            recipe = settings(keys, collection=f"KofinlawB{int(100 * b)}", call_seconds=600.0)
            import_index(index, recipe)
            store = WeaviateStore.connect(index, recipe)
            found = store.lexical("kiwi", texts, 10, free)
            out[f"server, our tokens, b {b}"] = measured(f"server, b {b}", found)
            if b == 1.0:
                out["masks"] = masks(store, texts[:40], len(units))
            store.close()
    return out


def masks(store: WeaviateStore, texts: Sequence[str], count: int) -> dict[str, Any]:
    """Return for each share of allowed passages the time next to no mask, and the results."""
    draw = np.random.default_rng(5)
    out: dict[str, Any] = {}
    free = _seconds(store, texts, [EVERYTHING] * len(texts))[0]
    for share in SHARES:
        admission = EVERYTHING.limited(draw.random(count) < share)
        seconds, found = _seconds(store, texts, [admission] * len(texts))
        out[f"{share:.1%}"] = {"times no mask": round(seconds / free, 2), "results": found}
    print("masks", out, flush=True)
    return out


def _seconds(store: WeaviateStore, texts: Sequence[str], allowed: Any) -> tuple[float, float]:
    started = time.perf_counter()
    found = [
        store.lexical("kiwi", [text], 10, [one]) for text, one in zip(texts, allowed, strict=True)
    ]
    mean = float(np.mean([len(rows) for ((rows, _),) in found]))
    return time.perf_counter() - started, round(mean, 2)


def batch(index: Index, texts: Sequence[str], latency: float) -> dict[str, float]:
    """Return the seconds of 100 single questions and of one batch of the same, and their ratio.

    `processor` is the processor time of the batch in this process.
    """
    with some_server(latency) as keys:
        recipe = settings(keys)
        import_index(index, recipe)
        store = WeaviateStore.connect(index, recipe)
        store.lexical("kiwi", texts[:1], 10, [EVERYTHING])
        started = time.perf_counter()
        for text in texts:
            store.lexical("kiwi", [text], 10, [EVERYTHING])
        single = time.perf_counter() - started
        started, processor = time.perf_counter(), time.process_time()
        store.lexical("kiwi", texts, 10, [EVERYTHING] * len(texts))
        together, processor = time.perf_counter() - started, time.process_time() - processor
        store.close()
    return {
        "single": round(single, 3),
        "batch": round(together, 3),
        "ratio": round(together / single, 3),
        "processor": round(processor, 3),
    }


def deaths(index: Index) -> dict[str, float]:
    """Return the seconds until the error, for each way in which a server goes away."""
    out = {}
    for name in ("killed", "stopped answering (SIGSTOP)", "killed before an import"):
        with stand_in() as (keys, child):
            recipe = settings(keys, import_seconds=8.0, batch_passages=5)
            if name != "killed before an import":
                import_index(index, recipe)
                store = WeaviateStore.connect(index, recipe)
                store.lexical("kiwi", ["접근매체"], 5, [EVERYTHING])
            child.send_signal(signal.SIGSTOP if "SIGSTOP" in name else signal.SIGKILL)
            started = time.perf_counter()
            with contextlib.suppress(ServerUnavailable):
                if name == "killed before an import":
                    import_index(index, recipe)
                else:
                    store.lexical("kiwi", ["접근매체"] * 100, 5, [EVERYTHING] * 100)
            out[name] = round(time.perf_counter() - started, 2)
            print(name, out[name], flush=True)
    return out


def targets_of(result: dict[str, Any], *, real: bool) -> dict[str, Any]:
    """Return the targets; times of masks are judged on a real server alone."""
    rows = result.get("quality", {})
    lost = None
    if rows and real:
        lost = 100 * (rows["local, b .75"]["R@10"] - rows["server, our tokens, b 1.0"]["R@10"])
    masked = [row for name, row in rows.get("masks", {}).items() if name != "100.0%"]
    return {
        "points of R@10 below the local index": (lost and round(lost, 2), ("<=", 1.0)),
        "largest time with a mask next to none": (
            max(row["times no mask"] for row in masked) if masked and real else None,
            ("<=", 3.0),
        ),
        "a batch of 100 next to 100 single questions": (
            max(row["ratio"] for row in result["batch"].values()) if "batch" in result else None,
            ("<=", 0.25),
        ),
        "longest seconds until the error of a dead server": (
            max(result["deaths"].values()) if "deaths" in result else None,
            ("<=", 10.0),
        ),
    }


def main() -> None:
    """Measure and print one line of JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA, help="folder with kr_prec_statute")
    parser.add_argument("--work", type=Path, required=True, help="folder for the index")
    parser.add_argument("--only", choices=["batch", "death", "quality"])
    given = parser.parse_args()
    require(given.data / "kr_prec_statute", "--data")
    given.work.mkdir(parents=True, exist_ok=True)
    rows = [row for _, row in read_json_lines(given.data / "kr_prec_statute" / "dev.jsonl")][::3]
    folder, small = given.work / "index", given.work / "index-small"
    result: dict[str, Any] = {"server": os.environ.get("WEAVIATE_URL", "stand-in")}
    if given.only in (None, "quality"):
        if not (folder / "index.json").exists():
            build_index(corpus(given.data, given.work), folder, RagSettings(lexical="kiwi"))
        result["quality"] = quality(Index.load(folder), rows)
    if given.only != "quality":
        if not (small / "index.json").exists():
            (given.work / "small").mkdir(exist_ok=True)
            lines = corpus(given.data, given.work).read_text("utf-8").splitlines()[:200]
            chunks = given.work / "small" / "chunks.jsonl"
            chunks.write_text("\n".join(lines) + "\n", encoding="utf-8")
            build_index(chunks, small, RagSettings(lexical="kiwi"))
        index = Index.load(small)
        if given.only != "death":
            texts = [row["query_masked"][:60] for row in rows[:100]]
            result["batch"] = {f"{one:g} s": batch(index, texts, one) for one in LATENCIES}
        if given.only != "batch":
            result["deaths"] = deaths(index)
    real = bool(os.environ.get("WEAVIATE_URL"))
    print(outcome(result, targets_of(result, real=real)))


if __name__ == "__main__":
    main()
