"""Measure the peak memory of a corpus build from any amount of text.

    python benchmarks/corpus_memory.py --megabytes 100 250 500 [--workers 2]

The script synthesises acts (half of the bytes), guidelines and JSONL records from random words,
with references between acts and near copies among records. It builds the corpus in a separate
process and prints the greatest resident memory of that process and its children: one JSON object
per size.
"""

from __future__ import annotations

import argparse
import itertools
import json
import multiprocessing
import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from outcome import outcome

SYLLABLES = "가나다라마바사아자차카타파하거너더러머버서어저처커터퍼허고노도로모보소오조초코토포호"
MEGABYTE = 1_000_000
RECORDS_A_FILE = 20_000
PAGE = os.sysconf("SC_PAGE_SIZE")


class Writer:
    """Writes documents of random Korean words, always the same for a seed."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.words = ["".join(self.rng.choices(SYLLABLES, k=n % 3 + 2)) for n in range(30_000)]

    def sentence(self, words: int) -> str:
        """Return a sentence of this many words and an ending."""
        return " ".join(self.rng.choices(self.words, k=words)) + "다."

    def act(self, number: int) -> str:
        """Return an act of 90 KB: 80 articles of 항 and 호 that refer to other articles."""
        lines = ["---", f"제목: 시험 {number:06d}에 관한 법률", "시행일자: 2024-01-01"]
        lines += ["법령구분: 법률", "---", "", f"# 시험 {number:06d}에 관한 법률", ""]
        for article in range(1, 81):
            if article % 20 == 1:
                lines += [f"## 제{article // 20 + 1}장 {self.rng.choice(self.words)}", ""]
            lines += [f"##### 제{article}조 ({self.rng.choice(self.words)})", ""]
            other = self.rng.randrange(max(1, number))
            lines += [f"**①** 제{self.rng.randint(1, 80)}조제1항에 따라 {self.sentence(30)}", ""]
            for item in range(1, 4):
                lines.append(f"  {item}\\. {self.sentence(12)}")
            lines += ["", f"**②** 「시험 {other:06d}에 관한 법률」 제3조는 {self.sentence(30)}", ""]
        return "\n".join(lines)

    def guideline(self, number: int) -> str:
        """Return a guideline of 90 KB with 40 headings."""
        lines = [f"# 업무 안내 {number:06d}", ""]
        for section in range(40):
            lines += [f"## {section + 1}. {self.sentence(3)}", ""]
            lines += [self.sentence(40) for _ in range(5)] + [""]
        return "\n".join(lines)

    def records(self, size: int, start: int) -> Iterator[str]:
        """Yield JSONL records of 2.5 KB up to `size` bytes; every 20th nearly repeats the last."""
        last = ""
        while size > 0:
            text = " ".join(self.sentence(20) for _ in range(11))
            text = f"{last} {self.sentence(3)}" if last and start % 20 == 19 else text
            line = json.dumps({"title": f"기록 {start}", "text": text}, ensure_ascii=False)
            size -= len(line.encode()) + 1
            start, last = start + 1, text
            yield line


def synthesise(folder: Path, size: int) -> int:
    """Write about `size` bytes of documents and return the exact number."""
    writer, total, number = Writer(size), 0, 0
    for name, make, share in (("acts", writer.act, 0.5), ("guidelines", writer.guideline, 0.25)):
        (folder / name).mkdir()
        written, number = 0, 0
        while written < size * share:
            path = folder / name / f"{number:06d}.md"
            path.write_text(make(number), encoding="utf-8")
            written, number = written + path.stat().st_size, number + 1
        total += written
    (folder / "records").mkdir()
    lines = writer.records(size - total, 0)
    for number in range(10_000):
        path = folder / "records" / f"{number:04d}.jsonl"
        with open(path, "w", encoding="utf-8") as handle:
            handle.writelines(f"{line}\n" for line in itertools.islice(lines, RECORDS_A_FILE))
        total += path.stat().st_size
        if path.stat().st_size == 0:
            path.unlink()
            break
    return total


def resident(process: int) -> int:
    """Return the resident bytes of a process and its children, as far as they can be read."""
    total = 0
    try:
        with open(f"/proc/{process}/statm", encoding="ascii") as handle:
            total += int(handle.read().split()[1]) * PAGE
        for task in Path(f"/proc/{process}/task").iterdir():
            for child in (task / "children").read_text(encoding="ascii").split():
                total += resident(int(child))
    except (OSError, ValueError, IndexError):
        return total
    return total


def build(folder: Path, out: Path, workers: int, answer: Any) -> None:
    """Build the corpus and send (counts, CPU seconds) through the pipe `answer`."""
    from kofinlaw.data.corpus import build_corpus
    from kofinlaw.data.settings import DataSettings

    settings = DataSettings.model_validate(
        {"sources": ["acts", "guidelines", "records"], "workers": workers}
    )
    began = time.process_time()
    counts = build_corpus(settings, out, base=folder)
    answer.send((counts.to_record(), time.process_time() - began))


def measure(megabytes: int, workers: int) -> dict[str, Any]:
    """Synthesise the documents, build the corpus in a child process and watch its memory.

    Raises: SystemExit if the child process ends without a result.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        size = synthesise(folder, megabytes * MEGABYTE)
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe(duplex=False)
        began = time.monotonic()
        child = context.Process(target=build, args=(folder, folder / "out", workers, theirs))
        child.start()
        theirs.close()  # without this, `recv` waits for ever if the child dies
        peak, done = 0, threading.Event()

        def watch() -> None:
            nonlocal peak
            while not done.wait(0.1):
                peak = max(peak, resident(child.pid or 0))

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            counts, seconds = ours.recv()
        except EOFError:
            child.join()
            sys.exit(f"the build of {megabytes} MB has no result: exit code {child.exitcode}")
        finally:
            done.set()
            watcher.join()
        child.join()
        return {
            "megabytes": round(size / MEGABYTE),
            "peak_mib": peak >> 20,
            "cpu_seconds": round(seconds),
            "wall_seconds": round(time.monotonic() - began),
            **counts,
        }


def main() -> None:
    """Measure every size and print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, nargs="+", default=[1000])
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    rows = {}
    for megabytes in options.megabytes:
        rows[f"{megabytes} MB"] = row = measure(megabytes, options.workers)
        print(json.dumps(row, ensure_ascii=False), flush=True)
    whole = rows.get("1000 MB", {}).get("peak_mib")
    print(outcome(rows, {"peak of 1 GB, MiB": (whole, ("<=", 2048))}))


if __name__ == "__main__":
    main()
