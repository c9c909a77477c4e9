"""Search in the corpus of an evaluation set: build its index, and score what is found."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from kofinlaw import Progress, UserError
from kofinlaw.files import read_json_lines, sha256_file, write_json, write_jsonl
from kofinlaw.recipes.pipeline.run import Run, token_counter

if TYPE_CHECKING:
    from kofinlaw.rag.benches.bench_files import BenchFile
    from kofinlaw.rag.benches.corpora import BenchCorpus
    from kofinlaw.rag.benches.forms import BenchSet, Groups
    from kofinlaw.rag.settings import RagSettings
    from kofinlaw.records import Question
    from kofinlaw.scoring.benches.bench_record import RetrievalPart

__all__ = ["bench_index", "open_corpus", "retrieval_part", "searching_settings"]

_DEPTH = 10


def open_corpus(
    run: Run, bench: BenchSet, path: Path, out: Path, progress: Progress
) -> BenchCorpus:
    """Return the set's corpus in a file of passages or a folder of documents.

    Documents are read into `out` as a run reads its own; their units are pages.

    Raises UserError for a corpus of another form, and for documents without pages.
    """
    from kofinlaw.rag.benches.corpora import BenchCorpus, page_units, read_corpus

    if not any(one.pages for one in bench.corpora):
        return read_corpus(bench, path)
    if not path.is_dir():
        raise UserError(
            f"the corpus of {bench.name} is a folder with its documents",
            where=f"--corpus {path}",
            remedy="name the folder that holds the PDF files",
        )
    _read_documents(run, path, out, progress)
    from kofinlaw.data.law.versions import read_chunks

    chunks = tuple(read_chunks(out / "chunks.jsonl"))
    units = {chunk.id: found for chunk in chunks if (found := page_units(chunk))}
    if not units:
        raise UserError(
            "no document in this folder has pages",
            where=str(path),
            remedy="name the folder with the PDF files of the set",
        )
    return BenchCorpus(path, chunks, units)


def _read_documents(run: Run, path: Path, out: Path, progress: Progress) -> None:
    """Build the corpus of the documents, unless the same files were read before."""
    from kofinlaw.data.corpus import build_corpus
    from kofinlaw.data.settings import (
        DataSettings,
        DuplicateSettings,
        QualitySettings,
        SourceSettings,
    )

    files = sorted(file for file in path.rglob("*") if file.is_file())
    sizes = [(str(f.relative_to(path)), f.stat().st_size, f.stat().st_mtime_ns) for f in files]
    made_from = hashlib.sha256(repr(sizes).encode("utf-8", "surrogatepass")).hexdigest()
    record = out / "made_from.json"
    if record.is_file() and (out / "chunks.jsonl").is_file():
        rows = [row for _, row in read_json_lines(record)]
        if rows == [{"files": made_from}]:
            return
    settings = DataSettings(  # nothing that a question may name is filtered
        sources=(SourceSettings(path=str(path.resolve())),),
        quality=QualitySettings(min_characters=0, min_hangul_share=0, max_broken_share=1),
        near_duplicates=DuplicateSettings(enabled=False),
    )
    build_corpus(
        settings,
        out,
        base=path.resolve().parent,
        count_tokens=token_counter(run, progress),
        progress=progress,
    )
    write_jsonl(record, [{"files": made_from}])


def searching_settings(settings: RagSettings) -> RagSettings:
    """Return how a set's own corpus is searched: as the recipe does, with passages of all kinds."""
    return settings.model_copy(update={"kinds": ()})


def bench_index(run: Run, corpus: BenchCorpus, out: Path, progress: Progress) -> Path:
    """Build the index of a corpus in `out/index`, unless it is there already; return its folder."""
    from kofinlaw.rag.index.build import build_index

    chunks, index = out / "corpus" / "chunks.jsonl", out / "index"
    if not chunks.is_file() or corpus.path.is_file():
        write_jsonl(chunks, corpus.chunks)
    rag = run.recipe.rag
    made = {
        "chunks": sha256_file(chunks),
        "rag": rag.model_dump(mode="json", include={"lexical", "embedder", "embed_characters"}),
    }
    record = out / "index.made_from.json"
    if (index / "index.json").is_file() and record.is_file():
        from kofinlaw.decoding import load_json

        if load_json(record.read_text(encoding="utf-8")) == made:
            return index
    build_index(chunks, index, rag, cache=run.cache, progress=progress)
    write_json(record, made)
    return index


def retrieval_part(
    run: Run,
    bench: BenchFile,
    corpus: BenchCorpus,
    index: Path,
    absent: int,
    progress: Progress,
) -> RetrievalPart | None:
    """Return how well the recipe's search, and bigrams alone, find the gold passages.

    Query forms that a model writes, and a model as a reranker, are left out. None if no question
    names a gold passage.
    """
    from kofinlaw.rag.index.index import Index
    from kofinlaw.rag.retrieve.retriever import Retriever
    from kofinlaw.rag.settings import WRITTEN_FORMS
    from kofinlaw.scoring.benches.gold_groups import group_difference, group_figures

    questions = list(bench.exam.questions)
    gold: dict[str, Groups] = {q.id: bench.gold.get(q.id, ()) for q in questions}
    if not any(gold.values()):
        return None
    rag = searching_settings(run.recipe.rag)
    forms = tuple(form for form in rag.query_forms if form not in WRITTEN_FORMS) or ("stem",)
    update: dict[str, object] = {
        "k": max(_DEPTH, rag.k),
        "pool": max(_DEPTH, rag.k, rag.pool),
        "query_forms": forms,
        "reranker": "none" if rag.reranker == "llm" else rag.reranker,
    }
    retriever = Retriever(Index.load(index), rag.model_copy(update=update), cache=run.cache)
    progress("search", 0, len(questions))
    hits = retriever.search(questions)
    progress("search", len(questions), len(questions))
    found = {
        question.id: [corpus.units.get(hit.chunk.id, ()) for hit in one[:_DEPTH]]
        for question, one in zip(questions, hits, strict=True)
    }
    plain = _bigram_ranks(questions, corpus)
    score, seed = run.recipe.score, run.recipe.seed
    return {
        "passages": len(corpus.chunks),
        "absent": absent,
        "systems": {
            "recipe": group_figures(gold, found, score, seed),
            "bigrams alone": group_figures(gold, plain, score, seed),
        },
        "differences": [
            group_difference(gold, ("bigrams alone", "recipe"), (plain, found), score, seed)
        ],
    }


def _bigram_ranks(
    questions: list[Question], corpus: BenchCorpus
) -> Mapping[str, list[tuple[str, ...]]]:
    """Return the units of the ten best passages by BM25 over bigrams of stem and options."""
    from kofinlaw.data.korean.lexical import LexicalIndex
    from kofinlaw.data.korean.words import bigrams

    index = LexicalIndex.build([bigrams(chunk.text) for chunk in corpus.chunks])
    out = {}
    for question in questions:
        words = bigrams("\n".join((question.question, *question.options)))
        rows, _ = index.query(words, _DEPTH)
        out[question.id] = [corpus.units.get(corpus.chunks[row].id, ()) for row in rows.tolist()]
    return out
