"""Read the lists of 호 that questions can use."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kofinlaw.augment.reading.acts import Law
from kofinlaw.augment.reading.clauses import Clause, simplify

__all__ = ["LONGEST_ITEM", "Listing", "cited_items", "read_listings"]

LONGEST_ITEM = 55
_CATCH_ALL = re.compile(
    r"그 밖에|그밖에|기타|밖의|제\d+호|각 목|삭제|(?<!조)(?<!\d)제\d+항|^제\d+조"
    r"|준하는|상당하는|이와 유사|필요한 (?:조치|사항|업무|지원)$| 간$"
)
# `법 제17조 및 제18조`, `「전자정부법」 제72조`: such an item is only a citation.
_ONLY_CITES = re.compile(r"(?:「[^」]+」|법|영|및|또는|부터|까지|제\d+[조항호](?:의\d+)?|[ㆍ,\s])+")
# An item that includes another list, or everything that other laws may add. The content of such a
# list is not known.
_INCLUDES_OTHERS = re.compile(
    r"각 [호목](?:의|에 따른)|다른 법[령률]\S* [^.]{0,200}(?:사무|업무|사업)(?:로 |$)"
    r"|금지하지 (?:않|아니)"
)
_LISTS = re.compile(r"다음 각 호|다음 각호")
_PENAL = re.compile(r"벌칙|과태료|정의|용어")
_CITED = re.compile(r"(?<!」 )제\d+조(?:의\d+)?")
_OWN_PARAGRAPH = re.compile(r"(?<![조\d])제\d+항")


@dataclass(frozen=True)
class Listing:
    """A list of 호: its clause, the sentence that opens it, and its usable items."""

    clause: Clause
    lead: str
    items: tuple[str, ...]

    @property
    def cited_articles(self) -> set[str]:
        """Numbers of the articles that the list's 호 cite, without those of other acts."""
        return {number for text in self.clause.items for number in _CITED.findall(text)}

    @property
    def cites_own_paragraph(self) -> bool:
        """Whether a 호 cites a 항 of its own article (`제1항제1호에 따라`)."""
        return any(map(_OWN_PARAGRAPH.search, self.clause.items))


def read_listings(law: Law) -> list[Listing]:
    """Return the act's lists with short, closed items, without lists of definitions
    and penalties.
    """
    out = []
    for clause in law.clauses:
        if _PENAL.search(clause.article.heading) or len(clause.items) < 2:
            continue
        if any(_INCLUDES_OTHERS.search(item) for item in clause.items):
            continue
        leads = [s for s in (clause.main, clause.proviso, *clause.rest) if _LISTS.search(s)]
        items = tuple(item for item in map(_item, clause.items) if item)
        if leads and items:
            out.append(Listing(clause, leads[0], items))
    return out


def cited_items(law: Law, listing: Listing) -> list[str]:
    """Return the items of the articles that a list cites:
    `제15조제1항제7호에 따라 제공하는 경우`.
    """
    return [
        item
        for number in sorted(listing.cited_articles & set(law.by_number))
        for clause in law.by_article.get(law.by_number[number].id, ())
        for item in clause.items
    ]


def _item(text: str) -> str:
    """Return the 호 as an option; empty where it is too long, open-ended or only a citation."""
    simple, _ = simplify(text)
    simple = simple.rstrip(". ")
    fits = (
        8 <= len(simple) <= LONGEST_ITEM
        and not _CATCH_ALL.search(simple)
        and not _ONLY_CITES.fullmatch(simple)
    )
    return simple if fits and ":" not in simple and "다." not in simple else ""
