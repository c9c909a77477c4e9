"""Texts of others stay text in Markdown and on the terminal."""

import html
import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from kofinlaw.texts import json_in_markdown, markdown_text, terminal_text

PARSER = MarkdownIt("gfm-like", {"html": True, "linkify": False})
HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[눌러](javascript:alert(1))",
    "![그림](https://evil.example/x.png)",
    "<https://evil.example>",
    "https://evil.example/x www.evil.example",
    "[a]: https://evil.example",
    "**굵게** _기울임_ ~~줄~~ `부호`",
    "a | b | c",
    "&lt;script&gt; &#60;b&#62; R&D",
    "# 제목",
    "> 인용",
    "- 목록",
    "1. 목록",
    "2) 목록",
    "+ 목록",
    "=====",
    "---",
    "    코드",
    "```\n코드\n```",
    "<!-- 숨김 -->",
    "\\<b>\\[x\\](y)",
    "[^1] <b\n>",
]
PIECES = [
    *"<>[]()!&#;:/\\`*_~|-+=.1 \n\t가a",
    "://",
    "www.",
    "&lt;",
    "<b>",
    "](",
    "<script>",
    "\x1b[31m",
]


def shown(markdown):
    """Return what a reader of the rendered Markdown sees, and its tags."""
    page = PARSER.render(markdown)
    return html.unescape(re.sub(r"<[^>]*>", "", page)), set(re.findall(r"<(\w+)", page))


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_shows_the_characters_of_a_text(text):
    written = markdown_text(text)
    assert not re.search("<[A-Za-z/!?]", written)
    assert "://" not in written
    assert "\n" not in written
    seen, tags = shown(f"{written}\n")
    assert seen.strip() == " ".join(text.split())
    assert tags <= {"p"}
    seen, tags = shown(f"| a | b |\n| --- | --- |\n| {written} | x |\n")
    assert " ".join(text.split()) in seen
    assert tags <= {"table", "thead", "tbody", "tr", "th", "td"}
    _, tags = shown(f"- {written}\n")
    assert tags <= {"ul", "li"}


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_no_text_becomes_markup(text):
    written = markdown_text(text)
    seen, tags = shown(f"# {written}\n")
    assert tags <= {"h1"}
    seen, tags = shown(f"글 {written} 끝\n")
    assert tags == {"p"}
    assert seen.split() == f"글 {terminal_text(text)} 끝".split()
    seen, tags = shown(f"- {written}\n")
    assert tags <= {"ul", "li"}


def test_ordinary_titles_and_names_are_unchanged():
    for text in (
        "은행업 감독규정",
        "금융_규정-2.md",
        "3.5 %",
        "p < 0.001",
        "제1조(목적) ① 2024-01-01",
        "a > b",
        "R&D",
    ):
        assert markdown_text(text) == text
    assert markdown_text(3) == "3"


@given(st.text(max_size=40))
@settings(max_examples=100, deadline=None)
def test_json_in_a_code_span_is_the_value_and_no_markup(text):
    written = json_in_markdown({"x": text})
    assert json.loads(written) == {"x": text}
    assert not set("<>`|&\n") & set(written)


def test_the_terminal_gets_no_control_sequence():
    assert (
        terminal_text("가\x1b[2J\x1b]0;x\x07\x9b31m나\u202e다\r\n\t라") == "가[2J]0;x31m나다\n\t라"
    )
