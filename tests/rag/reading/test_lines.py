"""Lines of passages: items keep the opening words above them."""

from __future__ import annotations

from kofinlaw.rag.reading.lines import cited_articles, passage_lines

PASSAGE = """가람법 제9조의2(신고)
① 금융회사는 다음 각 호의 사항을 신고하여야 한다.
1. 명칭
가. 상호
② 신고는 7일 이내에 한다."""


def test_an_item_carries_the_opening_words_of_its_paragraph() -> None:
    lines = passage_lines([PASSAGE])
    assert [line.text for line in lines][1] == "1. 명칭"
    assert lines[1].full == "① 금융회사는 다음 각 호의 사항을 신고하여야 한다. 1. 명칭"
    assert lines[2].parent == lines[1].parent
    assert lines[3].parent == ""
    assert {line.article for line in lines} == {"제9조의2"}


def test_the_same_passage_twice_gives_its_lines_once() -> None:
    assert passage_lines([PASSAGE, PASSAGE]) == passage_lines([PASSAGE])


def test_a_passage_of_one_row_has_no_header() -> None:
    assert [(line.header, line.text) for line in passage_lines(["한 줄이다."])] == [
        ("", "한 줄이다.")
    ]
    assert passage_lines(["", "  \n "]) == []


def test_cited_articles_come_once_and_in_order() -> None:
    assert cited_articles("제12 조와 제3조의2, 제12조제1항") == ["제12조", "제3조의2"]
