"""Find the sentences with which an act, its decree or its parent delegate work to another party.

A party to whom work is delegated does in law what the sentence about the other party says, so it is
never a wrong actor. An act usually delegates in one article near its end, and a decree fills it in.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from kofinlaw.records import Article

__all__ = ["delegating_sentences", "family_titles", "receivers"]

_DELEGATES = re.compile(r"위탁|위임|대행|하여금|수행하게")
# `다음 각 호의 어느 하나에 해당하는 자에게 위탁한다`: the 호 name those who do the work.
_TO_A_LIST = re.compile(
    r"다음 각 ?호의 (?:[가-힣]+ ){0,20}[가-힣]*(?:자|사람|기관|법인|단체|회사|협회)"
    r"(?:에|에게|로|으로) "
)
# `업무를 협회 또는 감독원장에게 위탁한다`: the verb, and the particle after those who receive it.
_PASSES_ON = re.compile(r"위[탁임](?:한다|할|하거나|하여야)|대행(?:하게|하도록|시)")
_RECEIVED = re.compile(r"(?:에게|에)(?= )")
_BY = re.compile(r"(?:에게|에|[이가])(?= )")
# `감독원장으로 하여금 확인하게 한다`: only to an office; a company is made to do its own work.
_MADE_TO = re.compile(r"(?<=[장회원])으?로 하여금")
_BEFORE_RECEIVERS = re.compile(r"(?:(?<!또)[을를은는]|따라|하여|중에서) ")
# `협회가 그 업무를 대행한다`, `감독원장은 위탁받은 업무를`.
_DOES = re.compile(
    r"(?P<who>[가-힣ㆍ]{2,20}?)[이가은는] "
    r"(?:(?!하여금|[^ .]*[가-힣](?:[이가은]|(?<![하되])는) )[^ .]+ ){0,6}?(?:대행|위[탁임]받)"
)
_ITEM = re.compile(r"\s*(?:\d+(?:의\d+)?|[가-하])\\?\. ?")
_LIST_MARK = "\n"
_SUBORDINATE = re.compile(r" (?:시행령|시행규칙)$")
_NAMED_ACT = re.compile(r"「([^「」]+)」")
# A rule names the acts that it fills in at its beginning.
_FIRST_ARTICLES = 2


def delegating_sentences(articles: Iterable[Article]) -> tuple[str, ...]:
    """Return the sentences and 호 of the articles that delegate or entrust work.

    A sentence that delegates to those of a list (`다음 각 호의 자에게 위탁한다`) comes with it.
    """
    return tuple(sentence for article in articles for sentence in _of_text(article.text))


def _of_text(text: str) -> Iterator[str]:
    lines = text.split("\n")
    for number, line in enumerate(lines):
        for sentence in re.split(r"(?<=다)\.", line):
            if not _DELEGATES.search(sentence):
                continue
            if _TO_A_LIST.search(sentence):
                items = itertools.takewhile(_ITEM.match, lines[number + 1 :])
                sentence = f"{sentence}{_LIST_MARK}{' '.join(items)}"
            yield sentence


def receivers(sentence: str, givers: Collection[str]) -> str:
    """Return the part of a delegating sentence that names who receives the work of `givers`.

    With the list that the sentence comes with; empty where it names no giver but the receiver.
    """
    lead, _, listed = sentence.partition(_LIST_MARK)
    ends = [m.start() for m in _MADE_TO.finditer(lead)]
    for verb in _PASSES_ON.finditer(lead):
        particle = _BY if verb.group().startswith("대행") else _RECEIVED
        ends += [m.start() for m in particle.finditer(lead, 0, verb.start())][-1:]
    found = []
    for end in ends:
        starts = [m.end() for m in _BEFORE_RECEIVERS.finditer(lead, 0, end)]
        start = max(starts, default=0)
        if any(_gives(lead[:start], giver) for giver in givers):
            found += [lead[start:end], listed]
    for match in _DOES.finditer(lead):
        others = [giver for giver in givers if giver not in match.group("who")]
        if any(giver in lead for giver in others):
            found.append(match.group("who"))
    return " ".join(found).strip()


def _gives(sentence: str, name: str) -> bool:
    """Return whether the sentence names the party as one who acts or whose work it is."""
    joined = r"(?:(?:, |ㆍ| 및 | 또는 )[가-힣]+)*"
    after = rf"등?{joined}(?:[은는이가] |\(|의 (?:권한|업무|사무))"
    return bool(re.search(rf"(?<![가-힣]){re.escape(name)}{after}", sentence))


def family_titles(title: str, grouped: Mapping[str, Sequence[Article]]) -> list[str]:
    """Return the titles of the act, its decree and its rule in `grouped`, without `title` itself.

    For a rule of an authority (감독규정) also those of the acts that its first articles name.
    `grouped` are the articles of the corpus by title.
    """
    bases = [_SUBORDINATE.sub("", title)]
    first = grouped.get(title, ())[:_FIRST_ARTICLES]
    if first and first[0].kind == "rule":
        named = [name for article in first for name in _NAMED_ACT.findall(article.text)]
        bases += [_SUBORDINATE.sub("", name) for name in named]
    found = [f"{base}{ending}" for base in bases for ending in ("", " 시행령", " 시행규칙")]
    return [name for name in dict.fromkeys(found) if name != title and name in grouped]
