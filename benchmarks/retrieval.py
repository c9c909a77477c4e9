"""Retrieval of Korean statutes: court issues to the articles they cite, and queries a second.

    python benchmarks/retrieval.py --work DIR [--embedder intfloat/multilingual-e5-small]

Corpus: 13,358 articles; queries: the masked issues of kr_prec_statute's dev set. What there is to
tune (the vectors' share, the share of bigrams, the priors) is tuned on the earlier half of the
decisions and reported on the later one; no decision is on both sides. The single retrievers stand
beside every fusion, and a row with the issues unmasked, whose citations are looked up. Then: bm25s
against rank_bm25 and LanceDB's full-text search on the same tokens, and p50/p95 of one question
from text to passages; as other work may share the cores, both by the clock and by processor time.
The last line is JSON.
"""

from __future__ import annotations

import argparse
import itertools
import json
import lzma
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from outcome import outcome

from kofinlaw.data.citations import Scope, document_aliases, find_citations
from kofinlaw.data.files import read_json_lines, sha256_text, write_jsonl
from kofinlaw.data.korean import content_morphemes
from kofinlaw.data.records import Chunk, Question, to_json
from kofinlaw.data.titles import known
from kofinlaw.rag.index import Index, build_index
from kofinlaw.rag.retrieve import Retriever
from kofinlaw.rag.settings import RagSettings
from kofinlaw.rag.tune import tune

EMBEDDED = 380  # characters of an article that are embedded: all of it for half of them
DATA = Path(__file__).parents[1].parent / "shared" / "data"
CUTS = (1, 5, 10)


def corpus(data: Path, out: Path) -> Path:
    """The yardstick's articles as chunks headed by act and article."""
    path = out / "chunks.jsonl"
    chunks = []
    for _, row in read_json_lines(data / "statutes" / "articles.jsonl"):
        text = f"{row['id']}({row['title']})\n{row['text']}"
        chunks.append(
            Chunk(row["id"], row["law"], row["law"], "statute", row["article"], row["id"], text,
                  "2026-06-08", "articles.jsonl", "PD", sha256_text(text))
        )  # fmt: skip
    write_jsonl(path, chunks)
    write_jsonl(out / "citations.jsonl", references(data))
    return path


def references(data: Path) -> list[dict[str, Any]]:
    """Which article refers to which, as the corpus stage writes it."""
    rows = [row for _, row in read_json_lines(data / "statutes" / "articles.jsonl")]
    titles = known({row["law"] for row in rows})
    ids = {row["id"] for row in rows}
    edges = []
    for law, group in itertools.groupby(rows, key=lambda row: row["law"]):
        articles = list(group)
        opening = "\n".join(row["text"] for row in articles[:5])  # where short names are given
        scope = Scope(titles=titles, names=document_aliases(law, opening, titles))
        for row in articles:
            found = find_citations(row["text"], act=law, article=row["article"], scope=scope)
            targets = dict.fromkeys(one.target for one in found)
            edges += [{"source": row["id"], "target": t, "resolved": t in ids} for t in targets]
    return edges


