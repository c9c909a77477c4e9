"""Check whether the evidence supports the numbers, dates and articles of a free-text answer.

A claim is grounded if the passages, or the question itself, contain the same amount with the same
unit, the same date, or the same article. Grounding does not say that the claim is right; that is
what the score measures.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from kofinlaw.data.korean.quantities import BRANCH
from kofinlaw.data.law.citations import cited_units
from kofinlaw.scoring.scores_record import GroundingRecord, KindCounts

__all__ = ["Claim", "Kind", "amount", "claims_of", "grounding_figures", "ungrounded", "unit_after"]

Kind = Literal["number", "date", "citation"]
_SCALES = {"억": 10**8, "만": 10**4, "천": 1000, "백": 100, "십": 10}
# Points and hyphens separate a date only after a year: `3.5퍼센트` and `3-5일` are amounts.
_DATE = re.compile(
    r"(?<!\d)(?:(?P<y>\d{4})\s*[.년-]\s*)?(?P<m>\d{1,2})\s*(?(y)[.월-]|월)\s*(?P<d>\d{1,2})"
    r"\s*(?:일|\.|(?!\d))"
)
_ARTICLE = re.compile(rf"제\s*(\d+)\s*조(?:{BRANCH}(\d+))?")
_PART = re.compile(rf"제\s*\d+\s*(?:조(?:{BRANCH}\d+)?|[항호장절편관]|차)")
_AMOUNT = re.compile(r"(?<![\d.])\d[\d,]*(?:\.\d+)?(?:\s*[억만천백십]\s*+(?:\d[\d,]*(?:\.\d+)?)?)*")
# Units, longest first. Any other word after a number is not a unit, and then any unit matches.
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
    """Return the claims of a text in order, each once; `titles` are the acts that it may cite.

    The value of an article is its unit (`전자금융거래법 제9조`) if the act is named, else `제9조`.
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
    """Return the unit at the start of the text, in one spelling; empty if there is none."""
    bare = text.lstrip()
    unit = next((unit for unit in _UNITS if bare.startswith(unit)), "")
    return _SAME_UNIT.get(unit, unit)


def amount(text: str) -> float:
    """Return `3억 5천만`, `5,000` or `12.5` as a number."""
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
    """Return (all claims of the answer, those that no source supports).

    `sources` are the passages and the question; `units` are the articles of the passages.
    """
    titles = list(titles)
    claims = claims_of(answer, titles)
    if not claims:
        return [], []
    held: set[tuple[str, str]] = {("citation", unit) for unit in units}
    for source in sources:
        held |= {(claim.kind, claim.value) for claim in claims_of(source, titles)}
    # A number without unit matches any unit, an article without act any act, a day any year.
    held |= {("number", value.partition(" ")[0]) for kind, value in held if kind == "number"}
    held |= {("citation", value.rpartition(" ")[2]) for kind, value in held if kind == "citation"}
    held |= {("date", "-" + value[-6:]) for kind, value in held if kind == "date"}
    return claims, [claim for claim in claims if (claim.kind, claim.value) not in held]


def grounding_figures(
    found: Mapping[str, tuple[Sequence[Claim], Sequence[Claim]]],
) -> GroundingRecord | None:
    """Return totals over answers by id: claims, grounded ones, and both by kind.

    None if no answer makes a claim.
    """
    claims = [claim for every, _ in found.values() for claim in every]
    unsupported = [claim for _, missing in found.values() for claim in missing]
    if not claims:
        return None
    kinds: dict[str, KindCounts] = {}
    for kind in ("number", "date", "citation"):
        n = sum(claim.kind == kind for claim in claims)
        if n:
            kinds[kind] = {"n": n, "grounded": n - sum(claim.kind == kind for claim in unsupported)}
    return {
        "answers": len(found),
        "with_claims": sum(bool(every) for every, _ in found.values()),
        "claims": len(claims),
        "grounded": len(claims) - len(unsupported),
        "share": 1 - len(unsupported) / len(claims),
        "answers_with_ungrounded": sum(bool(missing) for _, missing in found.values()),
        "kinds": kinds,
    }
