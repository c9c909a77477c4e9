"""Split references into tokens: acts, 조, 항, 호, 목, and words that refer back to them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from kofinlaw.data.korean.anchored_pattern import AnchoredPattern
from kofinlaw.data.korean.quantities import BRANCH
from kofinlaw.data.law.annexes import annex_spelling

__all__ = ["ACTS", "ACT_WORDS", "DEPTH", "Token", "reference_tokens"]

ACTS = frozenset(["quoted", "act", "self", "same", "short"])
DEPTH = {
    "article": 0,
    "samearticle": 0,
    "thisarticle": 0,
    "lastarticle": 0,
    "annex": 0,
    "form": 0,
    "supplement": 0,
    "para": 1,
    "samepara": 1,
    "lastpara": 1,
    "item": 2,
    "sameitem": 2,
    "sub": 3,
}


@dataclass(frozen=True, slots=True)
class Token:
    """A token of a reference: kind, character offsets, and label (`제9조의2`) or act."""

    kind: str
    start: int
    end: int
    value: str


_ART = rf"제\s*(?P<art>\d+(?:\s*-\s*\d+)?)\s*조(?P<artb>(?:{BRANCH}\d+)*)"
_TOKEN = re.compile(
    rf"""(?P<quoted>「(?P<name>[^「」\n]{{2,80}})」(?P<decree>\s*(?:시행령|시행규칙))?)
    |(?P<self>(?<![가-힣)\]」"”])(?:이|본)\s?(?:법률|법|영|규칙|규정|세칙|지침|고시|예규|훈령)(?![가-힣]*[률령칙]))
    |(?P<same>(?:(?<![가-힣])|(?<=[및와과]))(?:같은|동)\s?(?P<of>법률|법|영|령|규칙|규정|세칙|고시|지침|시행령|시행규칙)(?P<samedecree>\s?(?:시행령|시행규칙))?(?![가-힣]{{0,20}}[률칙]))
    |(?P<samearticle>(?<![가-힣])(?:같은|동)\s?조(?![가-힣]{{2}}))
    |(?P<thisarticle>(?<![가-힣])(?:이|본)\s?조(?=\s*제\s*\d+\s*[항호]))
    |(?P<samepara>(?<![가-힣])(?:같은|동)\s?항)
    |(?P<sameitem>(?<![가-힣])(?:같은|동)\s?호)
    |(?P<lastarticle>(?<![가-힣])전\s?조(?=[의에제\s를와가는]))
    |(?P<lastpara>(?<![가-힣])전\s?항(?=[의에제\s은을과이]))
    |(?P<supplement>부\s?칙\s*+(?:[<(][^<>()\n]{{0,60}}[>)])?\s*+{_ART.replace("art", "sup")})
    |(?P<annex>(?:[<\[〈]\s*+|(?<![\s<\[〈])\s*+)별표\s*(?P<an>\d+(?:\s*-\s*\d+)?)(?P<ab>(?:\s*의\s*\d+)*)(?!\d|\s*호)\s*[>\]〉]?)
    |(?P<form>(?:[<\[〈]\s*+|(?<![\s<\[〈])\s*+)별지\s*+제?\s*+(?P<fn>\d+(?:\s*-\s*\d+)?)\s*호(?P<fb>(?:\s*의\s*\d+)*)\s*서식\s*[>\]〉]?)
    |(?P<article>{_ART})
    |(?P<para>제\s*(?P<pn>\d+)\s*항)
    |(?P<item>제\s*(?P<in>\d+)\s*호(?P<ib>(?:\s*의\s*\d+)*)(?!\s*(?:서식|법정)))
    |(?P<sub>(?:(?<=호)|(?<=호의\d)|(?<![가-힣]))(?P<sn>[가나다라마바사아자차카타파하거너더러])목(?P<sb>(?:의\d+)?)(?![가-힣]{{0,20}}적))""",
    re.VERBOSE,
)
# A character that a token can begin with, and what must follow it.
_ANCHOR = re.compile(
    r"""[「이본같동전부별제<\[〈\s가나다라마바사아자차카타파하거너더러](?:
    (?=[\d목])
    |(?<=별)(?=[표지])
    |(?<=[\s<\[〈])(?<![\s<\[〈]\s)(?=\s{0,200}+별[표지])
    |(?<=[「])
    |(?<=[이본같동전부별제])(?=은?\s?[법영령규세고지시조항호예훈칙표]|\s+\d))""",
    re.VERBOSE,
)
_TOKENS = AnchoredPattern(_ANCHOR, _TOKEN)
# The word before an article, annex or 부칙; its start is not inside a word.
_SHORT = re.compile(r"(?<![가-힣\d])([가-힣]{1,12})\s*$")
_SHORT_BEFORE = frozenset(["article", "annex", "form", "supplement"])
_WINDOW = 32  # characters before an article in which its short name ends
_NOT_AN_ITEM = re.compile(
    r"(?:\d권|[가-힣]-|법률|헌법|결의|조치|령|부령|고시|훈령|공고|예규|별표|별지|서식|의안|사건|규칙)\s*$"
)
_LISTED = re.compile(r"\s*+(?:\([^()]{1,12}\)\s*+)?(?:[,ㆍ·]|및|또는|내지|부터|와|과)\s*")
ACT_WORDS = ("법", "법률", "령", "규정", "규칙", "세칙", "고시", "지침", "약관", "정관")


def _squeezed(text: str | None) -> str:
    """Return a text without blanks; None is empty."""
    return "".join(text.split()) if text else ""


def _value(kind: str, match: re.Match[str]) -> str:
    """Return the label of the token: `제9조의2`, `제1항`, `제2호의3`, `가목`,
    or the name of the act.
    """
    if kind == "quoted":
        return f"{match.group('name')} {_squeezed(match.group('decree'))}".strip()
    if kind == "same":
        tail = _squeezed(match.group("samedecree")) or (
            match.group("of") if match.group("of").startswith("시행") else ""
        )
        return tail
    if kind in ("article", "para", "item"):
        return _squeezed(match.group(0))
    if kind == "supplement":
        return f"부칙 제{_squeezed(match.group('sup'))}조{_squeezed(match.group('supb'))}"
    if kind == "annex":
        return annex_spelling("별표", match.group("an"), match.group("ab"))
    if kind == "form":
        return annex_spelling("별지", match.group("fn"), match.group("fb"))
    if kind == "sub":
        return f"{match.group('sn')}목{_squeezed(match.group('sb'))}"
    return ""


def reference_tokens(
    text: str,
    names: Mapping[str, str],
    titles: AnchoredPattern,
    act_words: tuple[str, ...] = ACT_WORDS,
) -> list[Token]:
    """Return the tokens of a text in order, without overlaps.

    `names` are the short names of the document, `titles` is a pattern from `titles.name_pattern`.
    A known title wins over the single word at its end. A word before an article number counts only
    if it names an act: it is one of the names, or ends with one of `act_words`.
    """
    found = [
        Token("act", match.start(), match.end(), match.group(0)) for match in titles.finditer(text)
    ]
    ends = frozenset(name[-1:] for name in (*act_words, *names))
    skipped = -1
    for match in _TOKENS.finditer(text):
        kind = _kind(match)
        if kind == "item" and (
            _NOT_AN_ITEM.search(text, max(0, match.start() - 12), match.start())
            or (skipped >= 0 and _LISTED.fullmatch(text, skipped, match.start()))
        ):
            skipped = match.end()  # `결의 제1267호(1999년)ㆍ제1989호`
            continue
        if kind in _SHORT_BEFORE and (
            short := _short_name(text, match.start(), names, ends, act_words)
        ):
            found.append(short)
        found.append(Token(kind, match.start(), match.end(), _value(kind, match)))
    found.sort(key=lambda token: (token.start, -token.end))
    kept: list[Token] = []
    for token in found:
        if kept and token.start < kept[-1].end:
            if token.kind == "act" and kept[-1].kind == "short":
                kept[-1] = token
            continue
        kept.append(token)
    return kept


def _kind(match: re.Match[str]) -> str:
    """Return the kind of a token: the outermost group that closed last."""
    return match.lastgroup or ""


def _short_name(
    text: str, end: int, names: Mapping[str, str], ends: frozenset[str], act_words: tuple[str, ...]
) -> Token | None:
    """Return the short name of an act that ends before `end`, blanks aside; None without one.

    `ends` are the characters that a short name can end with.
    """
    low = max(0, end - _WINDOW)
    if text[low:end].rstrip()[-1:] not in ends:
        return None
    match = _SHORT.search(text, low, end)
    if match is None or not (match[1] in names or match[1].endswith(act_words)):
        return None
    return Token("short", match.start(), match.end(1), match[1])
