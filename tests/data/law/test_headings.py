"""Headings of Markdown, also with very many blanks."""

import re

from hypothesis import given
from hypothesis import strategies as st

from kofinlaw.data.chunking import heading_sections
from kofinlaw.data.law.headings import markdown_heading
from kofinlaw.data.readers.documents import _first_heading

# The pattern that was used before. It tries each blank in two places.
QUADRATIC = re.compile(r"^\s{0,3}(#{1,6})\s+(.+?)\s*#*\s*$")


def test_level_and_title():
    assert markdown_heading("## 제1장 총칙 ##") == (2, "제1장 총칙")
    assert markdown_heading("   ###### 가") == (6, "가")
    assert markdown_heading("# ##") == (1, "#")
    for line in ("", "#", "#가", "#   ", "    # 네 칸", "####### 일곱", "제1조"):
        assert markdown_heading(line) is None


@given(st.text(alphabet="# \t가a.", max_size=24))
def test_headings_are_those_of_the_pattern(line):
    match = QUADRATIC.match(line)
    expected = (len(match[1]), match[2]) if match and match[2].strip() else None
    assert markdown_heading(line) == expected


def test_a_heading_of_many_blanks_ends():
    """4,000 blanks took more than a minute, and these would take years."""
    line = "# a" + " " * 400_000
    assert markdown_heading(line + "b")[1].endswith("b")
    assert _first_heading(line) == "a"
    assert [path for path, *_ in heading_sections(line + "#!\n가")][-1][0].startswith("a")
