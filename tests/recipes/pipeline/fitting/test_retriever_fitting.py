"""The command `fit-retriever`: from documents to an embedder that the index takes."""

from __future__ import annotations

import json
import shlex

import pytest

from kofinlaw import UserError
from kofinlaw.files import read_json_lines, write_jsonl
from kofinlaw.models import embedders
from kofinlaw.rag.index.index import Index
from kofinlaw.recipes.pipeline.planning.pair_count import pair_count
from kofinlaw.recipes.pipeline.run import bind
from kofinlaw.recipes.pipeline.schema import load_recipe


@pytest.fixture
def recipe(tmp_path, save_embedder):
    """A recipe of two small acts, and an embedder to start from."""
    lines = ["# 점검법", ""]
    topics = ("전산설비", "거래기록", "비상계획", "접근통제", "외부위탁", "내부감사")
    for number, topic in enumerate(topics, 1):
        lines += [f"##### 제{number}조 ({topic}의 관리)", ""]
        lines += [f"**①** 회사는 {topic}을 매년 점검하여야 한다."]
        lines += [f"**②** 회사는 {topic}의 점검 결과를 위원회에 보고하여야 한다.", ""]
    lines += ["##### 제7조 (회의록)", "", "위원회는 전산설비에 관한 회의록을 공개한다.", ""]
    lines += ["##### 제8조 (벌칙)", "", "거래기록을 위조한 사람은 벌금에 처한다.", ""]
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "점검법.md").write_text("\n".join(lines), encoding="utf-8")
    save_embedder(tmp_path / "base", ["회사는", "점검", "결과를", "위원회에", *topics])
    path = tmp_path / "recipe.yaml"
    path.write_text(
        "name: fitted\nask_only: true\nmodel:\n  id: google/gemma-3-270m\n"
        "data:\n  sources:\n    - {path: docs, kind: statute}\n"
        f"retriever: {{base: {tmp_path / 'base'}, steps: 3, batch: 4, pass_pairs: 4, held_out_share: 0.3}}\n"
        "rag: {lexical: bigram, embedder: null}\n",
        encoding="utf-8",
    )
    return path


def test_the_next_command_builds_an_index_with_the_embedder(recipe, tmp_path, typed, monkeypatch):
    monkeypatch.chdir(tmp_path)
    own = [
        {"anchor": "누가 점검하나", "positive": "회사가 한다."},
        {"anchor": "비상시에 어떻게 하나", "unit": "점검법 제3조"},
    ]
    write_jsonl(tmp_path / "own.jsonl", own)
    reranker = "retriever.reranker={steps: 2, batch: 2, negatives: 1, tokens: 16, layers: 1}"
    options = ("--runs", tmp_path / "runs", "--set", "retriever.pairs=own.jsonl", "--set", reranker)
    code, said = typed("fit-retriever", recipe, *options)
    assert code == 0, said
    assert "2 own" in said
    assert said.index("GiB at most") < said.index("data: working")
    assert "reranker: " in said
    assert "rag.rerank_share" in said
    assert "held-out" in said
    made = [row for _, row in read_json_lines(tmp_path / "runs/fitted/retriever/pairs.jsonl")]
    assert {"anchor", "positive", "negative", "kind", "unit", "chunk"} == set(made[0])
    words = shlex.split(said[said.index("kofinlaw index") :].splitlines()[0], comments=True)
    code, said = typed(*words[1:])
    assert code == 0, said
    index = Index.load(tmp_path / "runs" / "fitted" / "index")
    assert index.meta["embedder"].startswith("model@")
    assert index.vectors is not None
    code, said = typed("fit-retriever", recipe, *options)
    assert code == 0
    for stage, steps in (("retriever", 3), ("reranker", 2)):
        record = json.loads((tmp_path / "runs/fitted" / stage / "stage.json").read_text("utf-8"))
        assert record["counts"]["steps"] == steps


def test_the_plan_counts_the_documents_of_today_and_not_of_an_earlier_run(recipe, tmp_path, typed):
    options = ("--runs", tmp_path / "runs")
    code, said = typed("fit-retriever", recipe, *options)
    assert code == 0, said

    def headings():
        run = bind(*load_recipe(str(recipe), []), tmp_path / "runs", cache=tmp_path / "cache")
        return pair_count(run).kinds["heading"]

    assert headings() == 6  # headings of three characters give no pair
    chunks = tmp_path / "runs" / "fitted" / "data" / "chunks.jsonl"
    chunks.write_text("", encoding="utf-8")  # read, since no document changed
    with pytest.raises(UserError, match="no pairs"):
        headings()
    act = tmp_path / "docs" / "점검법.md"
    added = "\n##### 제9조 (과태료의 부과)\n\n보고를 하지 아니한 사람에게 과태료를 부과한다.\n"
    act.write_text(act.read_text("utf-8") + added, encoding="utf-8")
    assert headings() == 7


