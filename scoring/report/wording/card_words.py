"""Translate the data card of a run from English into Korean; unknown words stay unchanged."""

from __future__ import annotations

from kofinlaw.scoring.report.wording.reject_words import REASONS, korean_detail
from kofinlaw.scoring.value_text import translated

__all__ = ["CELLS", "korean_card"]

# The cells of the card's tables.
CELLS: dict[str, str] = {
    "Kind": "종류",
    "kind": "종류",
    "count": "개수",
    "Licence": "라이선스",
    "licence": "라이선스",
    "Format": "형식",
    "Day in force from": "시행일의 출처",
    "day from": "시행일의 출처",
    "Tokens a chunk": "청크의 토큰",
    "Rejected because": "버린 이유",
    "Personal data masked": "가린 개인정보",
    "Removed spans": "뺀 부분",
    "References": "다른 조문 참조",
    "resolved": "코퍼스 안",
    "outside the corpus": "코퍼스 밖",
    "title": "제목",
    "as of": "시행일",
    "chunks": "청크",
    "file": "파일",
    "reason": "이유",
    "detail": "내용",
    "pages": "쪽",
    "lowest confidence": "가장 낮은 신뢰도",
    "confidence by page": "쪽별 신뢰도",
    "guideline": "지침",
    "rule": "규정",
    "statute": "법령",
    "case": "판례",
    "manual": "매뉴얼",
    "other": "기타",
    "deleted": "삭제된 조문",
    "heading": "표제",
    "preamble": "앞머리",
    "supplement": "부칙",
    "unknown": "모름",
    "stated": "레시피",
    "record": "기록",
    "page": "페이지",
    "file name": "파일 이름",
    "git commit": "git 커밋",
}
# The first part of where a day in force was found.
_ORIGINS = {"first lines": "첫 줄", "front matter": "머리말", "recipe": "레시피"}
_LINES: tuple[tuple[str, str], ...] = (
    (r"# Corpus", "# 코퍼스"),
    (r"## Sources", "## 문서"),
    (r"## Files not read", "## 읽지 않은 파일"),
    (r"## Read by OCR", "## OCR로 읽은 쪽"),
    (r"## Warnings", "## 경고"),
    (
        r"(\d+) documents with (\d+) annexes in files \((\d+) deleted\), (\d+) articles, (\d+) "
        r"chunks, ([\d,]+) tokens(?: \(.*\))?; the longest chunk has (\d+)\.",
        r"문서 \1개와 따로 있는 별표 파일 \2개(삭제 \3개), 조문 \4개, 청크 \5개, \6토큰. "
        r"가장 긴 청크는 \7토큰입니다.",
    ),
    (
        r"(\d+) documents, (\d+) articles, (\d+) chunks, ([\d,]+) tokens(?: \(.*\))?; the longest "
        r"chunk has (\d+)\.",
        r"문서 \1개, 조문 \2개, 청크 \3개, \4토큰. 가장 긴 청크는 \5토큰입니다.",
    ),
    (
        r"Texts of no date to no date; (\d+) have no date\.",
        r"시행일을 아는 문서가 없습니다(\1개).",
    ),
    (
        r"Texts of (\S+) to (\S+); (\d+) have no date\.",
        r"시행일은 \1부터 \2까지이며, 모르는 문서가 \3개입니다.",
    ),
    (
        r"(\d+) of (\d+) files are read(?:, (\d+) of them only in part)?\. The others:",
        r"파일 \2개 가운데 \1개를 읽었습니다. 읽지 않은 파일:",
    ),
)


def korean_card(text: str) -> str:
    """Return `data/card.md` in Korean: headings, sentences and cells that are known."""
    return "\n".join(_korean(line) for line in text.splitlines()) + "\n"


def _korean(line: str) -> str:
    if line.startswith("| "):
        cells = line.strip("| ").split(" | ")
        if len(cells) == 2 and cells[0] in REASONS:
            return f"| {REASONS[cells[0]]} | {cells[1]} |"
        if len(cells) == 3 and cells[1] in REASONS:
            return f"| {cells[0]} | {REASONS[cells[1]]} | {korean_detail(cells[2])} |"
        return "| " + " | ".join(_cell(cell) for cell in cells) + " |"
    return translated(line, _LINES)


def _cell(cell: str) -> str:
    origin, colon, rest = cell.partition(": ")
    if colon and origin in _ORIGINS:
        return f"{_ORIGINS[origin]}: {rest}"
    return CELLS.get(cell, cell)
