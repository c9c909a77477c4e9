"""HTML to Markdown."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kofinlaw import UserError
from kofinlaw.data.readers.webpage import html_to_markdown


def test_a_page_keeps_its_text_and_table_and_loses_menus_and_scripts():
    page = (
        """<html><head><title>지침</title><meta name="date" content="2026-01-15">
    <script>var a = "스크립트";</script></head><body>
    <nav><ul><li>처음으로</li></ul></nav><div class="footer-menu">저작권</div>
    <main><h1>이용자  보호 지침</h1><p>첫 <b>문단</b>이다.<!-- 주석 --></p>
    <h2>1. 이체</h2><ul><li>하나</li><li>둘</li></ul>
    <table><tr><th>알림</th><th>때</th></tr><tr><td>보안<br>알림</td><td>즉시</td></tr></table>
    <p style="display: none">숨은 글</p><p>끝."""
        + "가" * 200
    )
    text, meta = html_to_markdown(page)
    assert meta == {"title": "이용자 보호 지침", "date": "2026-01-15"}
    assert text.replace("가" * 200, "") == (
        "# 이용자 보호 지침\n\n첫 문단이다.\n\n## 1. 이체\n\n- 하나\n- 둘\n\n"
        "| 알림 | 때 |\n| --- | --- |\n| 보안 알림 | 즉시 |\n\n끝.\n"
    )


def test_a_doctype_and_other_declarations_are_no_text():
    page = '<?xml version="1.0"?><!DOCTYPE html><html><body><!-- 초안 --><p>예금 안내</p></body></html>'
    assert html_to_markdown(page)[0].strip() == "예금 안내"


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet='<>/ "=ahpdivtrl1가\n&;!-', max_size=200))
def test_any_page_is_read_without_an_error(text):
    markdown, _ = html_to_markdown(text)
    assert markdown.endswith("\n")


def rows_of(table):
    lines = html_to_markdown(f"<table>{table}</table>")[0].strip().split("\n")
    return [line for line in lines if "---" not in line]


@pytest.mark.parametrize(
    ("table", "rows"),
    [
        (
            "<tr><th rowspan=2>가</th><th colspan=2>나</th></tr><tr><td>다</td><td>라</td></tr>",
            ["| 가 | 나 | 나 |", "| 가 | 다 | 라 |"],
        ),
        (
            "<tr><td>가</td><td rowspan='3'>나</td></tr><tr><td>다</td></tr><tr><td>라</td></tr>"
            "<tr><td>마</td><td>바</td></tr>",
            ["| 가 | 나 |", "| 다 | 나 |", "| 라 | 나 |", "| 마 | 바 |"],
        ),
        (  # rowspan ends with its part, and colspan covers the columns that there are
            "<thead><tr><th rowspan=9>가</th><th>나</th></tr></thead>"
            "<tbody><tr><td>다</td><td>라</td></tr><tr><td colspan=100>비고</td></tr></tbody>",
            ["| 가 | 나 |", "| 다 | 라 |", "| 비고 | 비고 |"],
        ),
        (
            "<tr><td rowspan=0>가</td><td>나</td></tr><tr><td>다</td></tr><tr><td>라</td></tr>",
            ["| 가 | 나 |", "| 가 | 다 |", "| 가 | 라 |"],
        ),
        (
            "<tr><td>가<table><tr><td>안1<td>안2</table></td><td style='display:none'>숨음</td>"
            "<td>나</td></tr>",
            ["| 가 안1 안2 | 나 |"],
        ),
        (
            "<tr><td rowspan=x colspan=-1>가<td>나<tr hidden><td>숨음<td>숨음<tr><td>다<td>라",
            ["| 가 | 나 |", "| 다 | 라 |"],
        ),
    ],
)
def test_merged_cells_keep_their_columns(table, rows):
    assert rows_of(table) == rows


def test_a_table_of_a_few_bytes_with_huge_cells_is_refused():
    wide = "<tr>" + "<td colspan=1000>가" * 11
    with pytest.raises(UserError, match="more than 10000 columns"):
        html_to_markdown(f"<table>{wide}</table>")
    deep = "<tr><td colspan=1000 rowspan=60000>" + "가" * 3000 + "<td>나" + "<tr>" * 20
    with pytest.raises(UserError, match="or 20000000 characters"):
        html_to_markdown(f"<table>{deep}</table>")


@pytest.mark.parametrize(
    ("lists", "lines"),
    [
        ("<ol><li>가<li>나</ol><ul><li>다</ul>", ["1. 가", "2. 나", "- 다"]),
        ("<ol start=3 type=a><li>가<li value=7>나<li>다</ol>", ["c. 가", "g. 나", "h. 다"]),
        ("<ol reversed><li>가<li>나</ol>", ["2. 가", "1. 나"]),
        (
            "<ol><li>가<ol type=i><li>나<li>다</ol><li>라</ol>",
            ["1. 가", "i. 나", "ii. 다", "2. 라"],
        ),
        ("<ol style='list-style: none'><li>① 가</ol>", ["① 가"]),
        ("<dl><dt>말<dd>뜻</dl>", ["말", "뜻"]),
    ],
)
def test_lists_have_the_numbers_that_a_browser_shows(lists, lines):
    assert [line for line in html_to_markdown(lists)[0].split("\n") if line] == lines


@pytest.mark.parametrize(
    "hidden",
    [
        '<p style="DISPLAY : NONE !important">x</p>',
        '<p style="visibility:hidden">x</p>',
        "<p hidden>x</p>",
        "<style>/* .b{} */ @media print { .a {display:none} } p.b, .c { color: red; display:none }"
        "</style><p class='d b'>x</p><p class='c'>x</p>",
        "<style>#q{display:none;}</style><p id=q>x</p>",
        "<del>x</del><textarea>x</textarea><template>x</template>",
        "<form><label>x</label><input value=x></form>",
    ],
)
def test_hidden_parts_are_left_out(hidden):
    assert html_to_markdown(f"<body>{hidden}<p class=a>보임</p></body>")[0] == "보임\n"


def test_a_page_inside_a_form_is_read():
    page = f"<form id=aspnetForm><input value=x><p>{'가나다 ' * 100}</p></form>"
    assert html_to_markdown(page)[0].strip() == ("가나다 " * 100).strip()


CELL = st.sampled_from(["td", "th", "td colspan=2", "td rowspan=2", "-td"])
BLOCK = st.sampled_from(["p", "li", "dd", "h2", "div", "-p"])


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.one_of(st.lists(CELL, min_size=1, max_size=4), BLOCK), min_size=1, max_size=6))
def test_each_visible_word_is_read_in_order(blocks):
    seen, made = [], 0

    def element(place):
        nonlocal made
        word, made = f"표지{made}말", made + 1
        if place.startswith("-"):
            return f"<{place[1:]} style='display:none'>{word}</{place[1:]}>"
        seen.append(word)
        return f"<{place}>{word}</{place.split()[0]}>"

    page = ""
    for block in blocks:
        row = isinstance(block, list)
        inner = "".join(map(element, block)) if row else element(block)
        page += f"<table><tr>{inner}</tr><tr><td>끝</td></tr></table>" if row else inner
    found = re.findall(r"표지\d+말", html_to_markdown(page)[0])
    assert list(dict.fromkeys(found)) == seen


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("<p>10<sup>2</sup>㎡, 한도<sup>1)</sup></p>", "10²㎡, 한도1)\n"),
        ("<pre>제1조(목적)\n  ① 하나\n② 둘</pre>", "제1조(목적)\n① 하나\n② 둘\n"),
        (
            "<div style='white-space: pre-line'>가\n<b>나</b>\n<p style='white-space:normal'>다\n라</div>",
            "가\n나\n다 라\n",
        ),
        ("<p><math><mfrac><mi>a</mi><mn>12</mn></mfrac></math></p>", "a/12\n"),
        (
            "<table><tr><td><p>제1조(목적) 가<p>제2조(뜻) 나</table>",
            "제1조(목적) 가\n\n제2조(뜻) 나\n",
        ),
        (
            "<table><tbody><tr><td>가<table><tr><td>나<td>다</table>라</table>",
            "가\n| 나 | 다 |\n| --- | --- |\n\n라\n",
        ),
    ],
)
def test_lines_frames_and_small_text_are_those_of_a_browser(page, text):
    assert html_to_markdown(page)[0] == text
