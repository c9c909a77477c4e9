"""Further tables of `fit_retriever.py`: votes of earlier decisions, and statute questions by stem.

- Votes. The articles are indexed with the numbered issues of the decisions before 2020. Decisions
  earlier than a query's own vote by their words in both arms, so their vectors are zeros. The share
  of the votes is chosen for each arm on the newer quarter of the earlier half.
- Stems. Questions of the development exam whose stem names an article of the corpus. The query is
  the stem without the article's number, and without the act's name too. Nothing is tuned on them.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from retrieval import EMBEDDED, figures
from retrieval_data import decisions

from kofinlaw.data.law.citations import Scope, find_citations
from kofinlaw.data.law.titles import titles_by_key
from kofinlaw.files import read_jsonl
from kofinlaw.models.embedders import VectorStore, embedder_parts, open_embedder
from kofinlaw.rag.index.build import build_index
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.retrieve.retriever import Retriever
from kofinlaw.rag.settings import RagSettings
from kofinlaw.records import Chunk, Question

VOTES = (0.5, 0.7, 0.85)
Rows = list[dict[str, Any]]


def cases_index(data: Path, work: Path, name: str, embedder: str, first: Path | None) -> Index:
    """Return the index of articles and decisions, whose tokens come from `first`.

    Decisions vote by their words only, so their vectors are zeros.
    """
    chunks = work / "chunks-cases.jsonl"
    if not chunks.is_file():
        decisions(data, work)
    cases = [c.text[:EMBEDDED] for c in read_jsonl(chunks, Chunk) if c.kind == "case"]
    for part in embedder_parts(embedder):
        opened = open_embedder(part)
        keys = [f"{opened.name}\x1fpassage\x1f{text}" for text in cases]
        zeros = np.zeros(opened.dimensions, np.float16)
        store = VectorStore(work / "cache", opened.name, opened.dimensions)
        store.write({hashlib.sha256(key.encode()).hexdigest(): zeros for key in keys})
    folder = work / f"index-cases-{name}"
    settings = RagSettings(lexical="bigram", embedder=embedder, embed_characters=EMBEDDED)
    build_index(chunks, folder, settings, cache=work / "cache", previous=first)
    return Index.load(folder)


def voted(
    index: Index, rows: Rows, chosen: Sequence[int], embedder: str, share: float, votes: float,
    cache: Path,
) -> list[list[str]]:  # fmt: skip
    """Return the units found for the chosen queries, with votes of decisions earlier than each."""
    asked = {
        rows[p]["id"]: (rows[p]["id"].rsplit("-", 1)[0], re.sub(r"\D", "", rows[p]["date"]))
        for p in chosen
    }
    owners = np.array([chunk.document_id for chunk in index.chunks])
    case = np.array([chunk.kind == "case" for chunk in index.chunks])
    dates = np.array([re.sub(r"\D", "", chunk.as_of) for chunk in index.chunks])

    def earlier(question: Question) -> Any:
        own, date = asked[question.id]
        return ~case | ((owners != own) & (dates < date))

    settings = RagSettings(
        lexical="bigram", alpha=share, k=10, pool=100, citation_lookup=False, embedder=embedder,
        case_votes=votes, kinds=("statute",),
    )  # fmt: skip
    questions = [Question(rows[p]["id"], rows[p]["query_masked"]) for p in chosen]
    hits = Retriever(index, settings, cache=cache).search(questions, allowed=earlier)
    return [[hit.chunk.unit for hit in one] for one in hits]


def stems(data: Path, units: set[str]) -> list[dict[str, Any]]:
    """Return the exam's questions that name an article of the corpus: id, gold and two queries."""
    titles = titles_by_key({unit.rpartition(" ")[0] for unit in units})
    scope = Scope(titles=titles)
    out = []
    with open(data / "exam_dev" / "questions.csv", encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            stem = row["question"]
            found = find_citations(stem, act="", article="", scope=scope)
            gold = sorted({one.target for one in found} & units)
            if not gold:
                continue
            acts = {unit.rpartition(" ")[0] for unit in gold}
            plain = re.sub(r"제\s?\d+조(?:의\d+)?(?:제\d+[항호])*", "", stem)
            bare = plain
            for act in sorted(acts, key=len, reverse=True):
                bare = bare.replace(act, "")
            out.append({
                "id": row["id"], "gold": gold, "act named": plain,
                "act removed": re.sub(r"[「」『』]", "", bare),
            })  # fmt: skip
    return out


def stem_table(
    data: Path, indexes: dict[str, Index], embedders: dict[str, str], shares: dict[str, float],
    cache: Path,
) -> tuple[dict[str, dict[str, float]], dict[str, float]]:  # fmt: skip
    """Return the rows of the stems, and the points of R@10 that the static embedder gains."""
    units = {chunk.unit for chunk in next(iter(indexes.values())).chunks}
    asked = stems(data, units)
    table: dict[str, dict[str, float]] = {}
    for form in ("act named", "act removed"):
        questions = [Question(row["id"], row[form]) for row in asked]
        for arm, index in indexes.items():
            for label, share in (
                ("vectors alone", 1.0), ("default share", RagSettings().alpha),
                ("best share", shares[arm]),
            ):  # fmt: skip
                settings = RagSettings(
                    lexical="both", alpha=share, k=10, pool=100, citation_lookup=False,
                    embedder=embedders[arm], case_votes=0.0,
                )  # fmt: skip
                hits = Retriever(index, settings, cache=cache).search(questions)
                found = [[hit.chunk.unit for hit in one] for one in hits]
                row = figures(found, asked, range(len(asked)))
                table[f"{form}, {arm}: {label}"] = row
                print(f"{form}, {arm}: {label}", row, flush=True)
    gains = {
        form: round(
            100
            * (
                table[f"{form}, static: best share"]["R@10"]
                - table[f"{form}, untrained: default share"]["R@10"]
            ),
            1,
        )
        for form in ("act named", "act removed")
    }
    return table, {"questions": len(asked), **gains}
