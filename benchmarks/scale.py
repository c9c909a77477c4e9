"""Measure how corpus, index and search grow with the number of passages.

    python benchmarks/scale.py --work DIR [--statutes FOLDER] [--copies 1 2 4]

Each size holds the statutes several times, under other titles. A process of its own builds corpus
and index of each size, and then searches the same questions. Processor seconds and memory are
printed for each size, with the ratio between the largest and the smallest size: a ratio of 1 for a
passage means that the cost grows with the number of passages and not faster. Last, one question is
compared with 400,000 vectors of 384 and of 1,024 dimensions.
`docs/guides/scale.md` multiplies these figures.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import re
import resource
import shutil
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from outcome import outcome

QUESTIONS = (
    "전자금융업자가 이용자의 손해를 배상하여야 하는 경우는?",
    "개인신용정보를 제3자에게 제공할 때 동의를 받는 방법은?",
    "금융회사가 정보보호최고책임자를 지정하여야 하는 기준은?",
    "자금세탁 의심거래는 언제까지 누구에게 보고하는가?",
    "보험약관의 중요한 내용을 설명하지 않은 때의 효과는?",
    "예금보험공사가 부실금융회사를 정리하는 절차는?",
    "가상자산사업자가 신고할 때 갖추어야 하는 요건은?",
    "대부업자가 받을 수 있는 최고이자율은?",
)
ROUNDS = 5
MEGABYTE = 1_000_000


def copied(statutes: Path, folder: Path, copies: int) -> int:
    """Write every act `copies` times under different titles; return the bytes of the texts."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    total = 0
    for number in range(copies):
        for path in sorted(statutes.rglob("*.md")):
            text = path.read_text(encoding="utf-8")
            if number:  # another title and no number of the portal: another act
                text = re.sub(r"(?m)^법령(MST|ID):.*\n", "", text)
                text = re.sub(r"(?m)^(제목:|#) ?", rf"\1 제{number + 1}판 ", text)
            written = folder / f"{number}-{path.name}"
            written.write_text(text, encoding="utf-8")
            total += written.stat().st_size
    return total


def work(folder: Path, pipe: Any) -> None:
    """Build corpus and index below `folder`, search, and send the figures through the pipe."""
    from kofinlaw.data.corpus import build_corpus
    from kofinlaw.data.settings import DataSettings
    from kofinlaw.rag.index.build import build_index
    from kofinlaw.rag.index.index import Index
    from kofinlaw.rag.retrieve.retriever import Retriever
    from kofinlaw.rag.settings import RagSettings
    from kofinlaw.records import Question

    settings = DataSettings.model_validate(
        {"sources": ["texts"], "workers": 1, "near_duplicates": {"enabled": False}}
    )
    began = spent()
    counts = build_corpus(settings, folder / "data", base=folder).to_record()
    read = spent()
    search = RagSettings(lexical="both", embedder=None, k=10)
    build_index(folder / "data" / "chunks.jsonl", folder / "index", search)
    built = spent()
    index = Index.load(folder / "index")
    retriever = Retriever(index, search)
    times = []
    for number in range(ROUNDS * len(QUESTIONS)):
        asked = Question(id=str(number), question=QUESTIONS[number % len(QUESTIONS)])
        start = time.process_time()
        retriever.search([asked])
        times.append(1000 * (time.process_time() - start))
    pipe.send(
        {
            "passages": counts["chunks"],
            "corpus_seconds": round(read - began, 1),
            "index_seconds": round(built - read, 1),
            "index_megabytes": round(size_of(folder / "index") / MEGABYTE, 1),
            "question_ms": round(statistics.median(times[len(QUESTIONS) :]), 2),
            "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
        }
    )


def spent() -> float:
    """Return the processor seconds of this process and of its ended children."""
    rows = [resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(row.ru_utime + row.ru_stime for row in rows)


def size_of(folder: Path) -> int:
    """Return the bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def measure(statutes: Path, folder: Path, copies: int) -> dict[str, Any]:
    """Return the figures of one size. Raises SystemExit if its process ends without them."""
    texts = copied(statutes, folder / "texts", copies)
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=work, args=(folder, theirs))
    child.start()
    theirs.close()  # without this, `recv` waits for ever if the child dies
    try:
        found = ours.recv()
    except EOFError:
        child.join()
        sys.exit(f"{copies} copies have no result: exit code {child.exitcode}")
    child.join()
    shutil.rmtree(folder)
    return {"copies": copies, "megabytes": round(texts / MEGABYTE, 1), **found}


def comparison_seconds(dimensions: int, passages: int = 400_000) -> float:
    """Return the processor seconds of comparing one question with a million vectors (float32)."""
    from kofinlaw.rag.index.stores.local import nearest

    rng = np.random.default_rng(1)
    vectors = rng.standard_normal((passages, dimensions), dtype=np.float32)
    query = rng.standard_normal(dimensions, dtype=np.float32)
    times = []
    for _ in range(ROUNDS):
        start = time.process_time()
        nearest(vectors, query, 10)
        times.append(time.process_time() - start)
    return round(statistics.median(times) / passages * 1_000_000, 3)


def ratio(rows: list[dict[str, Any]], figure: str) -> float:
    """Return a figure for a passage of the largest size over that of the smallest."""
    first, last = rows[0], rows[-1]
    return round((last[figure] / last["passages"]) / (first[figure] / first["passages"]), 2)


def main() -> None:
    """Measure every size, print the table and one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--statutes", type=Path, default=Path("../shared/data/statutes"))
    parser.add_argument("--copies", type=int, nargs="+", default=[1, 2, 4])
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for copies in sorted(set(options.copies)):
        rows.append(measure(options.statutes, options.work / f"copies-{copies}", copies))
        print(json.dumps(rows[-1], ensure_ascii=False), flush=True)
    figures = ("corpus_seconds", "index_seconds", "index_megabytes", "question_ms")
    ratios = {f"{name} for a passage": ratio(rows, name) for name in figures}
    targets: dict[str, Any] = {
        name: (value if len(rows) > 1 else None, ("<=", 1.25)) for name, value in ratios.items()
    }
    print(f"{'copies':>7}{'MB':>8}{'passages':>10}{'corpus s':>10}{'index s':>9}{'index MB':>10}"
          f"{'question ms':>13}{'peak MiB':>10}")  # fmt: skip
    for row in rows:
        print(f"{row['copies']:>7}{row['megabytes']:>8}{row['passages']:>10}"
              f"{row['corpus_seconds']:>10}{row['index_seconds']:>9}{row['index_megabytes']:>10}"
              f"{row['question_ms']:>13}{row['peak_mib']:>10}")  # fmt: skip
    compared = {str(n): comparison_seconds(n) for n in (384, 1024)}
    print(f"comparing a question with a million vectors, seconds: {compared}")
    print(outcome({"sizes": rows, "ratios": ratios, "million vectors, s": compared}, targets))


if __name__ == "__main__":
    main()
