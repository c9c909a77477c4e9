"""The fingerprint of the passages that today hides; 부칙 and former names in questions."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest
from corpora import TEXTS, chunk, settings, write_chunks

from kofinlaw.data.law.supplements import asks_for_supplements
from kofinlaw.rag.index.build import build_index
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.retrieve.retriever import Retriever
from kofinlaw.records import Question


def test_the_day_that_another_version_comes_into_force_is_another_fingerprint(
    index: Index,
) -> None:
    fingerprints = [
        Retriever(index, settings(), today=day).fingerprint
        for day in (date(2026, 1, 1), date(2026, 12, 31), date(2027, 1, 1))
    ]
    assert fingerprints[0] == fingerprints[1] != fingerprints[2]
    fixed = settings(as_of="2023-01-01")
    assert (
        Retriever(index, fixed, today=date(2026, 1, 1)).fingerprint
        == Retriever(index, fixed, today=date(2030, 1, 1)).fingerprint
    )


SUPPLEMENT = "전자금융거래법 부칙 <제20000호, 2024.1.1>"


@pytest.fixture(scope="module")
def with_supplement(tmp_path_factory: pytest.TempPathFactory) -> Index:
    """The index of the other tests and one 부칙, which repeats the words of an article."""
    folder = tmp_path_factory.mktemp("supplement")
    chunks = [chunk(unit, text) for unit, text in TEXTS.items()]
    first = next(iter(TEXTS.values()))
    name = SUPPLEMENT.partition(" ")[2]
    added = replace(
        chunk(SUPPLEMENT, f"이 법은 공포한 날부터 시행한다. {first}"),
        title="전자금융거래법",
        path=name,
    )
    (folder / "names.json").write_text(
        json.dumps(
            [["옛금융법", ["전자금융거래법"], True], ["옛신용법", ["전자금융거래법"], False]]
        )
    )
    build_index(write_chunks(folder, [*chunks, added]), folder / "index", settings())
    return Index.load(folder / "index")


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("이 법의 시행일은 언제인가?", True),
        ("부 칙 제2조는?", True),
        ("개정규정의 경과 조치는?", True),
        ("적용례를 설명하시오", True),
        ("이 법은 언제부터 시행되는가?", True),
        ("시행령으로 정하는 사항은?", False),
        ("부칙적인 것은?", True),
        ("업무를 시행하는 기관은?", False),
    ],
)
def test_supplements_are_asked_for_by_name(text: str, asks: bool) -> None:
    assert asks_for_supplements([text]) is asks
    assert asks_for_supplements(["옳은 것은?", "하나", text]) is asks


def test_a_supplement_is_found_only_if_it_is_asked_for(with_supplement: Index) -> None:
    retriever = Retriever(with_supplement, settings(k=20))
    text = next(iter(TEXTS.values()))
    plain, asked = retriever.search([Question("a", text), Question("b", f"{text} 부칙의 시행일")])
    assert SUPPLEMENT not in [hit.chunk.unit for hit in plain]
    assert SUPPLEMENT in [hit.chunk.unit for hit in asked]


def test_former_names_are_read_as_present_titles(with_supplement: Index) -> None:
    retriever = Retriever(with_supplement, settings(k=5, citation_lookup=True))
    same = Question("a", "「옛금융법」 제9조의 내용은?")
    replaced = Question("b", "「옛신용법」 제9조의 내용은?")
    unknown = Question("c", "「모르는법」 제9조의 내용은?")
    hits = retriever.search([same, replaced])
    assert hits[0][0].chunk.unit == "전자금융거래법 제9조"
    assert "citation" in hits[0][0].by
    assert not any("citation" in hit.by for hit in hits[1])
    judged = retriever.judge([same, replaced, unknown])
    assert [one.former for one in judged if one] == [
        (("옛금융법", ("전자금융거래법",)),),
        (("옛신용법", ("전자금융거래법",)),),
        (),
    ]
    assert [one.reason == "absent_document" for one in judged if one] == [False, False, True]


def test_an_index_without_names_keeps_its_fingerprint(index: Index) -> None:
    assert index.former_names == ()
    assert "names_sha256" not in index.meta
