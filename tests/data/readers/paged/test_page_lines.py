"""Lines of pages: paragraphs over pages, the pages of a part of the text, drawn tables."""

from __future__ import annotations

import pytest

from kofinlaw.data.readers.paged.page_lines import Line, join_pages, page_range, pages_of_span
from kofinlaw.data.readers.paged.unread_pages import Pages, page_facts


def line(text, right=20.0, height=0.5):
    return Line(text, right, height, 10.0)


def test_a_paragraph_belongs_to_the_page_on_which_it_begins():
    first = [line("짧다."), line("끝까지 이어지는 긴 줄은 다음 쪽의", 500.0)]
    second = [line("첫 줄과 하나이다."), line("새 문단.")]
    joined = join_pages([first, second, [], [line("넷째 쪽.")]])
    assert (
        joined.text
        == "짧다.\n끝까지 이어지는 긴 줄은 다음 쪽의 첫 줄과 하나이다.\n새 문단.\n넷째 쪽.\n"
    )
    at = joined.text.index
    assert [joined.text[start:].split("\n")[0] for start in joined.starts] == [
        "짧다.",
        "새 문단.",
        "넷째 쪽.",
        "넷째 쪽.",
    ]
    assert pages_of_span(joined.starts, joined.text, 0, at("새")) == (1, 1)
    assert pages_of_span(joined.starts, joined.text, at("새") - 1, len(joined.text)) == (2, 4)
    assert pages_of_span((), "글", 0, 1) == (0, 0)


@pytest.mark.parametrize(
    "above, below, joined",
    [
        ("설명서의 글자는", "10포인트 이상으로 한다.", True),  # the word does not fit
        ("설명서의 글자는", "10 포인트 이상으로 한다.", False),  # it does: a paragraph ended
        ("글자를 크게 한다.", "10포인트 이상으로 한다.", False),
        ("송금 수수료 3,500", "증명서발급수수료 2,000", False),
        ("설명서의 글자는", "제2조(크기) 10포인트로 한다.", False),
    ],
)
def test_a_line_before_a_word_that_does_not_fit_continues(above, below, joined):
    whole = [line("여백까지 이어지는 줄이다.", 500.0)]
    text = join_pages([[*whole, line(above, 456.0), line(below, 200.0)]]).text
    assert text.endswith(f"{above}{' ' if joined else chr(10)}{below}\n")


def test_a_drawn_table_over_two_pages_is_one_table():
    above = ["┌──┬──┐", "│가│나│", "├──┼──┤", "│1 │2 │"]
    below = ["├──┼──┤", "│3 │4 │", "└──┴──┘", "끝."]
    joined = join_pages([[line(text) for text in page] for page in (above, below)])
    assert joined.text == "| 가 | 나 |\n| --- | --- |\n| 1 | 2 |\n| 3 | 4 |\n\n끝.\n"
    assert joined.starts == (0, 0)


@pytest.mark.parametrize(
    ("pages", "shown"), [([3], "3"), ([7, 2, 5, 6], "2, 5-7"), ([1, 2], "1-2"), ([], "")]
)
def test_ranges_of_pages(pages, shown):
    assert page_range(pages) == shown


def test_the_facts_of_a_part_are_its_pages_and_the_lowest_confidence():
    pages = Pages((0, 3, 6), ((2, 0.91), (3, 0.7)))
    assert page_facts(pages, "aa\nbb\ncc\n", 0, 3) == ("1", "")
    assert page_facts(pages, "aa\nbb\ncc\n", 0, 5) == ("1-2", "0.91")
    assert page_facts(pages, "aa\nbb\ncc\n", 3, 9) == ("2-3", "0.70")
    assert page_facts(Pages(), "aa", 0, 2) == ("", "")
