"""Read every reference to an act or provision in a text, also those that cannot be resolved."""

from __future__ import annotations

import bisect
import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from kofinlaw.data.law.citation_locations import Location, Scope
from kofinlaw.data.law.citation_tokens import Token
from kofinlaw.data.law.citations import CitationReader, document_aliases
from kofinlaw.data.law.titles import canonical_title

__all__ = ["FORMER", "Mention", "mentions"]

FORMER = "구 "  # begins the name of an act as it was before an amendment: `구 상법`
_DECREE = re.compile(r"(?<!\s)\s*+(시행령|시행규칙)$")
_RELATIVE = {"법": "", "법률": "", "영": "시행령", "령": "시행령", "시행령": "시행령",
             "규칙": "시행규칙", "시행규칙": "시행규칙"}  # fmt: skip
# `구 상법`, also where a blank before 구 was lost: `대하여구 상법`.
_OLD = re.compile(
    r"(?:(?<![가-힣])구\s?[「(]?|(?<=[가-힣])(?<![연요청지도기친입출창강탐촉복영항인추])구\s[「(]?)\s*$"
)
_FOREIGN = re.compile(
    r"(?<![가-힣])(?:미국|일본국?|독일|프랑스|영국|중국|중화인민공화국|대만|스위스|오스트리아|이탈리아|"
    r"캐나다|호주|러시아|북한|베트남|필리핀|싱가포르|홍콩|유럽연합|[가-힣]{2,8}주)(?:의|\s연방|의\s연방)?\s?[「(]?$"
)
_BACK_REFERENCE = re.compile(r"(?:위|이|동|같은|본|해당|당해|그|상기|이\s?사건|위\s?각)\s*$")
_AMENDED = re.compile(
    r"\s*\([^()]{0,12}?(\d{4})\s?\.\s?(\d{1,2})\s?\.\s?(\d{1,2})\s?\.[^()]{0,160}?(?:전의|이전의)"
)
_AFTER_ACT = re.compile(
    r"^\s*+(?:상의?|의|에서|에서는|에는|에|은|는|에\s?따른|에\s?따라|에\s?의한|에\s?의하면|에\s?따르면|중)?"
    r"\s*+,?\s*+$"
)
# The end of the name of an act that the corpus may lack: `… 등에 관한 특례법`.
_LONG_NAME = re.compile(
    r"관한\s?(?:특별조치법|특별법|특례법|법률|규칙|규정)(?:\s?(?:시행령|시행규칙))?"
)
_BEFORE_AN_ARTICLE = r"(?=\s*(?:\(|제\s*\d|상\s|의\s|에\s|은\s|을\s))"
_OLD_NAME = re.compile(
    r"(?<![가-힣])구\s(?P<name>(?:[가-힣ㆍ·]{1,20}\s){0,4}?[가-힣ㆍ·]{1,20}(?:법|법률))"
    r"(?P<decree>\s?시행령|\s?시행규칙)?" + _BEFORE_AN_ARTICLE
)
_ONE_WORD = re.compile(
    r"(?<![가-힣「])[가-힣]{2,12}(?:특별법|특례법|기본법|특별조치법)(?:\s?시행령|\s?시행규칙)?"
)
_WINDOW = 90  # characters before its last word in which the name of an unknown act begins
_JOINED = re.compile(r"\s*(?:(?:과|와|및|또는|이나|나|의|에|은|는|이|가)\s)?\s*")
_STOP = re.compile(
    r"[.,;:()\[\]{}/\n“”\"‘’'「」<>]|(?<![가-힣])(?:구|위|그리고|따라|따른|의하여|대하여)\s"
)


@dataclass(frozen=True, slots=True)
class Mention:
    """A reference of a text.

    - `location` is where it points; `act` is empty if the text names no act, and begins with `구 `
      if it names an act as it was before an amendment.
    - `start` and `end` are character offsets.
    - `inside` is true for a provision between the ends of a range.
    - `assumed` is true if the act was only named in an earlier sentence or clause.
    - `until` is the ISO day before which a former act (`구 …`) was in force, if the text says so.
    """

    location: Location
    start: int
    end: int
    inside: bool = False
    assumed: bool = False
    until: str = ""


