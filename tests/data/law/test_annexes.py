"""Names of annexes in one spelling."""

from __future__ import annotations

import pytest

from kofinlaw.data.law.annexes import annex_name, annex_of_file, deleted_annex, split_unit


@pytest.mark.parametrize(
    "title, name",
    [
        ("[별표1의2] 과태료의 부과기준(제20조 관련)", "별표 1의2"),
        ("<별표 3>", "별표 3"),
        ("별표 5-3 점검표", "별표 5-3"),
        ("별지 제3호의2 서식", "별지 제3호의2서식"),
        ("별지 제3호서식 등록신청서", "별지 제3호서식"),
        ("별표", "별표"),
        ("부칙 <제1호>", ""),
    ],
)
def test_annexes_are_named_in_one_spelling(title, name):
    assert annex_name(title) == name
    if name:
        assert split_unit(f"전자금융거래법 시행령 {name}") == ("전자금융거래법 시행령", name)


@pytest.mark.parametrize(
    "file, text, name, heading, of",
    [
        ("별표1.md", "# [별표 1] 인가 절차", "별표 1", "인가 절차", ""),
        (
            "별표2의2.md",
            "<별표 2의2> <개정 2020.1.2>\n\n요건\n\n(제5조 관련)",
            "별표 2의2",
            "요건(제5조 관련)",
            "",
        ),
        (
            "별표1-2.md",
            "# [별표 1-2] 범위(제102조 관련)\n\n가. 자본",
            "별표 1-2",
            "범위(제102조 관련)",
            "",
        ),
        (
            "별표7.md",
            "■ 가람업 감독규정 [별표 7] <신설 2025. 1. 2.>\n부과기준",
            "별표 7",
            "부과기준",
            "가람업 감독규정",
        ),
        ("별표9.md", "[가람업감독규정 별표 9]\n위험값", "별표 9", "위험값", "가람업감독규정"),
        (
            "기타1.md",
            "<별지 제6-2호> <신설 2011. 1. 24>\n부수업무 신고서",
            "별지 제6-2호서식",
            "부수업무 신고서",
            "",
        ),
        ("기타 2.md", "| 결과 안내서 | 처리기간 |", "기타 2", "결과 안내서", ""),
        (
            "[별표 3] 분류기준(가람업감독규정).hwpx",
            "분류기준\n정상",
            "별표 3",
            "분류기준",
            "가람업감독규정",
        ),
        ("별지 제3호의2서식.docx", "신청서\n성명", "별지 제3호의2서식", "신청서", ""),
        ("별지4.docx", "신청서\n성명", "별지 제4호서식", "신청서", ""),
        ("별표.md", "과태료의 부과기준\n1. 일반기준", "별표", "과태료의 부과기준", ""),
        ("가람업감독규정 별표 3.md", "분류기준\n정상", "별표 3", "분류기준", "가람업감독규정"),
        ("분류기준.hwpx", "[별표 3] 분류기준\n정상", "별표 3", "분류기준", ""),
    ],
)
def test_a_file_is_an_annex_by_its_name_or_its_first_lines(file, text, name, heading, of):
    annex = annex_of_file(f"규정/{file}", text)
    assert annex is not None
    assert (annex.name, annex.heading, annex.of, annex.deleted) == (name, heading, of, False)


@pytest.mark.parametrize(
    "file, text",
    [
        ("고시.md", "# 가람업감독규정\n\n제1조(목적) 정한다."),
        ("별표 작성 안내.md", "# 별표 작성 안내\n\n별표를 쓰는 법"),
        ("기타.md", "기타 사항"),
        ("기타 안내 1.md", "기타 안내"),
        ("지침.md", "별표 3의 기준에 따른다.\n다음과 같다."),
        ("표.csv#3", "[별표 3] 분류기준"),
    ],
)
def test_other_files_are_no_annexes(file, text):
    assert annex_of_file(f"규정/{file}", text) is None


def test_only_the_file_name_makes_a_text_with_articles_an_annex():
    text = "[별표 1] 기준\n제1조(목적) 정한다.\n제2조(정의) 뜻한다."
    assert annex_of_file("규정/기준.md", text, articles=True) is None
    found = annex_of_file("규정/별표1.md", text, articles=True)
    assert found is not None
    assert found.name == "별표 1"


@pytest.mark.parametrize(
    "text",
    [
        "# [별표 8]\n\n<별표 8> <삭제 2021.3.25.>",
        "# [별표 10] 삭제 < 2011.3.22 >\n\n<별표 10> 삭제 < 2011.3.22 >",
        "[별표 19] 삭제 <삭제 2016.12.29>",
        "# [별표 5] 변경승인요건\n\n<별표 5> <삭제 2016.7.28.>\n\n변경승인요건\n\n(제2조 관련)",
    ],
)
def test_a_deleted_annex_is_known(text):
    annex = annex_of_file("규정/별표8.md", text)
    assert annex is not None
    assert annex.deleted


def test_an_annex_with_a_deleted_item_is_not_deleted():
    text = "[별표 15] 산정\n1. <삭제 2020.1.15.>\n" + "\n".join(
        f"{n}. 항목 {n}" for n in range(2, 9)
    )
    annex = annex_of_file("규정/별표15.md", text)
    assert annex is not None
    assert not annex.deleted
    assert deleted_annex("삭제 <2016.7.28.>")
    assert deleted_annex("삭제 <2016-07-28>")  # as the corpus writes the day
    assert not deleted_annex("삭제된 자료의 보관")
