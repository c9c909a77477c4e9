"""HTML to Markdown."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

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
