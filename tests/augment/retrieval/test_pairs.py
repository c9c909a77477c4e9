"""Pairs of queries and passages from the corpus, and their negatives."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kofinlaw import UserError
from kofinlaw.augment.retrieval import pairs as pairs_by_rule
from kofinlaw.augment.retrieval.negatives import with_negatives
from kofinlaw.augment.retrieval.pairs import KINDS, Corpus, build_pairs, read_corpus
from kofinlaw.data.corpus import build_corpus
from kofinlaw.data.settings import DataSettings

ACT = """
##### 제1조 (목적)

이 법은 거래의 안전을 꾀함을 목적으로 한다.

##### 제2조 (정의)

이 법에서 사용하는 용어의 뜻은 다음과 같다.

  1\\. "접속수단"이란 거래의 진실성을 확보하기 위하여 사용되는 비밀번호와 생체정보를 말한다.
  2\\. "침해행위"란 해킹으로 전산설비를 공격하는 행위를 말한다.

##### 제3조 (기록의 보존)

**①** 지급업자는 거래기록을 대통령령으로 정하는 기간 동안 보존하여야 한다.
**②** 지급업자는 보존기간이 지난 기록을 지체 없이 파기하여야 한다.

##### 제4조 (과태료)

**①** 제3조제2항을 위반하여 기록을 파기하지 아니한 자에게는 500만원 이하의 과태료를 부과한다.
**②** 과태료는 위원회가 부과하고 징수한다.
"""
DECREE = """
##### 제1조 (목적)

이 영은 「거래안전법」에서 위임된 사항을 정함을 목적으로 한다.

##### 제2조 (보존기간)

**①** 「거래안전법」 제3조제1항에서 "대통령령으로 정하는 기간"이란 5년을 말한다.
**②** 소액 거래기록의 보존은 1년으로 한다.
"""
OTHERS = """
##### 제1조 (회계감사)

감사인은 회계연도마다 재무제표를 감사하여야 한다.

##### 제2조 (거래기록의 제출)

지급업자는 감독원이 요구하면 거래기록을 제출하여야 한다. 제출 기한은 10일로 한다.

##### 제3조 (보증금의 반환)

관리인은 임차인이 퇴거를 통지한 경우에는 보증금을 30일 이내에 반환하여야 한다.
"""
DECISION = {
    "사건번호": "2015다100",
    "법원명": "대법원",
    "선고일자": "20150101",
    "판시사항": "[1] 거래안전법 제3조에 따라 지급업자가 지난 기록을 없애지 않은 경우의 책임"
    "\n[2] 거래안전법에 정한 비밀번호가 접속수단에 해당하는지 여부(적극)",
    "판결요지": "[1] 책임이 있다.\n[2] 해당한다.",
    "참조조문": "[1]거래안전법 제3조 제2항,제4조 / [2]거래안전법 제2조",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data stage of three documents and a court decision."""
    root = tmp_path_factory.mktemp("pairs")
    titles = {"거래안전법": ACT, "거래안전법 시행령": DECREE, "감사 규정": OTHERS}
    for title, text in titles.items():
        kind = "법률" if title.endswith("법") else "규정"
        head = f"---\n제목: {title}\n법령구분: {kind}\n시행일자: 2025-01-01\n---\n"
        (root / f"{title}.md").write_text(f"{head}# {title}\n{text}", encoding="utf-8")
    (root / "decisions.jsonl").write_text(json.dumps(DECISION, ensure_ascii=False), "utf-8")
    sources = [{"path": str(root / f"{title}.md"), "kind": "statute"} for title in titles] + [
        {"path": str(root / "decisions.jsonl"), "kind": "case"}
    ]
    settings = DataSettings.model_validate({"sources": sources})
    build_corpus(settings, root / "data", base=root, count_tokens=len)
    return root / "data"


@pytest.fixture(scope="module")
def corpus(folder: Path) -> Corpus:
    return read_corpus(folder)


