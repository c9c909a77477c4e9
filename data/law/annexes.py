"""Normalise the names of annexes (별표), forms (별지) and supplementary provisions (부칙)."""

from __future__ import annotations

import re

__all__ = ["annex_name", "annex_spelling", "split_unit"]

_NAME = re.compile(
    r"(?P<word>별표|별지|서식)\s*(?:제\s*)?(?:(?P<number>\d+(?:\s*-\s*\d+)*)\s*호?"
    r"(?P<branch>(?:\s*의\s*\d+)*))?"
)
_ANNEX_UNIT = re.compile(r"^(.*) ((?:별표|별지|서식|부칙)(?: \S+)?)$")


def annex_name(title: str) -> str:
    """Return the name in the spelling of references: `별표 1의2`, `별지 제3호의2서식`.

    All spellings (`[별표1의2] 과태료의 부과기준`, `별지 제3호의2 서식`) give the same name. The
    result is empty if the title does not start with such a name.
    """
    match = _NAME.match(re.sub(r"^[\s<\[〈【(■]+", "", title))
    if match is None:
        return ""
    return annex_spelling(
        match.group("word"), match.group("number") or "", match.group("branch") or ""
    )


def annex_spelling(word: str, number: str, branch: str = "") -> str:
    """Return the name of these parts, always in the same spelling."""
    number, branch = re.sub(r"\s", "", number), re.sub(r"\s", "", branch)
    if not number:
        return word
    return f"별지 제{number}호{branch}서식" if word == "별지" else f"{word} {number}{branch}"


def split_unit(unit: str) -> tuple[str, str]:
    """Return (title, name) of `전자금융거래법 제9조` or `전자금융거래법 시행령 별표 1`."""
    if match := _ANNEX_UNIT.match(unit):
        return match.group(1), match.group(2)
    title, _, name = unit.rpartition(" ")
    return title, name
