"""The corpus as a whole: files, counts, the same bytes every time, nothing heavy imported."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from kofinlaw import UserError
from kofinlaw.data.corpus import list_documents
from kofinlaw.data.settings import DataSettings
from kofinlaw.files import read_jsonl
from kofinlaw.recipes.cli.inspect_corpus import inspect_lines
from kofinlaw.records import Article, Chunk

FILES = (
    "chunks.jsonl",
    "earlier.jsonl",
    "articles.jsonl",
    "citations.jsonl",
    "edges.jsonl",
    "duplicates.jsonl",
    "rejected.jsonl",
    "card.md",
    "card.json",
)


SAMPLE = Path(__file__).parents[2] / "data" / "sample" / "corpus"


def chunks(out):
    return list(read_jsonl(out / "chunks.jsonl", Chunk))


def test_an_act_becomes_chunks_articles_and_a_citation_graph(build, act, tmp_path):
    counts = build([act], tmp_path / "out", count_tokens=len)
    assert counts.to_record() == {
        "documents": 1,
        "chunks": 3,
        "earlier_chunks": 0,
        "articles": 3,
        "rejected": 0,
        "card_warnings": 0,
        "citations": 3,
        "citations_resolved": 2,
        "tokens": sum(len(c.text) for c in chunks(tmp_path / "out")),
        "longest_tokens": max(len(c.text) for c in chunks(tmp_path / "out")),
        "files": 1,
        "last_lines": ("1 of 1 files read",),
    }
    edges = [
        json.loads(line) for line in (tmp_path / "out" / "citations.jsonl").read_text().splitlines()
    ]
    assert [(e["source"], e["target"], e["provision"], e["chunk_ids"]) for e in edges] == [
        ("가람법 제2조", "가람법 제2조", "제1항제2호", ["가람법/제2조"]),
        ("가람법 제2조", "가람법 제3조", "", ["가람법/제3조"]),
        ("가람법 제3조", "나래법 제5조", "", []),
    ]
    card = json.loads((tmp_path / "out" / "card.json").read_text(encoding="utf-8"))
    assert card["tokens"]["estimated"] is False
    assert card["licenses"] == {"KR-Copyright-Act-Art7": 1}
    assert (card["oldest"], card["newest"]) == ("2024-07-01", "2024-07-01")


def test_two_runs_and_any_number_of_workers_give_the_same_bytes(build, act, tmp_path):
    rules = {"path": str(SAMPLE), "include": ["*.md", "*.html", "*.hwpx"]}
    build([act, rules], tmp_path / "one", near_duplicates={"tokens": "kiwi"}, workers=1)
    build([act, rules], tmp_path / "two", near_duplicates={"tokens": "kiwi"}, workers=2)
    for name in FILES:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), (
            name
        )


def test_what_a_killed_run_left_does_not_change_the_result(build, act, tmp_path):
    build([act], tmp_path / "one")
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "chunks.jsonl").write_text('{"id": "half', encoding="utf-8")
    build([act], tmp_path / "two")
    for name in FILES:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), (
            name
        )


def test_the_sample_corpus_is_read_whole(build, tmp_path):
    counts = build([SAMPLE], tmp_path / "out")
    assert counts.documents == 10
    assert counts.rejected == 0
    assert counts.citations == counts.citations_resolved
    articles = list(read_jsonl(tmp_path / "out" / "articles.jsonl", Article))
    assert sum(1 for a in articles if a.deleted) == 1
    assert {c.kind for c in chunks(tmp_path / "out")} == {"rule", "guideline"}


def test_nothing_heavy_is_imported():
    code = (
        "import sys, kofinlaw.data.corpus, kofinlaw.data.settings, kofinlaw.data.law.citations, "
        "kofinlaw.data.korean.words; heavy = {'torch', 'kiwipiepy', 'bm25s', 'numba', 'bs4', 'lxml', "
        "'pypdfium2', 'docx', 'openpyxl', 'pptx', 'striprtf', "
        "'pyarrow', 'scipy'} & set(sys.modules); print(sorted(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_inspecting_shows_the_unit_of_that_name_before_those_that_cite_it(build, act, tmp_path):
    path = act / "가람법.md"
    path.write_text(
        path.read_text(encoding="utf-8").replace("자의 권리를", "자의 권리를 가람법 제3조에 따라"),
        encoding="utf-8",
    )
    build([act], tmp_path / "out")
    lines = inspect_lines(tmp_path / "out", "가람법 제3조")
    assert lines[0] == "가람법 제3조"
    assert "가람법 제1조" in lines


def test_text_in_force_later_is_refused_with_article_and_day(build, act, tmp_path):
    with pytest.raises(UserError, match="no document could be read") as error:
        build([act], tmp_path / "out", as_of="2024-06-30")
    assert "가람법 제1조 is in force from 2024-07-01" in error.value.remedy
    assert build([act], tmp_path / "out", as_of="2024-07-01").documents == 1
    assert (
        build([act], tmp_path / "out", as_of="2024-06-30", allow_not_in_force=True).documents == 1
    )
    facts = list_documents(DataSettings(sources=[str(act)]), base=Path("/"))
    assert facts.documents == (("가람법", "2024-07-01", "KR-Copyright-Act-Art7"),)
    assert (facts.files, facts.unread) == (1, ())


def test_a_title_with_slashes_makes_no_path(build, tmp_path):
    folder = tmp_path / "x"
    folder.mkdir()
    (folder / "a.md").write_text(
        "# 여/수신 ../규정\n\n## 1. 범위\n\n여신과 수신을 다루는 범위를 정한다.\n", encoding="utf-8"
    )
    build([folder], tmp_path / "out")
    (chunk,) = read_jsonl(tmp_path / "out" / "chunks.jsonl", Chunk)
    assert chunk.document_id == "여∕수신_..∕규정"
    assert chunk.unit == "여/수신 ../규정 > 1. 범위"
