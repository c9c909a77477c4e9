"""Every reason of a rejection has Korean words."""

import re
from pathlib import Path

import pytest

import kofinlaw.data
from kofinlaw.scoring.report.wording.reject_words import REASONS, korean_detail

CALLS = re.compile(
    r"""(?:reject\(\s*"\w+",\s*[^,]+,|skip\(name,|add_unread\([\w.]+,)\s*"(\w+)\""""
    r"""|return "(\w+)", f?"[^"]+"$""",
    re.MULTILINE,
)


def test_every_reason_that_the_code_gives_is_translated():
    folder = Path(kofinlaw.data.__file__).parent
    files = [*folder.glob("*.py"), folder / "cleaning" / "quality.py"]
    found = {a or b for path in files for a, b in CALLS.findall(path.read_text("utf-8"))}
    assert {"unreadable", "no_chunk", "hidden", "too_short", "boilerplate"} <= found
    assert found <= set(REASONS), found - set(REASONS)


@pytest.mark.parametrize(
    "detail, korean",
    [
        (
            "page 2: no text layer → Tesseract is not installed: sudo apt-get install tesseract-ocr",
            "2쪽: 텍스트가 없습니다 → Tesseract가 없습니다: sudo apt-get install tesseract-ocr",
        ),
        (
            "a link to 문서/규정.md, which is read",
            "따로 읽는 파일을 가리키는 링크입니다: 문서/규정.md",
        ),
        ("line 3: 이름이 없다", "line 3: 이름이 없다"),
    ],
)
def test_a_detail_and_its_remedy_are_translated_and_others_kept(detail, korean):
    assert korean_detail(detail) == korean
