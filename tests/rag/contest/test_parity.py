"""A contest folder compared with its run: what it finds and answers differently is counted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kofinlaw.files import write_json
from kofinlaw.rag.contest.folder import write_index
from kofinlaw.rag.contest.parity import Parity, compare_folder
from kofinlaw.rag.settings import RagSettings
from kofinlaw.records import Chunk, Question

TEXTS = [
    "전자금융거래법 제9조(책임)\n① 금융회사는 접근매체의 위조로 생긴 손해를 배상한다.",
    "전자금융거래법 제22조(기록)\n① 금융회사는 전자금융거래기록을 5년간 보존한다.",
    "개인정보 보호법 제15조(수집)\n① 개인정보처리자는 동의를 받아 개인정보를 수집한다.",
]
QUESTIONS = [
    Question("a", "전자금융거래기록의 보존 기간은?", ("1년", "5년")),
    Question("b", "접근매체의 위조로 생긴 손해는?", ("배상한다", "보존한다")),
    Question("c", "보존 기간을 설명하시오."),
]


def chunks_of(texts: Sequence[str]) -> list[Chunk]:
    return [
        Chunk(f"{n}", "법", "법", "statute", "", f"법 제{n}조", text, "", "t", "PD", f"{n}")
        for n, text in enumerate(texts)
    ]


def test_other_passages_are_counted(tmp_path: Path) -> None:
    write_index(chunks_of(TEXTS), range(3), tmp_path / "index", RagSettings(embedder=None))
    write_json(tmp_path / "contest.json", {"k": 1, "option_passages": 0, "free_by": "generate"})
    found = {"a": [TEXTS[1]], "b": [TEXTS[2]], "c": [TEXTS[1]]}
    parity = compare_folder(tmp_path, QUESTIONS, found, {"a": "2"})
    assert parity == Parity(3, 2, 2, 0, 0)
    assert parity.lines() == [
        "passages: the same set for 2 of 3 questions (66.7%), the same best one for 2 (66.7%)"
    ]
    found["a"].append(TEXTS[0])
    assert compare_folder(tmp_path, QUESTIONS, found, {}) == Parity(3, 1, 2, 0, 0)
    assert Parity(0, 0, 0, 4, 3).lines() == ["answers: 3 of 4 are the same (75.0%)"]
