"""The corpora of evaluation sets as indexes: files of passages, and documents by page."""

import importlib.util
from pathlib import Path

import pytest

from kofinlaw import UserError, silent
from kofinlaw.rag.benches.bench_files import read_bench
from kofinlaw.rag.benches.corpora import gold_chunks
from kofinlaw.rag.benches.sets import bench_set
from kofinlaw.recipes.pipeline.evaluation.bench_search import (
    bench_index,
    open_corpus,
    retrieval_part,
)
from kofinlaw.recipes.pipeline.run import bind
from kofinlaw.recipes.pipeline.schema import load_recipe

TESTS = Path(__file__).parents[3]
PAGES = [
    "The counter answers a customer within fifteen minutes after the ticket.",
    "Interest on arrears begins on the day after the date of maturity.",
    "Two employees keep the keys of the vault and record every opening.",
]


def loaded(name):
    spec = importlib.util.spec_from_file_location(name.stem, name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def run(pico, tmp_path):
    return bind(*load_recipe(str(pico / "recipe.yaml")), tmp_path / "runs", tmp_path / "cache")


def test_documents_are_searched_by_page(run, tmp_path):
    make_pdf = loaded(TESTS / "data" / "sample_files.py").make_pdf
    samples = loaded(TESTS / "rag" / "benches" / "bench_samples.py")
    folder = tmp_path / "documents"
    folder.mkdir()
    make_pdf(folder / "rules.pdf", PAGES)
    rows = [
        {**row, "target_file_name": "rules.pdf", "target_page_no": page, "question": question}
        for row, page, question in zip(
            samples.allganize(),
            ("2", "1", "3"),
            ("When does interest on arrears begin?", "When does the counter answer?",
             "Who keeps the keys of the vault?"),
            strict=True,
        )
    ]  # fmt: skip
    path = samples.write_rows(tmp_path / "rag_evaluation_result.csv", rows)
    bench = read_bench(bench_set("allganize"), [path])
    out = tmp_path / "out"
    corpus = open_corpus(run, bench.set, folder, out / "corpus", silent)
    gold, absent = gold_chunks(bench, corpus)
    assert absent == []
    assert "arrears" in gold["row-0001"][0].text
    index = bench_index(run, corpus, out, silent)
    part = retrieval_part(run, bench, corpus, index, len(absent), silent)
    assert part["systems"]["recipe"]["recall"]["10"]["value"] == 1.0
    made = (index / "index.json").stat().st_mtime_ns
    again = open_corpus(run, bench.set, folder, out / "corpus", silent)
    assert bench_index(run, again, out, silent) == index
    assert (index / "index.json").stat().st_mtime_ns == made
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError):
        open_corpus(run, bench.set, tmp_path / "empty", tmp_path / "other", silent)
    with pytest.raises(UserError, match="a folder with its documents"):
        open_corpus(run, bench.set, path, tmp_path / "other", silent)
