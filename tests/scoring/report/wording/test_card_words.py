"""The data card in Korean keeps its figures, titles and files."""

import re

from kofinlaw.data.corpus_card import card_markdown
from kofinlaw.scoring.report.wording.card_words import korean_card

CARD = {
    "documents": 3, "annexes": 0, "deleted_annexes": 0, "articles": 12, "chunks": 15,
    "tokens": {"total": 1234, "longest": 99, "estimated": False, "histogram": {"0-63": 15}},
    "oldest": "2025-01-02", "newest": "2026-03-01", "undated": 1,
    "kinds": {"guideline": 1, "rule": 2}, "licenses": {"Apache-2.0": 3}, "formats": {"pdf": 3},
    "days_from": {"front matter: 시행일자": 2, "unknown": 1}, "rejected": {"no_reader": 1}, "files": 4,
    "unread": [{"name": "a.xyz", "reason": "no_reader", "detail": "no reader for .xyz → unpack it into the folder"}], "warnings": [],
    "citations": {"resolved": 4, "outside the corpus": 1},
    "sources": [
        {"title": "여신 규정", "kind": "rule", "as_of": "", "day_from": "", "license": "MIT",
         "chunks": 5, "source": "a/b.md", "deleted": False},
    ],
}  # fmt: skip


def test_sentences_headings_and_cells_are_korean():
    english = card_markdown(CARD)
    korean = korean_card(english)
    assert "문서 3개, 조문 12개, 청크 15개, 1,234토큰. 가장 긴 청크는 99토큰입니다." in korean
    assert "| 머리말: 시행일자 | 2 |" in korean
    assert "| 여신 규정 | 규정 | 모름 |" in korean
    assert sorted(re.findall(r"\d[\d,]*", korean)) == sorted(re.findall(r"\d[\d,]*", english))
    left = set(re.findall(r"\b[A-Za-z]{4,}\b", korean))
    assert left <= {"Apache"}, left
    assert "| a.xyz | 읽지 않는 형식 | .xyz 형식은 읽지 않습니다 → 폴더에 압축을 푸세요 |" in korean
    assert len(korean.splitlines()) == len(english.splitlines())
