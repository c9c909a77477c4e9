import json
import subprocess
import sys
from pathlib import Path

import pytest

from kofinlaw import UserError
from kofinlaw.data.corpus import build_corpus
from kofinlaw.data.corpus_diff import Changes, compare_corpora
from kofinlaw.data.settings import DataSettings
from kofinlaw.files import read_json_lines, read_jsonl
from kofinlaw.recipes.cli.inspect_corpus import inspect_lines
from kofinlaw.records import Article, Chunk, Rejected

FILES = (
    "chunks.jsonl",
    "earlier.jsonl",
    "articles.jsonl",
    "citations.jsonl",
    "duplicates.jsonl",
    "rejected.jsonl",
    "card.md",
    "card.json",
)
SAMPLE = Path(__file__).parents[2] / "data" / "sample" / "corpus"


def build(sources, out, count_tokens=None, protected_texts=(), **settings):
    listed = [s if isinstance(s, dict) else str(s) for s in sources]
    return build_corpus(
        DataSettings(sources=listed, **settings),
        out,
        base=out.parent,
        count_tokens=count_tokens,
        protected_texts=protected_texts,
    )


def chunks(out):
    return list(read_jsonl(out / "chunks.jsonl", Chunk))


def rejected(out):
    return [(r.id, r.reason) for r in read_jsonl(out / "rejected.jsonl", Rejected)]


def test_an_act_becomes_chunks_articles_and_a_citation_graph(act, tmp_path):
    counts = build([act], tmp_path / "out", count_tokens=len)
    assert counts == {
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


def test_an_annex_is_read_with_the_short_names_of_its_documents_articles(act, tmp_path):
    (act / "가람법 시행령.md").write_text(
        "---\n제목: 가람법 시행령\n법령구분: 대통령령\n시행일자: 2024-07-01\n---\n\n# 가람법 시행령\n\n"
        "##### 제2조 (수수료)\n\n수수료는 백원으로 한다.\n",
        encoding="utf-8",
    )
    (act / "가람감독규정.md").write_text(
        "---\n제목: 가람감독규정\n법령구분: 고시\n시행일자: 2024-07-01\n---\n\n# 가람감독규정\n\n"
        '##### 제1조 (목적)\n\n이 규정은 「가람법」(이하 "법"이라 한다) 및 같은 법 시행령'
        '(이하 "영"이라 한다)에서 위임된 사항을 정한다.\n\n'
        "##### 제2조 (보고)\n\n은행은 보고하여야 한다.\n\n"
        "## 별표 1 수수료의 기준(영 제2조제1항 관련)\n\n수수료는 이용자에게 미리 알린다.\n",
        encoding="utf-8",
    )
    build([act], tmp_path / "out")
    edges = read_json_lines(tmp_path / "out" / "citations.jsonl")
    assert [
        (e["target"], e["provision"]) for _, e in edges if e["source"] == "가람감독규정 별표 1"
    ] == [("가람법 시행령 제2조", "제1항")]


def test_jsonl_and_parquet_load_alike_with_datasets(act, tmp_path):
    datasets = pytest.importorskip("datasets")
    build([act], tmp_path / "out", parquet=True)
    for name, rows in (("chunks", 3), ("articles", 3), ("citations", 3)):
        load = {"cache_dir": str(tmp_path / "cache"), "split": "train"}
        path = str(tmp_path / "out" / name)
        columns = datasets.load_dataset("parquet", data_files=f"{path}.parquet", **load)
        lines = datasets.load_dataset("json", data_files=f"{path}.jsonl", **load)
        assert columns.num_rows == rows
        assert [as_text(row) for row in lines.to_list()] == columns.to_list()


def as_text(row):
    """The JSON reader of datasets takes days for times; in Parquet they are texts."""
    return {**row, "as_of": row["as_of"].date().isoformat()} if "as_of" in row else row


def test_parquet_holds_the_rows_of_every_jsonl_file_and_empty_ones_have_columns(act, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    build([act], tmp_path / "out", parquet=True)
    for name in ("chunks", "earlier", "articles", "citations", "duplicates", "rejected"):
        table = parquet.read_table(tmp_path / "out" / f"{name}.parquet")
        lines = (tmp_path / "out" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
        assert table.to_pylist() == [json.loads(line) for line in lines]
        assert table.num_columns >= 4
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == sorted(
        [*FILES, *(f"{n.removesuffix('.jsonl')}.parquet" for n in FILES if n.endswith("jsonl"))]
    )


def test_two_runs_and_any_number_of_workers_give_the_same_bytes(act, tmp_path):
    rules = {"path": str(SAMPLE), "include": ["*.md", "*.html", "*.hwpx"]}
    build([act, rules], tmp_path / "one", near_duplicates={"tokens": "kiwi"}, workers=1)
    build([act, rules], tmp_path / "two", near_duplicates={"tokens": "kiwi"}, workers=2)
    for name in FILES:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), (
            name
        )


def test_what_a_killed_run_left_does_not_change_the_result(act, tmp_path):
    build([act], tmp_path / "one")
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "chunks.jsonl").write_text('{"id": "half', encoding="utf-8")
    build([act], tmp_path / "two")
    for name in FILES:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), (
            name
        )


