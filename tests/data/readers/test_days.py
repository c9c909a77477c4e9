"""The day from which a document is in force, and where it was found."""

from __future__ import annotations

import os
import time

import pytest

from kofinlaw.data.readers.days import Day, in_force_day
from kofinlaw.data.readers.formats import read_documents
from kofinlaw.data.settings import SourceSettings

UNKNOWN = Day("", "")


def day(text="본문이다.", name="지침.md", stated="", **meta):
    return in_force_day(text, meta, name, stated)


@pytest.mark.parametrize(
    "text",
    [
        "[시행 2025. 3. 1.] [규정 제7호]",
        "여신심사 업무규정\n시행일: 2025. 3. 1.",
        "여신심사 업무규정\n시행일 2025. 3. 1.",
        "여신심사 업무규정\n시행일자 : 2025-03-01",
        "# 민원 편람\n시행일 2025. 3. 1. 소비자보호부",
        "제정 2020. 1. 2., 시행일 2025. 3. 1. (소비자보호부)",
        "| 시행일 | 2025. 3. 1. |",
        "# 여신심사 업무규정 (2025. 3. 1. 시행)",
        "여신심사 업무규정\n2025년 3월 1일부터 시행",
        "# 판매원칙 교육\n2025. 3. 1. 시행 · 신입직원용",
        "이 규정은 2025년 3월 1일부터 시행한다.",
        "본 지침은 2025. 3. 1.부터 적용한다.",
        "<시행 2025.3.1.> <개정 2024.7.7.>",
        "고객정보 취급 세칙\n시행 25.3.1",
        "고객정보 취급 세칙\n[시행 '25. 3. 1.]",
        "고객정보 취급 세칙\n(25년 3월 1일부터 시행)",
        "특약 요율표 (적용일: 2025. 3. 1.)",
        "특약 요율표\n적용일자: 25.03.01",
        "특약 요율표\n2025. 3. 1.부터 적용",
    ],
)
def test_the_first_lines_state_the_day(text):
    assert day(text) == Day("2025-03-01", "first lines: 시행일")


@pytest.mark.parametrize(
    "text",
    [
        "이 안내는 2024년 7월 19일부터 시행된 법을 설명한다.",
        "「가상자산법」이 2024. 7. 19. 시행됨에 따라 다음과 같이 안내한다.",
        "2025. 3. 1. 회의에서 시행령 개정을 논의하였다.",
        "작성일 2025. 3. 1.",
        "2025. 3. 1. 시행 · 개정 은행법",
        "2025. 3. 1. 시행 · 직원과 대리점이 모두 알아야 하는 새 내용을 다음과 같이 알려 드립니다.",
        "가상자산법 시행일 2024. 7. 19. 이후의 거래를 다룬다.",
        "연락처 02-2025-0301",
        "앱 버전 25.3.1 시행 안내서",
        "기준일: 2025. 3. 1.",
        "적용 대상: 2025. 3. 1. 이후의 계약",
        "[시행 2025. 13. 41.]",
        "제1조(목적) 이 규정은 다음을 정한다. [시행일: 2025. 3. 1.] 제5조",
        "",
    ],
)
def test_other_days_in_a_text_are_no_day_in_force(text):
    assert day(text) == UNKNOWN


@pytest.mark.parametrize(
    "text, wanted",
    [
        ("부칙\n이 규정은 2025년 3월 1일부터 시행한다.", "2025-03-01"),
        ("**부칙**\n\n**제1조(시행일)** 이 규정은 2025년 3월 1일부터 시행한다.", "2025-03-01"),
        (
            "## 부칙\n\n제1조(시행일) 이 지침은 2025. 3. 1.부터 시행한다. 다만, 제5조는 2027년 1월 1일부터 시행한다.",
            "2025-03-01",
        ),
        ("부칙 <제7호, 2025. 3. 1.>\n이 규정은 고시한 날부터 시행한다.", "2025-03-01"),
        (
            "부칙 <제1호, 2020. 1. 2.> 이 규정은 공포한 날부터 시행한다.\n부칙 <제2호, 2025. 2. 1.> 이 규정은 2025년 3월 1일부터 시행한다.",
            "2025-03-01",
        ),
        (
            "부칙 <제2호, 2025. 3. 1.> 이 규정은 발령한 날부터 시행한다.\n부칙 <제1호, 2020. 1. 2.> 이 규정은 공포한 날부터 시행한다.",
            "2025-03-01",
        ),
        ("부칙\n이 규정은 이사회가 정하는 날부터 시행한다.", ""),
        ("부칙 <제7호, 2025. 3. 1.>\n이 규정은 이사회가 정하는 날부터 시행한다.", ""),
    ],
)
def test_the_newest_supplement_states_the_day(text, wanted):
    found = day(f"제1조(목적) 이 규정은 다음을 정한다.\n제2조(정의) 뜻은 다음과 같다.\n{text}")
    assert found == (Day(wanted, "부칙") if wanted else UNKNOWN)


