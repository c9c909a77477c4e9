"""What speaks for an article besides its words, and the choice of settings on labelled questions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from corpora import TEXTS, PicoEmbedder, chunk, settings, write_chunks
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from kofinlaw import UserError
from kofinlaw.files import write_jsonl
from kofinlaw.rag.fusion import Ranked
from kofinlaw.rag.index.build import build_index
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.retrieve.priors import PRIORS, Priors
from kofinlaw.rag.retrieve.ranking import rank
from kofinlaw.rag.retrieve.refusion import Lists
from kofinlaw.rag.retrieve.retriever import Retriever
from kofinlaw.rag.retrieve.tune import tune, tune_files
from kofinlaw.rag.settings import RetrieverWeights
from kofinlaw.records import Key, Question

DECREE = "전자금융거래법 시행령 제9조"
EDGES = [
    ("전자금융거래법 제6조", "전자금융거래법 제9조의2"),
    ("전자금융거래법 제9조", "전자금융거래법 제9조의2"),
    (DECREE, "개인정보 보호법 제15조"),
]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    folder = tmp_path_factory.mktemp("priors")
    texts = {**TEXTS, DECREE: "접근매체의 종류는 다음과 같다."}
    chunks = write_chunks(folder, [chunk(unit, text) for unit, text in texts.items()])
    rows = [json.dumps({"source": s, "target": t, "resolved": True}) for s, t in EDGES]
    (folder / "citations.jsonl").write_text("\n".join(rows))
    build_index(chunks, folder / "index", settings(lexical="both"))
    return Index.load(folder / "index")


def test_each_prior_is_what_its_name_says(index: Index) -> None:
    # Places: 0 제6조, 1 제9조, 2 제9조의2, 3 and 4 of the other act, 5 the decree.
    priors = Priors(index)
    places, scores = np.array([1, 4, 0, 2, 5]), np.array([1.0, 0.6, 0.5, 0.1, 0.1])
    assert priors.document(places, scores).tolist() == [
        1.0,
        pytest.approx(0.6 / 1.6),
        1.0,
        1.0,
        pytest.approx(0.1 / 1.6),
    ]
    assert priors.linked(places, scores).tolist() == [0, 0, 0, 1, 0]
    assert priors.beside(places, scores).tolist() == [0.5, 0, 1.0, 1.0, 0]
    often = float(np.log(2) / np.log(3))
    assert priors.cited_often(np.array([2, 3, 0]), scores).tolist() == [1, pytest.approx(often), 0]
    assert priors.act(places, scores).tolist() == [1, 1, 1, 1, 0]


def test_a_prior_moves_a_passage_up_and_its_weight_says_how_far(index: Index) -> None:
    question = Question("1", "접근매체의 종류와 위조")
    plain = Retriever(index, settings(k=2)).search([question])[0]
    assert plain[0].chunk.unit == DECREE
    acts = settings(k=2, weights=RetrieverWeights(act=0.5))
    raised = Retriever(index, acts).search([question])[0]
    assert raised[0].chunk.unit == "전자금융거래법 제9조"
    assert raised[0].score == pytest.approx(plain[1].score + 0.5, abs=1e-5)


@st.composite
def some_lists(draw: st.DrawFn) -> list[Ranked]:
    out = []
    for by in draw(st.lists(st.sampled_from(["kiwi:stem", "bigram:stem"]), unique=True)):
        places = draw(st.lists(st.integers(0, 5), unique=True, max_size=6))
        scores = sorted(draw(st.lists(st.integers(1, 9), min_size=len(places),
                                      max_size=len(places))), reverse=True)  # fmt: skip
        out.append(Ranked(by, np.array(places, int), np.array(scores, float), 0.5))
    return out


@hypothesis_settings(max_examples=60, deadline=None)
@given(
    lists=some_lists(),
    fusion=st.sampled_from(["relative_score", "ranked"]),
    priors=st.dictionaries(st.sampled_from(PRIORS), st.sampled_from([0.0, 0.25, 0.5])),
)
def test_lists_fused_again_rank_as_the_search_does(
    index: Index, lists: list[Ranked], fusion: Any, priors: dict[str, float]
) -> None:
    recipe = settings(lexical="both", fusion=fusion, weights=RetrieverWeights(**priors))
    searched = [place for place, _, _ in rank(lists, recipe, Priors(index))]
    assert Lists([lists], Priors(index)).ranked(recipe)[0].tolist() == searched


def test_tuning_finds_the_prior_that_the_labels_ask_for(index: Index) -> None:
    words = ["접근매체의 종류와 위조", "접근매체의 위조로 발생한 사고의 종류는 다음과 같다."]
    questions = [Question(str(i), text) for i, text in enumerate(words)]
    gold = [["전자금융거래법 제9조"]] * 2
    tuned = tune(index, settings(lexical="both"), questions, gold, k=1, choose_k=True)
    rows = {row["name"]: row for row in tuned.table}
    assert rows["bigram"]["recall@1"] == 0
    assert max(row["recall@1"] for row in tuned.table) == 1
    assert any(getattr(tuned.settings.weights, name) > 0 for name in PRIORS)
    hits = Retriever(index, tuned.settings).search(questions)
    assert [found[0].chunk.unit for found in hits] == ["전자금융거래법 제9조"] * 2
    assert (tuned.settings.k, tuned.recall_at[1]) == (1, 1.0)


def test_query_forms_are_swept_where_there_are_options(index: Index) -> None:
    questions = [Question("1", "옳은 것은?", ("72시간 이내에 유출", "아무 것도"))]
    tuned = tune(index, settings(lexical="both"), questions, [["개인정보 보호법 제34조"]], k=1)
    forms = {row["forms"]: row["recall@1"] for row in tuned.table}
    assert forms["stem"] == 0
    assert tuned.settings.query_forms == ("stem_options",) or "stem+stem_options" in forms
    found = Retriever(index, tuned.settings).search(questions)[0]
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
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kofinlaw.rag.retrieve.tune.KS", (3, 20))
    recipe = settings(lexical="both", k=2, rerank_pool=2, reranker="llm")
    unit = "전자금융거래법 제9조"
    chosen = tune(index, recipe, [Question("1", TEXTS[unit])], [[unit]], choose_k=True).settings
    assert chosen.k == 3
    assert type(chosen).model_validate(chosen.model_dump()) == chosen


def test_tuning_writes_its_table_beside_the_chosen_settings(index: Index, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "q.jsonl", [Question(u, t) for u, t in TEXTS.items()])
    write_jsonl(tmp_path / "k.jsonl", [Key(unit, units=(unit,)) for unit in TEXTS])
    tuned = tune_files(
        index.folder, tmp_path / "q.jsonl", tmp_path / "k.jsonl", tmp_path, settings(lexical="both")
    )
    written = json.loads((tmp_path / "tuning.json").read_text(encoding="utf-8"))
    assert type(tuned.settings).model_validate(written["settings"]) == tuned.settings
    lines = (tmp_path / "tuning.md").read_text(encoding="utf-8").splitlines()
    assert [line.split(" | ")[0] for line in lines[6:8]] == ["| kiwi", "| bigram"]
    assert tuned.settings.k == 1
    write_jsonl(tmp_path / "k.jsonl", [Key(unit) for unit in TEXTS])
    with pytest.raises(UserError, match="no question has units"):
        tune_files(index.folder, tmp_path / "q.jsonl", tmp_path / "k.jsonl", tmp_path, settings())
