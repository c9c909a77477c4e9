"""Fusion, the index on disk and the retriever."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kofinlaw import UserError
from kofinlaw.files import write_jsonl
from kofinlaw.rag.fusion import Ranked, fuse
from kofinlaw.rag.index.build import build_index
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.index.stores.local import nearest
from kofinlaw.rag.retrieve.query_forms import queries_of
from kofinlaw.rag.retrieve.retriever import Retriever
from kofinlaw.rag.settings import RagSettings
from kofinlaw.records import Chunk, Question

TEXTS = {
    "전자금융거래법 제6조": "접근매체를 사용하거나 관리하는 자는 접근매체를 제3자에게 대여할 수 없다.",
    "전자금융거래법 제9조": "금융회사는 접근매체의 위조로 발생한 사고로 이용자에게 손해가 생기면 배상할 책임을 진다.",
    "전자금융거래법 제9조의2": "이용자는 오류정정을 요구할 수 있고 금융회사는 14일 이내에 알려야 한다.",
    "개인정보 보호법 제15조": "개인정보처리자는 정보주체의 동의를 받은 경우 개인정보를 수집할 수 있다.",
    "개인정보 보호법 제34조": "개인정보가 유출되면 72시간 이내에 정보주체에게 알려야 한다.",
}


def chunk(unit: str, text: str) -> Chunk:
    title = unit.rsplit(" ", 1)[0]
    return Chunk(
        unit.replace(" ", "/"), title, title, "statute", unit, unit, f"{unit}\n{text}",
        "2025-07-31", "test", "PD", unit,
    )  # fmt: skip


@pytest.fixture
def chunks(tmp_path: Path) -> Path:
    path = tmp_path / "chunks.jsonl"
    write_jsonl(path, [chunk(unit, text) for unit, text in TEXTS.items()])
    return path


def settings(**values: Any) -> RagSettings:
    return RagSettings(**{"lexical": "bigram", "citation_lookup": False, "k": 3, **values})


def ranked(by: str, places: list[int], scores: list[float], weight: float = 1.0) -> Ranked:
    return Ranked(by, np.array(places), np.array(scores), weight)


def test_relative_score_is_weavates_min_max_sum() -> None:
    fused = fuse(
        [ranked("a", [0, 1, 2], [3.0, 2.0, 1.0], 0.3), ranked("b", [2, 1], [0.9, 0.5], 0.7)]
    )
    assert [(place, round(score, 6)) for place, score, _ in fused] == [
        (2, 0.7),
        (0, 0.3),
        (1, 0.15),
    ]
    assert fused[0][2] == ("a", "b")


def test_ranked_fusion_adds_weighted_inverse_ranks() -> None:
    fused = fuse([ranked("a", [5, 7], [9.0, 1.0]), ranked("b", [7], [1.0])], "ranked")
    assert fused[0][0] == 7
    assert fused[0][1] == pytest.approx(0.5 / 62 + 0.5 / 61)


def test_equal_scores_all_count_as_best() -> None:
    assert [score for _, score, _ in fuse([ranked("a", [3, 1], [2.0, 2.0])])] == [1.0, 1.0]
    assert fuse([ranked("a", [], [])]) == []


def test_nearest_is_exact_with_ties_by_place() -> None:
    vectors = np.array([[1, 0], [0, 1], [1, 0]], dtype=np.float32)
    places, scores = nearest(vectors, np.array([1.0, 0.0]), 2)
    assert (places.tolist(), scores.tolist()) == ([0, 2], [1.0, 1.0])


def test_query_forms_share_the_weight() -> None:
    made = queries_of(Question("q", "물음?", ("가", "나")), ("stem", "stem_options", "per_option"))
    assert [text for _, text, _ in made] == ["물음?", "물음?\n가\n나", "물음?\n가", "물음?\n나"]
    assert sum(share for _, _, share in made) == pytest.approx(1.0)
    assert queries_of(Question("q", "물음?"), ("stem_options",)) == [("stem", "물음?", 1.0)]


@pytest.mark.parametrize("lexical", ["bigram", "kiwi", "both"])
def test_build_load_search(tmp_path: Path, chunks: Path, lexical: str) -> None:
    figures = build_index(chunks, tmp_path / "index", settings(lexical=lexical))
    assert figures.chunks == 5
    index = Index.load(tmp_path / "index")
    retriever = Retriever(index, settings(lexical=lexical))
    found = retriever.search(
        [
            Question("1", "접근매체가 위조되어 이용자에게 손해가 나면 누가 배상하는가?"),
            Question("2", "개인정보 유출을 알려야 하는 시간은?", ("24시간", "72시간")),
        ]
    )
    assert [hits[0].chunk.unit for hits in found] == [
        "전자금융거래법 제9조",
        "개인정보 보호법 제34조",
    ]
    assert found[0][0].chunk.text.startswith("전자금융거래법 제9조\n금융회사는")
    assert not (tmp_path / "index" / "building").exists()


def test_the_same_questions_find_the_same_alone_and_together(tmp_path: Path, chunks: Path) -> None:
    build_index(chunks, tmp_path / "index", settings())
    retriever = Retriever(Index.load(tmp_path / "index"), settings())
    questions = [Question(str(i), text) for i, text in enumerate(TEXTS.values())]
    together = retriever.search(questions)
    assert together == [retriever.search([question])[0] for question in questions]


def test_a_build_killed_in_the_middle_goes_on(
    tmp_path: Path, chunks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import kofinlaw.rag.index.blocks as module

    monkeypatch.setattr(module, "BLOCK", 2)
    calls: list[int] = []
    real = module.tokens_of

    def dying(kind: str, texts: Any, *, workers: int = 1) -> Any:
        calls.append(len(texts))
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(kind, texts, workers=workers)

    monkeypatch.setattr(module, "tokens_of", dying)
    with pytest.raises(KeyboardInterrupt):
        build_index(chunks, tmp_path / "index", settings())
    with pytest.raises(UserError, match="no finished index"):
        Index.load(tmp_path / "index")
    build_index(chunks, tmp_path / "index", settings())
    assert calls == [2, 2, 2, 1]
    monkeypatch.undo()
    build_index(chunks, tmp_path / "whole", settings())
    one, other = Index.load(tmp_path / "index"), Index.load(tmp_path / "whole")
    assert one.fingerprint == other.fingerprint
    assert one.chunks == other.chunks
    assert one.tokens("bigram") == other.tokens("bigram")


def test_unchanged_passages_are_taken_from_the_previous_index(tmp_path: Path, chunks: Path) -> None:
    build_index(chunks, tmp_path / "old", settings())
    more = tmp_path / "more.jsonl"
    write_jsonl(more, [*(chunk(u, t) for u, t in TEXTS.items()), chunk("신용정보법 제1조", "목적")])
    figures = build_index(more, tmp_path / "new", settings(), previous=tmp_path / "old")
    assert figures.reused == 5
    assert Index.load(tmp_path / "new").tokens("bigram")[:5] == Index.load(tmp_path / "old").tokens(
        "bigram"
    )


def test_an_index_that_does_not_fit_is_refused(tmp_path: Path, chunks: Path) -> None:
    folder = tmp_path / "index"
    build_index(chunks, folder, settings())
    index = Index.load(folder)
    with pytest.raises(UserError, match="no kiwi tokens"):
        Retriever(index, settings(lexical="kiwi"))
    with pytest.raises(UserError, match="vectors of no embedder"):
        Retriever(index, settings(embedder="intfloat/multilingual-e5-small"))
    meta = json.loads((folder / "index.json").read_text())
    (folder / "index.json").write_text(json.dumps({**meta, "format": 0}))
    with pytest.raises(UserError, match="format 0"):
        Index.load(folder)


def test_an_index_cut_off_in_the_middle_is_called_damaged(tmp_path: Path, chunks: Path) -> None:
    folder = tmp_path / "index"
    build_index(chunks, folder, settings())
    for file in folder.glob("g-*/lexical-bigram/*.npy"):
        file.write_bytes(file.read_bytes()[:10])
    with pytest.raises(UserError, match="damaged"):
        Retriever(Index.load(folder), settings()).search([Question("1", "접근매체")])
    for file in folder.rglob("data/*.lance"):
        file.write_bytes(file.read_bytes()[:10])
    with pytest.raises(UserError, match="damaged"):
        _ = Index.load(folder).chunks


def test_an_empty_corpus_and_a_repeated_id_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "chunks.jsonl"
    path.write_text("")
    with pytest.raises(UserError, match="no passage"):
        build_index(path, tmp_path / "index", settings())
    one = chunk("가법 제1조", "목적")
    write_jsonl(path, [one, one])
    with pytest.raises(UserError, match="two passages have the id `가법/제1조`"):
        build_index(path, tmp_path / "index", settings())


def test_neighbours_stand_behind_the_hits(tmp_path: Path, chunks: Path) -> None:
    build_index(chunks, tmp_path / "index", settings())
    retriever = Retriever(Index.load(tmp_path / "index"), settings(k=1, neighbours=1))
    hits = retriever.search([Question("1", "위조로 발생한 손해 배상")])[0]
    assert [hit.chunk.unit for hit in hits] == [
        "전자금융거래법 제9조",
        "전자금융거래법 제6조",
        "전자금융거래법 제9조의2",
    ]
    assert hits[1].by == ("neighbour",)


def test_an_article_the_question_cites_comes_first(tmp_path: Path, chunks: Path) -> None:
    build_index(chunks, tmp_path / "index", settings())
    index = Index.load(tmp_path / "index")
    question = Question("1", "개인정보 보호법 제15조에 따르면 유출을 알려야 하는 시간은?")
    without = Retriever(index, settings()).search([question])[0]
    cited = Retriever(index, settings(citation_lookup=True)).search([question])[0]
    assert without[0].chunk.unit == "개인정보 보호법 제34조"
    assert cited[0].chunk.unit == "개인정보 보호법 제15조"
    assert "citation" in cited[0].by
    assert len(cited) == 3


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


def test_decisions_like_the_question_vote_for_what_they_cite(tmp_path: Path) -> None:
    def case(number: int, issue: str, cites: str) -> list[Chunk]:
        parts = [f"[1]\n판시사항: {issue}", f"참조조문\n{cites}"]
        return [
            Chunk(f"판례{number}/{i}", f"판례{number}", f"판례{number}", "case", "", f"판례{number} > {i}",
                  text, "2010-01-01", "t", "PD", f"{number}{i}")
            for i, text in enumerate(parts)
        ]  # fmt: skip

    path = tmp_path / "chunks.jsonl"
    write_jsonl(
        path,
        [
            *(chunk(unit, text) for unit, text in TEXTS.items()),
            *case(1, "보이스피싱 조직에 통장을 넘긴 행위의 처벌 여부", "전자금융거래법 제6조"),
            *case(2, "회원 명부를 잃어버린 학원의 통지 의무", "개인정보 보호법 제34조, 제15조"),
        ],
    )
    build_index(path, tmp_path / "index", settings())
    index = Index.load(tmp_path / "index")
    assert index.cited == {5: [0], 6: [0], 7: [4, 3], 8: [4, 3]}
    question = Question("1", "보이스피싱 조직에 통장을 넘긴 사람은 처벌되는가?")
    voted = settings(case_votes=0.6, kinds=("statute",))
    hits = Retriever(index, voted).search([question])[0]
    assert hits[0].chunk.unit == "전자금융거래법 제6조"
    assert "cases:stem" in hits[0].by
    assert all(hit.chunk.kind == "statute" for hit in hits)
    without = np.array([not c.document_id.startswith("판례1") for c in index.chunks])
    left = Retriever(index, voted).search([question], allowed=lambda q: without)[0]
    assert "전자금융거래법 제6조" not in [hit.chunk.unit for hit in left]
