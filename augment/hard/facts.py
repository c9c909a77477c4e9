"""Read facts: statements of the law that can be judged alone, from 항 and from single 호.

A 호 becomes a statement together with the sentence that opens its list. Pointers to 항 of the same
article (`제1항에 따라`) are left out, because the question names the subject of the article.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from kofinlaw.augment.reading.acts import Law
from kofinlaw.augment.reading.clauses import Clause
from kofinlaw.augment.reading.figures import find_figures
from kofinlaw.augment.reading.listings import Listing, read_listings
from kofinlaw.data.korean.words import josa, particle_pair

__all__ = [
    "Fact",
    "ListFact",
    "clause_facts",
    "item_facts",
    "list_facts",
    "opening",
    "refusal",
    "resolved_sentence",
]

SHORTEST, LONGEST = 22, 130
_RANGE = r"제\d+항(?:제\d+호)?(?:(?:, ?| 및 | 또는 |ㆍ|부터 )제?\d+[항호](?:까지)?){0,20}"
_ADVERBIAL = re.compile(rf"(?<![조\d가-힣」])(?:{_RANGE})(?:의 규정)?에 (?:따라|의하여) ")
_ATTRIBUTE = re.compile(
    rf"(?<![조\d가-힣」])(?:{_RANGE})(?:의 규정)?에 (?:따른|의한) (?=(?P<noun>[가-힣]{{2,}}))"
)
# `제2항에 따라 그 인가가 취소된 때에는`: without the pointer nothing says which one.
_POINTED_AT = re.compile(rf"{_ADVERBIAL.pattern}(?:그|이|해당) ")
# Things that the subject of the article names well enough without the pointer to its 항.
_NAMED = re.compile(
    r"신청|신고|보고|등록|허가|인가|승인|계획|위원회|통지|공고|공시|계약|심사|지정|검사|평가|과태료|과징금"
)
# Things that say nothing without the pointer, even if the heading has the word.
_NAMELESS = re.compile(r"방법|사항|기준|요건|절차|기간|경우|자[가은는를에]|것")
_POINTS = re.compile(
    r"(?<!조)제\d+항|제\d+호|같은 [조항호법영]|전[항조]|각 ?호|각 ?목|다음|이 [조장절항]|본문|단서"
    r"|불구하고|그러하지|별표|별지|이 경우|준용|해당 [각호목]|^다만|^그 "
    r"|나머지|또한|^이를|^이 |필요한 (?:세부 ?)?사항|정하여 고시|로 정한다"
)
_ABSOLUTE = re.compile(
    r"제\d+조(?:의\d+)?(?:제\d+항(?:의\d+)?)?(?:제\d+호(?:의\d+)?)?(?:[가-하]목)?"
    r"(?:(?: 및 |, ?| 또는 |ㆍ|부터 )제\d+항(?:까지)?(?:의 규정)?)*"
)
_LEAD_CASE = re.compile(
    r"다음 각 ?호의 어느 하나에 해당하는 (?P<noun>[가-힣]{1,7}?)"
    r"(?P<after>을|를|이|가|은|는|에는|에|의|에게|으로서|로서|으로|로|와|과|에서|에 한정하여"
    r"|(?= ))(?= )"
)
_LEAD_THING = re.compile(
    r"다음 각 ?호의 (?P<noun>[가-힣]{1,7}?)(?P<particle>을|를|이|가|은|는|에|으로|로|이란|란)"
    r"(?P<each> 모두| 각각)? "
)
# `"대통령령으로 정하는 자"란 다음 각 호의 자를 말한다` → `"…자"에는 <item>이 포함된다`.
_DEFINED = re.compile(r"(?<=[\"”])(?:이란|란|이라 함은|라 함은) $")
_AMONG = "에는 "
_INCLUDED = " 포함된다"
_PERSONS = ("자", "사람", "위원", "기관", "법인", "단체", "회사")
_APPOINTS = re.compile(r"(?:위촉|임명|선임|구성|지정|추천|선정)|^\S* ?된다$|[으]?로 (?:한|둔)다$")
# What an item of any form may be.
_ANYTHING = (
    "사항",
    "서류",
    "내용",
    "정보",
    "자료",
    "업무",
    "사무",
    "조치",
    "방법",
    "사업",
    "기관",
    "비용",
    "기준",
)


@dataclass(frozen=True)
class Fact:
    """A true statement. `line` is a phrase of the line of the law that says it, for the evidence.

    `clause` is the 항 that it comes from, and `origin` the text of that line. `also` are
    (article id, phrase) of further lines that decide it, of the same or of another act.
    """

    text: str
    clause: Clause
    line: str
    origin: str
    also: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class ListFact:
    """A list whose opening sentence makes a statement with each item: `before` + item + `after`.

    `particle` is what follows the item (`을/를`, or empty), and `noun` what each item is.
    """

    listing: Listing
    before: str
    after: str
    particle: str
    noun: str
    items: tuple[str, ...]

    @property
    def defines(self) -> bool:
        """Whether the list says what a term means (`…란 다음 각 호의 사항을 말한다`)."""
        return self.after == _INCLUDED

    def statement(self, item: str) -> str:
        """Return the statement that the list holds the item."""
        shown = josa(item, self.particle) if self.particle else item
        return f"{self.before}{shown}{self.after}"


def _resolved(text: str, heading: str) -> str:
    """Return the sentence without pointers to its own article; empty where some remain."""
    if _POINTED_AT.search(text):
        return ""
    text = _ADVERBIAL.sub("", text)
    match = _ATTRIBUTE.search(text)
    while match:
        noun = match.group("noun")
        if _NAMELESS.match(noun) or (noun[:2] not in heading and not _NAMED.match(noun)):
            return ""
        text = text[: match.start()] + text[match.end() :]
        match = _ATTRIBUTE.search(text)
    return "" if _POINTS.search(_ABSOLUTE.sub("§", text)) else text


def resolved_sentence(sentence: str, heading: str) -> str:
    """Return a sentence without pointers to its own article and without its full stop.

    Empty where it points elsewhere, so that it cannot be judged alone.
    """
    return _resolved(sentence, heading).rstrip(". ")


def clause_facts(law: Law, article_id: str, *, closed: bool = True) -> list[Fact]:
    """Return the facts of an article's 항: first sentences that can be understood alone.

    `closed` leaves out sentences with an exception or a bracket that limits them: they are true as
    a rule, but not without it.
    """
    out = []
    for clause in law.by_article.get(article_id, ()):
        if refusal(clause) if closed else _unclear(clause):
            continue
        text = resolved_sentence(clause.main, clause.article.heading)
        out.append(Fact(text, clause, clause.main[:30], clause.main))
    return out


def refusal(clause: Clause) -> str:
    """Return why the clause's sentence cannot be judged alone: `bracket`, `exception`, `pointer`,
    `length` or `no rule`; empty where it can.
    """
    if clause.restricted:
        return "bracket"
    return "exception" if clause.proviso else _unclear(clause)


def _unclear(clause: Clause) -> str:
    text = resolved_sentence(clause.main, clause.article.heading)
    if not text:
        return "pointer"
    if not SHORTEST <= len(text) <= LONGEST:
        return "length"
    return "" if text.endswith("다") and "말한다" not in text else "no rule"


def item_facts(here: ListFact) -> list[Fact]:
    """Return the statements of a list's items that hold a figure.

    None for a list that defines a term: one 호 is not the whole meaning, and that a narrower case
    is one of several is true. None for a list of those who make up a body: one quality is not that
    of all members.
    """
    if here.defines or _makes_up(here):
        return []
    return [
        Fact(here.statement(item).rstrip(". "), here.listing.clause, item[:25], item)
        for item in here.items
        if find_figures(item) and len(here.statement(item)) <= LONGEST + 25
    ]


def _makes_up(here: ListFact) -> bool:
    """Return whether each item is the quality of some of those who make up a body.

    `위원은 다음 각 호의 어느 하나에 해당하는 사람으로 한다` with one 호 says it of every member.
    What a person of an item may or must not do holds for each of them.
    """
    if here.noun not in _PERSONS or re.search(r"수 (?:있|없)다$|아니 ?된다$|못한다$", here.after):
        return False
    if here.particle in ("을/를", "이/가"):
        return bool(_APPOINTS.search(here.after))
    return here.particle == "으로/로" or bool(re.match(r"(?:으로|로|이어야|중에서)", here.after))


def _repeats(before: str, item: str) -> bool:
    """Return whether the item begins with the subject before it: `업자가 업자가 폐지한`."""
    word = re.search(r"(?<![가-힣])(?P<noun>[가-힣]{2,})[이가] $", before)
    return word is not None and item.startswith(word.group("noun"))


def list_facts(law: Law) -> list[ListFact]:
    """Return the act's lists whose items make statements."""
    out = []
    for listing in read_listings(law):
        found = opening(_resolved_lead(listing))
        if found is None:
            continue
        before, after, particle, noun = found
        items = tuple(
            item for item in listing.items if _fits(item, noun) and not _repeats(before, item)
        )
        if len(items) >= 2 and len(before) + len(after) >= 15:
            out.append(ListFact(listing, before, after, particle, noun, items))
    return out