def test_each_kind_points_to_the_passage_that_answers(corpus: Corpus) -> None:
    pairs = build_pairs(corpus, KINDS, seed=0)
    assert {pair.kind for pair in pairs} == set(KINDS)
    by_kind = {kind: {p.anchor: p.unit for p in pairs if p.kind == kind} for kind in KINDS}
    assert by_kind["delegation"] == {
        "지급업자는 거래기록을 대통령령으로 정하는 기간 동안 보존하여야 한다.": "거래안전법 시행령 제2조"
    }
    assert "거래안전법 제3조" in by_kind["citing"].values()
    assert all("제3조" not in anchor for anchor in by_kind["citing"])
    citing = build_pairs(corpus, ("citing",), seed=0)
    assert any(pair.anchor.startswith("위반하여 기록을") for pair in citing)
    assert {"거래안전법 제2조"} == set(by_kind["definition"].values())
    assert by_kind["everyday"] == {
        "관리인은 세입자가 퇴거를 알린 경우에는 보증금을 30일 이내에 돌려줘야 하나요?": "감사 규정 제3조"
    }
    assert by_kind["scenario"] == {
        "저는 관리인입니다. 임차인이 퇴거를 통지했습니다. 어떻게 해야 하나요?": "감사 규정 제3조"
    }
    assert "감사 규정 제3조" in by_kind["question"].values()
    assert "거래안전법 시행령 제2조" in by_kind["heading"].values()


def test_an_issue_points_to_each_article_that_its_court_cites(corpus: Corpus) -> None:
    found = build_pairs(corpus, ("decision",), seed=0)
    assert sorted((p.anchor, p.unit) for p in found) == [
        ("거래안전법 에 따라 지급업자가 지난 기록을 없애지 않은 경우의 책임", "거래안전법 제3조"),
        ("거래안전법 에 따라 지급업자가 지난 기록을 없애지 않은 경우의 책임", "거래안전법 제4조"),
        ("거래안전법에 정한 비밀번호가 접속수단에 해당하는지 여부(적극)", "거래안전법 제2조"),
    ]
    units = {chunk.text: chunk.unit for chunk in corpus.chunks}
    for pair in with_negatives(found, corpus, seed=0):
        answers = {one.unit for one in found if one.anchor == pair.anchor}
        assert units.get(pair.negative) not in answers


def test_a_sentence_is_not_in_the_passage_that_it_is_searched_in(corpus: Corpus) -> None:
    found = build_pairs(corpus, ("sentence",), seed=1)
    assert found
    for pair in found:
        assert pair.anchor not in pair.positive
        assert pair.unit.split()[-1] in pair.positive


def test_a_query_that_two_units_share_gives_no_pair(corpus: Corpus) -> None:
    headings = {p.anchor for p in build_pairs(corpus, ("heading",), seed=0)}
    assert "목적" not in headings  # 제1조 of two documents


@given(seed=st.integers(0, 10_000), kinds=st.sets(st.sampled_from(KINDS), min_size=1))
@settings(max_examples=25, deadline=None)
def test_pairs_depend_on_corpus_and_seed_only(corpus: Corpus, seed: int, kinds: set[str]) -> None:
    chosen = tuple(kind for kind in KINDS if kind in kinds)
    pairs = with_negatives(build_pairs(corpus, chosen, seed=seed), corpus, seed=seed)
    assert pairs == with_negatives(build_pairs(corpus, chosen, seed=seed), corpus, seed=seed)
    owners = {chunk.text: chunk.unit for chunk in corpus.chunks}
    cited = set(corpus.citing)
    for pair in pairs:
        assert pair.anchor.strip()
        assert pair.positive.strip()
        if pair.negative:
            other = owners[pair.negative]
            assert other != pair.unit
            assert not {(other, pair.unit), (pair.unit, other)} & cited


def test_documents_that_are_left_out_give_no_pair(folder: Path) -> None:
    pairs = build_pairs(read_corpus(folder, ["거래안전법"]), KINDS, seed=0)
    assert pairs
    assert not any(pair.unit.startswith("거래안전법 제") for pair in pairs)


def test_a_folder_without_a_corpus_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no corpus"):
        read_corpus(tmp_path)


@pytest.mark.parametrize(
    ("text", "issue"),
    [
        ("[1]\n판시사항: 갑의 책임\n판결요지: 있다", "갑의 책임"),
        ("판시사항\n판시사항: 어떤 쟁점", "어떤 쟁점"),
        ("【판시사항】\n회사의 책임\n【판결요지】", "회사의 책임"),
        ("## 판시사항\n\n판결의 효력", "판결의 효력"),
        ("판시사항에 관하여 본다", ""),
        ("판시사항:\n\n", ""),
    ],
)
def test_an_issue_is_found_below_its_mark(text: str, issue: str) -> None:
    assert pairs_by_rule._issue(text) == issue
