"""Measure a walk over the typed graph of rules, and search text with definitions and delegations.

    python benchmarks/graph_retrieval.py --work DIR

The corpus has 13,358 articles. The queries are the masked court issues of kr_prec_statute. Votes of
decisions are off. `DIR` may be that of `retrieval.py`, whose lexical index is then used.

- Walk. The 30 best passages of the fused lists (Kiwi and bigrams, equal weights) give their scores
  to the articles that an edge leads to, divided by the root of the number of edges. The sums of a
  kind, the largest being 1, are added to the fused scores by the weight of the kind and direction.
  Weights are chosen on the earlier half of the decisions. Articles that no list found may enter.
- Search text. The bigram index alone, over articles with the sentences that define their terms,
  with the titles of the articles that they delegate to or are delegated by, and with both.
- Prompts. The ten best passages packed into 1,200 tokens, counted by the tokenizer of the 270M
  model. An article counts as shown if any of its lines is.

All figures are of the later half. The last line is JSON.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sparse
from development_data import DATA, require
from outcome import outcome
from retrieval import halves
from retrieval_data import corpus

from kofinlaw.data.korean.lexical import LexicalIndex
from kofinlaw.data.korean.words import bigrams
from kofinlaw.data.law.edges import Edge, EdgeKind, Link, Rule, typed_edges
from kofinlaw.data.law.graph import ChunkLookup, Passage, citation_graph
from kofinlaw.data.prompting.packing import pack_with_index
from kofinlaw.files import read_json_lines
from kofinlaw.models.quickstart import quickstart_model
from kofinlaw.models.tokenizer import load_tokenizer
from kofinlaw.rag.index.build import build_index
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.retrieve.retriever import Retriever
from kofinlaw.rag.settings import RagSettings
from kofinlaw.records import Question

Step = tuple[EdgeKind, str]
Weights = dict[Step, float]
STEPS: tuple[Step, ...] = tuple(
    (kind, way)
    for kind in ("cites", "delegates", "penalises", "defines")
    for way in ("forward", "backward")
)
TRIED = (0.05, 0.1, 0.2, 0.3, 0.5)
SEEDS, SHOWN, POOL, TOKENS = 30, 10, 100, 1200
DEFINITION = 130  # characters of a definition that are added to the search text


def edges_of(articles: Sequence[Mapping[str, Any]]) -> list[Edge]:
    """Return the typed edges of the articles, as the corpus stage writes them."""
    lookup = ChunkLookup()
    for row in articles:
        lookup.add(row["law"], row["article"], row["id"], [row["id"]])
    passages = [Passage(r["id"], r["law"], r["article"], r["text"], False) for r in articles]
    links = [
        Link(one.source, one.target, one.text, one.end)
        for one in citation_graph(passages, lookup)
        if one.resolved
    ]
    rules = [Rule(row["id"], row["law"], row["title"], row["text"]) for row in articles]
    return list(typed_edges(lambda: rules, links))


class Walk:
    """The fused lists of all queries, and what each step of the graph adds to them."""

    def __init__(
        self, found: Sequence[Sequence[tuple[int, float]]], edges: Sequence[Edge], units: list[str]
    ) -> None:
        row_of = {unit: row for row, unit in enumerate(units)}
        self.scores = _matrix(found, len(units))
        seeds = _matrix([one[:SEEDS] for one in found], len(units))
        self.added = {}
        for kind, way in STEPS:
            pairs = {(row_of[e.source], row_of[e.target]) for e in edges if e.kind == kind}
            steps = np.array(sorted(pairs))[:, :: 1 if way == "forward" else -1]
            ones = (np.ones(len(steps)), (steps[:, 0], steps[:, 1]))
            matrix = sparse.csr_matrix(ones, shape=(len(units), len(units)))
            degree = np.maximum(np.asarray(matrix.sum(1)).ravel(), 1)
            sums = (seeds @ sparse.diags(degree**-0.5) @ matrix).tocsr()
            best = sums.max(1).toarray().ravel()
            best[best == 0] = 1
            self.added[kind, way] = (sparse.diags(1 / best) @ sums).tocsr()

    def top(self, chosen: Sequence[int], weights: Weights, count: int = SHOWN) -> list[list[int]]:
        """Return the rows of the best passages of the chosen queries."""
        total = self.scores[chosen]
        for step, weight in weights.items():
            if weight:
                total = total + weight * self.added[step][chosen]
        total = total.tocsr()
        out = []
        for place in range(len(chosen)):
            part = slice(total.indptr[place], total.indptr[place + 1])
            rows, scores = total.indices[part], total.data[part]
            out.append(rows[np.lexsort((rows, -scores))[:count]].tolist())
        return out


def _matrix(found: Sequence[Sequence[tuple[int, float]]], width: int) -> Any:
    places = [place for place, one in enumerate(found) for _ in one]
    rows = [row for one in found for row, _ in one]
    values = [score for one in found for _, score in one]
    return sparse.csr_matrix((values, (places, rows)), shape=(len(found), width))


def figures(
    found: Sequence[Sequence[int]], gold: Sequence[set[int]], chosen: Sequence[int]
) -> dict[str, float]:
    """Return R@10, the share of queries with several gold articles that have all of them,
    and R@10 of queries with one gold article.
    """
    shares = [
        len(set(one) & gold[query]) / len(gold[query])
        for one, query in zip(found, chosen, strict=True)
    ]
    several = [len(gold[query]) > 1 for query in chosen]
    return {
        "R@10": _mean(shares),
        "all of several": _mean([s == 1 for s, many in zip(shares, several, strict=True) if many]),
        "R@10 of one": _mean([s for s, many in zip(shares, several, strict=True) if not many]),
    }


def _mean(values: Sequence[float]) -> float:
    return round(float(np.mean(values)), 4)


def learned(walk: Walk, gold: Sequence[set[int]], chosen: Sequence[int]) -> Weights:
    """Return the weights that two rounds over the steps find best on the chosen queries.

    The value is R@10 plus the share of queries with several gold articles that have all of them.
    """

    def value(weights: Weights) -> float:
        row = figures(walk.top(chosen, weights), gold, chosen)
        return row["R@10"] + row["all of several"]

    weights: Weights = {}
    best = value(weights)
    for _ in range(2):
        for step in STEPS:
            for weight in (0.0, *TRIED):
                trial = {**weights, step: weight}
                if (now := value(trial)) > best + 1e-9:
                    best, weights = now, trial
    return weights


def best_alone(walk: Walk, gold: Sequence[set[int]], chosen: Sequence[int], step: Step) -> Weights:
    """Return the best weight of one step on the chosen queries."""
    trials: list[Weights] = [{step: weight} for weight in TRIED]
    return max(trials, key=lambda w: figures(walk.top(chosen, w), gold, chosen)["R@10"])


def in_prompts(
    found: Sequence[Sequence[int]],
    texts: Sequence[str],
    queries: Sequence[str],
    gold: Sequence[set[int]],
    chosen: Sequence[int],
    count: Callable[[str], int],
) -> dict[str, float]:
    """Return the share of queries whose gold articles are all in the prompt, and its tokens."""
    several: list[bool] = []
    one: list[bool] = []
    tokens: list[int] = []
    for rows, query in zip(found, chosen, strict=True):
        packed = pack_with_index([texts[row] for row in rows], queries[query], TOKENS, count)
        shown = {rows[place] for place, _ in packed}
        (several if len(gold[query]) > 1 else one).append(gold[query] <= shown)
        tokens.append(sum(count(text) for _, text in packed))
    return {"all of several": _mean(several), "one": _mean(one), "tokens": _mean(tokens)}


def search_texts(
    edges: Sequence[Edge], articles: Mapping[str, Mapping[str, Any]], units: Sequence[str]
) -> dict[str, list[str]]:
    """Return what each variant adds to the search text of each article."""
    defined: dict[str, dict[str, None]] = {}
    delegated: dict[str, dict[str, None]] = {}
    for edge in edges:
        if edge.kind == "defines":
            text = articles[edge.source]["text"]
            at = text.find(f'"{edge.text}"')
            if at >= 0:
                line = text[at : at + DEFINITION].partition("\n")[0]
                defined.setdefault(edge.target, {})[line] = None
        elif edge.kind == "delegates":
            for own, other in ((edge.source, edge.target), (edge.target, edge.source)):
                delegated.setdefault(own, {})[articles[other]["title"]] = None
    definitions = ["\n".join(defined.get(unit, ())) for unit in units]
    delegations = ["\n".join(delegated.get(unit, ())) for unit in units]
    both = [f"{a}\n{b}" for a, b in zip(definitions, delegations, strict=True)]
    plain = [""] * len(units)
    return {"plain": plain, "definitions": definitions, "delegations": delegations, "both": both}


def main() -> None:
    """Build the index if it is missing, measure, and print one line of JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA, help="folder with kr_prec_statute")
    parser.add_argument("--work", type=Path, required=True, help="folder for the index")
    given = parser.parse_args()
    require(given.data / "kr_prec_statute", "--data")
    given.work.mkdir(parents=True, exist_ok=True)
    rows = [row for _, row in read_json_lines(given.data / "kr_prec_statute" / "dev.jsonl")]
    articles = [row for _, row in read_json_lines(given.data / "statutes" / "articles.jsonl")]
    settings = RagSettings(
        lexical="both", k=POOL, pool=POOL, alpha=0.0, citation_lookup=False, query_forms=("stem",)
    )
    folder = given.work / "index"
    if not (folder / "index.json").exists():
        build_index(corpus(given.data, given.work), folder, settings)
    index = Index.load(folder)
    units = [chunk.unit for chunk in index.chunks]
    texts = [chunk.text for chunk in index.chunks]
    row_of = {unit: row for row, unit in enumerate(units)}
    gold = [{row_of[unit] for unit in row["gold"]} for row in rows]
    early, late = halves(rows)
    queries = [row["query_masked"] for row in rows]
    asked = [Question(row["id"], query) for row, query in zip(rows, queries, strict=True)]
    hits = Retriever(index, settings).search(asked)
    found = [[(index.row_of[hit.chunk.id], hit.score) for hit in one] for one in hits]
    edges = edges_of(articles)
    walk = Walk(found, edges, units)
    count = lru_cache(None)(load_tokenizer(quickstart_model()).count)

    variants: dict[str, Weights] = {"none": {}}
    for kind, way in STEPS:
        variants[f"{kind}, {way}"] = best_alone(walk, gold, early, (kind, way))
    variants["all, learned"] = learned(walk, gold, early)
    walks = []
    for name, weights in variants.items():
        best = walk.top(late, weights)
        row: dict[str, Any] = {"walk": name, **figures(best, gold, late)}
        row["weights"] = {f"{kind}, {way}": w for (kind, way), w in weights.items() if w}
        if name in ("none", "cites, forward", "all, learned"):
            row["in the prompt"] = in_prompts(best, texts, queries, gold, late, count)
        walks.append(row)
        print(row, flush=True)
    pools = {
        f"all of several in {size}": figures(walk.top(late, {}, size), gold, late)["all of several"]
        for size in (10, 20, 50, POOL)
    }
    print(pools, flush=True)
    by_id = {row["id"]: row for row in articles}
    searched = []
    for name, extra in search_texts(edges, by_id, units).items():
        lexical = LexicalIndex.build(
            [bigrams(f"{text}\n{more}") for text, more in zip(texts, extra, strict=True)]
        )
        best = [lexical.query(bigrams(queries[query]), SHOWN)[0].tolist() for query in late]
        searched.append({"search text": name, **figures(best, gold, late)})
        print(searched[-1], flush=True)
    before, after = walks[0]["in the prompt"], walks[-1]["in the prompt"]
    result = {
        "queries": {"all": len(late), "several": sum(len(gold[q]) > 1 for q in late)},
        "edges": {kind: sum(e.kind == kind for e in edges) for kind in {e.kind for e in edges}},
        "walks": walks,
        "all gold articles in the fused list": pools,
        "search text, bigrams": searched,
    }
    targets = {
        "points: all of several in the prompt, learned walk": (
            round(100 * (after["all of several"] - before["all of several"]), 1),
            (">=", 10),
        ),
        "points: the one article in the prompt, learned walk": (
            round(100 * (after["one"] - before["one"]), 1),
            (">=", 0),
        ),
    }
    print(outcome(result, targets))


if __name__ == "__main__":
    main()
