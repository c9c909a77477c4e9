"""Measure the trained embedder joined with its base, on court issues and on statute questions.

    python benchmarks/fit_retriever.py --work DIR --decisions
    python benchmarks/fit_retriever_joined.py --work DIR

The first command trains the static embedders. The base has .7 of the joined similarity, the default
of `retriever.base_share`. Court issues: later half, no decision votes; the best share of the
vectors is chosen on the newer quarter of the earlier half, with an embedder that did not see it.
Statute questions: exam questions whose stem names an article, by their stem. The last line is JSON.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from development_data import DATA, require
from fit_retriever import E5, SHARES, compared, indexed, recalls
from fit_retriever_tables import stems
from outcome import outcome
from retrieval import figures, halves, search
from retrieval_data import corpus

from kofinlaw.files import read_json_lines, read_jsonl
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.settings import RagSettings
from kofinlaw.records import Chunk, Question
from kofinlaw.trainer.retriever.joining import JOINED, join_with_base
from kofinlaw.trainer.retriever.settings import RetrieverSettings

TODAY = RagSettings().alpha


def main() -> None:
    """Join, index, search, and print one line of JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA, help="folder with kr_prec_statute")
    parser.add_argument("--work", type=Path, required=True, help="folder of fit_retriever.py")
    parser.add_argument("--base-share", type=float, help="default: that of the settings")
    given = parser.parse_args()
    require(given.data / "kr_prec_statute", "--data")
    rows = [row for _, row in read_json_lines(given.data / "kr_prec_statute" / "dev.jsonl")]
    early, late = halves(rows)
    _, newer = halves([rows[p] for p in early])
    newer = [early[p] for p in newer]
    chunks = corpus(given.data, given.work)
    cache = given.work / "cache"
    share = given.base_share or RetrieverSettings(method="static").joined_share
    passages = [chunk.text for chunk in read_jsonl(chunks, Chunk)]
    embedders, indexes = {"untrained": E5}, {}
    indexes["untrained"] = Index.load(require(given.work / "index-untrained", "--work"))
    for arm in ("static", "older"):
        out = require(given.work / f"fit-{arm}", "--work")
        join_with_base(E5, out, passages, share, cache)
        embedders[arm] = str(out / JOINED)
        name = f"joined-{arm}"
        indexes[arm] = indexed(
            chunks, given.work, name, embedders[arm], given.work / "index-static"
        )
    asked = stems(given.data, {chunk.unit for chunk in indexes["static"].chunks})

    def units(arm: str, alpha: float, questions: list[Question]) -> list[list[str]]:
        settings = RagSettings(
            lexical="both", alpha=alpha, k=10, pool=100, citation_lookup=False,
            embedder=embedders[arm], case_votes=0.0,
        )  # fmt: skip
        return search(indexes[arm], settings, questions, cache)

    def issues(chosen: list[int]) -> list[Question]:
        return [Question(rows[p]["id"], rows[p]["query_masked"]) for p in chosen]

    def best(arm: str) -> float:
        gold = [rows[p] for p in newer]
        scores = [
            (float(recalls(units(arm, one, issues(newer)), gold, range(len(gold))).mean()), one)
            for one in SHARES
        ]
        print("share by R@10 on the newer quarter", arm, scores, flush=True)
        return max(scores, key=lambda one: (one[0], -one[1]))[1]

    chosen = {"untrained": TODAY, "static": best("older")}
    table: dict[str, Any] = {}
    found: dict[str, Any] = {}
    listed = [rows[p] for p in late]
    for arm in ("untrained", "static"):
        for label, alpha in (("alone", 1.0), ("today", TODAY), (".5", 0.5), ("best", chosen[arm])):
            hits = units(arm, alpha, issues(late))
            found[arm, label] = recalls(hits, listed, range(len(listed)))
            table[f"issues, {arm}, {label}"] = figures(hits, listed, range(len(listed)))
            for form in ("act named", "act removed"):
                hits = units(arm, alpha, [Question(row["id"], row[form]) for row in asked])
                table[f"{form}, {arm}, {label}"] = figures(hits, asked, range(len(asked)))
        for name in table:
            if f", {arm}, " in name:
                print(name, table[name], flush=True)

    def over(label: str, theirs: str) -> dict[str, float]:
        pair = found["static", label], found["untrained", theirs]
        return compared(*pair, listed, range(len(listed)))

    gains = {
        "alone": over("alone", "alone"),
        "today's share": over("today", "today"),
        "share .5": over(".5", "today"),
        "best share": over("best", "today"),
    }
    stem_gains = {
        f"{form}, {label}": round(
            100
            * (
                table[f"{form}, static, {label}"]["R@10"]
                - table[f"{form}, untrained, today"]["R@10"]
            ),
            1,
        )
        for form in ("act named", "act removed")
        for label in ("today", ".5", "best")
    }
    targets = {
        "vectors alone, points of R@10 over untrained": (gains["alone"]["points"], (">=", 8.0)),
        "all fused, share .5, points of R@10 over today": (
            gains["share .5"]["points"],
            (">=", 4.0),
        ),
        **{
            f"statute questions by stem, {form}, points": (stem_gains[f"{form}, .5"], (">=", 0.0))
            for form in ("act named", "act removed")
        },
    }
    result = {
        "base share": share,
        "shares": chosen,
        "table": table,
        "gains": gains,
        "stem gains": stem_gains,
    }
    print(outcome({**result, "questions": len(late), "stems": len(asked)}, targets))


if __name__ == "__main__":
    main()