@pytest.mark.parametrize(
    "text",
    [
        "제정 2018. 1. 2.\n개정 2025. 3. 1.",
        "(제정 2018. 1. 2., 개정 2025. 3. 1.)",
        "최종 개정일: 2025-03-01",
    ],
)
def test_days_of_revision_in_the_first_lines_count(text):
    assert day(f"여신심사 업무규정\n{text}\n제1조(목적) 정한다.") == Day(
        "2025-03-01", "first lines: 개정"
    )


@pytest.mark.parametrize(
    "name, wanted",
    [
        ("규정/지침(2025.3.1. 시행).docx", "2025-03-01"),
        ("지침_20250301.pdf", "2025-03-01"),
        ("지침_2025_03_01.pdf", "2025-03-01"),
        ("지침 2025-03-01 개정.hwpx", "2025-03-01"),
        ("지침 2025년 3월 1일.hwpx", "2025-03-01"),
        ("세칙(25.3.1. 시행).docx", "2025-03-01"),
        ("세칙_개정 25_3_1.docx", "2025-03-01"),
        ("세칙(98.3.1 제정).docx", "1998-03-01"),
        ("설명서 v10.2.1.pdf", ""),
        ("설명서 10.2.1.pdf", ""),
        ("20250301/지침.pdf", ""),
        ("수수료표 2025.xlsx", ""),
        ("지침_20251301.pdf", ""),
        ("문서번호 120250301.pdf", ""),
        ("표_20250301.csv#3", ""),
        ("지침.md@202503012a3b", ""),
    ],
)
def test_the_file_name_states_the_day(name, wanted):
    assert day(name=name) == (Day(wanted, "file name") if wanted else UNKNOWN)


def test_the_order_of_the_places():
    head, tail = "시행일: 2021. 1. 1.", "부칙\n이 규정은 2022년 1월 1일부터 시행한다."
    both = f"{head}\n제1조(목적) 정한다.\n{tail}"
    assert day(both, 시행일자="20200101").origin == "front matter: 시행일자"
    assert day(both, effective="20200101") == Day("2020-01-01", "front matter: effective")
    assert day(both, 발령일자="20200101") == Day("2021-01-01", "first lines: 시행일")
    assert day(tail, 발령일자="20200101") == Day("2022-01-01", "부칙")
    assert day(발령일자="20200101", date="2019-01-01").origin == "front matter: 발령일자"
    assert day(name="지침_20250301.md", date="2019-01-01") == Day("2019-01-01", "page")
    assert day(name="표.csv#3", date="2019-01-01", 시행일자="20200101").origin == "record"
    assert day(name="지침_20250301.md", stated="2018-01-01").origin == "file name"
    assert day(stated="2018-01-01") == Day("2018-01-01", "recipe: as_of")


CORE = (
    '<cp:coreProperties xmlns:cp="c" xmlns:dcterms="t" xmlns:dc="d"><dc:title>지침</dc:title>'
    "<dcterms:created>2013-12-22T00:00:00Z</dcterms:created>"
    "<dcterms:modified>2013-12-23T00:00:00Z</dcterms:modified></cp:coreProperties>"
)


def docx(files, path, *paragraphs):
    body = "".join(f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>" for text in paragraphs)
    document = f'<w:document xmlns:w="w"><w:body>{body}</w:body></w:document>'
    return files.make_zip(path, {"word/document.xml": document, "docProps/core.xml": CORE})


def read(path):
    (document,) = read_documents(path, SourceSettings(path="x"))
    return document.as_of, document.day_from


def test_the_day_on_which_a_file_was_saved_is_never_a_day_in_force(files, tmp_path):
    words = "은행은 이용자를 보호한다."
    path = docx(files, tmp_path / "지침.docx", words)
    os.utime(path, (1_400_000_000, 1_400_000_000))
    assert read(path) == ("", "")
    assert read(docx(files, tmp_path / "규정.docx", "시행일 2025. 3. 1.", words)) == (
        "2025-03-01",
        "first lines: 시행일",
    )
    assert read(files.make_hwpx(tmp_path / "편람.hwpx")) == ("", "")
    text = tmp_path / "메모.txt"
    text.write_text(f"메모\n{words}\n", encoding="utf-8")
    os.utime(text, (1_400_000_000, 1_400_000_000))
    assert read(text) == ("", "")


def test_a_long_run_of_blank_lines_is_read_in_seconds():
    text = "지침\n" + "\n" * 3000 + "부칙\n이 지침은 2025년 3월 1일부터 시행한다.\n"
    start = time.perf_counter()
    assert in_force_day(text, {}, "a.txt") == Day("2025-03-01", "부칙")
    assert time.perf_counter() - start < 10  # `\s*` across lines took more than a minute
