"""Rewrite a sentence of the law by rule, so that it means the same and is no copy of the law.

A rule replaces function words, contracts verbs, joins nouns with another particle or moves a
condition. No rule touches a figure, a party, a negation or the text inside quotation marks. All
options of a question are rewritten with the same `Style`.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from kofinlaw.augment.hard.plain_words import plain_figures, plain_verbs, plain_words
from kofinlaw.augment.reading.names import subject
from kofinlaw.augment.reading.particles import topic_ends
from kofinlaw.data.korean.words import josa

__all__ = ["RULES", "Rule", "Style", "draw_style", "rewrite"]

Rule = Callable[[str], str]

_QUOTED = re.compile(r"「[^」]*」|[\"“][^\"”]*[\"”]|['‘][^'’]*['’]")
# A verb with 하다 or 되다: `수집 및 이용할` joins two verbs, not two nouns.
_VERBAL = re.compile(
    r"(?:하[가-힣]*|할|한|함|했[가-힣]*|되[가-힣]*|된|될|시키[가-힣]*|시킨|시킬)[,.]?$"
)
_NOT_A_NOUN = re.compile(
    r"(?:[을를에는은며고면나]|에서|에게|까지|부터|으로|하여|거나|[가-힣]지|않|때|경우)$"
)
_JOINED = re.compile(r"(?P<a>[0-9A-Za-z가-힣ㆍ]+) (?P<word>및|또는) (?P<b>\S+)")
_ADVERBIAL = re.compile(
    r"^(?P<who>[^,]{2,30}?)(?P<particle>은|는) (?P<case>[^,]{6,70}?(?:경우|때))에는,? (?P<rest>.+)$"
)


@dataclass(frozen=True)
class Style:
    """The drawn form of each choice that the rules leave open, as (pattern, replacement) by rule.

    `front` moves a condition before its subject.
    """

    front: bool
    forms: dict[str, int] = field(default_factory=dict)


def _replace(*pairs: tuple[str, str]) -> Rule:
    compiled = [(re.compile(pattern), new) for pattern, new in pairs]

    def apply(text: str) -> str:
        for pattern, new in compiled:
            text = pattern.sub(new, text)
        return text

    return apply


_contract = _replace(
    (r"(?<=[가-힣])하여야(?= )", "해야"),
    (r"(?<=[가-힣])하여는 ", "해서는 "),
    (r"(?<=[가-힣])하여(?=[ ,]|서는|도 )", "해"),
    (r"(?<=[가-힣])하였(?=[가-힣])", "했"),
    (r"갖추어야", "갖춰야"),
    (r"(?<=[가-힣])되어야", "돼야"),
)
_negation = _replace(
    (r"지 아니하고", "지 않고"),
    (r"지 아니하는", "지 않는"),
    (r"지 아니하면", "지 않으면"),
    (r"지 아니하거나", "지 않거나"),
    (r"지 아니하며", "지 않으며"),
    (r"지 아니하도록", "지 않도록"),
    (r"지 아니하게", "지 않게"),
    (r"지 아니하여", "지 않아"),
    (r"지 아니하였", "지 않았"),
    (r"지 아니한다", "지 않는다"),
    (r"지 아니한", "지 않은"),
    (r"지 아니할", "지 않을"),
    (r"지 아니함", "지 않음"),
    (r"(?<=는 )아니 ?된다", "안 된다"),
)
_WORDS: dict[str, tuple[Rule, ...]] = {
    "case": (
        _replace(
            (r"(?<=[는한은된될할인던]) 경우에는", " 때에는＃"),
            (r"(?<=[은는한될할된던]) 때에는(?!＃)", " 경우에는"),
            (r"＃", ""),
        ),
        _replace((r"경우에는,? ", "경우, "), (r"(?<=[가-힣]) 때에는,? ", " 때, ")),
        _replace(
            (r"(?<=[가-힣])하는 (?:경우|때)에는,? ", "할 때에는 "),
            (r"(?<=[가-힣])되는 (?:경우|때)에는,? ", "될 때에는 "),
            (r"(?<=[가-힣])한 (?:경우|때)에는,? ", "하면 "),
            (r"(?<=[가-힣])된 (?:경우|때)에는,? ", "되면 "),
            (r"(?<![가-힣])(있|없)는 (?:경우|때)에는,? ", r"\1으면 "),
            (r"(?<![가-힣])받은 (?:경우|때)에는,? ", "받으면 "),
            (r"경우에는,? ", "경우, "),
            (r"(?<=[은한된]) 때에는,? ", " 때, "),
        ),
    ),
    "about": (
        _replace(
            (r"에 관한 ", "에 대한 "), (r"에 관하여는", "에 대해서는"), (r"에 관하여", "에 대해")
        ),
    ),
    "by": (
        _replace((r"에 따른 ", "에 의한 "), (r"(?<!바)에 따라 ", "에 의해 ")),
        _replace((r"(?<=[가-힣])에 따라 ", "에 따라서 ")),
    ),
    "decree": (
        _replace((r"(대통령령|총리령|부령)으로 정하는", r"\1이 정하는")),
        _replace((r"(대통령령|총리령|부령)(?:으로|이) 정하는", r"\1에서 정한")),
    ),
    "within": (
        _replace((r"(?<=[일주월년간]) 이내에 ", " 안에 "), (r"(?<=[가-힣])날부터 ", "날로부터 ")),
        _replace((r"(?<=[가-힣])날부터 ", "날로부터 ")),
    ),
    "intend": (
        _replace((r"(?<=[가-힣])(?:으려|려)는(?= )", "고자 하는"), (r"하고자 하려", "하려")),
        _replace((r"(?<=[가-힣])하고자 하는", "하려는")),
    ),
    "delay": (_replace((r"지체 없이", "지체하지 않고"), (r"지체없이", "지체하지 않고")),),
    "before": (_replace((r"(?<![가-힣])미리 ", "사전에 "), (r"(?<![가-힣])사전에 ", "사전에 ")),),
    "apart": (_replace((r"(?<![가-힣])따로 ", "별도로 ")),),
    "others": (
        _replace((r"그 밖의 ", "그 외의 "), (r"그 밖에 ", "그 외에 "), (r"외의 자", "아닌 자")),
        _replace((r"그 밖의 ", "기타 "), (r"그 밖에 ", "기타 ")),
    ),
    "that": (_replace((r"(?<![가-힣])해당 (?=[가-힣])", "그 "), (r"(?<![가-힣])당해 ", "그 ")),),
    "same": (_replace((r"(?<![가-힣])동일한 ", "같은 ")),),
    "another": (_replace((r"(?<![가-힣])타인(?=[에의을이])", "다른 사람")),),
    "for": (
        _replace((r"(?<=[을를기]) 위하여", " 위해서")),
        _replace((r"(?<=[을를기]) 위하여", " 위해")),
    ),
    "among": (
        _replace(
            (r"(?<=[가-힣]) 중에서 ", " 가운데에서 "), (r"(?<=[가-힣]) 중 (?=\d)", " 가운데 ")
        ),
    ),
    "yearly": (_replace((r"(?<![가-힣])매년 ", "해마다 ")),),
    "together": (_replace((r"(?<![가-힣])함께 ", "같이 ")),),
    "through": (_replace((r"(?<=[을를]) 통하여", " 통해서")),),
    "deemed": (
        _replace((r"것으로 본다$", "것으로 간주된다"), (r"것으로 추정한다$", "것으로 추정된다")),
    ),
    "effect": (
        _replace(
            (r"책임이 있다$", "책임을 진다"),
            (r"효력이 생긴다$", "효력이 발생한다"),
            (r"효력이 있다$", "효력을 가진다"),
        ),
        _replace((r"책임을 진다$", "책임이 있다"), (r"효력이 생긴다$", "효력이 발생한다")),
    ),
    "applied": (_replace((r"규정을 적용하지 아니한다$", "규정은 적용되지 않는다")),),
    "granted": (
        _replace(
            (r"(?<=승인을 |허가를 |인가를 |동의를 )받(?=은|으)", "얻"),
            (r"(?<=승인을 |허가를 |인가를 |동의를 )받아", "얻어"),
            (r"(?<=승인을 |허가를 |인가를 |동의를 )받는", "얻는"),
            (r"(?<=승인을 |허가를 |인가를 |동의를 )받지", "얻지"),
        ),
    ),
    "announced": (_replace((r"정하여 고시하는", "고시로 정하는")),),
    "towards": (
        _replace((r"에 대하여", "에 대해서")),
        _replace((r"에 대하여(?=[는도])", "에 대해서"), (r"에 대하여", "에 대해")),
    ),
}


def _join_nouns(text: str) -> str:
    """Join nouns with 와/과 instead of 및, and with (이)나 instead of 또는."""

    def joined(match: re.Match[str]) -> str:
        a, b = match.group("a"), match.group("b")
        if _NOT_A_NOUN.search(a) or _VERBAL.search(b) or _VERBAL.search(a):
            return match.group(0)
        pair = "과/와" if match.group("word") == "및" else "이나/나"
        return f"{josa(a, pair)} {b}"

    return _JOINED.sub(joined, text)


def _front_condition(text: str) -> str:
    """Move a condition before its subject: `A는 B한 경우에는 …` → `B한 경우 A는 …`."""
    match = _ADVERBIAL.match(text)
    if not match or subject(text) != match.group("who"):
        return text
    if re.search(r"^(?:그|이|해당) |(?:경우|때)에는?(?= )|[은는] ", match.group("case")):
        return text
    who = match.group("who") + match.group("particle")
    return f"{match.group('case')}에 {who} {match.group('rest')}"


_BODY = r"[가-힣]*(?:위원회|총회|이사회|장관|법원|회사|은행|조합|금고|중앙회|업자|기관|원장|정부)"
_GENITIVE = re.compile(
    rf"(?<![가-힣0-9])(?P<owner>{_BODY})의 (?=(?:승인|허가|인가|결의|동의|임원|직원|주식|자본금"
    r"|정관|업무|의결|심의|결정|명령|요청|등록)(?:[을를이가은는에]|으로)(?![가-힣]))"
    r"|(?<![가-힣0-9])(?P<thing>[가-힣]{2,})의 (?=(?:변경|설립|해산|폐지|합병|양도|등기|발행|작성"
    r"|종류|방법|절차|내용|명칭|범위|기준|요건|결과|기간|지급|비율|금액)(?:[을를이가은는에]|으로)(?![가-힣]))"
)
_PERSON_END = re.compile(r"(?:자|인|원|주|사|관|장)$")
_NOT_AN_OWNER = re.compile(
    r"(?:이상|이하|이내|미만|초과|각각|기타|상당|외|밖|다음|등|간|중|후|전|자기|자신|본인|타인|일부|전부|일정|소정|분|별도|복수|특정)$"
)
_PAIR = re.compile(
    r"(?<![가-힣ㆍ])(?P<a>[가-힣]{2,3})ㆍ(?P<b>[가-힣]{2,3})(?=(?:[을를이가은는의에]|에서|으로)(?![가-힣]))"
)
_DATIVE = re.compile(
    r"^(?P<head>.*?(?:[은는] |(?:경우|때)(?:에는)?,? ))(?P<object>[^,]*[을를] )"
    r"(?P<to>(?!그 )[가-힣ㆍ]{2,}(?:에게|에) )(?P<verb>[가-힣]+(?: [가-힣]+){0,2})$"
)


_OBJECT = re.compile(
    r"^(?P<head>.*?(?:[은는] |(?:경우|때)(?:에는|에)?,? |면 ))"
    r"(?P<how>(?:[^ ,]+ )*?[^ ,]+(?:의하여|따라|통하여|에게|에|으로|까지|이내에|일간|년간|월간) )"
    r"(?P<object>(?:[^ ,]+ ){0,2}[^ ,]+[을를] )(?P<verb>[가-힣]+(?: [가-힣]+){0,2})$"
)
_MODIFIES = re.compile(r"(?:[는은한할된될인던운]|있을|없을|받을|[가-힣]려는|의) ")


def _front_object(text: str) -> str:
    """Move an object before how or by when: `서면으로 의견을 낸다` → `의견을 서면으로 낸다`."""
    match = _OBJECT.match(text)
    if not match:
        return text
    thing, how = match.group("object"), match.group("how")
    if _MODIFIES.search(thing) or re.match(r"(?:그|이|이를|해당|각|및|또는) ?", thing):
        return text
    if re.search(r"(?:[여라고서에게로]|또는|및) ", thing):
        return text
    if re.search(
        r"(?:경우|때)(?:에는|에)?,? |[은는이가] |(?:하고|하며|거나|여) ", how
    ) or re.search(r"(?:및|또는) $", how):
        return text
    if not _whole_head(text, match.group("head")):
        return text
    return match.group("head") + thing + how + match.group("verb")


def _drop_genitive(text: str) -> str:
    """Drop 의 between a noun and what it has: `주주총회의 결의` → `주주총회 결의`."""

    def bare(match: re.Match[str]) -> str:
        owner = match.group("owner") or match.group("thing")
        person = match.group("thing") and _PERSON_END.search(owner)
        return match.group(0) if person or _NOT_AN_OWNER.search(owner) else f"{owner} "

    return _GENITIVE.sub(bare, text)


def _split_pairs(text: str) -> str:
    """Write a pair of nouns with 와/과: `일시ㆍ장소를` → `일시와 장소를`."""

    def pair(match: re.Match[str]) -> str:
        a, b = match.group("a"), match.group("b")
        if len(a) != len(b) or b.endswith(("자", "인", "사", "장", "원")):
            return match.group(0)
        return f"{josa(a, '과/와')} {b}"

    return _PAIR.sub(pair, text)


def _whole_head(text: str, head: str) -> bool:
    """Return whether the head ends with its topic or its condition, not inside a noun phrase."""
    bare = head.rstrip(" ,")
    if not bare.endswith(("은", "는")):
        return True
    return len(bare) in topic_ends(text)


def _front_dative(text: str) -> str:
    """Move a receiver before the object: `주권을 그에게 준다` → `그에게 주권을 준다`."""
    match = _DATIVE.match(text)
    if not match or re.search(
        r"(?:경우|때)(?:에는|에)?,? |[은는] |(?:하고|하며|하여|해|거나) ", match.group("object")
    ):
        return text
    if not _whole_head(text, match.group("head")):
        return text
    return match.group("head") + match.group("to") + match.group("object") + match.group("verb")


_POSSIBLE = re.compile(r"(?P<verb>[가-힣]) 수 (?P<is>있다|없다)$")


def _possibility(text: str) -> str:
    """Write `할 수 있다` as `하는 것이 가능하다`, `할 수 없다` as `하는 것이 허용되지 않는다`."""
    match = _POSSIBLE.search(text)
    if not match:
        return text
    verb, before = match.group("verb"), text[: match.start()]
    code = ord(verb) - ord("가")
    if verb == "을":
        stem = ""
        if not before or (ord(before[-1]) - ord("가")) % 28 in (0, 8, 19):
            return text
    elif code % 28 == 8:
        stem = chr(ord(verb) - 8)
    else:
        return text
    end = "것이 가능하다" if match.group("is") == "있다" else "것이 허용되지 않는다"
    return f"{before}{stem}는 {end}"


def _same(text: str) -> str:
    return text


def _duty(text: str) -> str:
    """Write `하여야 한다` as `할 의무가 있다`."""
    for old, new in (
        ("하여야 한다", "할 의무가 있다"),
        ("해야 한다", "할 의무가 있다"),
        ("내야 한다", "낼 의무가 있다"),
        ("내줘야 한다", "내줄 의무가 있다"),
        ("지켜야 한다", "지킬 의무가 있다"),
        ("세워야 한다", "세울 의무가 있다"),
        ("보내야 한다", "보낼 의무가 있다"),
        ("받아야 한다", "받을 의무가 있다"),
        ("알려야 한다", "알릴 의무가 있다"),
        ("갖추어야 한다", "갖출 의무가 있다"),
        ("두어야 한다", "둘 의무가 있다"),
        ("적어야 한다", "적을 의무가 있다"),
    ):
        if text.endswith(old):
            return text[: -len(old)] + new
    return text


def _ban(text: str) -> str:
    """Write `하여서는 아니 된다` as `하는 것은 금지된다`, and `하지 못한다` as `할 수 없다`."""
    text = re.sub(r"(?:하여서는|해서는) (?:아니 ?|안 ?)된다$", "하는 것은 금지된다", text)
    return re.sub(r"하지 (?:못한다|못하다)$", "할 수 없다", text)


def _state(text: str) -> str:
    """Write `2년으로 한다` as `2년이다`."""
    match = re.search(r"(?<=[0-9가-힣])(?P<thing>\S+?)(?:으로|로) 한다$", text)
    if not match or not re.search(r"\d\S*$", match.group("thing")):
        return text
    thing = match.group("thing")
    return f"{text[: match.start()]}{thing}이다"


RULES: dict[str, tuple[Rule, ...]] = {
    "join": (_join_nouns,),
    "order": (_front_dative, _front_object),
    "words": (plain_words,),
    "verbs": (plain_verbs,),
    "figures": (plain_figures,),
    "possibility": (_possibility, _same),
    "duty": (_duty, _same),
    "ban": (_ban,),
    "genitive": (_drop_genitive,),
    **_WORDS,
    "pairs": (_split_pairs,),
    "state": (_state,),
    "negation": (_negation,),
    "contract": (_contract,),
}


def draw_style(rng: random.Random) -> Style:
    """Draw one of the forms of each rule."""
    forms = {name: rng.randrange(len(choices)) for name, choices in RULES.items()}
    return Style(front=rng.random() < 0.6, forms=forms)


def rewrite(text: str, style: Style) -> str:
    """Return the text with every rule applied outside quotation marks, in the given style."""
    if not subject(text):  # A thing has no 의무: `수표는 … 발행하여야 한다`.
        style = replace(style, forms={**style.forms, "duty": 1})
    if style.front:
        text = _front_condition(text)
    out, last = [], 0
    for match in _QUOTED.finditer(text):
        out += [_rewritten(text[last : match.start()], style), match.group(0)]
        last = match.end()
    out.append(_rewritten(text[last:], style))
    return re.sub(r" +", " ", "".join(out)).strip()


def _rewritten(text: str, style: Style) -> str:
    for name, choices in RULES.items():
        text = choices[style.forms.get(name, 0) % len(choices)](text)
    return text
