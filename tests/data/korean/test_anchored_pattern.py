from __future__ import annotations

import random
import re

import pytest

from kofinlaw.data.korean.anchored_pattern import AnchoredPattern
from kofinlaw.data.law import citation_tokens
from kofinlaw.data.law.titles import name_pattern
from kofinlaw.data.law.verifying import claims, decision_numbers, verify, written

NAMES = ("은행법", "상법", "금융실명거래 및 비밀보장에 관한 법률", "보험업법")
PATTERNS = {
    "tokens": citation_tokens._TOKENS,
    "loose forms": written._LOOSE_FORMS,
    "decisions": decision_numbers._NUMBERS,
    "quotations": claims._QUOTES,
    "day lines": verify._DATE_LINES,
    "names": name_pattern(NAMES),
    "attached names": name_pattern(NAMES, attached=True),
}
PIECES = [
    *"제조항호목의에전동본이부칙별표지같은법영규칙서식편장일이삼십가나다하거ㆍ·,~-–—()[]<>〈〉《》「」“”‘’\"'`*§①②③ \n\t",
    *("1", "2", "12", "34", "의2", "3조", "제3조", "제1항", "4호", "같은 조", "동법 시행령", "은행법", "상 법"),
    *("현행은행법", "은상법", "에서", "까지", " 및 ", "또는", "내지", "가목", "2010도1234", "99다55", "라고 정한"),
    *("금융실명거래및비밀보장에관한법률", "선고일자: 2020-01-02", "date: 2021.3.4", "별표 1의2", "별지 제2호 서식", "시행령"),
]  # fmt: skip


@pytest.mark.parametrize("name", PATTERNS)
def test_the_anchor_skips_no_match_of_the_pattern(name: str) -> None:
    anchored, rng, found = PATTERNS[name], random.Random(3), 0
    for _ in range(4000):
        text = "".join(rng.choices(PIECES, k=rng.randrange(1, 14)))
        spans = [match.span() for match in anchored.pattern.finditer(text)]
        assert [match.span() for match in anchored.finditer(text)] == spans, text
        found += len(spans)
    assert found > 10


def test_a_match_begins_behind_the_one_before_it() -> None:
    pair = AnchoredPattern(re.compile("[ab]"), re.compile("(?=[ab])(?:aba|b)"))
    assert [match.span() for match in pair.finditer("ababab")] == [(0, 3), (3, 4), (5, 6)]


def test_a_name_of_one_character_is_found() -> None:
    assert [m[0] for m in name_pattern(("영",)).finditer("영 제3조")] == ["영"]
