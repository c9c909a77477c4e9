"""Read, split, mask and index texts of doubling length: long lines and deep nesting.

    cd benchmarks && python -m attacks.long_texts [--characters 65536]

Each text is one kind of filling (one line without an end, blanks, brackets, headings, nested tags)
in each format that holds text. A step that takes more than 2.6 times the processor time for twice
the text (median of three) is reported. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from outcome import outcome

from kofinlaw import UserError
from kofinlaw.data.chunking import chunk_document
from kofinlaw.data.cleaning.personal import mask_personal_data
from kofinlaw.data.cleaning.quality import quality_problem
from kofinlaw.data.korean.quantities import read_quantities
from kofinlaw.data.law.amendments import mask_amendments
from kofinlaw.data.law.annexes import annex_of_file
from kofinlaw.data.law.citations import cited_units
from kofinlaw.data.readers.formats import read_documents
from kofinlaw.data.settings import ChunkSettings, QualitySettings

MOST = 2.6
LEAST_SECONDS = 0.02
FILLINGS = {
    "hangul": "가나다라마바사아자차카타파하",
    "words": "은행은 이용자에게 30일 이내에 통지하여야 한다. ",
    "blanks": " ",
    "wide blanks": "\u3000\u00a0",
    "blank lines": "\n \n",
    "brackets": "(",
    "quotes": "「",
    "tags": "<개정 ",
    "articles": "제1조(목적) ",
    "article lines": "제1조(목적) 이 법은 정한다.\n",
    "cited": "같은 법 제3조제1항 및 ",
    "headings": "# 가 #\n",
    "marks": "#",
    "digits": "1234567890",
    "amounts": "3천5백만원 ",
    "days": "2025. 1. 1. ",
    "cells": "| a ",
    "rows": "| a | b |\n|---|---|\n",
    "rules": "-",
    "frames": "│─┼",
    "fences": "```\n",
    "stars": "**",
    "mail": "a.b@",
    "escapes": "\\",
    "supplement": "부칙\n",
    "annexes": "[별표 1] 가\n",
}


def markdown(text: str) -> str:
    return text


def page(text: str) -> str:
    return f"<html><body><p>{text.replace('<', '&lt;')}</p></body></html>"


def rows(text: str) -> str:
    return json.dumps({"title": "가", "text": text}, ensure_ascii=False) + "\n"


def deep(tag: str) -> Callable[[str], str]:
    """HTML of as many nested tags as the text has characters, divided by ten."""

    def write(text: str) -> str:
        levels = len(text) // 10
        return f"<{tag}>" * levels + "가" + f"</{tag}>" * levels

    return write


FORMS: dict[str, tuple[str, Callable[[str], str]]] = {
    "txt": (".txt", markdown),
    "md": (".md", markdown),
    "html": (".html", page),
    "jsonl": (".jsonl", rows),
    "csv": (".csv", lambda text: 'title,text\n가,"' + text.replace('"', '""') + '"\n'),
}
DEEP = {tag: (".html", deep(tag)) for tag in ("div", "table", "ul", "b", "span", "blockquote")}


def read_and_split(path: Path) -> None:
    """All that a document goes through before it is in the corpus."""
    try:
        for document in read_documents(path):
            for chunk in chunk_document(document, ChunkSettings()).chunks:
                quality_problem(chunk.text, QualitySettings())
                mask_personal_data(chunk.text)
    except UserError:
        pass


STEPS: dict[str, Callable[[str], object]] = {
    "personal data": mask_personal_data,
    "citations": lambda text: cited_units(text, ["가법"]),
    "quantities": read_quantities,
    "amendments": mask_amendments,
    "annexes": lambda text: annex_of_file("별표.md", text),
}


def grown(run: Callable[[int], float], length: int) -> tuple[float, float]:
    """Return (times as long for twice the length, seconds)."""
    while (first := run(length)) < LEAST_SECONDS and length < 1 << 22:
        length *= 2
    if first < LEAST_SECONDS:
        return 0.0, first
    single = statistics.median([first, run(length), run(length)])
    double = statistics.median(run(2 * length) for _ in range(3))
    return double / single, single


def spent(action: Callable[[], object]) -> float:
    start = time.thread_time()
    action()
    return time.thread_time() - start


def attack(characters: int = 1 << 16, only: str = "") -> tuple[int, dict[str, float]]:
    """Return (texts tried, times for twice the text of those that grow)."""
    slow: dict[str, float] = {}
    tried = 0
    with tempfile.TemporaryDirectory() as work:
        cases: list[tuple[str, Callable[[int], float]]] = []
        for name, filling in FILLINGS.items():
            for form, (suffix, write) in FORMS.items():
                path = Path(work) / f"{form}{suffix}"

                def read(size: int, p: Path = path, w: Callable = write, f: str = filling) -> float:
                    p.write_text(w(f * (size // len(f)) + "끝"), encoding="utf-8")
                    return spent(lambda: read_and_split(p))

                cases.append((f"{form}: {name}", read))
            for step, function in STEPS.items():

                def call(size: int, g: Callable = function, f: str = filling) -> float:
                    text = f * (size // len(f)) + "끝"
                    return spent(lambda: g(text))

                cases.append((f"{step}: {name}", call))
        for tag, (suffix, write) in DEEP.items():
            path = Path(work) / f"deep{suffix}"

            def nest(size: int, p: Path = path, w: Callable = write) -> float:
                p.write_text(w("x" * size), encoding="utf-8")
                return spent(lambda: read_and_split(p))

            cases.append((f"deep {tag}", nest))
        for name, run in cases:
            if only and only not in name:
                continue
            tried += 1
            ratio, seconds = grown(run, characters)
            if ratio > MOST:
                ratio = min(ratio, grown(run, characters)[0])
            if ratio > MOST:
                slow[name] = round(ratio, 2)
                print(f"{ratio:.2f} times for twice the text ({seconds:.2f} s): {name}", flush=True)
    return tried, slow


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--characters", type=int, default=1 << 16, help="length to start with")
    parser.add_argument("--only", default="", help="part of the name of the texts to try")
    arguments = parser.parse_args()
    tried, slow = attack(arguments.characters, arguments.only)
    print(outcome({"texts": tried}, {"growing_texts": (len(slow), ("<=", 0))}))
    return bool(slow)


if __name__ == "__main__":
    sys.exit(main())