def test_personal_data_is_masked_in_chunks_and_articles(act, tmp_path):
    text = (act / "가람법.md").read_text(encoding="utf-8")
    (act / "가람법.md").write_text(
        text.replace("알려야 하며", "010-1234-5678로 알려야 하며"), encoding="utf-8"
    )
    build([act], tmp_path / "mask")
    everything = "".join((tmp_path / "mask" / name).read_text(encoding="utf-8") for name in FILES)
    assert "010-1234-5678" not in everything
    assert "[전화번호]로 알려야 하며" in everything
    build([act], tmp_path / "reject", personal_data="reject")
    assert rejected(tmp_path / "reject") == [("가람법/제3조", "personal_data")]
    assert "010-1234-5678" not in (tmp_path / "reject" / "rejected.jsonl").read_text(
        encoding="utf-8"
    )
    build([act], tmp_path / "keep", personal_data="keep")
    assert any("010-1234-5678" in c.text for c in chunks(tmp_path / "keep"))


def test_protected_questions_do_not_get_into_the_corpus(act, tmp_path):
    question = (
        "은행 이용자가 수수료를 미리 알지 못한 경우에 은행이 하여야 하는 일로 옳은 것은 무엇인가?"
    )
    (act / "기출.md").write_text(
        f"# 기출 문제\n\n## 1번\n\n{question}\n\n## 2번\n\n다른 이야기를 길게 적는다.\n",
        encoding="utf-8",
    )
    build([act], tmp_path / "out", protected_texts=[question])
    assert rejected(tmp_path / "out") == [("기출_문제/1번", "contaminated")]
    assert question[:20] not in (tmp_path / "out" / "rejected.jsonl").read_text(encoding="utf-8")


def test_a_short_protected_text_does_not_hide_behind_a_chunks_header(act, tmp_path):
    question = "수수료를 미리 알려야 하는 자는?"
    (act / "기출.md").write_text(
        f"# 기출 문제\n\n## 1번\n\n{question}\n\n## 2번\n\n다른 이야기를 길게 적는다.\n",
        encoding="utf-8",
    )
    build([act], tmp_path / "out", protected_texts=[question], quality={"min_characters": 1})
    assert rejected(tmp_path / "out") == [("기출_문제/1번", "contaminated")]


