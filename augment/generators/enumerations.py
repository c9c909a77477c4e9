"""Lists of 호: which one the law names, which one it does not (해당하지 않는 것은)."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass

from kofinlaw.augment.generators.acts import Law
from kofinlaw.augment.generators.clauses import Clause, item_noun, simplify
from kofinlaw.augment.generators.drafts import Draft, distinct, law_name, source_rng
from kofinlaw.augment.generators.names import normal
from kofinlaw.data.korean.words import bigrams

LONGEST_ITEM = 55
# Share of the shorter one's bigrams from which two 호 may mean the same.
CLOSE = 0.28
# The same for the items of an article that the list only cites.
SAME = 0.6
# Share of an item's bigrams that stand in a whole list, from which it may be a piece of two 호.
PIECED = 0.7
LONGEST_LEAD = 110
_CATCH_ALL = re.compile(
    r"그 밖에|그밖에|기타|밖의|제\d+호|각 목|삭제|(?<!조)(?<!\d)제\d+항|^제\d+조"
    r"|준하는|상당하는|이와 유사|필요한 (?:조치|사항|업무|지원)$| 간$"
)
# `법 제17조 및 제18조`, `「전자정부법」 제72조`: an item that says nothing but where to look.
_ONLY_CITES = re.compile(r"(?:「[^」]+」|법|영|및|또는|부터|까지|제\d+[조항호](?:의\d+)?|[ㆍ,\s])+")
# An item that takes in another list, or all that laws may add: nobody sees what the list holds.
_TAKES_IN = re.compile(
    r"각 [호목](?:의|에 따른)|다른 법[령률]\S* [^.]*(?:사무|업무|사업)(?:로 |$)"
    r"|금지하지 (?:않|아니)"
)
# Who fills in the details says nothing about them.
_LEFT_TO_OTHERS = re.compile(
    r"(?:(?:대통령|총리|부)령으로|\S*(?:위원회|장관)[가이]) (?:정하는|정하여 고시하는|정한) ?"
)
# `다른 법률에 특별한 규정이 있는 경우`, `법령에서 허용하고 있는 경우`: much the same.
_BY_LAW = re.compile(r"(?<![가-힣])법[령률](?:에|상|이|로)")
_CITED = re.compile(r"(?<!」 )제\d+조(?:의\d+)?")
_OWN_PARAGRAPH = re.compile(r"(?<![조\d])제\d+항")
_LISTS = re.compile(r"다음 각 호|다음 각호")
# An opening sentence that cannot be understood without the one before it.
_LEANS = re.compile(r"제\d+항|같은|^(?:다만|이 경우)")
_PENAL = re.compile(r"벌칙|과태료|정의|용어")


@dataclass(frozen=True)
class Listing:
    """A list of 호 that questions may use: its clause, the sentence that opens it, its items."""

    clause: Clause
    lead: str
    items: tuple[str, ...]


def listings(law: Law) -> list[Listing]:
    """The act's lists with short, closed items; lists of definitions and penalties left out."""
    out = []
    for clause in law.clauses:
        if _PENAL.search(clause.article.heading) or len(clause.items) < 2:
            continue
        if any(_TAKES_IN.search(item) for item in clause.items):
            continue
        leads = [s for s in (clause.main, clause.proviso, *clause.rest) if _LISTS.search(s)]
        items = tuple(item for item in map(_item, clause.items) if item)
        if leads and items:
            out.append(Listing(clause, leads[0], items))
    return out


def _item(text: str) -> str:
    simple, _ = simplify(text)
    simple = simple.rstrip(". ")
    fits = (
        8 <= len(simple) <= LONGEST_ITEM
        and not _CATCH_ALL.search(simple)
        and not _ONLY_CITES.fullmatch(simple)
    )
    return simple if fits and ":" not in simple and "다." not in simple else ""


def generate(law: Law, seed: int) -> Iterator[Draft]:
    """For each list a question by what it names and, where it has three, by what it does not."""
    known = listings(law)
    for here in known:
        clause = here.clause
        rng = source_rng(seed, "enumeration", clause.article.id, clause.label)
        inside = [content(text) for text in clause.items]
        through = [content(text) for text in _through(law, clause)]
        foreign = [
            text
            for text in _foreign(here, known, rng)
            if not resembles(text, inside)
            and not resembles(text, through, SAME)
            and not pieced_together(text, inside)
            and not same_head(text, clause.items)
            and not (_BY_LAW.search(text) and any(map(_BY_LAW.search, clause.items)))
        ]
        yield from _not_named(law, here, foreign, rng)
        yield from _named(law, here, foreign, rng)