def decisions(data: Path, out: Path) -> Path:
    """The articles, and each numbered issue of the decisions before 2020 with what it cites."""
    path = out / "chunks-cases.jsonl"
    rows = [json.loads(line) for line in corpus(data, out).read_text("utf-8").splitlines()]
    with lzma.open(data / "precedents" / "precedents_dev.jsonl.xz", "rt", encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            parts = [numbered(row.get(name)) for name in ("판시사항", "판결요지", "참조조문")]
            for number, issue in parts[0].items():
                holding, cites = (part.get(number) or part.get(0) or "" for part in parts[1:])
                identity, case = row["판례일련번호"], row["사건번호"]
                text = f"판시사항: {issue}\n판결요지: {holding}\n참조조문: {cites}"
                chunk = Chunk(
                    id=f"{identity}-{number}",
                    document_id=identity,
                    title=case,
                    kind="case",
                    path=str(number),
                    unit=f"{case} > {number}",
                    text=text,
                    as_of=str(row["선고일자"]),
                    source="precedents",
                    license="PD",
                    sha256=sha256_text(text),
                )
                rows.append(to_json(chunk))
    write_jsonl(path, rows)
    return path


def numbered(text: str | None) -> dict[int, str]:
    """`[1] … [2] …` by number; 0 where there are none."""
    parts = re.split(r"(?:^|\s|/)\[([\d,\s~]+)\]", text or "")
    if len(parts) == 1:
        return {0: parts[0].strip()}
    out: dict[int, str] = {}
    for marks, body in zip(parts[1::2], parts[2::2], strict=True):
        for number in map(int, re.findall(r"\d+", marks)):
            out[number] = f"{out.get(number, '')} {body}".strip()
    return out


def halves(rows: Sequence[dict[str, Any]]) -> tuple[list[int], list[int]]:
    """Places of the queries of the earlier and the later half of the decisions."""
    decided = {row["id"].rsplit("-", 1)[0]: row["date"] for row in rows}
    order = sorted(decided, key=lambda decision: (decided[decision], decision))
    early = set(order[: len(order) // 2])
    sides = [row["id"].rsplit("-", 1)[0] in early for row in rows]
    return [i for i, e in enumerate(sides) if e], [i for i, e in enumerate(sides) if not e]


def figures(
    found: Sequence[Sequence[str]], rows: Sequence[dict[str, Any]], places: Sequence[int]
) -> dict[str, float]:
    """Mean share of the gold articles in the first k, share of queries with any, and MRR."""
    out = {}
    for cut in CUTS:
        shares = [
            len(set(found[p][:cut]) & set(rows[p]["gold"])) / len(rows[p]["gold"]) for p in places
        ]
        out[f"R@{cut}"] = round(float(np.mean(shares)), 4)
        out[f"hit@{cut}"] = round(float(np.mean([share > 0 for share in shares])), 4)
    ranks = [
        next((1 / (i + 1) for i, unit in enumerate(found[p][:10]) if unit in rows[p]["gold"]), 0.0)
        for p in places
    ]
    out["MRR"] = round(float(np.mean(ranks)), 4)
    return out


def search(
    index: Index, settings: RagSettings, questions: list[Question], cache: Path
) -> list[list[str]]:
    """Units found for each question."""
    hits = Retriever(index, settings, cache=cache).search(questions)
    return [[hit.chunk.unit for hit in one] for one in hits]


def quality(
    index: Index, rows: list[dict[str, Any]], embedder: str | None, cache: Path
) -> list[dict[str, Any]]:
    """One row a retriever and fusion."""
    early, late = halves(rows)
    questions = [Question(row["id"], row["query_masked"]) for row in rows]
    base: dict[str, Any] = {"k": 10, "pool": 100, "citation_lookup": False, "embedder": embedder}

    def settings(**values: Any) -> RagSettings:
        return RagSettings(**{**base, "alpha": 0.0, **values})

    singles = {
        "bigram": settings(lexical="bigram"),
        "kiwi": settings(lexical="kiwi"),
        "kiwi + bigram": settings(lexical="both"),
        "kiwi + bigram, ranked": settings(lexical="both", fusion="ranked"),
    }
    if embedder:
        singles[f"dense ({embedder})"] = settings(lexical="kiwi", alpha=1.0)
    out = []
    for name, one in singles.items():
        found = search(index, one, questions, cache)
        out.append({"retriever": name, "later half": figures(found, rows, late),
                    "all": figures(found, rows, range(len(rows)))})  # fmt: skip
        print(out[-1], flush=True)
    tuned = tune(
        index,
        settings(lexical="both"),
        [questions[p] for p in early],
        [rows[p]["gold"] for p in early],
        cache=cache,
    )
    found = search(index, tuned.settings.model_copy(update={"k": 10}), questions, cache)
    out.append(
        {
            "retriever": "tuned on the earlier half",
            "later half": figures(found, rows, late),
            "all": figures(found, rows, range(len(rows))),
            "settings": tuned.settings.model_dump(mode="json"),
            "sweep": tuned.table,
        }
    )
    print({name: value for name, value in out[-1].items() if name != "sweep"}, flush=True)
    named = [Question(row["id"], row["query"]) for row in rows]
    cited = tuned.settings.model_copy(update={"k": 10, "citation_lookup": True})
    found = search(index, cited, named, cache)
    out.append({"retriever": "the same, citations not masked and looked up",
                "later half": figures(found, rows, late),
                "all": figures(found, rows, range(len(rows)))})  # fmt: skip
    print(out[-1], flush=True)
    return out


def with_decisions(index: Index, rows: list[dict[str, Any]], cache: Path) -> list[dict[str, Any]]:
    """Articles found with decisions that vote: those decided before the query's, then all others.

    The query's own decision never votes.
    """
    early, late = halves(rows)
    questions = [Question(row["id"], row["query_masked"]) for row in rows]
    asked = {
        row["id"]: (row["id"].rsplit("-", 1)[0], re.sub(r"\D", "", row["date"])) for row in rows
    }
    owners = np.array([chunk.document_id for chunk in index.chunks])
    case = np.array([chunk.kind == "case" for chunk in index.chunks])
    dates = np.array([re.sub(r"\D", "", chunk.as_of) for chunk in index.chunks])
    lexical = "both" if len(index.meta["lexical"]) == 2 else index.meta["lexical"][0]
    base = RagSettings(lexical=lexical, k=10, pool=100, citation_lookup=False, kinds=("statute",))

    def earlier(question: Question) -> Any:
        own, date = asked[question.id]
        return ~case | ((owners != own) & (dates < date))

    def others(question: Question) -> Any:
        return ~case | (owners != asked[question.id][0])

    out = []
    for name, allowed in (
        ("earlier decisions vote", earlier),
        ("all other decisions vote", others),
    ):
        tuned = tune(
            index,
            base,
            [questions[p] for p in early],
            [rows[p]["gold"] for p in early],
            allowed=allowed,
            cache=cache,
        )
        hits = Retriever(index, tuned.settings, cache=cache).search(questions, allowed=allowed)
        found = [[hit.chunk.unit for hit in one] for one in hits]
        out.append(
            {
                "retriever": name,
                "later half": figures(found, rows, late),
                "all": figures(found, rows, range(len(rows))),
                "settings": tuned.settings.model_dump(mode="json"),
            }
        )
        print(out[-1], flush=True)
    return out


def rate(
    run: Callable[[list[str]], Any], queries: Sequence[list[str]], seconds: float
) -> dict[str, float]:
    """Queries a second by the clock and by processor time, over about so many seconds."""
    run(list(queries[0]))
    done, clock, processor = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - clock < seconds:
        run(list(queries[done % len(queries)]))
        done += 1
    return {
        "clock": round(done / (time.perf_counter() - clock), 2),
        "processor": round(done / (time.process_time() - processor), 2),
    }


def speed(index: Index, rows: list[dict[str, Any]], work: Path) -> dict[str, Any]:
    """Queries a second on the same Kiwi tokens, one thread; milliseconds of one question."""
    tokens = index.tokens("kiwi")
    queries = content_morphemes([row["query_masked"] for row in rows[:200]])
    lexical = index.lexical("kiwi")
    out: dict[str, Any] = {"bm25s": rate(lambda q: lexical.query(q, 10), queries, 5)}
    print(out, flush=True)
    try:
        from rank_bm25 import BM25Okapi

        okapi = BM25Okapi(tokens)
        out["rank_bm25"] = rate(
            lambda q: np.argpartition(-okapi.get_scores(q), 10)[:10], queries, 30
        )
        out["times rank_bm25"] = {
            by: round(out["bm25s"][by] / out["rank_bm25"][by]) for by in out["bm25s"]
        }
    except ImportError:
        out["rank_bm25"] = None
    print(out, flush=True)
    out["one question, ms"] = one_question(index, rows)
    print(out, flush=True)
    import lancedb
    from lancedb.index import FTS

    started = time.perf_counter()
    table = lancedb.connect(str(work / "fts")).create_table(
        "t", [{"place": i, "text": " ".join(t)} for i, t in enumerate(tokens)], mode="overwrite"
    )
    config = FTS(
        base_tokenizer="whitespace", stem=False, remove_stop_words=False, ascii_folding=False
    )
    table.create_index("text", config=config)
    out["lancedb_build_seconds"] = round(time.perf_counter() - started, 2)
    out["lancedb"] = rate(
        lambda q: table.search(" ".join(q), query_type="fts").limit(10).to_list(), queries, 10
    )
    return out


def one_question(index: Index, rows: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """p50 and p95 of a question from its text to its passages, alone, in milliseconds."""
    retriever = Retriever(index, RagSettings(lexical="kiwi", k=10))
    times: dict[str, list[float]] = {"clock": [], "processor": []}
    for row in rows[:310]:
        clock, processor = time.perf_counter(), time.process_time()
        retriever.search([Question(row["id"], row["query_masked"])])
        times["clock"].append(1000 * (time.perf_counter() - clock))
        times["processor"].append(1000 * (time.process_time() - processor))
    return {
        by: {
            "p50": round(float(np.percentile(taken[10:], 50)), 2),
            "p95": round(float(np.percentile(taken[10:], 95)), 2),
        }
        for by, taken in times.items()
    }


def targets_of(result: dict[str, Any]) -> dict[str, Any]:
    """The targets, from what was measured; R@10 on the later half, against bigram BM25."""
    rows = {row["retriever"]: row["later half"]["R@10"] for row in result.get("quality", ())}
    speed = result.get("queries a second", {})
    times, latency = speed.get("times rank_bm25"), speed.get("one question, ms")
    tuned = rows.get("tuned on the earlier half")
    return {
        "points of R@10 over bigram, no label": (
            None if tuned is None else round(100 * (tuned - rows["bigram"]), 1),
            (">=", 3),
        ),
        "times rank_bm25": (times and min(times.values()), (">=", 1000)),
        "p95 of one question, ms": (
            latency and max(row["p95"] for row in latency.values()),
            ("<=", 20),
        ),
    }


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--work", type=Path, required=True, help="folder for index and vectors")
    parser.add_argument("--embedder", help="also the dense retriever (32 minutes on 2 cores)")
    parser.add_argument("--workers", type=int, default=2, help="threads of Kiwi")
    parser.add_argument("--cases", action="store_true", help="decisions in the index, voting")
    parser.add_argument("--lexical", choices=["both", "bigram", "kiwi"], default="both")
    parser.add_argument("--limit", type=int, help="queries, for a trial")
    parser.add_argument("--only", choices=["quality", "speed"])
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    rows = [row for _, row in read_json_lines(given.data / "kr_prec_statute" / "dev.jsonl")]
    rows = rows[: given.limit]
    settings = RagSettings(
        lexical=given.lexical,
        embedder=given.embedder,
        embed_characters=EMBEDDED if given.embedder else None,
        workers=given.workers,
    )
    name = "index-dense" if given.embedder else "index"
    folder = given.work / (name + "-cases" * given.cases)
    started = time.perf_counter()
    if not (folder / "index.json").exists():
        build_index(
            (decisions if given.cases else corpus)(given.data, given.work),
            folder,
            settings,
            cache=given.work / "cache",
            progress=lambda phase, done, total=None, **_: print(phase, done, total, flush=True),
        )
    result: dict[str, Any] = {"build_seconds": round(time.perf_counter() - started, 1)}
    index = Index.load(folder)
    if given.cases:
        result["with decisions"] = with_decisions(index, rows, given.work / "cache")
        print(json.dumps(result, ensure_ascii=False))
        return
    if given.only != "quality":
        result["queries a second"] = speed(index, rows, given.work)
        print(result, flush=True)
    if given.only != "speed":
        result["quality"] = quality(index, rows, given.embedder, given.work / "cache")
    print(outcome(result, targets_of(result)))


if __name__ == "__main__":
    main()
