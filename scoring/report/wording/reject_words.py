"""Say in Korean why a file or chunk was rejected: the reasons of the card, and their details."""

from __future__ import annotations

from kofinlaw.scoring.value_text import translated

__all__ = ["REASONS", "korean_detail"]

REASONS: dict[str, str] = {
    "boilerplate": "메뉴와 꼬리말",
    "broken_text": "깨진 글자",
    "contaminated": "평가 문항과 겹침",
    "duplicate": "중복",
    "empty": "텍스트 없음",
    "failed": "처리 실패",
    "hidden": "숨긴 파일",
    "link": "링크",
    "lock_file": "잠금 파일",
    "no_chunk": "남은 청크 없음",
    "no_reader": "읽지 않는 형식",
    "needs_ocr": "OCR 필요",
    "not_included": "include에 없음",
    "not_in_force": "시행 전이거나 날짜 없음",
    "not_korean": "한국어 아님",
    "ocr_failed": "OCR 실패",
    "ocr_unsure": "OCR 불확실",
    "personal_data": "개인정보",
    "repealed": "폐지",
    "same_annex": "같은 별표",
    "same_day": "같은 시행일",
    "superseded": "이전 버전",
    "too_short": "너무 짧음",
    "unreadable": "읽을 수 없음",
    "untracked": "git에 없음",
}
_DETAILS: tuple[tuple[str, str], ...] = (
    (r"a hidden file", "숨긴 파일입니다"),
    (r"a hidden folder", "숨긴 폴더입니다"),
    (r"a lock file of an open document", "열린 문서의 잠금 파일입니다"),
    (r"a link to a missing file: .*", "없는 파일을 가리키는 링크입니다"),
    (r"a link to a folder is not followed", "폴더를 가리키는 링크는 따라가지 않습니다"),
    (r"a link that leads outside of the source", "소스 밖을 가리키는 링크입니다"),
    (r"a link to (.+), which is read", r"따로 읽는 파일을 가리키는 링크입니다: \1"),
    (r"no reader for (\S+)", r"\1 형식은 읽지 않습니다"),
    (r"the archive is broken: .*", "압축 파일이 깨졌습니다"),
    (r"the file is empty", "빈 파일입니다"),
    (r"the PDF is encrypted", "암호가 걸린 PDF입니다"),
    (r"the file is encrypted", "암호가 걸린 파일입니다"),
    (r"the PDF cannot be opened: .*", "PDF를 열 수 없습니다"),
    (r"page ([\d, -]+): no text layer", r"\1쪽: 텍스트가 없습니다"),
    (r"pages ([\d, -]+): no text layer", r"\1쪽: 텍스트가 없습니다"),
    (r"page ([\d, -]+): a picture", r"\1쪽: 그림입니다"),
    (r"every chunk was rejected, see rejected\.jsonl", "모든 청크를 버렸습니다(rejected.jsonl)"),
    (
        r"an annex, and chunks\.include_annexes is false",
        "별표이고 chunks.include_annexes가 false입니다",
    ),
    (r"its name does not match `include` of the source", "이름이 소스의 `include`와 다릅니다"),
    (r"not a regular file", "일반 파일이 아닙니다"),
    (r"unpack it into the folder", "폴더에 압축을 푸세요"),
    (r"save it without a password", "암호 없이 저장하세요"),
    (
        r"save it in a format that is read, or add a reader",
        "읽는 형식으로 저장하거나 리더를 추가하세요",
    ),
    (r"add it to data\.sources", "data.sources에 추가하세요"),
    (
        r"add the file to data\.sources, or set `follow_links: true` of the source",
        "파일을 data.sources에 추가하거나 소스에 `follow_links: true`를 설정하세요",
    ),
    (r"Tesseract is not installed: (.+)", r"Tesseract가 없습니다: \1"),
)


def korean_detail(text: str) -> str:
    """Return the detail of a rejection, with its remedy, in Korean; unknown parts are unchanged."""
    return " → ".join(translated(part.strip(), _DETAILS) for part in text.split("→"))
