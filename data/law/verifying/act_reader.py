"""Say which act a word means: a title, a short name, `같은 법`, `법`, `영`, and `구 …법`."""

from __future__ import annotations

import bisect
import datetime
import re

from kofinlaw.data.law.citation_locations import Scope
from kofinlaw.data.law.citation_tokens import Token
from kofinlaw.data.law.citations import CitationReader
from kofinlaw.data.law.titles import canonical_title
from kofinlaw.data.law.verifying.act_names import (
    defined_name,
    foreign_words,
    is_old,
    names_an_act,
    overlaps,
    unknown_names,
)

__all__ = ["DECREE", "FORMER", "MOST_RIVALS", "RELATIVE", "ActReader"]

FORMER = "구 "  # begins the name of an act as it was before an amendment: `구 상법`
DECREE = re.compile(r"(?<!\s)\s*+(시행령|시행규칙)$")
RELATIVE = {"법": "", "법률": "", "영": "시행령", "령": "시행령", "시행령": "시행령",
             "규칙": "시행규칙", "시행규칙": "시행규칙"}  # fmt: skip
_BACK_REFERENCE = re.compile(r"(?:위|이|동|같은|본|해당|당해|그|상기|이\s?사건|위\s?각)\s*$")
_SAME_BEFORE = re.compile(r"같은\s*$")
_AMENDED = re.compile(
    r"\s*\([^()]{0,12}?(\d{4})\s?\.\s?(\d{1,2})\s?\.\s?(\d{1,2})\s?\.[^()]{0,160}?(?:전의|이전의)"
)
_NEAR = 300  # characters before `같은 법` and `같은 조` in which other acts and articles count
_LINE = 2000  # the same in the text of an act, whose lines are long sentences
MOST_RIVALS = 6


class ActReader(CitationReader):
    """Names the act of each token, also where the corpus lacks it.

    `acts` are the acts named so far with their token, start and title. `other_acts` are other acts
    that the words for an act may mean. `amended` has the ISO day before which a former act was in
    force, and `defined` the short names that the text defines.
    """

    def __init__(self, text: str, act: str, article: str, scope: Scope) -> None:
        super().__init__(text, act, article, scope)
        self.acts: list[tuple[Token, int, str]] = []
        self.amended: dict[str, str] = {}
        self.defined: dict[str, str] = {}
        self.other_acts: dict[str, tuple[str, ...]] = {}

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
        if not new:
            return found
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
        if foreign := foreign_words(self.text, start):
            title = f"{foreign} {title}"
        old = token.value.startswith(FORMER) or is_old(self.text, start)
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
        tail = token.value or RELATIVE.get(last, "" if last.endswith("법") else "=")
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
        tail = RELATIVE[token.value]
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
            if start < low or len(near) > MOST_RIVALS:
                break
            near[self._decree(name, tail)] = None
        near.pop(title, None)
        self.other_acts[title] = tuple(near)
        return title

    def _decree(self, act: str, tail: str) -> str:
        base = DECREE.sub("", act)
        if not base or not tail:
            return base
        former = FORMER if base.startswith(FORMER) else ""
        plain = base.removeprefix(FORMER)
        return former + canonical_title(f"{plain} {tail}", self.scope.titles)

    def _refers_back(self, token: Token) -> bool:
        """Return whether a word alone means an act named before: `법 제3조`, `위 법률 제3조`."""
        known = self.scope.names.get(token.value) or self.defined.get(token.value)
        if token.value not in RELATIVE or known:
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
        if is_old(self.text, token.start, 4) and (meaning := self.defined.get(FORMER + value)):
            return token.start, meaning
        if meaning := self.defined.get(value) or self.scope.names.get(value):
            return token.start, meaning
        if value.startswith("구") and len(value) > 2:
            title = canonical_title(value[1:], self.scope.titles)
            if title in self.scope.articles:
                return token.start, FORMER + title
        return token.start, canonical_title(value.removeprefix("현행"), self.scope.titles)


def _has_decrees(title: str) -> bool:
    """Return whether a text may call an act `법`: an act, its decree or rule, and no 헌법."""
    base = DECREE.sub("", title)
    return base.endswith(("법", "법률")) and not base.endswith("헌법")


def _day(match: re.Match[str]) -> str:
    """Return the ISO day of three groups; empty for a day that does not exist."""
    try:
        return datetime.date(*(int(part) for part in match.groups()[:3])).isoformat()
    except ValueError:
        return ""