def _through(law: Law, clause: Clause) -> list[str]:
    """The items of the articles that a list cites: `제15조제1항제7호에 따라 제공하는 경우`."""
    cited = {number for text in clause.items for number in _CITED.findall(text)}
    return [
        item
        for number in sorted(cited & set(law.by_number))
        for other in law.by_article.get(law.by_number[number].id, ())
        for item in other.items
    ]


def _foreign(here: Listing, known: list[Listing], rng: random.Random) -> list[str]:
    """Items of the act's other lists that end in the same noun.

    Those of the article itself come first, then those that say most in the article's own words:
    an item that shares nothing with the evidence could be told without reading it. An article
    that the list itself cites (제30조에 따른 조치) gives none: its items are within the list.
    """
    nouns = {item_noun(item) for item in here.items}
    ranked: list[tuple[int, float, str]] = []
    words = content(here.clause.article.text)
    mine = {normal(text) for text in here.clause.items}
    cited = {number for text in here.clause.items for number in _CITED.findall(text)}
    if any(map(_OWN_PARAGRAPH.search, here.clause.items)):
        cited.add(here.clause.article.number)
    for other in known:
        if other is here or other.clause.article.number in cited:
            continue
        distance = 0 if other.clause.article.id == here.clause.article.id else 1
        for item in other.items:
            if normal(item) not in mine and item_noun(item) in nouns:
                grams = content(item)
                shared = len(grams & words) / max(len(grams), 1)
                ranked.append((distance, 0.3 * rng.random() - shared, item))
    return apart([text for _, _, text in sorted(ranked)])


def content(text: str) -> set[str]:
    """Bigrams of what the text says itself."""
    return set(bigrams(_LEFT_TO_OTHERS.sub("", text)))


def apart(texts: list[str]) -> list[str]:
    """Those that say much the same as none before them."""
    out: list[str] = []
    said: list[set[str]] = []
    for text in texts:
        if not resembles(text, said):
            out.append(text)
            said.append(content(text))
    return out


def resembles(text: str, inside: list[set[str]], close: float = CLOSE) -> bool:
    """Whether the text says much the same as one of others, given by their `content`."""
    grams = content(text)
    if not grams:
        return True
    return any(len(grams & item) / min(len(grams), len(item) or 1) > close for item in inside)


def pieced_together(text: str, inside: list[set[str]]) -> bool:
    """Whether several of the list's items say it together: 청소년 보호, and 기술의 개발ㆍ보급."""
    grams = content(text)
    return len(grams & set().union(*inside)) > PIECED * len(grams)


def same_head(text: str, items: tuple[str, ...]) -> bool:
    """Whether an item names a thing of the same kind: 보유기간 beside 촬영시간, 보관기간 및 ….

    A kind that ends many items (행위, 사항, 경우) tells nothing.
    """
    head = text.rstrip(". ")[-2:]
    return not item_noun(text) and any(
        re.search(rf"[가-힣]{head}(?![가-힣]{{2}})", i) for i in items
    )


def _topic(law: Law, here: Listing, rng: random.Random) -> str:
    """The list as the question names it: the sentence that opens it, or article and heading."""
    clause = here.clause
    if len(here.lead) <= LONGEST_LEAD and not _LEANS.search(here.lead):
        where = law_name(law.title) + (f" {clause.place}" if rng.random() < 0.25 else "")
        return f'{where}의 "{here.lead}"에서 각 호'
    heading = f"({clause.article.heading})" if clause.article.heading else ""
    return f"{law_name(law.title)} {clause.article.number}{heading}{clause.label}의 각 호"


def _not_named(law: Law, here: Listing, foreign: list[str], rng: random.Random) -> Iterator[Draft]:
    if len(here.items) < 3:
        return
    for odd in foreign[:2]:
        right = list(here.items)
        rng.shuffle(right)
        wrong = distinct(odd, right[:6])
        if len(wrong) >= 3:
            yield Draft(
                kind="enumeration_not",
                stem=f"{_topic(law, here, rng)}에 규정된 것이 아닌 것은?",
                answer=odd,
                distractors=wrong,
                units=(here.clause.article.id,),
                focus=(here.lead[:30], *(item[:20] for item in wrong[:4])),
                negative=True,
                document=law.title,
            )


def _named(law: Law, here: Listing, foreign: list[str], rng: random.Random) -> Iterator[Draft]:
    chosen = rng.choice(here.items)
    wrong = distinct(chosen, foreign[:8])
    if len(wrong) >= 3:
        yield Draft(
            kind="enumeration",
            stem=f"{_topic(law, here, rng)}에 규정된 것은?",
            answer=chosen,
            distractors=wrong,
            units=(here.clause.article.id,),
            focus=(here.lead[:30], chosen[:20]),
            document=law.title,
        )
