"""The corpora of evaluation sets, and the gold passages that the questions name in them."""

import pytest

from kofinlaw import UserError
from kofinlaw.rag.benches.bench_files import read_bench
from kofinlaw.rag.benches.corpora import chunk_of, find_corpus, gold_chunks, page_units, read_corpus
from kofinlaw.rag.benches.forms import Passage
from kofinlaw.rag.benches.sets import bench_set


def test_a_corpus_next_to_the_questions_is_found(samples, tmp_path):
    qa = samples.write_rows(tmp_path / "qa.jsonl", samples.autorag())
    assert find_corpus(bench_set("autorag"), qa) is None
    corpus = samples.write_rows(tmp_path / "corpus.parquet", samples.autorag_corpus())
    assert find_corpus(bench_set("autorag"), qa) == corpus
    assert find_corpus(bench_set("kmmlu"), qa) is None


def test_gold_passages_of_autorag_are_in_its_corpus(samples, tmp_path):
    bench = read_bench(
        bench_set("autorag"), [samples.write_rows(tmp_path / "qa.jsonl", samples.autorag())]
    )
    path = samples.write_rows(tmp_path / "corpus.parquet", samples.autorag_corpus())
    corpus = read_corpus(bench.set, path)
    gold, absent = gold_chunks(bench, corpus)
    assert absent == []
    assert [chunk.id for chunk in gold["q1"]] == ["p1", "p2"]
    assert gold["q0"][0].text.endswith(samples.PROVISIONS[0][1])
    smaller = samples.write_rows(tmp_path / "half.parquet", samples.autorag_corpus()[:1])
    with pytest.raises(UserError, match="not in the corpus: p1"):
        gold_chunks(bench, read_corpus(bench.set, smaller))


def test_contexts_of_koblex_are_the_passages_of_its_statutes(samples, tmp_path):
    bench = read_bench(
        bench_set("koblex"), [samples.write_rows(tmp_path / "k.jsonl", samples.koblex())]
    )
    corpus = read_corpus(
        bench.set, samples.write_rows(tmp_path / "statute.jsonl", samples.statutes())
    )
    assert [groups[0][0] for groups in bench.gold.values()] == [c.id for c in corpus.chunks]
    gold, absent = gold_chunks(bench, None)
    assert absent == []
    assert gold["row-0002"][0].text == "\n".join(samples.PROVISIONS[1])


def test_documents_without_text_are_counted_and_absent_ones_named(samples, tmp_path):
    rows = samples.fire_documents()
    rows[1]["text"] = ""
    bench = read_bench(
        bench_set("searchfiresafety"),
        [samples.write_rows(tmp_path / "realworld_qa.jsonl", samples.fire_free())],
    )
    corpus = read_corpus(bench.set, samples.write_rows(tmp_path / "legal_docs.jsonl", rows))
    assert (len(corpus.chunks), corpus.empty) == (2, 1)
    gold, absent = gold_chunks(bench, corpus)
    assert (sorted(gold), absent) == (["0", "2"], ["1"])
    old = [{"doc_id": row["doc_id"], "chapter_body": row["text"]} for row in rows]
    path = samples.write_rows(tmp_path / "doc.jsonl", old)
    assert len(read_corpus(bench.set, path).chunks) == 2


def test_a_corpus_of_another_form_is_refused_with_its_line(samples, tmp_path):
    path = samples.write_rows(tmp_path / "a.jsonl", samples.statutes())
    with pytest.raises(
        UserError, match="columns of the corpus of autorag; it has: hierarchy, content"
    ):
        read_corpus(bench_set("autorag"), path)
    with pytest.raises(UserError, match="kmmlu has no corpus"):
        read_corpus(bench_set("kmmlu"), path)
    twice = [{"doc_id": "a", "contents": "가"}, {"doc_id": "a", "contents": "나"}]
    path = samples.write_rows(tmp_path / "b.jsonl", twice)
    with pytest.raises(UserError, match="`a` is used twice") as error:
        read_corpus(bench_set("autorag"), path)
    assert error.value.where.endswith(":2")


def test_pages_of_a_chunk_are_named_with_their_file():
    chunk = chunk_of(Passage("a", "본문"), "MIT", "책/규정집.pdf")
    from dataclasses import replace

    assert page_units(replace(chunk, pages="3-4")) == ("규정집.pdf p.3", "규정집.pdf p.4")
    assert page_units(replace(chunk, pages="7")) == ("규정집.pdf p.7",)
    assert page_units(chunk) == ()
