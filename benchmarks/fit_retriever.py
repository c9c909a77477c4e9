"""Measure what training an embedder on the corpus it searches brings to retrieval.

    python benchmarks/fit_retriever.py --work DIR [--trained FOLDER]

- Pairs. They are built from the 13,358 articles by rule; the acts of the development exams are left
  out. The masked court issues of the earlier half of the decisions are own pairs (without them:
  `--no-issues`). With `--decisions`, pairs of the kind `decision` are built instead, from all court
  decisions that are older than the later half.
- Arms. The untrained multilingual-e5-small, and a static embedder that is distilled from it (or
  from the embedder in `--trained`) and trained on the pairs. Each is measured alone and fused with
  the two lexical lists, with today's default share and with the best share.
- Honesty. No decision votes. The best share is chosen on the newer quarter of the decisions of the
  earlier half, with a static embedder that did not see their issues. All rows report the later
  half, with a paired bootstrap of R@10 over decisions.

- Further tables. `--only stems` and `--only votes` use the models in DIR again
  (`fit_retriever_tables.py`).

The untrained embedder takes about 32 minutes on 2 cores, once. The last line is JSON.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from development_data import DATA, require
from fit_retriever_tables import VOTES, cases_index, stem_table, voted
from outcome import outcome
from retrieval import EMBEDDED, figures, halves, search
from retrieval_data import corpus, decisions

from kofinlaw.augment.retrieval.pairs import Corpus, build_pairs
from kofinlaw.files import read_json_lines, read_jsonl, write_jsonl
from kofinlaw.models.embedders import open_embedder
from kofinlaw.rag.index.build import build_index
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.settings import RagSettings
from kofinlaw.records import Article, Chunk, Question
from kofinlaw.trainer.retriever.fit import fit_embedder
from kofinlaw.trainer.retriever.schedule import OWN, TrainingPair
from kofinlaw.trainer.retriever.settings import RetrieverSettings
from kofinlaw.trainer.retriever.trained_base import base_folder

E5 = "intfloat/multilingual-e5-small"
LEFT_OUT = "개인정보 보호법"  # its act and its decree are those of a development exam
SHARES = (0.2, 0.35, 0.5, 0.6, 0.7, 0.8, 0.9)
DRAWS = 2000
Rows = list[dict[str, Any]]


def corpus_pairs(data: Path, chunks: Path) -> tuple[list[TrainingPair], dict[str, str]]:
    """Return the pairs that are built by rule, and the text of each unit that is trained on."""
    kept = [c for c in read_jsonl(chunks, Chunk) if not c.title.startswith(LEFT_OUT)]
    units = {chunk.unit: chunk.text for chunk in kept}
    articles = tuple(
        Article(row["id"], row["law"], row["law"], "statute", row["article"], row["title"], "", "",
                row["text"], (), False, "", "", "PD", ())
        for _, row in read_json_lines(data / "statutes" / "articles.jsonl")
        if row["id"] in units
    )  # fmt: skip
    citing = tuple(
        (row["source"], row["target"])
        for _, row in read_json_lines(chunks.parent / "citations.jsonl")
        if row["resolved"] and row["source"] != row["target"]
    )
    made = build_pairs(
        Corpus(tuple(kept), articles, citing),
        ("heading", "sentence", "citing", "delegation"),
        seed=0,
    )
    return [TrainingPair(p.anchor, p.positive, "", p.kind, p.unit) for p in made], units


def issues(rows: Rows, chosen: Sequence[int], units: dict[str, str]) -> list[TrainingPair]:
    """Return court issues and the articles that they cite as own pairs."""
    return [
        TrainingPair(rows[p]["query_masked"], units[gold], "", OWN, gold)
        for p in chosen
        for gold in rows[p]["gold"]
        if gold in units
    ]


def decision_pairs(data: Path, work: Path, before: str) -> list[TrainingPair]:
    """Return the pairs of the kind `decision`, from the decisions before a day (YYYY-MM-DD)."""
    path = work / "cases" / "chunks-cases.jsonl"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        decisions(data, path.parent)
    kept = tuple(
        chunk
        for chunk in read_jsonl(path, Chunk)
        if not chunk.title.startswith(LEFT_OUT)
        and (chunk.kind != "case" or chunk.as_of < before.replace("-", ""))
    )
    print(sum(chunk.kind == "case" for chunk in kept), "issues before", before, flush=True)
    made = build_pairs(Corpus(kept, (), ()), ("decision",), seed=0)
    return [TrainingPair(p.anchor, p.positive, "", p.kind, p.unit) for p in made]


def court_pairs(
    given: argparse.Namespace,
    rows: Rows,
    units: dict[str, str],
    chosen: Sequence[int],
    later: Sequence[int],
) -> list[TrainingPair]:
    """Return the pairs of the chosen issues, or of all decisions before the `later` issues."""
    if given.no_issues:
        return []
    if given.decisions:
        return decision_pairs(given.data, given.work, min(rows[p]["date"] for p in later))
    return issues(rows, chosen, units)


def fitted(base: Path, pairs: list[TrainingPair], out: Path) -> Path:
    """Train a static embedder, unless `out` has one; returns its folder."""
    if (out / "model" / "modules.json").is_file():
        print(f"{out}: trained before", flush=True)
        return out / "model"
    settings = RetrieverSettings(
        method="static", batch=256, steps=600, temperature=0.05, negatives=False,
        held_out_share=0, checkpoint_steps=100,
    )  # fmt: skip

    def shown(phase: str, done: int, total: int | None = None, **values: Any) -> None:
        if done % 50 == 0:
            print(phase, done, total, values, flush=True)

    print(fit_embedder(base, pairs, settings, out, seed=0, progress=shown), flush=True)
    return out / "model"


def indexed(chunks: Path, work: Path, name: str, embedder: str, previous: Path | None) -> Index:
    """Return the index of an embedder; the tokens of `previous` are used again."""
    folder = work / f"index-{name}"
    settings = RagSettings(lexical="both", embedder=embedder, embed_characters=EMBEDDED)
    build_index(chunks, folder, settings, cache=work / "cache", previous=previous)
    return Index.load(folder)


def recalls(found: Sequence[Sequence[str]], rows: Rows, chosen: Sequence[int]) -> Any:
    """Return R@10 of each chosen query."""
    return np.array(
        [len(set(found[p][:10]) & set(rows[p]["gold"])) / len(rows[p]["gold"]) for p in chosen]
    )


def compared(ours: Any, theirs: Any, rows: Rows, chosen: Sequence[int]) -> dict[str, float]:
    """Return the difference in points with its 95 % interval; decisions are drawn, not queries."""
    names = [rows[p]["id"].rsplit("-", 1)[0] for p in chosen]
    _, owner = np.unique(names, return_inverse=True)
    sums = np.bincount(owner, ours - theirs)
    sizes = np.bincount(owner)
    rng = np.random.default_rng(0)
    drawn = rng.integers(len(sums), size=(DRAWS, len(sums)))
    means = 100 * sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    points = 100 * float((ours - theirs).mean())
    return {
        "points": round(points, 2),
        "low": round(float(low), 2),
        "high": round(float(high), 2),
    }


def further(
    given: argparse.Namespace,
    rows: Rows,
    newer: Sequence[int],
    late: Sequence[int],
    chunks: Path,
) -> None:
    """Print the table of votes or of stems, and one line of JSON."""
    cache = given.work / "cache"
    trained = require(given.work / "fit-static" / "model", "--work")
    embedders = {"static": str(trained), "untrained": E5}
    shares = dict(zip(("static", "untrained"), given.shares, strict=True))
    if given.only == "stems":
        indexes: dict[str, Index] = {}
        for arm, embedder in embedders.items():
            folder = given.work / f"index-{arm}"
            indexes[arm] = (
                Index.load(folder)
                if (folder / "index.json").is_file()
                else indexed(chunks, given.work, arm, embedder, given.work / "index-static")
            )
        table, gains = stem_table(given.data, indexes, embedders, shares, cache)
        targets = {
            f"statute questions by stem, {form}, points": (gains[form], (">=", 0.0))
            for form in ("act named", "act removed")
        }
        print(outcome({"table": table, "gains": gains}, targets))
        return
    first: Path | None = None
    hits: dict[str, Any] = {}
    table, chosen = {}, {}
    for arm, share in shares.items():
        index = cases_index(given.data, given.work, arm, embedders[arm], first)
        first = first or given.work / f"index-cases-{arm}"
        # The share of the votes is chosen with a model that did not see the newer quarter.
        chooser, chooses = index, embedders[arm]
        if arm == "static":
            chooses = str(require(given.work / "fit-older" / "model", "--work"))
            chooser = cases_index(given.data, given.work, "older", chooses, first)
        scores = []
        for votes in VOTES:
            found = voted(chooser, rows, newer, chooses, share, votes, cache)
            score = recalls(found, [rows[p] for p in newer], range(len(newer))).mean()
            scores.append((round(float(score), 4), votes))
        chosen[arm] = max(scores, key=lambda one: (one[0], -one[1]))[1]
        print("votes by R@10 on the newer quarter", arm, scores, flush=True)
        found = voted(index, rows, late, embedders[arm], share, chosen[arm], cache)
        listed = [rows[p] for p in late]
        hits[arm] = recalls(found, listed, range(len(late)))
        table[f"{arm}: fused with votes"] = figures(found, listed, range(len(late)))
        print(arm, table[f"{arm}: fused with votes"], flush=True)
    gain = compared(hits["static"], hits["untrained"], [rows[p] for p in late], range(len(late)))
    targets = {"with votes, points of R@10 over untrained": (gain["points"], (">=", 0.0))}
    print(outcome({"table": table, "votes": chosen, "gain": gain}, targets))


def main() -> None:
    """Train, index, search, and print one line of JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA, help="folder with kr_prec_statute")
    parser.add_argument("--work", type=Path, required=True, help="folder for models and indexes")
    parser.add_argument("--trained", type=Path, help="a trained embedder to distil and compare")
    parser.add_argument(
        "--only", choices=["stems", "votes"], help="one further table, with the models in --work"
    )
    parser.add_argument(
        "--shares", type=float, nargs=2, default=(0.5, 0.35), metavar=("STATIC", "UNTRAINED"),
        help="with --only: shares of the vectors that the main table chose",
    )  # fmt: skip
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--no-issues", action="store_true", help="train on built pairs only")
    source.add_argument("--decisions", action="store_true", help="build pairs from old decisions")
    given = parser.parse_args()
    require(given.data / "kr_prec_statute", "--data")
    given.work.mkdir(parents=True, exist_ok=True)
    rows = [row for _, row in read_json_lines(given.data / "kr_prec_statute" / "dev.jsonl")]
    early, late = halves(rows)
    inner, newer = halves([rows[p] for p in early])
    older, newer = [early[p] for p in inner], [early[p] for p in newer]
    chunks = corpus(given.data, given.work)
    if given.only:
        further(given, rows, newer, late, chunks)
        return
    made, units = corpus_pairs(given.data, chunks)
    base = given.trained or base_folder(E5)

    court = {
        "static": court_pairs(given, rows, units, early, late),
        "older": court_pairs(given, rows, units, older, newer),
    }
    models = {
        name: fitted(base, made + pairs, given.work / f"fit-{name}")
        for name, pairs in court.items()
    }
    texts = [chunk.text for chunk in read_jsonl(chunks, Chunk)]
    clock = time.perf_counter()
    open_embedder(str(models["static"])).encode_passages(texts)
    minutes = (time.perf_counter() - clock) / 60
    embedders = {"static": str(models["static"]), "older": str(models["older"]), "untrained": E5}
    if given.trained:
        embedders["trained"] = str(given.trained)
    indexes: dict[str, Index] = {}
    for name, embedder in embedders.items():
        first = given.work / "index-static"
        previous = first if indexes else None
        indexes[name] = indexed(chunks, given.work, name, embedder, previous)
    table: dict[str, Any] = {}
    found: dict[str, Any] = {}

    def share_row(label: str, arm: str, share: float) -> None:
        questions = [Question(rows[p]["id"], rows[p]["query_masked"]) for p in late]
        settings = RagSettings(
            lexical="both", alpha=share, k=10, pool=100, citation_lookup=False,
            embedder=embedders[arm], case_votes=0.0,
        )  # fmt: skip
        hits = search(indexes[arm], settings, questions, given.work / "cache")
        listed = [rows[p] for p in late]
        found[label] = recalls(hits, listed, range(len(late)))
        table[label] = figures(hits, listed, range(len(late)))
        print(label, table[label], flush=True)

    arms = [name for name in embedders if name != "older"]
    for arm in arms:
        share_row(f"{arm}: vectors alone", arm, 1.0)
        share_row(f"{arm}: fused, default share", arm, RagSettings().alpha)
    share_row("bigram and kiwi", "static", 0.0)

    def best_share(arm: str) -> float:
        asked = [Question(rows[p]["id"], rows[p]["query_masked"]) for p in newer]
        scores = []
        for share in SHARES:
            settings = RagSettings(
                lexical="both", alpha=share, k=10, pool=100, citation_lookup=False,
                embedder=embedders[arm], case_votes=0.0,
            )  # fmt: skip
            hits = search(indexes[arm], settings, asked, given.work / "cache")
            score = recalls(hits, [rows[p] for p in newer], range(len(newer))).mean()
            scores.append((round(float(score), 4), share))
        print("share by R@10 on the newer quarter", arm, scores, flush=True)
        return max(scores, key=lambda one: (one[0], -one[1]))[1]

    shares = {"static": best_share("older"), "untrained": best_share("untrained")}
    for arm, share in shares.items():
        share_row(f"{arm}: fused, best share", arm, share)
    listed = [rows[p] for p in late]
    everyone = range(len(late))

    def over(ours: str, theirs: str) -> dict[str, float]:
        return compared(found[ours], found[theirs], listed, everyone)

    today = "untrained: fused, default share"
    gains = {
        "vectors alone": over("static: vectors alone", "untrained: vectors alone"),
        "fused, default share": over("static: fused, default share", today),
        "fused, best share": over("static: fused, best share", today),
        "fused, best share in both arms": over(
            "static: fused, best share", "untrained: fused, best share"
        ),
    }
    kept = None
    if given.trained:
        trained = over("trained: vectors alone", "untrained: vectors alone")
        gains["trained, vectors alone"] = trained
        kept = round(gains["vectors alone"]["points"] / trained["points"], 3)
    write_jsonl(given.work / "rows.jsonl", [{"retriever": k, **v} for k, v in table.items()])
    result = {
        "queries": len(late), "table": table, "shares": shares, "gains": gains,
        "court issues in training": len(court["static"]),
    }  # fmt: skip
    targets = {
        "vectors alone, points of R@10 over untrained": (
            gains["vectors alone"]["points"],
            (">=", 8.0),
        ),
        "all fused, points of R@10 over today": (
            gains["fused, best share"]["points"],
            (">=", 4.0),
        ),
        "minutes to embed 13,358 articles, static": (round(minutes, 2), ("<=", 15.0)),
        "static: share of the trained embedder's gain": (kept, (">=", 0.95)),
        "reranked, points at rank 1": (None, (">=", 3.0)),
        "statute questions by stem, points": (None, (">=", 0.0)),
    }
    print(outcome(result, targets))


if __name__ == "__main__":
    main()
