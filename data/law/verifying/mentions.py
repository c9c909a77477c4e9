"""Read every reference to an act or provision in a text, also those that cannot be resolved."""

from __future__ import annotations

import bisect
import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from kofinlaw.data.law.citation_locations import (
    Location,
    Scope,
    article_before,
    paragraph_before,
)
from kofinlaw.data.law.citation_tokens import DEPTH, Token
from kofinlaw.data.law.citations import CitationReader, document_aliases
from kofinlaw.data.law.titles import canonical_title
from kofinlaw.data.law.verifying.act_names import (
    FOREIGN,
    OLD,
    defined_name,
    names_an_act,
    overlaps,
    unknown_names,
)

__all__ = ["FORMER", "Mention", "family_names", "mentions"]

FORMER = "구 "  # begins the name of an act as it was before an amendment: `구 상법`
_DECREE = re.compile(r"(?<!\s)\s*+(시행령|시행규칙)$")
_RELATIVE = {"법": "", "법률": "", "영": "시행령", "령": "시행령", "시행령": "시행령",
             "규칙": "시행규칙", "시행규칙": "시행규칙"}  # fmt: skip
_BACK_REFERENCE = re.compile(r"(?:위|이|동|같은|본|해당|당해|그|상기|이\s?사건|위\s?각)\s*$")
_SAME_BEFORE = re.compile(r"같은\s*$")
_AMENDED = re.compile(
    r"\s*\([^()]{0,12}?(\d{4})\s?\.\s?(\d{1,2})\s?\.\s?(\d{1,2})\s?\.[^()]{0,160}?(?:전의|이전의)"
)
_AFTER_ACT = re.compile(
    r"^\s*+\|?\s*+(?:상의?|의|에서\s?(?:정한|정하는|규정한|규정하는|말하는)|에\s?(?:정한|규정된)|"
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
_LIST = re.compile(r"\s?(?:[,ㆍ·]|및|또는)\s?")
_ARTICLES = frozenset(
    ["article", "annex", "form", "supplement", "thisarticle", "samearticle", "lastarticle"]
)
_NEAR = 300  # characters before `같은 법` and `같은 조` in which other acts and articles count
_LINE = 2000  # the same in the text of an act, whose lines are long sentences
_MOST_RIVALS = 6
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
    known: dict[str, str] = dict.fromkeys(_RELATIVE, "")
    known |= family_names(act, scope) | dict(names or {})
    if "이하" in text:
        known |= document_aliases(act, text, scope.titles)
    reader = _MentionReader(text, act, article, replace(scope, names=known))
    reader.read()
    return sorted(reader.found(), key=lambda one: (one.start, one.end))


def family_names(act: str, scope: Scope) -> dict[str, str]:
    """Return what `법`, `영` and `규칙` mean in an act, decree or rule; empty for other titles."""
    base = _DECREE.sub("", act)
    if not base.endswith(("법", "법률")):
        return {}
    decree = canonical_title(f"{base} 시행령", scope.titles)
    rule = canonical_title(f"{base} 시행규칙", scope.titles)
    names = dict.fromkeys(("영", "시행령"), decree) | dict.fromkeys(("규칙", "시행규칙"), rule)
    return names | {"법": base}


class _MentionReader(CitationReader):
    """Keeps every reference, whether or not its act is known."""

    after_act = _AFTER_ACT
    bracket = re.compile(r"([()“”])")  # an act named in a quotation is not `같은 법` after it
    opening, closing = ("(", "“"), (")", "”")

    def __init__(self, text: str, act: str, article: str, scope: Scope) -> None:
        super().__init__(text, act, article, scope)
        self.mentions: list[Mention] = []
        self.acts: list[tuple[Token, int, str]] = []
        self.amended: dict[str, str] = {}
        self.defined: dict[str, str] = {}
        # Other acts that the words for an act may mean, and other locations for an article.
        self.other_acts: dict[str, tuple[str, ...]] = {}
        self.others: dict[tuple[str, str], tuple[Location, ...]] = {}
        self.articles: list[tuple[int, Location]] = []
        self.named_home = False
        self.sure = 0  # end of the last article that lies next to its act in another way

    def tokens(self) -> list[Token]:
        """Return the tokens, with the names of acts that are in no list of titles."""
        found = [
            token
            for token in super().tokens()
            if token.kind not in ("act", "short", "quoted") or names_an_act(self.text, token)
        ]
        ends = [token.end for token in found]
        names = list(unknown_names(self.text, ends)) if "법" in self.text else []
        if not names:
            return found
        acts = sorted((t.start, t.end) for t in found if t.kind in ("act", "quoted"))
        new: list[Token] = []
        for one in names:
            if not overlaps(one.start, one.end, acts) and names_an_act(self.text, one):
                new.append(one)
                bisect.insort(acts, (one.start, one.end))
        spans = sorted((one.start, one.end) for one in new)
        kept = [one for one in found if not overlaps(one.start, one.end, spans)]
        return sorted([*kept, *new], key=lambda token: token.start)

    def title_of(self, token: Token) -> str:
        """Return the act of a token, with `구 ` before an act as it was before an amendment."""
        if token.kind in ("self", "same"):
            title = self._same(token)
            if token.kind == "self" and self.home.act:
                title = self.home.act
            return title
        start = token.start
        if token.kind == "short" and self._refers_back(token):
            name = self._attached(token)
            if name is None:
                return self._relative(token)
            start, title = name
        elif token.kind == "short":
            start, title = self._short(token)
        else:
            title = canonical_title(token.value.removeprefix(FORMER), self.scope.titles)
        if foreign := FOREIGN.search(self.text, max(0, start - 24), start):
            title = f"{foreign[0].strip()} {title}"
        old = token.value.startswith(FORMER) or OLD.search(self.text, max(0, start - 10), start)
        if old and title and not title.startswith(FORMER):
            title = FORMER + title
            if match := _AMENDED.match(self.text, token.end, token.end + 240):
                self.amended[title] = _day(match)
        if short := defined_name(self.text, token.end):
            self.defined[short] = title
        self.other_acts.pop(title, None)
        self.acts.append((token, start, title))
        return title

    def _same(self, token: Token) -> str:
        """Return the act of `같은 법` and `이 법`: the one named last, and note the others.

        In a document of an act `같은 법` is another act, and its own articles name none.
        """
        words = self.text[token.start : token.end]
        last = re.sub(r"^(?:같은|동|이|본)\s?", "", words)
        tail = token.value or _RELATIVE.get(last, "" if last.endswith("법") else "=")
        base = self.state.last_act or self.home.act
        if tail == "=":  # 같은 규정
            return base
        if self.home.act and base == self.home.act and self.acts:
            base = self.acts[-1][2]
        return self._back(base, tail, self._near(token.start))

    def _relative(self, token: Token) -> str:
        """Return the act of `법`, `영` and `규칙` in a text that does not define them: that of the
        last act, decree or rule; empty if the text belongs to another document.
        """
        tail = _RELATIVE[token.value]
        if _SAME_BEFORE.search(self.text, max(0, token.start - 4), token.start):
            base = self.state.last_act or self.home.act
            return self._back(base, tail, self._near(token.start))
        if self.home.act:
            return ""
        base = next((one for _, _, one in reversed(self.acts) if _has_decrees(one)), "")
        return self._back(base, tail, 0)

    def _near(self, start: int) -> int:
        """Return from which offset on acts and articles are near: some sentences, or in a document
        of an act the line.
        """
        if not self.home.act:
            return start - _NEAR
        return max(start - _LINE, self.text.rfind("\n", 0, start))

    def _back(self, base: str, tail: str, low: int) -> str:
        """Return an act or its decree or rule, and note the other acts named from `low` on."""
        title = self._decree(base, tail)
        near: dict[str, None] = {}
        for _, start, name in reversed(self.acts):
            if start < low or len(near) > _MOST_RIVALS:
                break
            near[self._decree(name, tail)] = None
        near.pop(title, None)
        self.other_acts[title] = tuple(near)
        return title

    def _decree(self, act: str, tail: str) -> str:
        base = _DECREE.sub("", act)
        if not base or not tail:
            return base
        former = FORMER if base.startswith(FORMER) else ""
        plain = base.removeprefix(FORMER)
        return former + canonical_title(f"{plain} {tail}", self.scope.titles)

    def _refers_back(self, token: Token) -> bool:
        """Return whether a word alone means an act named before: `법 제3조`, `위 법률 제3조`."""
        known = self.scope.names.get(token.value) or self.defined.get(token.value)
        if token.value not in _RELATIVE or known:
            return False
        if token.value in ("법률", "규칙"):  # the end of a name that is not known
            low = max(0, token.start - 8)
            return _BACK_REFERENCE.search(self.text, low, token.start) is not None
        return True

    def _attached(self, token: Token) -> tuple[int, str] | None:
        """Return (start, name) of the decree of an unknown act, of which the token is the last
        word: `지방세법 시행령`; None for a word that refers back.
        """
        if token.value not in ("시행령", "시행규칙"):
            return None
        low = max(0, token.start - 24)
        before = self.text[low : token.start]
        match = re.search(r"(?<![가-힣])([가-힣]{1,20}(?:법|법률))\s?$", before)
        if match is None or _BACK_REFERENCE.fullmatch(match[1][:-1]):
            return None
        title = self.defined.get(match[1]) or match[1]
        return low + match.start(), canonical_title(f"{title} {token.value}", self.scope.titles)

    def _short(self, token: Token) -> tuple[int, str]:
        """Return (start, name) of a word before an article that names an act."""
        value = token.value
        old = OLD.search(self.text, max(0, token.start - 4), token.start)
        if old and (meaning := self.defined.get(FORMER + value)):
            return token.start, meaning
        if meaning := self.defined.get(value) or self.scope.names.get(value):
            return token.start, meaning
        if value.startswith("구") and len(value) > 2:
            title = canonical_title(value[1:], self.scope.titles)
            if title in self.scope.articles:
                return token.start, FORMER + title
        return token.start, canonical_title(value.removeprefix("현행"), self.scope.titles)

    def _resolved(self, token: Token, chained: bool) -> Location:
        """Return the location of a token, and note the others that it may mean."""
        state = self.state
        last, named, gap = state.location, state.named is not None, state.gap
        location = super()._resolved(token, chained)
        if token.kind in ("lastpara", "lastarticle") and not self.home.article and last.article:
            before = self._before(token.kind, last)
            return replace(before, act="") if before else location
        if token.kind not in _ARTICLES:
            if (gap or "").strip() and DEPTH[token.kind] < last.depth:
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
        named = {title: None for _, at, title in self.acts[-_MOST_RIVALS:] if at > low}
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
            if place < low or len(near) > _MOST_RIVALS:
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


def _has_decrees(title: str) -> bool:
    """Return whether a text may call an act `법`: an act, its decree or rule, and no 헌법."""
    base = _DECREE.sub("", title)
    return base.endswith(("법", "법률")) and not base.endswith("헌법")


def _day(match: re.Match[str]) -> str:
    """Return the ISO day of three groups; empty for a day that does not exist."""
    try:
        return datetime.date(*(int(part) for part in match.groups()[:3])).isoformat()
    except ValueError:
        return ""
