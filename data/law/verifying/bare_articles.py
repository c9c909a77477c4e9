"""Find article numbers that a text writes without 제, or across the end of a line.

`특금법은 6조3항부터`, `28조의2, 28조의3`.

`5조` is an amount of money as well. So a number counts only in a list behind a reference, with a
branch, 항 or 호 behind it, or shortly after another number in this form.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from kofinlaw.data.korean.anchored_pattern import AnchoredPattern
from kofinlaw.data.law.headers import CIRCLED

__all__ = ["bare_article_spans", "broken_number_spans"]

_NEAR = 100  # characters after a number without 제 in which the next one counts
_BEHIND = 60  # characters before a number in which the reference of its list lies
_NUMBER = AnchoredPattern(
    re.compile(r"\d(?<![\d제第.,-].)(?<!제\s.)(?=\d{0,3}+\s?조)"), re.compile(r"\d{1,4}(?=\s?조)")
)
_AMOUNT = re.compile(
    r"\s?조\s?(?:원|달러|각|여[\s개]|\d+\s?[억만천]|[억만천]|규모|대[의\s]|이상|이하|클럽)"
)
_ABOUT = re.compile(r"(?:약|총|최대|최소|누적|합계|규모|매출|자산|잔액|손실|원)\s?$")
_PROVISION = re.compile(
    rf"\s?조(?:\s?의\s?\d{{1,2}}(?!\d|\s?[배%분천만억원개])|\s?제?\d{{1,3}}\s?(?:항(?!목)|호(?![봉선기차실점]))"
    rf"|\s?[{CIRCLED}])"
)
_WHOLE = re.compile(r"\s?조(?:[^가-힣\d]|[의은는이가을를에와과및도만]|등|내지|부터|까지|$)")
_LISTED = re.compile(
    r"(?:\d조|\d조의\d{1,2}|\d[항호]|호의\d|[가-하]목|단서|본문)(?:\s?\([^()\n]{1,40}\))?"
    r"\s?(?:[,ㆍ·/~]|및|또는|내지|부터|와|과|이나)\s?$"
)

_BROKEN = re.compile(r"제[ ]?(?P<first>\d{1,3})\n(?P<last>\d{1,3})(?=\s?[조항호])")


def broken_number_spans(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield (start, end, words) of the numbers that a line end breaks: `제17⏎8조`."""
    for match in _BROKEN.finditer(text) if "\n" in text else ():
        yield match.start(), match.end(), f"제{match['first']}{match['last']}"


def bare_article_spans(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield (start, end, words) of the numbers, with 제 before them."""
    last = -_NEAR - 1
    for match in _NUMBER.finditer(text):
        start, end = match.span()
        if _AMOUNT.match(text, end) or _ABOUT.search(text, max(0, start - 6), start):
            continue
        counts = _PROVISION.match(text, end) is not None or (
            _WHOLE.match(text, end) is not None
            and (
                start - last <= _NEAR
                or _LISTED.search(text, max(0, start - _BEHIND), start) is not None
            )
        )
        if counts:
            last = end
            yield start, end, f"제{match[0]}"
