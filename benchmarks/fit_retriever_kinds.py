"""Measure what each kind of pair by rule brings to a trained static embedder.

    python benchmarks/fit_retriever_kinds.py --work DIR [--court] [--arms base question ...]

- Pairs. `base` is built of `heading`, `sentence`, `citing`, `delegation` and `definition`. `+KIND`
  adds one of the kinds `question`, `everyday` and `scenario`, `all` adds the three, `-KIND` leaves
  out one of the first four. With `--court`, the masked court issues of the older part of the
  earlier half are own pairs in every arm.
- Structure. The articles are read from the acts (`statutes/acts`), whose 항 and 호 the kinds need;
  the passages are those of `articles.jsonl`.
- Training. 200 steps of 256 pairs, no hard negatives, one run for each arm; the same seed.
- Questions. Court issues of the newer quarter of the earlier half, by vectors alone and fused with
  share .5, without votes. The later half is not used, so that kinds may be chosen by this table.

Arms that were trained before are read from DIR. The last line is JSON.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from development_data import DATA, require
from fit_retriever import E5, LEFT_OUT, compared, issues, recalls
from outcome import outcome
from retrieval import EMBEDDED, figures, halves, search
from retrieval_data import corpus

from kofinlaw.augment.retrieval.pairs import Corpus, PairKind, build_pairs
from kofinlaw.data.corpus import build_corpus
from kofinlaw.data.settings import DataSettings
from kofinlaw.files import read_json_lines, read_jsonl
from kofinlaw.rag.index.build import build_index
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.settings import RagSettings
from kofinlaw.records import Article, Chunk, Question
from kofinlaw.trainer.retriever.fit import fit_embedder
from kofinlaw.trainer.retriever.schedule import TrainingPair
from kofinlaw.trainer.retriever.settings import RetrieverSettings
from kofinlaw.trainer.retriever.trained_base import base_folder

BASE: tuple[PairKind, ...] = ("heading", "sentence", "citing", "delegation", "definition")
ADDED: tuple[PairKind, ...] = ("question", "everyday", "scenario")
ARMS: dict[str, tuple[PairKind, ...]] = {
    "base": BASE,
    **{f"+{kind}": (*BASE, kind) for kind in ADDED},
    "all": (*BASE, *ADDED),
    **{f"-{kind}": tuple(one for one in BASE if one != kind) for kind in BASE[:4]},
}
SHARES = {"alone": 1.0, ".5": 0.5}


def corpus_of(data: Path, work: Path) -> tuple[Path, Corpus]:
    """Return the file of the passages, and the corpus without the acts of a development exam."""
    chunks = corpus(data, work)
    acts = work / "acts"
    if not (acts / "citations.jsonl").is_file():
        source = {"path": str(data / "statutes" / "acts"), "kind": "statute"}
        settings = DataSettings.model_validate({"sources": [source]})
        build_corpus(settings, acts, base=work, count_tokens=len)
    kept = tuple(c for c in read_jsonl(chunks, Chunk) if not c.title.startswith(LEFT_OUT))
    units = {chunk.unit for chunk in kept}
    articles = tuple(a for a in read_jsonl(acts / "articles.jsonl", Article) if a.id in units)
    citing = tuple(
        (row["source"], row["target"])
        for _, row in read_json_lines(work / "citations.jsonl")
        if row["resolved"] and row["source"] != row["target"]
    )
    return chunks, Corpus(kept, articles, citing)


def trained(base: Path, pairs: list[TrainingPair], out: Path) -> Path:
    """Train a static embedder, unless `out` has one; returns its folder."""
    if not (out / "model" / "modules.json").is_file():
        settings = RetrieverSettings(
            method="static", batch=256, steps=200, negatives=False, held_out_share=0,
            checkpoint_steps=300,
        )  # fmt: skip
        fit_embedder(base, pairs, settings, out, seed=0)
    return out / "model"


def main() -> None:
    """Train and measure the arms, and print one line of JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA, help="folder with kr_prec_statute")
    parser.add_argument("--work", type=Path, required=True, help="folder for models and indexes")
    parser.add_argument("--court", action="store_true", help="train on older court issues too")
    parser.add_argument("--arms", nargs="+", default=list(ARMS), help="of " + ", ".join(ARMS))
    given = parser.parse_args()
    require(given.data / "kr_prec_statute", "--data")
    given.work.mkdir(parents=True, exist_ok=True)
    rows = [row for _, row in read_json_lines(given.data / "kr_prec_statute" / "dev.jsonl")]
    early, _ = halves(rows)
    inner, newer = halves([rows[p] for p in early])
    older, newer = [early[p] for p in inner], [early[p] for p in newer]
    chunks, read = corpus_of(given.data, given.work)
    texts = {chunk.unit: chunk.text for chunk in read.chunks}
    court = issues(rows, older, texts) if given.court else []
    listed = [rows[p] for p in newer]
    questions = [Question(row["id"], row["query_masked"]) for row in listed]
    base, side = base_folder(E5), "court" if given.court else "rule"
    table: dict[str, Any] = {}
    found: dict[tuple[str, str], Any] = {}
    previous: Path | None = None
    for arm in given.arms:
        made = build_pairs(read, ARMS[arm], seed=0)
        pairs = [TrainingPair(p.anchor, p.positive, "", p.kind, p.unit) for p in made]
        name = f"{side}-{arm}".replace("+", "with-").replace("--", "-without-")
        model = trained(base, pairs + court, given.work / f"kinds-{name}")
        folder = given.work / f"index-kinds-{name}"
        settings = RagSettings(lexical="both", embedder=str(model), embed_characters=EMBEDDED)
        build_index(chunks, folder, settings, cache=given.work / "cache", previous=previous)
        previous = previous or folder
        index = Index.load(folder)
        table[arm] = {"pairs": len(made)}
        for label, share in SHARES.items():
            settings = RagSettings(
                lexical="both", alpha=share, k=10, pool=100, citation_lookup=False,
                embedder=str(model), case_votes=0.0,
            )  # fmt: skip
            hits = search(index, settings, questions, given.work / "cache")
            found[arm, label] = recalls(hits, listed, range(len(listed)))
            table[arm][label] = figures(hits, listed, range(len(listed)))
            if arm != "base" and ("base", label) in found:
                ours, theirs = found[arm, label], found["base", label]
                gain = compared(ours, theirs, listed, range(len(listed)))
                table[arm][f"{label} over base"] = gain
        print(side, arm, table[arm], flush=True)
    print(outcome({"court": given.court, "queries": len(listed), "arms": table}, {}))


if __name__ == "__main__":
    main()