def _resolved_lead(listing: Listing) -> str:
    """Return the opening sentence without pointers; empty where it points elsewhere."""
    lead, heading = listing.lead.rstrip(". "), listing.clause.article.heading
    marked = re.sub(r"다음 각 ?호", "＠", lead)
    resolved = _resolved(marked, heading)
    return resolved.replace("＠", "다음 각 호") if resolved.count("＠") == 1 else ""


def opening(lead: str) -> tuple[str, str, str, str] | None:
    """Return (text before the item, after it, its particle, its noun); None for another form."""
    for pattern, group in ((_LEAD_CASE, "after"), (_LEAD_THING, "particle")):
        match = pattern.search(lead)
        if not match or match.group("noun") in ("각", "어느", "구분"):
            continue
        particle, rest = match.group(group), lead[match.end() :].lstrip()
        if rest == "말한다" or _DEFINED.search(lead[: match.start()]):
            # One 호 of several is a case of the term, not its meaning.
            before, count = _DEFINED.subn(_AMONG, lead[: match.start()])
            whole = count and rest == "말한다"
            return (before, _INCLUDED, "이/가", match.group("noun")) if whole else None
        if pair := particle_pair(particle):
            return lead[: match.start()], f" {rest}", pair, match.group("noun")
        return lead[: match.start()], f"{particle} {rest}", "", match.group("noun")
    return None


def _fits(item: str, noun: str) -> bool:
    """Return whether the item is a thing of the list's noun, so that it can take its place."""
    if noun in ("사유", "요건", "것", "방식", "절차", "기준"):
        return False
    if noun in ("경우", "때"):
        return item.endswith(("경우", "때"))
    if noun == "사람":
        return item.endswith(("자", "사람"))
    if noun == "자":
        return not item.endswith(("것", "음", "함", "경우", "때", "행위", "사항"))
    if noun in _ANYTHING:
        return not item.endswith(("것", "음", "함", "경우", "때", "자", "사람")) and (
            noun != "조치"
            or item.endswith(("조치", "명령", "요구", "정지", "취소", "제한", "경고", "주의"))
        )
    return item.endswith(noun[-2:])
