"""Measure `rag.annex_rows` on the two development exams and on court decisions.

    python benchmarks/annex_exams.py --work DIR [--parts dev,hard,issues]

- Exams. Five hits by Kiwi, no embedder, packed to 320 tokens. No model answers: the rules that read
  the evidence choose (the voter `reading`, and the solvers of `kofinlaw.data.solvers`). Questions
  on an odd and an even row of the file are shown apart.
- Court issues. The masked issues of the later half of kr_prec_statute's dev set, ten hits by Kiwi.
  An annex row takes a place among the ten.
- Corpora as in `exams.py`: statutes with all regulations and their annexes; the acts of the hard
  exam, whose annexes the collection lacks.

The last line is JSON.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from development_data import DATA, require
from exams import EXAMS, SOURCES
from outcome import outcome
from retrieval import figures, halves

from kofinlaw.data.chunking import estimate_tokens
from kofinlaw.data.corpus import build_corpus
from kofinlaw.data.law.annex_links import is_annex
from kofinlaw.data.prompting.claims import claims_of
from kofinlaw.data.prompting.packing import pack
from kofinlaw.data.prompting.stems import is_negative
from kofinlaw.data.settings import DataSettings
from kofinlaw.data.solvers.credit import credit_of
from kofinlaw.data.solvers.solvers import EVIDENCE_SOLVERS, Asked, Solvers
from kofinlaw.files import read_json_lines
from kofinlaw.rag.index.build import build_index
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.questions.exam_files import Rows, exam_rows, read_exam
from kofinlaw.rag.reading.support import read_options
from kofinlaw.rag.retrieve.retriever import Retriever
from kofinlaw.rag.settings import RagSettings
from kofinlaw.records import Question
from kofinlaw.scoring.stats.paired import sign_flip_p

LIMITS = (0, 1, 2)
TOKENS = 320
HALVES: tuple[Rows, ...] = ("odd", "even")


def index_of(exam: str, data: Path, work: Path) -> Index:
    """Return the index of an exam's documents; built once."""
    folder = work / f"index-{exam}"
    if not (folder / "index.json").is_file():
        sources = [{"path": str(data / one)} for one in SOURCES[exam]]
        settings = DataSettings.model_validate({"sources": sources})
        build_corpus(settings, work / exam, base=work)
        build_index(work / exam / "chunks.jsonl", folder, RagSettings(embedder=None))
    return Index.load(folder)


def rated(path: Path, rows: Rows, index: Index, limit: int) -> dict[str, list[float]]:
    """Return the credit of each question by each rule, and whether its evidence has an annex."""
    exam = exam_rows(read_exam(path), rows)
    retriever = Retriever(index, RagSettings(embedder=None, k=5, annex_rows=limit))
    hits = retriever.search(list(exam.questions))
    solvers = Solvers(EVIDENCE_SOLVERS)
    out: dict[str, list[float]] = {name: [] for name in ("reading", *EVIDENCE_SOLVERS, "annex")}
    for question, key, found in zip(exam.questions, exam.keys, hits, strict=True):
        stem, options = question.question, question.options
        query = " ".join([stem, *options])
        claims = claims_of(stem, options)
        texts = [hit.chunk for hit in found]
        shown = tuple(pack(texts, query, TOKENS, estimate_tokens, claims=claims))
        right = [int(label) - 1 for label in key.labels]
        asked = Asked(stem, options, shown, is_negative(stem))
        credits = solvers.credits(asked, right)
        sign = -1 if is_negative(stem) else 1
        values = [sign * value for value in read_options(stem, options, shown)]
        credits["reading"] = credit_of(values, right)
        for name, credit in credits.items():
            out[name].append(credit)
        out["annex"].append(float(any("annex" in hit.by for hit in found)))
    return out


def exam_table(exam: str, given: argparse.Namespace) -> dict[str, Any]:
    """Return the accuracy of each rule by half and limit, with what changed."""
    index = index_of(exam, given.data, given.work)
    path = given.data / EXAMS[exam] / "questions.csv"
    table: dict[str, Any] = {}
    for rows in HALVES:
        found = {limit: rated(path, rows, index, limit) for limit in LIMITS}
        for limit, credits in found.items():
            row: dict[str, Any] = {"questions": len(credits["annex"])}
            row["with an annex row"] = int(sum(credits["annex"]))
            for name in ("reading", *EVIDENCE_SOLVERS):
                row[name] = round(mean(credits[name]), 4)
            pairs = zip(found[0]["reading"], credits["reading"], strict=True)
            changes = [after - before for before, after in pairs]
            row["reading gained"] = sum(one > 0 for one in changes)
            row["reading lost"] = sum(one < 0 for one in changes)
            row["p"] = round(sign_flip_p(changes), 3)
            table[f"{exam}, {rows} rows, annex_rows {limit}"] = row
            print(f"{exam}, {rows} rows, annex_rows {limit}", row, flush=True)
    return table


def issue_table(given: argparse.Namespace) -> dict[str, Any]:
    """Return the figures of retrieval on later court issues by limit."""
    index = index_of("dev", given.data, given.work)
    rows = [row for _, row in read_json_lines(given.data / "kr_prec_statute" / "dev.jsonl")]
    listed = [rows[p] for p in halves(rows)[1]]
    asked = [Question(row["id"], row["query_masked"]) for row in listed]
    table: dict[str, Any] = {}
    for limit in LIMITS:
        settings = RagSettings(embedder=None, k=10, citation_lookup=False, annex_rows=limit)
        hits = Retriever(index, settings).search(asked)
        units: Sequence[list[str]] = [[hit.chunk.unit for hit in one][:10] for one in hits]
        row: dict[str, Any] = figures(units, listed, range(len(listed)))
        row["with an annex row"] = sum(any(map(is_annex, one)) for one in units)
        table[f"issues, annex_rows {limit}"] = row
        print(f"issues, annex_rows {limit}", row, flush=True)
    return table


def main() -> None:
    """Measure and print one line of JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the development data")
    parser.add_argument("--work", type=Path, required=True, help="folder for corpora and indexes")
    parser.add_argument("--parts", default="dev,hard,issues", help="what is measured")
    given = parser.parse_args()
    for name in EXAMS.values():
        require(given.data / name, "--data")
    given.work.mkdir(parents=True, exist_ok=True)
    table: dict[str, Any] = {}
    for part in given.parts.split(","):
        table |= issue_table(given) if part == "issues" else exam_table(part, given)
    print(outcome(table, {}))


if __name__ == "__main__":
    main()
