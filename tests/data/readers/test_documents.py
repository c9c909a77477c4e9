"""Title, kind, day and licence of a document."""

from __future__ import annotations

import pytest

from kofinlaw.data.frontmatter import iso_day
from kofinlaw.data.readers.documents import is_placeholder_title
from kofinlaw.data.readers.formats import read_documents
from kofinlaw.data.settings import LimitSettings, SourceSettings


def read(path, **source):
    return list(read_documents(path, SourceSettings(path="x", **source), LimitSettings()))


def test_front_matter_gives_title_kind_date_and_licence(act):
    (document,) = read(act / "가람법.md")
    assert (document.title, document.kind, document.as_of) == ("가람법", "statute", "2024-07-01")
    assert document.license == "KR-Copyright-Act-Art7"
    assert document.text.startswith("\n# 가람법")
    assert document.id == "가람법"


@pytest.mark.parametrize(
    "value, wanted",
    [
        ("2024-09-15", "2024-09-15"),
        ("20240915", "2024-09-15"),
        ("2024. 9. 5.", "2024-09-05"),
        ("2024년 9월 5일", "2024-09-05"),
        ("2026-03-01T00:00:00Z", "2026-03-01"),
        ("20249915", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_days_are_written_in_one_form(value, wanted):
    assert iso_day(value) == wanted


@pytest.mark.parametrize(
    "title",
    [
        "제목 없음",
        "(제목없음)",
        "untitled",
        "Untitled 2",
        "Microsoft Word - 여신규정.doc",
        "Document1",
        "문서1",
        "Presentation1",
        "PowerPoint 프레젠테이션",
        "통합 문서2",
        "새 문서",
        "새 Microsoft Word 문서.docx",
        " - ",
    ],
)
def test_placeholder_titles_are_no_titles(tmp_path, title):
    path = tmp_path / "여신심사_업무규정.md"
    path.write_text(f"---\ntitle: '{title}'\n---\n\n# {title}\n\n본문이다.\n", encoding="utf-8")
    assert [d.title for d in read(path)] == ["여신심사 업무규정"]
    path.write_text(f"---\ntitle: '{title}'\n---\n\n# 여신 안내\n\n글.\n", encoding="utf-8")
    assert [d.title for d in read(path)] == ["여신 안내"]


@pytest.mark.parametrize(
    "title",
    ["문서 보관 규정", "문서규정", "Document Management Policy", "Bookkeeping", "문서 2024"],
)
def test_titles_that_only_begin_like_placeholders_are_kept(tmp_path, title):
    path = tmp_path / "a.md"
    path.write_text(f"---\ntitle: '{title}'\n---\n\n본문이다.\n", encoding="utf-8")
    assert [d.title for d in read(path)] == [title]


@pytest.mark.parametrize(
    "title",
    ["제목 없음", "untitled", "Microsoft Word - x", "Document1", "문서1", "슬라이드 1", "PowerPoint 프레젠테이션",
     "제목을 입력하십시오", "제목을 입력하세요", "클릭하여 제목 추가", "마스터 제목 스타일 편집", "Click to add title",
     "Add the title here", "[문서 제목]", "이름 없음", "null", "제목\u200b 없음", "ＴＩＴＬＥ",
     "제 목", "제목:", "슬라이드 제목", "무제 문서", "사본 - 문서1", "문서1 - 복사본 (2)", "제목 없는 문서의 사본",
     "Copy of Untitled document", "20240101_123456", "???", "{{title}}", "${title}", "표지", "목차", "unknown",
     "제1조(목적)", "제1조 목적", "제1조【목적】", "Normal.dotm", "PDF Document", "한글 문서 파일"],
)  # fmt: skip
def test_a_title_that_a_program_wrote_is_no_title(title):
    assert is_placeholder_title(title)


@pytest.mark.parametrize(
    "title",
    [
        "여신 규정",
        "제목 개정에 관한 규정",
        "문서 관리 규정",
        "은행법",
        "무제한 대출",
        "양식 관리 기준",
        "표지 관리 규정",
        "사본 - 여신 규정",
        "2024년 계획",
        "{여신} 규정",
    ],
)
def test_a_title_that_a_user_wrote_is_one(title):
    assert not is_placeholder_title(title)
