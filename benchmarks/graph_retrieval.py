"""Measure what a walk over the typed graph of rules brings, and what else widens the search.

    python benchmarks/graph_retrieval.py --work DIR

The corpus has 13,358 articles. The queries are the masked court issues of kr_prec_statute. Votes of
decisions are off. `DIR` may be that of `retrieval.py`, whose lexical index is then used.

- Walk. The 30 best passages of the fused lists (Kiwi and bigrams, equal weights) give their scores
  to the articles that an edge leads to, divided by the root of the number of edges. The sums of a
  kind, the largest being 1, are added to the fused scores by the weight of the kind and direction.
  Articles that no list found may enter.
- `rag.weights.walk` and the priors of the corpus, as the product computes them.
- Clauses. Each clause of a query is searched as well. The best score of a passage among the clauses
  is added to the score of the whole query.
- Search text. The bigram index alone, over articles with the sentences that define their terms,
  with the titles of the articles that they delegate to or are delegated by, and with both.
- Prompts. The ten best passages packed into 1,200 tokens, counted by the tokenizer of the 270M
  model. An article counts as shown if any of its lines is.

All weights are chosen on the earlier half of the decisions, all figures are of the later half, with
a paired bootstrap over decisions. The last line is JSON.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from development_data import DATA, require
from fit_retriever import compared
from graph_walk import STEPS, Walk, best_alone, complete, figures, learned, recalls
from outcome import outcome
from retrieval import halves
from retrieval_data import corpus

from kofinlaw.data.korean.lexical import LexicalIndex
from kofinlaw.data.korean.words import bigrams
from kofinlaw.data.law.graph import ChunkLookup, Passage, citation_graph
from kofinlaw.data.law.links.edges import Edge, Link, Rule, typed_edges
from kofinlaw.data.prompting.packing import pack_with_index
from kofinlaw.files import read_json_lines
from kofinlaw.models.quickstart import quickstart_model
from kofinlaw.models.tokenizer import load_tokenizer
from kofinlaw.rag.index.build import build_index
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.retrieve.priors import CORPUS_WEIGHTS, PRIORS, Priors
from kofinlaw.rag.retrieve.refusion import StoredLists
from kofinlaw.rag.retrieve.retriever import Retriever
from kofinlaw.rag.settings import RagSettings
from kofinlaw.records import Question

POOL, TOKENS = 100, 1200
WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.5)
DEFINITION = 130  # characters of a definition that are added to the search text
CLAUSE = 25  # least characters of a clause
Found = list[list[tuple[int, float]]]


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


def in_prompts(
    found: Sequence[Sequence[int]],
    texts: Sequence[str],
    queries: Sequence[str],
    chosen: Sequence[int],
    count: Callable[[str], int],
) -> tuple[list[list[int]], float]:
    """Return the articles in the prompt of each chosen query, and the mean tokens of a prompt."""
    shown, tokens = [], []
    for best, query in zip(found, chosen, strict=True):
        packed = pack_with_index([texts[row] for row in best], queries[query], TOKENS, count)
        shown.append(list(dict.fromkeys(best[place] for place, _ in packed)))
        tokens.append(sum(count(text) for _, text in packed))
    return shown, round(float(np.mean(tokens)), 1)


def climbed(
    stored: StoredLists,
    settings: RagSettings,
    names: Sequence[str],
    gold: list[set[int]],
    chosen: Sequence[int],
) -> RagSettings:
    """Return the settings whose weights of these names two rounds find best on chosen queries."""

    def value(one: RagSettings) -> float:
        found = stored.rank(one)
        row = figures([found[q][:10].tolist() for q in chosen], gold, chosen)
        return row["R@10"] + row["all of several"]

    best, score = settings, value(settings)
    for name in (*names, *names):
        for weight in WEIGHTS:
            weights = best.weights.model_copy(update={name: weight})
            trial = best.model_copy(update={"weights": weights})
            if (now := value(trial)) > score + 1e-9:
                best, score = trial, now
    return best


def clauses(query: str) -> list[str]:
    """Split a query behind commas, 및, 경우 and 사안에서 into clauses of at least 25 characters."""
    out, text = [], ""
    for part in re.split(r"(?<=[가-힣])(?:, | 및 | 경우,? | 사안에서,? |\. )", query):
        text = f"{text} {part}".strip()
        if len(text) >= CLAUSE:
            out.append(text)
            text = ""
    return [*out[:-1], f"{out[-1]} {text}".strip()] if out else [text]


def with_clauses(found: Found, queries: Sequence[str], retriever: Retriever) -> Found:
    """Return the lists with the best score of each passage among the clauses added."""
    parts = [(q, part) for q, query in enumerate(queries) for part in clauses(query)]
    asked = [Question(str(place), part) for place, (_, part) in enumerate(parts)]
    best: list[dict[int, float]] = [{} for _ in queries]
    for (query, _), one in zip(parts, searched(retriever, asked), strict=True):
        for row, score in one:
            best[query][row] = max(best[query].get(row, 0.0), score)
    out = []
    for one, more in zip(found, best, strict=True):
        sums = {row: score + more.pop(row, 0.0) for row, score in one} | more
        out.append(sorted(sums.items(), key=lambda pair: (-pair[1], pair[0])))
    return out


def searched(retriever: Retriever, asked: Sequence[Question]) -> Found:
    """Return the rows and scores that a retriever finds for each question."""
    rows = retriever.index.row_of
    return [[(rows[h.chunk.id], h.score) for h in one] for one in retriever.search(asked)]


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
    several = [query for query in late if len(gold[query]) > 1]
    queries = [row["query_masked"] for row in rows]
    asked = [Question(row["id"], query) for row, query in zip(rows, queries, strict=True)]
    retriever = Retriever(index, settings)
    found = searched(retriever, asked)
    edges = edges_of(articles)
    walk = Walk(found, edges, units)
    stored = StoredLists(retriever.lists(asked), Priors(index))
    count = lru_cache(None)(load_tokenizer(quickstart_model()).count)

    def products(names: Sequence[str]) -> tuple[list[list[int]], dict[str, float]]:
        best = climbed(stored, settings, names, gold, early)
        ranked = stored.rank(best)
        weights = {name: getattr(best.weights, name) for name in names}
        return [ranked[query][:POOL].tolist() for query in late], weights

    base = walk.top(late, {}, POOL)
    wider = with_clauses(found, queries, retriever)
    arms: dict[str, tuple[list[list[int]], Any]] = {"none": (base, {})}
    for kind, way in STEPS:
        weights = best_alone(walk, gold, early, (kind, way))
        arms[f"{kind}, {way}"] = (walk.top(late, weights, POOL), weights[kind, way])
    weights = learned(walk, gold, early)
    shown = {f"{kind}, {way}": weight for (kind, way), weight in weights.items() if weight}
    arms["all steps"] = (walk.top(late, weights, POOL), shown)
    arms["rag.weights.walk"] = products(("walk",))
    arms["priors"] = products(PRIORS)
    arms["priors and walk"] = products(CORPUS_WEIGHTS)
    arms["clauses"] = ([[row for row, _ in wider[query]] for query in late], {})
    table = []
    packed: dict[str, Any] = {}
    for name, (lists, used) in arms.items():
        row: dict[str, Any] = {"arm": name, "weights": used, **figures(lists, gold, late)}
        row["all of several in 100"] = figures(lists, gold, late, POOL)["all of several"]
        if name != "none":
            row["R@10 over none"] = compared(
                recalls(lists, gold, late), recalls(base, gold, late), rows, late
            )
        if name in ("none", "all steps", "rag.weights.walk", "priors", "priors and walk"):
            best = [one[:10] for one in lists]
            packed[name], row["tokens"] = in_prompts(best, texts, queries, late, count)
            row["in the prompt"] = figures(packed[name], gold, late, POOL)
        if name != "none" and name in packed:
            ours, theirs = (complete(packed[arm], gold, late) for arm in (name, "none"))
            row["all of several in the prompt over none"] = compared(ours, theirs, rows, several)
        table.append(row)
        print(row, flush=True)
    by_id = {row["id"]: row for row in articles}
    variants = []
    for name, extra in search_texts(edges, by_id, units).items():
        lexical = LexicalIndex.build(
            [bigrams(f"{text}\n{more}") for text, more in zip(texts, extra, strict=True)]
        )
        lists = [lexical.query(bigrams(queries[query]), 10)[0].tolist() for query in late]
        variants.append({"search text": name, **figures(lists, gold, late)})
        print(variants[-1], flush=True)
    result = {
        "queries": {"all": len(late), "several": len(several)},
        "edges": {kind: sum(e.kind == kind for e in edges) for kind in {e.kind for e in edges}},
        "arms": table,
        "search text, bigrams": variants,
    }
    best_arm = next(row for row in table if row["arm"] == "all steps")
    ones = best_arm["in the prompt"]["one"] - table[0]["in the prompt"]["one"]
    targets = {
        "points: all of several in the prompt, all steps": (
            best_arm["all of several in the prompt over none"]["points"],
            (">=", 10),
        ),
        "points: the one article in the prompt, all steps": (round(100 * ones, 1), (">=", 0)),
    }
    print(outcome(result, targets))


if __name__ == "__main__":
    main()