def mentions(text: str, scope: Scope, *, act: str = "", article: str = "") -> list[Mention]:
    """Return the references to acts and provisions in a text, in order of their offsets.

    Args:
        text: The text, in one spelling of its references (`written_text`).
        scope: The titles and article numbers of the corpus.
        act: The act that the text belongs to, for `이 법` and bare articles; may be empty.
        article: The article that the text belongs to; may be empty.
    """
    names: dict[str, str] = dict.fromkeys(_RELATIVE, "")
    if "이하" in text:
        names |= document_aliases(act, text, scope.titles)
    elif act:
        names |= document_aliases(act, "", scope.titles)
    reader = _MentionReader(text, act, article, replace(scope, names=names))
    reader.read()
    return sorted(reader.found(), key=lambda one: (one.start, one.end))


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
        self._word = ""

    def tokens(self) -> list[Token]:
        """Return the tokens, with the names of acts that are in no list of titles."""
        found = super().tokens()
        ends = [token.end for token in found]
        names = list(_unknown_names(self.text, ends)) if "법" in self.text else []
        if not names:
            return found
        acts = sorted((t.start, t.end) for t in found if t.kind in ("act", "quoted"))
        new: list[Token] = []
        for one in names:
            if not _overlaps(one.start, one.end, acts):
                new.append(one)
                bisect.insort(acts, (one.start, one.end))
        spans = sorted((one.start, one.end) for one in new)
        kept = [one for one in found if not _overlaps(one.start, one.end, spans)]
        return sorted([*kept, *new], key=lambda token: token.start)

    def title_of(self, token: Token) -> str:
        """Return the act of a token, with `구 ` before an act as it was before an amendment."""
        if token.kind in ("self", "same"):
            title = self._back(self._tail(token))
            if token.kind == "self" and self.home.act:
                title = self.home.act
            return title
        start = token.start
        if token.kind == "short" and self._refers_back(token):
            name = self._attached(token)
            if name is None:
                return self._back(_RELATIVE[token.value])
            start, title = name
        elif token.kind == "short":
            start, title = self._short(token)
        else:
            title = canonical_title(token.value.removeprefix(FORMER), self.scope.titles)
        if foreign := _FOREIGN.search(self.text, max(0, start - 16), start):
            title = f"{foreign[0].strip()} {title}"
        old = token.value.startswith(FORMER) or _OLD.search(self.text, max(0, start - 8), start)
        if old and title and not title.startswith(FORMER):
            title = FORMER + title
            if match := _AMENDED.match(self.text, token.end, token.end + 240):
                self.amended[title] = _day(match)
        self.acts.append((token, start, title))
        return title

    def _tail(self, token: Token) -> str:
        """Return which decree `같은 영` and `동법 시행령` mean."""
        words = self.text[token.start : token.end]
        last = re.sub(r"^(?:같은|동|이|본)\s?", "", words)
        return token.value or _RELATIVE.get(last, "" if last.endswith("법") else "=")

    def _back(self, tail: str) -> str:
        """Return the act named last, or its decree or rule."""
        if tail == "=":  # 같은 규정
            return self.state.last_act or self.home.act
        base = _DECREE.sub("", self.state.last_act or self.home.act)
        if not base or not tail:
            return base
        former = FORMER if base.startswith(FORMER) else ""
        plain = base.removeprefix(FORMER)
        return former + canonical_title(f"{plain} {tail}", self.scope.titles)

    def _refers_back(self, token: Token) -> bool:
        """Return whether a word alone means an act named before: `법 제3조`, `위 법률 제3조`."""
        if token.value not in _RELATIVE or self.scope.names[token.value]:
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
        low = max(0, token.start - _WINDOW)
        before = self.text[low : token.start]
        match = re.search(r"(?<![가-힣])([가-힣]{1,20}(?:법|법률))\s?$", before)
        if match is None or _BACK_REFERENCE.fullmatch(match[1][:-1]):
            return None
        title = canonical_title(f"{match[1]} {token.value}", self.scope.titles)
        return low + match.start(), title

    def _short(self, token: Token) -> tuple[int, str]:
        """Return (start, name) of a word before an article that names an act."""
        if meaning := self.scope.names.get(token.value):
            return token.start, meaning
        value = token.value
        if value.startswith("구") and len(value) > 2:
            title = canonical_title(value[1:], self.scope.titles)
            if title in self.scope.articles:
                return token.start, FORMER + title
        return token.start, canonical_title(value, self.scope.titles)

    def emit(self, location: Location, *, inside: bool = False) -> None:
        """Keep a reference, with the act named last if it names none."""
        assumed = False
        if not location.act and self.state.last_act and not self.home.act:
            location, assumed = replace(location, act=self.state.last_act), True
        self.mentions.append(
            Mention(
                location,
                self.start,
                self.end,
                inside,
                assumed,
                self.amended.get(location.act, ""),
            )
        )

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


def _overlaps(start: int, end: int, spans: list[tuple[int, int]]) -> bool:
    """Return whether a span shares a character with one of the sorted spans."""
    row = bisect.bisect_left(spans, (end, 0))
    return any(last > start for _, last in spans[max(0, row - 4) : row])


def _day(match: re.Match[str]) -> str:
    """Return the ISO day of three groups; empty for a day that does not exist."""
    try:
        return datetime.date(*(int(part) for part in match.groups()[:3])).isoformat()
    except ValueError:
        return ""


def _unknown_names(text: str, ends: list[int]) -> Iterator[Token]:
    """Yield the names of acts that their form shows; `ends` are the ends of the other tokens.

    Two of them may overlap. The first one counts.
    """
    for match in _OLD_NAME.finditer(text):
        name = " ".join(match["name"].split()) + (match["decree"] or "")
        yield Token("act", match.start("name"), match.end(), name)
    for match in _LONG_NAME.finditer(text):
        row = bisect.bisect_right(ends, match.start())
        low = max(0, match.start() - _WINDOW, ends[row - 1] if row else 0)
        for stop in _STOP.finditer(text, low, match.start()):
            low = stop.end()
        if joined := _JOINED.match(text, low, match.start()):
            low = joined.end()
        if low < match.start():
            yield Token("act", low, match.end(), " ".join(text[low : match.end()].split()))
    for match in _ONE_WORD.finditer(text):
        yield Token("act", match.start(), match.end(), match.group(0))