@pytest.mark.parametrize(
    ("lines", "where", "why"),
    [
        ("", "own.jsonl", "the file of own pairs is empty"),
        ('{"anchor": "가", "positive": "나"}\n{"anchor": ', "own.jsonl:2", "broken JSON"),
        ('{"question": "가", "positive": "나"}', "own.jsonl:1", "no key `question`"),
        ('{"anchor": "가"}', "own.jsonl:1", "positive must be a text"),
    ],
)
def test_a_fault_in_own_pairs_is_named_before_any_work(recipe, tmp_path, typed, lines, where, why):
    (tmp_path / "own.jsonl").write_text(lines, encoding="utf-8")
    options = ("--runs", tmp_path / "runs", "--set", "retriever.pairs=own.jsonl")
    code, said = typed("fit-retriever", recipe, *options)
    assert code == 1
    assert where in said
    assert why in said
    assert not (tmp_path / "runs" / "fitted" / "data").exists()


def test_a_missing_package_and_a_wrong_base_are_named_before_any_work(
    recipe, tmp_path, typed, monkeypatch
):
    options = ("--runs", tmp_path / "runs", "--set")
    for base, why in {
        "google/gemma-3-270m": "not an embedder",
        "BAAI/bge-m3": "are not on this machine",
        str(tmp_path / "docs"): "holds modules.json",
    }.items():
        code, said = typed("fit-retriever", recipe, *options, f"retriever.base={base}")
        assert code == 1
        assert why in said
    code, said = typed("fit-retriever", recipe, *options, "retriever.kinds=[]")
    assert code == 1
    assert "no pairs" in said
    monkeypatch.setattr(embedders, "find_spec", lambda name: None)
    code, said = typed("fit-retriever", recipe, *options, "retriever.steps=2")
    assert code == 1
    assert "pip install 'kofinlaw[dense]'" in said
    assert not (tmp_path / "runs" / "fitted" / "data").exists()


def test_own_pairs_with_an_evaluation_question_are_refused(recipe, tmp_path, typed):
    write_jsonl(
        tmp_path / "q.jsonl",
        [{"id": "1", "question": "전산설비의 점검 결과를 어디에 보고하는가?", "options": []}],
    )
    write_jsonl(tmp_path / "k.jsonl", [{"id": "1", "answer": "위원회"}])
    text = recipe.read_text(encoding="utf-8")
    recipe.write_text(
        text + "evaluate: {questions: q.jsonl, key: k.jsonl, systems: [base, base-rag]}\n",
        encoding="utf-8",
    )
    own = {"anchor": "전산설비의 점검 결과를 어디에 보고하는가?", "positive": "위원회에 보고한다."}
    write_jsonl(tmp_path / "own.jsonl", [own])
    options = ("--runs", tmp_path / "runs", "--set", "retriever.pairs=own.jsonl")
    code, said = typed("fit-retriever", recipe, *options)
    assert code == 1
    assert "own.jsonl:1" in said
    assert "evaluation question" in said
    write_jsonl(tmp_path / "own.jsonl", [{"anchor": "가", "unit": "점검법 제33조"}])
    code, said = typed("fit-retriever", recipe, *options)
    assert code == 1
    assert "own.jsonl:1" in said
    assert "did you mean `점검법 제3조`" in said


def test_a_batch_that_is_too_large_says_what_fits(recipe, tmp_path, typed):
    options = ("--runs", tmp_path / "runs", "--set", "retriever.batch=64")
    code, said = typed("fit-retriever", recipe, *options)
    assert code == 1
    assert "retriever.batch" in said


def test_a_static_embedder_is_joined_with_its_base(recipe, tmp_path, typed, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = ("--runs", tmp_path / "runs", "--set", "retriever.method=static")
    code, said = typed("fit-retriever", recipe, *options)
    assert code == 0, said
    assert "the trained embedder alone, which embeds faster: rag.embedder=" in said
    words = shlex.split(said[said.index("kofinlaw index") :].splitlines()[0], comments=True)
    code, said = typed(*words[1:])
    assert code == 0, said
    index = Index.load(tmp_path / "runs" / "fitted" / "index")
    assert index.meta["embedder"].startswith("joined@")
    assert index.vectors.shape[1] == 32
    code, said = typed("fit-retriever", recipe, *options, "--set", "retriever.base_share=0")
    assert code == 0, said
    assert not (tmp_path / "runs" / "fitted" / "retriever" / "joined").exists()
    assert "retriever/model" in said[said.index("kofinlaw index") :]
