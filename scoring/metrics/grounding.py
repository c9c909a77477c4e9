"""Does what a free answer states stand in what it was given? Numbers, dates, article citations.

A claim is grounded when the passages (or the question, which may give a number to reckon with)
hold the same amount with the same unit, the same date, or the same article. It says nothing of
whether the claim is right: that is the score's business.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from kofinlaw.data.law.citations import cited_units

Kind = Literal["number", "date", "citation"]
_SCALES = {"억": 10**8, "만": 10**4, "천": 1000, "백": 100, "십": 10}
# Points and hyphens part a date only behind a year: `3.5퍼센트` and `3-5일` are amounts.
_DATE = re.compile(
    r"(?<!\d)(?:(?P<y>\d{4})\s*[.년-]\s*)?(?P<m>\d{1,2})\s*(?(y)[.월-]|월)\s*(?P<d>\d{1,2})"
    r"\s*(?:일|\.|(?!\d))"
)
_ARTICLE = re.compile(r"제\s*(\d+)\s*조(?:\s*의\s*(\d+))?")
_PART = re.compile(r"제\s*\d+\s*(?:조(?:\s*의\s*\d+)?|[항호장절편관]|차)")
_AMOUNT = re.compile(r"(?<![\d.])\d[\d,]*(?:\.\d+)?(?:\s*[억만천백십]\s*(?:\d[\d,]*(?:\.\d+)?)?)*")
# What is counted; longest first. Another word after a number is no unit, and then any will do.
_UNITS = (
    "영업일", "개월", "시간", "퍼센트", "포인트", "달러", "년간", "일간", "분의", "이용자",
    "년", "월", "주", "일", "분", "초", "원", "%", "명", "인", "회", "건", "개", "배", "점",
)  # fmt: skip
_SAME_UNIT = {"퍼센트": "%", "년간": "년", "일간": "일", "인": "명"}


@dataclass(frozen=True, slots=True)
class Claim:
    """A number (`amount` and `unit`), a date (ISO, `--` for no year) or a cited article."""

    kind: Kind
    value: str
    text: str


def claims_of(text: str, titles: Iterable[str] = ()) -> list[Claim]:
    """The claims of a text in order, each once; `titles` are acts whose articles it may cite.

    An article of a named act is its unit (`전자금융거래법 제9조`), else `제9조` alone.
    """
    found: dict[tuple[str, str], Claim] = {}

    def add(kind: Kind, value: str, words: str) -> None:
        found.setdefault((kind, value), Claim(kind, value, words.strip()))

    units = cited_units(text, titles) if titles else []
    for unit in units:
        add("citation", unit, unit)
    named = {unit.rpartition(" ")[2] for unit in units}
    for match in _ARTICLE.finditer(text):
        number = f"제{match[1]}조" + (f"의{match[2]}" if match[2] else "")
        if number not in named:
            add("citation", number, match[0])
    rest = _PART.sub(lambda m: " " * len(m[0]), text)
    for match in _DATE.finditer(rest):
        if 1 <= int(match["m"]) <= 12 and 1 <= int(match["d"]) <= 31:
            value = f"{match['y'] or '-'}-{int(match['m']):02d}-{int(match['d']):02d}"
            add("date", value, match[0])
            rest = rest[: match.start()] + " " * len(match[0]) + rest[match.end() :]
    for match in _AMOUNT.finditer(rest):
        unit = unit_after(rest[match.end() :])
        add("number", f"{amount(match[0]):g} {unit}".strip(), match[0].strip() + unit)
    return list(found.values())


def unit_after(text: str) -> str:
    """The unit a number is followed by, one name for each; empty where it is another word."""
    bare = text.lstrip()
    unit = next((unit for unit in _UNITS if bare.startswith(unit)), "")
    return _SAME_UNIT.get(unit, unit)


def amount(text: str) -> float:
    """`3억 5천만`, `5,000` or `12.5` as a number."""
    total = part = 0.0
    for digits, scale in re.findall(r"(\d[\d,]*(?:\.\d+)?)?\s*([억만천백십])?", text):
        value = float(digits.replace(",", "")) if digits else 0.0
        if not scale:
            part += value
        elif scale in "억만":
            total += ((part + value) or 1) * _SCALES[scale]
            part = 0.0
        else:
            part += (value or 1) * _SCALES[scale]
    return total + part


def ungrounded(
    answer: str, sources: Sequence[str], units: Iterable[str] = (), titles: Iterable[str] = ()
) -> tuple[list[Claim], list[Claim]]:
    """(all claims of the answer, those that no source holds).

    `sources` are the passages and the question; `units` the passages' own articles.
    """
    titles = list(titles)
    claims = claims_of(answer, titles)
    if not claims:
        return [], []
    held: set[tuple[str, str]] = {("citation", unit) for unit in units}
    for source in sources:
        held |= {(claim.kind, claim.value) for claim in claims_of(source, titles)}
    # A bare number goes with any unit, a bare article with any act, a day with any year.
    held |= {("number", value.partition(" ")[0]) for kind, value in held if kind == "number"}
    held |= {("citation", value.rpartition(" ")[2]) for kind, value in held if kind == "citation"}
    held |= {("date", "-" + value[-6:]) for kind, value in held if kind == "date"}
    return claims, [claim for claim in claims if (claim.kind, claim.value) not in held]


def grounding_figures(
    found: Mapping[str, tuple[Sequence[Claim], Sequence[Claim]]],
) -> dict[str, Any] | None:
    """Totals over answers by id: claims, how many are grounded, by kind; None without any claim."""
    claims = [claim for every, _ in found.values() for claim in every]
    loose = [claim for _, missing in found.values() for claim in missing]
    if not claims:
        return None
    kinds = {}
    for kind in ("number", "date", "citation"):
        n = sum(claim.kind == kind for claim in claims)
        if n:
            kinds[kind] = {"n": n, "grounded": n - sum(claim.kind == kind for claim in loose)}
    return {
        "answers": len(found),
        "with_claims": sum(bool(every) for every, _ in found.values()),
        "claims": len(claims),
        "grounded": len(claims) - len(loose),
        "share": 1 - len(loose) / len(claims),
        "answers_with_ungrounded": sum(bool(missing) for _, missing in found.values()),
        "kinds": kinds,
    }
