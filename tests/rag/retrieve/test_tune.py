"""Settings chosen on questions with known articles."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from corpora import TEXTS, PicoEmbedder, settings, write_chunks

from kofinlaw import UserError
from kofinlaw.files import write_jsonl
from kofinlaw.rag.index.build import build_index
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.retrieve.priors import PRIORS
from kofinlaw.rag.retrieve.retriever import Retriever
from kofinlaw.rag.retrieve.tune import tune, tune_files
from kofinlaw.records import Key, Question


def test_tuning_keeps_the_singles_in_its_table_and_agrees_with_search(
    tmp_path: Path, chunks: Path
) -> None:
    from kofinlaw.rag.retrieve.tune import tune

    build_index(chunks, tmp_path / "index", settings(lexical="both"))
    index = Index.load(tmp_path / "index")
    questions = [Question(unit, text.split()[0]) for unit, text in TEXTS.items()]
    gold = [[unit] for unit in TEXTS]
    tuned = tune(index, settings(lexical="both"), questions, gold, k=2)
    assert [row["name"] for row in tuned.table[:2]] == ["kiwi", "bigram"]
    hits = Retriever(index, tuned.settings.model_copy(update={"k": 2})).search(questions)
    share = sum(
        q.id in [hit.chunk.unit for hit in found] for q, found in zip(questions, hits, strict=True)
    )
    assert max(row["recall@2"] for row in tuned.table) == share / len(questions)


def test_tuning_finds_the_prior_that_the_labels_ask_for(cited_index: Index) -> None:
    words = ["접근매체의 종류와 위조", "접근매체의 위조로 발생한 사고의 종류는 다음과 같다."]
    questions = [Question(str(i), text) for i, text in enumerate(words)]
    gold = [["전자금융거래법 제9조"]] * 2
    tuned = tune(cited_index, settings(lexical="both"), questions, gold, k=1, choose_k=True)
    rows = {row["name"]: row for row in tuned.table}
    assert rows["bigram"]["recall@1"] == 0
    assert max(row["recall@1"] for row in tuned.table) == 1
    assert any(getattr(tuned.settings.weights, name) > 0 for name in PRIORS)
    hits = Retriever(cited_index, tuned.settings).search(questions)
    assert [found[0].chunk.unit for found in hits] == ["전자금융거래법 제9조"] * 2
    assert (tuned.settings.k, tuned.recall_at[1]) == (1, 1.0)


def test_query_forms_are_swept_where_there_are_options(cited_index: Index) -> None:
    questions = [Question("1", "옳은 것은?", ("72시간 이내에 유출", "아무 것도"))]
    tuned = tune(
        cited_index, settings(lexical="both"), questions, [["개인정보 보호법 제34조"]], k=1
    )
    forms = {row["forms"]: row["recall@1"] for row in tuned.table}
    assert forms["stem"] == 0
    assert tuned.settings.query_forms == ("stem_options",) or "stem+stem_options" in forms
    found = Retriever(cited_index, tuned.settings).search(questions)[0]
    assert found[0].chunk.unit == "개인정보 보호법 제34조"


def test_lists_are_tuned_one_by_one_for_a_server_that_fuses_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WEAVIATE_URL", raising=False)
    monkeypatch.setattr("kofinlaw.models.embedders.open_embedder", lambda *_, **__: PicoEmbedder())
    build_index(write_chunks(tmp_path), tmp_path / "index", settings(embedder="pico"))
    index = Index.load(tmp_path / "index")
    questions = [Question(unit, text) for unit, text in TEXTS.items()]
    gold = [[unit] for unit in TEXTS]
    tuned = [
        tune(index, settings(embedder="pico", store=store), questions, gold, choose_k=True)
        for store in ("local", "weaviate")
    ]
    assert tuned[1].table == tuned[0].table
    assert max(row["mrr"] for row in tuned[1].table) == 1.0
    assert tuned[1].settings.store == "weaviate"


def test_a_reranker_reads_as_many_passages_as_the_chosen_k(
    cited_index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kofinlaw.rag.retrieve.tune.KS", (3, 20))
    recipe = settings(lexical="both", k=2, rerank_pool=2, reranker="llm")
    unit = "전자금융거래법 제9조"
    chosen = tune(
        cited_index, recipe, [Question("1", TEXTS[unit])], [[unit]], choose_k=True
    ).settings
    assert chosen.k == 3
    assert type(chosen).model_validate(chosen.model_dump()) == chosen


def test_tuning_writes_its_table_and_the_chosen_settings(
    cited_index: Index, tmp_path: Path
) -> None:
    write_jsonl(tmp_path / "q.jsonl", [Question(u, t) for u, t in TEXTS.items()])
    write_jsonl(tmp_path / "k.jsonl", [Key(unit, units=(unit,)) for unit in TEXTS])
    tuned = tune_files(
        cited_index.folder,
        tmp_path / "q.jsonl",
        tmp_path / "k.jsonl",
        tmp_path,
        settings(lexical="both"),
    )
    written = json.loads((tmp_path / "tuning.json").read_text(encoding="utf-8"))
    assert type(tuned.settings).model_validate(written["settings"]) == tuned.settings
    lines = (tmp_path / "tuning.md").read_text(encoding="utf-8").splitlines()
    assert [line.split(" | ")[0] for line in lines[6:8]] == ["| kiwi", "| bigram"]
    assert tuned.settings.k == 1
    write_jsonl(tmp_path / "k.jsonl", [Key(unit) for unit in TEXTS])
    with pytest.raises(UserError, match="no question has units"):
        tune_files(
            cited_index.folder, tmp_path / "q.jsonl", tmp_path / "k.jsonl", tmp_path, settings()
        )
