"""The articles that a court decision rests on."""

from __future__ import annotations

from kofinlaw.data.decisions.cited_articles import cited_rows
from kofinlaw.records import Chunk


def chunk(unit: str, text: str, kind: str = "case") -> Chunk:
    title, _, path = unit.partition(" ")
    return Chunk(
        unit + text[:4], title, title, kind, path, unit, text, "2010-01-01", "t", "PD", text
    )


def test_a_passage_gets_the_articles_of_its_issue_or_else_of_its_decision() -> None:
    chunks = [
        chunk("민법 제2조", "신의성실", "statute"),
        chunk("민법 제103조", "반사회질서", "statute"),
        chunk("판례 [1]", "판시사항: 긴 쟁점의 앞부분"),
        chunk("판례 [1]", "긴 쟁점의 뒷부분. 참조조문: 민법 제103조"),
        chunk("판례 [2]", "판시사항: 조문이 없는 쟁점"),
        chunk("판례 참조조문", "[3] 민법 제2조"),
        chunk("다른판례 [1]", "조문이 없는 판례, 형법 제1조"),
    ]
    assert cited_rows(chunks) == {2: [1], 3: [1], 4: [1, 0], 5: [0]}
