"""Read every reference to an act or provision in a text, also those that cannot be resolved."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from kofinlaw.data.law.citation_locations import (
    Location,
    Scope,
    article_before,
    paragraph_before,
)
from kofinlaw.data.law.citation_tokens import ACT_WORDS, DEPTH, Token
from kofinlaw.data.law.citations import document_aliases
from kofinlaw.data.law.titles import canonical_title
from kofinlaw.data.law.verifying.act_reader import (
    DECREE,
    FORMER,
    MOST_RIVALS,
    RELATIVE,
    ActReader,
)

__all__ = ["FORMER", "Mention", "family_names", "mentions"]

_AFTER_ACT = re.compile(
    r"^\s*+[\]」|]?\s*+(?:상의?|[내中]|의|에서\s?(?:정한|정하는|규정한|규정하는|말하는)|에\s?(?:정한|규정된)|"
    r"에서|에서는|에는|에|은|는|에\s?따른|에\s?따라|에\s?의한|에\s?의하면|에\s?따르면|중)?"
    r"\s*+,?\s*+$"
)
# Between an act and an article that is surely its own: `은행법(제3조)`, `은행법 제2장 제3조`.
_ABOUT_ACT = re.compile(
    r"\s?(?:[(\[:]\s?|\[[^\[\]()\n]{2,60}\]\s?|<[^<>()\n]{2,60}>\s?"
    r"|제\d+[편장](?:의\d+)?\s?(?:제\d+[편장절관]\s?)?|(?:에서도|이|도|소정의|의?\s규정\s중)\s"
    r"|(?:\*{1,2}|_{1,2}|`|/|>|→|<b>)\s?|-\s"
    r"|\s[가-힣]{2,4}편\s(?:제\d+[장절관]\s?)*|[상의]?\s?(?:관련\s)?(?:규정|조항|조문)\s?\()"
)
# Between the references of a list: `제1항 각 호, 제2항 각 호`.
_GAP = re.compile(
    r"^\s*+(?:\[[^\[\]]{0,60}\])?\s*+(?:본문|단서|전단|후단|전문)?+\s*+(?:까지)?(?:의\s?규정)?"
    r"\s*+(?P<each>(?:각\s?[호목])?+(?:의\s?사유)?+)"
    r"\s*+(?:[,ㆍ·、/]|및|또는|이나|나|와|과|그리고|내지|부터|~|∼|～|에서|까지)?\s*+(?:및|또는)?\s*+$"
)
# Documents that are no law: their articles belong to no act of the corpus.
_OTHER_DOCUMENTS = (
    "조례", "조약", "협약", "협정", "의정서", "계약", "계약서", "약정", "약정서", "내규", "예규",
    "훈령", "강령", "규약", "헌장", "합의서", "기준", "기준서", "사규", "규준", "준칙",
)  # fmt: skip
_LIST = re.compile(r"\s?(?:[,ㆍ·]|및|또는)\s?")
_ARTICLES = frozenset(
    ["article", "annex", "form", "supplement", "thisarticle", "samearticle", "lastarticle"]
)
_PARTS = re.compile(r"(?<![가-힣])(법|영|규칙)\s?제\d+[편장절관][^.\n]{0,12}$")


@dataclass(frozen=True, slots=True)
class Mention:
    """A reference of a text.

    - `location` is where it points; `act` is empty if the text names no act, and begins with `구 `
      if it names an act as it was before an amendment.
    - `start` and `end` are character offsets.
    - `inside` is true for a provision between the ends of a range.
    - `assumed` is true if the act was only named in an earlier sentence or clause, or if the text
      names a 항, 호 or 목 of the article that it belongs to.
    - `until` is the ISO day before which a former act (`구 …`) was in force, if the text says so.
    - `rivals` are other locations that the words may mean as well (`같은 법` after two acts).
    """

    location: Location
    start: int
    end: int
    inside: bool = False
    assumed: bool = False
    until: str = ""
    rivals: tuple[Location, ...] = ()


def mentions(
    text: str,
    scope: Scope,
    *,
    act: str = "",
    article: str = "",
    names: Mapping[str, str] | None = None,
) -> list[Mention]:
    """Return the references to acts and provisions in a text, in order of their offsets.

    Args:
        text: The text, in one spelling of its references (`written_text`).
        scope: The titles and article numbers of the corpus.
        act: The act that the text belongs to, for `이 법` and bare articles; may be empty.
        article: The article that the text belongs to; may be empty.
        names: Short names that the act defines (`법`, `영`), with their titles.
    """
    known: dict[str, str] = dict.fromkeys(RELATIVE, "")
    known |= family_names(act, scope) | dict(names or {})
    if "이하" in text:
        known |= document_aliases(act, text, scope.titles)
    reader = _MentionReader(text, act, article, replace(scope, names=known))
    reader.read()
    return sorted(reader.found(), key=lambda one: (one.start, one.end))


def family_names(act: str, scope: Scope) -> dict[str, str]:
    """Return what `법`, `영` and `규칙` mean in an act, decree or rule; empty for other titles."""
    base = DECREE.sub("", act)
    if not base.endswith(("법", "법률")):
        return {}
    decree = canonical_title(f"{base} 시행령", scope.titles)
    rule = canonical_title(f"{base} 시행규칙", scope.titles)
    names = dict.fromkeys(("영", "시행령"), decree) | dict.fromkeys(("규칙", "시행규칙"), rule)
    return names | {"법": base}


class _MentionReader(ActReader):
    """Keeps every reference, whether or not its act is known."""

    act_words = (*ACT_WORDS, *_OTHER_DOCUMENTS)
    gap = _GAP
    after_act = _AFTER_ACT
    bracket = re.compile(r"([()“”])")  # an act named in a quotation is not `같은 법` after it
    opening, closing = ("(", "“"), (")", "”")

    def __init__(self, text: str, act: str, article: str, scope: Scope) -> None:
        super().__init__(text, act, article, scope)
        self.mentions: list[Mention] = []
        # Other locations that an article may mean.
        self.others: dict[tuple[str, str], tuple[Location, ...]] = {}
        self.articles: list[tuple[int, Location]] = []
        self.named_home = False
        self.sure = 0  # end of the last article that lies next to its act in another way

    def _resolved(self, token: Token, chained: bool) -> Location:
        """Return the location of a token, and note the others that it may mean."""
        state = self.state
        last, named, gap = state.location, state.named is not None, state.gap
        location = super()._resolved(token, chained)
        if token.kind in ("lastpara", "lastarticle") and not self.home.article and last.article:
            before = self._before(token.kind, last)
            return replace(before, act="") if before else location
        if token.kind not in _ARTICLES:
            if (gap or "").strip() and (DEPTH[token.kind] < last.depth or "각" in (gap or "")):
                self._note_own_article(location)
            return location
        if token.kind == "samearticle" and last.article and not last.act:
            location = replace(location, act="")
        place = (location.act, location.article)
        rivals = [Location(act, place[1]) for act in self.other_acts.get(place[0], ())]
        if token.kind == "samearticle":
            rivals += self._near_articles(token.start, last)
        else:
            if not named and self.home.act:
                rivals += self._near_home(token.start, place)
            self.articles.append((token.start, location))
        self.others[place] = tuple(rivals)
        self.named_home = self.named_home or place == (self.home.act, self.home.article)
        return location

    def _before(self, kind: str, last: Location) -> Location | None:
        """Return the 항 or article before the one named last, for `전항` and `전조` in a text that
        belongs to no article.
        """
        if kind == "lastarticle":
            article = article_before(last, self.scope)
            return Location(last.act, article) if article else None
        para = paragraph_before(last.para)
        return Location(last.act, last.article, para) if para else None

    def _note_own_article(self, location: Location) -> None:
        """Note that a 항 behind a 호 of another act may be one of the document's own article:
        `법 제287조제1항제8호 및 제2항`.
        """
        place = (location.act, location.article)
        own = Location(self.home.act, self.home.article)
        if self.home.article and place != (own.act, own.article):
            known = self.others.get(place, ())
            if own not in known:
                self.others[place] = (*known, own)

    def _near_home(self, start: int, place: tuple[str, str]) -> list[Location]:
        """Return the other acts that an article without an act may belong to: the document's own
        act after an article of another one, or the act that the line names before it.
        """
        if place[0] != self.home.act:
            return [Location(self.home.act, place[1])]
        low = self.text.rfind("\n", 0, start)
        named = {title: None for _, at, title in self.acts[-MOST_RIVALS:] if at > low}
        if part := _PARTS.search(self.text, max(0, start - 24), start):  # `법 제10편(제443조`
            named[self.scope.names.get(part[1], "")] = None
        return [Location(act, place[1]) for act in named if act != self.home.act]

    def _near_articles(self, start: int, last: Location) -> list[Location]:
        """Return the articles named in the sentence before `같은 조`, without the last one."""
        low = max(self._near(start), self.text.rfind("\n", 0, start))
        if not self.home.act:
            low = max(low, self.text.rfind("다. ", 0, start))
        near: dict[tuple[str, str], None] = {}
        for place, one in reversed(self.articles):
            if place < low or len(near) > MOST_RIVALS:
                break
            near[one.act, one.article] = None
        near.pop((last.act, last.article), None)
        return [Location(act, article) for act, article in near]

    def emit(self, location: Location, *, inside: bool = False) -> None:
        """Keep a reference, with the act named last if it names none."""
        home = (self.home.act, self.home.article)
        place = (location.act, location.article)
        assumed = bool(location.provision) and place == home and not self.named_home
        names = location.article or location.provision
        if names and not location.act and self.state.last_act and not self.home.act:
            location = replace(location, act=self.state.last_act)
            assumed = not self._next_to_act(location.act)
        rivals = tuple(
            replace(one, para=location.para, item=location.item, sub=location.sub)
            for one in self.others.get(place, ())
        )
        until = self.amended.get(location.act, "")
        self.mentions.append(
            Mention(location, self.start, self.end, inside, assumed, until, rivals)
        )

    def _next_to_act(self, act: str) -> bool:
        """Return whether an article lies in a bracket or list behind the act named last."""
        if not self.acts or self.acts[-1][2] != act:
            return False
        last = self.acts[-1][0].end
        surely = _ABOUT_ACT.fullmatch(self.text, last, self.start) is not None or (
            self.sure > last and _LIST.fullmatch(self.text, self.sure, self.start) is not None
        )
        self.sure = self.end if surely else 0
        return surely

    def found(self) -> list[Mention]:
        """Return the references, then the acts that are named without a provision."""
        out = self.mentions
        starts = {one.start for one in out}
        for token, start, title in self.acts:
            if token.start in starts or token.kind == "short":
                continue
            until = self.amended.get(title, "")
            out.append(Mention(Location(title), start, token.end, until=until))
        return out