def test_copies_go_and_versions_and_twin_articles_do_not(act, tmp_path):
    text = (act / "가람법.md").read_text(encoding="utf-8")
    (act / "가람법 사본.md").write_text(text, encoding="utf-8")
    (act / "가람법 구법.md").write_text(
        text.replace("2024-07-01", "2020-07-01").replace("권리", "옛 권리"), encoding="utf-8"
    )
    (act / "나래법.md").write_text(text.replace("가람법", "나래법"), encoding="utf-8")
    guide = "# 지침\n\n## 범위\n\n은행 직원은 이용자의 정보를 업무 목적에 꼭 필요한 범위에서만 다룬다.\n"
    (act / "지침 가.md").write_text(guide, encoding="utf-8")
    (act / "지침 나.md").write_text(guide.replace("# 지침", "# 둘째 지침"), encoding="utf-8")
    counts = build([act], tmp_path / "out")
    assert counts["chunks"] == 3 + 3 + 1
    assert sorted(reason for _, reason in rejected(tmp_path / "out")) == [
        "duplicate",
        "duplicate",
    ]
    earlier = list(read_jsonl(tmp_path / "out" / "earlier.jsonl", Chunk))
    assert [c.id for c in earlier] == ["가람법@2020-07-01/제1조"]
    pairs = [
        json.loads(line)
        for line in (tmp_path / "out" / "duplicates.jsonl").read_text().splitlines()
    ]
    assert {p["removed"] for p in pairs if "가람법" in p["first"]} == {False}


def test_a_source_that_is_a_protected_file_is_refused(act, tmp_path):
    with pytest.raises(UserError, match="protected"):
        build([act], tmp_path / "out", protected=[str(act / "가람법.md")])


def test_settings_say_what_is_wrong():
    with pytest.raises(ValueError, match="listed twice"):
        DataSettings(sources=["a", "a"])
    with pytest.raises(ValueError, match="at least 64 tokens"):
        DataSettings(sources=["a"], chunks={"max_tokens_by_kind": {"rule": 5}})
    with pytest.raises(ValueError, match="Extra inputs"):
        DataSettings(sources=["a"], sorces=1)
    assert DataSettings(sources="a").sources[0].path == "a"


def test_the_sample_corpus_is_read_whole(tmp_path):
    counts = build([SAMPLE], tmp_path / "out")
    assert counts["documents"] == 10
    assert counts["rejected"] == 0
    assert counts["citations"] == counts["citations_resolved"]
    articles = list(read_jsonl(tmp_path / "out" / "articles.jsonl", Article))
    assert sum(1 for a in articles if a.deleted) == 1
    assert {c.kind for c in chunks(tmp_path / "out")} == {"rule", "guideline"}


def test_nothing_heavy_is_imported():
    code = (
        "import sys, kofinlaw.data.corpus, kofinlaw.data.settings, kofinlaw.data.law.citations, "
        "kofinlaw.data.korean.words; heavy = {'torch', 'kiwipiepy', 'bm25s', 'numba', 'bs4', 'lxml', "
        "'pypdfium2', 'docx', 'pyarrow', 'scipy'} & set(sys.modules); print(sorted(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_two_corpora_are_compared_article_by_article(act, tmp_path):
    build([act], tmp_path / "one")
    path = act / "가람법.md"
    text = path.read_text(encoding="utf-8")
    text = text.replace("권리를", "권익을").replace("제3조 (수수료)", "제3조 (요금)")
    head, _, tail = text.partition("##### 제2조")
    text = head + "##### 제2조\n\n삭제 <2025.1.1>\n\n##### 제3조" + tail.partition("##### 제3조")[2]
    path.write_text(text + "\n##### 제4조 (벌칙)\n\n과태료를 부과한다.\n", encoding="utf-8")
    build([act], tmp_path / "two")
    assert compare_corpora(tmp_path / "one", tmp_path / "two") == Changes(
        added=("가람법 제4조",),
        amended=("가람법 제1조",),
        repealed=("가람법 제2조",),
        moved=("가람법 제3조",),
        same=0,
    )
    assert compare_corpora(tmp_path / "one", tmp_path / "one").same == 3
    with pytest.raises(UserError, match="no such file"):
        compare_corpora(tmp_path / "one", tmp_path / "none")


def test_inspecting_shows_the_unit_of_that_name_before_those_that_cite_it(act, tmp_path):
    path = act / "가람법.md"
    path.write_text(
        path.read_text(encoding="utf-8").replace("자의 권리를", "자의 권리를 가람법 제3조에 따라"),
        encoding="utf-8",
    )
    build([act], tmp_path / "out")
    lines = inspect_lines(tmp_path / "out", "가람법 제3조")
    assert lines[0] == "가람법 제3조"
    assert "가람법 제1조" in lines
