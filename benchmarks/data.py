"""Measure the speed of kofinlaw.data: medians of several runs, in wall-clock and CPU seconds.

    python benchmarks/data.py [--shared ../shared/data] [--chunks 100000] [--repeats 3]

The script measures two things:

- statutes and regulations to chunks, with their morphemes (needs the development data);
- near duplicates among texts with planted pairs of known similarity, compared with `datasketch`
  if it is installed (`pip install datasketch`).

`corpus_memory.py` measures memory and `personal_data.py` measures personal data.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import random
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from development_data import DATA
from outcome import outcome

from kofinlaw.data.cleaning.duplicates import character_codes, near_duplicates
from kofinlaw.data.corpus import build_corpus
from kofinlaw.data.korean.morpheme_cache import caching
from kofinlaw.data.korean.words import content_morphemes
from kofinlaw.data.settings import DataSettings

THRESHOLD = 0.85
SYLLABLES = "가나다라마바사아자차카타파하은행법률금융이용자정보보호의무금지책임손해배상"


class Seconds(NamedTuple):
    """Seconds that a call took.

    `cpu` counts all threads; a busy machine disturbs it less. `clock` is the wall clock.
    """

    cpu: float
    clock: float


def timed(work: Callable[[], Any]) -> tuple[Seconds, Any]:
    """Return (seconds, result) of a call."""
    began, by_clock = time.process_time(), time.perf_counter()
    result = work()
    return Seconds(time.process_time() - began, time.perf_counter() - by_clock), result


def median(repeats: int, work: Callable[[], Any]) -> tuple[Seconds, Any]:
    """Return (median seconds, last result) of several calls."""
    runs = [timed(work) for _ in range(repeats)]
    cpu = statistics.median(seconds.cpu for seconds, _ in runs)
    clock = statistics.median(seconds.clock for seconds, _ in runs)
    return Seconds(round(cpu, 2), round(clock, 2)), runs[-1][1]


def statutes(shared: Path, repeats: int) -> dict[str, Any]:
    """Time the corpus build of the statutes and the analysis of their morphemes."""
    folders = [str(shared / "statutes" / name) for name in ("acts", "admin_rules")]
    settings = DataSettings.model_validate({"sources": folders})
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        built, counts = median(repeats, lambda: build_corpus(settings, out, base=Path("/")))
        lines = (out / "chunks.jsonl").read_text(encoding="utf-8").splitlines()
        texts = [json.loads(line)["text"] for line in lines]
        with caching(out / "morphemes.sqlite"):
            counted, _ = timed(lambda: content_morphemes(texts, workers=2))
        with caching(out / "morphemes.sqlite"):
            found, _ = timed(lambda: content_morphemes(texts, workers=2))
    return {
        "chunks": counts.chunks,
        "characters": sum(map(len, texts)),
        "cpu_seconds": built.cpu,
        "clock_seconds": built.clock,
        "morphemes_cpu_seconds": round(counted.cpu, 1),
        "morphemes_clock_seconds": round(counted.clock, 1),
        "morphemes_again_clock_seconds": round(found.clock, 1),
        "with_morphemes_clock_seconds": round(built.clock + counted.clock, 1),
    }


def planted(count: int) -> tuple[list[str], set[tuple[int, int]]]:
    """Return texts of 200 to 400 characters and the planted pairs.

    Every tenth text is a copy of an earlier text with a changed word.
    """
    rng = random.Random(1)
    words = ["".join(rng.choices(SYLLABLES, k=rng.randint(2, 5))) for _ in range(5000)]
    texts: list[str] = []
    pairs = set()
    for number in range(count):
        if number % 10 == 9:
            origin = rng.randrange(number)
            copy = texts[origin].split()
            copy[rng.randrange(len(copy))] = rng.choice(words)
            texts.append(" ".join(copy))
            pairs.add((origin, number))
        else:
            texts.append(" ".join(rng.choices(words, k=rng.randint(60, 110))))
    return texts, pairs


def ours(texts: list[str]) -> set[tuple[int, int]]:
    """Return the near duplicates that kofinlaw finds."""
    pairs = near_duplicates([character_codes(text) for text in texts], THRESHOLD)
    return {(pair.first, pair.second) for pair in pairs}


def datasketch(texts: list[str]) -> set[tuple[int, int]]:
    """Return the near duplicates that datasketch finds: 128 permutations, its default bands."""
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(threshold=THRESHOLD, num_perm=128)
    out = set()
    for number, text in enumerate(texts):
        bare = "".join(text.split())
        sketch = MinHash(num_perm=128)
        sketch.update_batch([bare[n : n + 5].encode() for n in range(len(bare) - 4)])
        out |= {(int(other), number) for other in index.query(sketch)}
        index.insert(str(number), sketch)
    return out


def duplicates(count: int, repeats: int) -> dict[str, Any]:
    """Measure time and recall of the near duplicates among `count` texts."""
    texts, pairs = planted(count)
    seconds, found = median(repeats, lambda: ours(texts))
    figures: dict[str, Any] = {
        "chunks": count,
        "planted": len(pairs),
        "cpu_seconds": seconds.cpu,
        "recall": round(len(found & pairs) / max(1, len(pairs)), 4),
    }
    if importlib.util.find_spec("datasketch"):
        theirs, other = median(1, lambda: datasketch(texts))
        figures["datasketch_cpu_seconds"] = theirs.cpu
        figures["datasketch_recall"] = round(len(other & pairs) / max(1, len(pairs)), 4)
        figures["times_faster"] = round(theirs.cpu / seconds.cpu, 1)
    return figures


def main() -> None:
    """Measure both parts and print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, default=DATA, help="folder with statutes/")
    parser.add_argument("--chunks", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    figures: dict[str, Any] = {"duplicates": duplicates(options.chunks, options.repeats)}
    if options.shared.is_dir():
        figures["statutes"] = statutes(options.shared, options.repeats)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    figures["peak_memory_gib"] = round(peak / (1 << 20), 2)
    twice, acts = figures["duplicates"], figures.get("statutes", {})
    print(
        outcome(
            figures,
            {
                "near duplicates, times datasketch": (twice.get("times_faster"), (">=", 5)),
                "their recall": (twice["recall"], (">=", twice.get("datasketch_recall", 1.0))),
                "statutes with morphemes, s by the clock": (
                    acts.get("with_morphemes_clock_seconds"),
                    ("<=", 60),
                ),
            },
        )
    )


if __name__ == "__main__":
    main()
