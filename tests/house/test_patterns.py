"""No regular expression of the package grows faster than its input."""

import random
import re
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

from attacks.growth import Ambiguity, growths
from attacks.pattern_sources import collect

GROWING = [
    r"\s+$",  # searched: starts again at every blank
    r"[가-힣]+법",
    r"\d+분의",
    r"\S*\d\S*!",
    r"「[^」]+」",
    r"^#\s+(.+?)\s*#*\s*$",  # a heading and 4,000 blanks
    r"^\s*[<]?\s*별표",
    r"^(?:a+)+$",
    r"^(?:ab|\wb)*$",
    r"^(?:a?b?)*c$",
    r"(?m)^\s*x",
    r"^x(?=.*y)+(?:.*)(?:.*)z",
]
LINEAR = [
    r"\s+",
    r"(?<!\s)\s++$",
    r"(?<![가-힣])[가-힣]+법",
    r"「[^「」]+」",
    r"^\s*+[<]?\s*+별표",
    r"^(?>[^()]*?(?:제|별표))[^()]*$",
    r"(?:제\d+(?:조(?:의\d+)?|항|호))+",
    r"(?m)^[^\S\n]*x",
    r"^\w{1,40}\w{1,40}x",
    r"a(?:b|c)*d",
]


@pytest.mark.parametrize("pattern", GROWING)
def test_a_pattern_that_grows_is_found(pattern):
    assert growths(pattern)


@pytest.mark.parametrize("pattern", LINEAR)
def test_a_linear_pattern_is_not_reported(pattern):
    assert growths(pattern) == []


def test_the_reported_text_makes_the_matcher_work():
    """`prefix + pump * n` with a failing end: every start reads the rest of the text again."""
    growth = growths(r"[가-힣]+법")[0]
    assert growth.kind == "restart"
    assert re.fullmatch(r"[가-힣]+", growth.pump)
    overlap = next(g for g in growths(r"^a\s*b?\s*c") if g.kind == "overlap")
    assert overlap.prefix.strip() == "a"
    assert overlap.pump.isspace()


def test_loops_are_read_by_their_pattern():
    for pattern in (r"^a(?:bc)+", r"^(?:\d{3},)*x?", r"^[가-힣 ]+"):
        for prefix, pump in Ambiguity(pattern, 0, anchored=True, whole=False).loops():
            assert re.compile(pattern).match(prefix + pump * 3).end() >= len(prefix + pump * 2)


def test_no_pattern_of_the_package_grows():
    found, unread = collect()
    assert len(found) > 600
    # A pattern of the user, and a parser's own: their text is only known at run time.
    assert all("openai_engine" in line or "titles.py" in line for line in unread), unread
    grown = {
        one.where: growth
        for one in found
        for growth in growths(one.pattern, one.flags, anchored=one.anchored, whole=one.whole)
    }
    assert grown == {}


def test_the_texts_of_the_benchmark_are_made_from_the_pattern():
    from attacks.pattern_sources import Found
    from attacks.patterns import texts

    one = Found(r"제\d+조 (?:[가-힣]+ )*$", 0, "here", False, False)
    made = list(texts(one, random.Random(0)))
    assert {end for _, _, end in made} >= {"", "!", "\n"}
    assert any(pump.isdigit() for _, pump, _ in made)
