"""Court decisions that vote for the articles they cite."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from corpora import TEXTS, chunk, settings

from kofinlaw.files import write_jsonl
from kofinlaw.rag.index.build import build_index
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.retrieve.retriever import Retriever
from kofinlaw.records import Chunk, Question


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
