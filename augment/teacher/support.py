"""Is an answer supported by the passage it was written from? Figures, articles, terms, negation.

Every check errs on the side of refusing: a sound answer that is lost costs one example, an
unsound one teaches the model a wrong deadline.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from kofinlaw.augment.generators.clauses import brackets, clean, sentences
from kofinlaw.augment.generators.modality import reading
from kofinlaw.augment.generators.names import normal, subject
from kofinlaw.augment.generators.quantities import quantities
from kofinlaw.data.korean.words import bigrams, content_morphemes

_CITATION = re.compile(r"(?:제\d+(?:조(?:의\d+)?|항|호))+")
_CITED_PART = re.compile(r"제\d+(?:조(?:의\d+)?|항|호)")
_ACT = re.compile(r"「([^」]+)」")
_NUMBER = re.compile(r"\d+")
_BOUND = r"미만|초과|이상|이하|이내|이전|이후"
_NEGATION = re.compile(
    r"아니|않|없|못하|못한|금지|제외|안 된다|안 되|면제|거부|취소" + rf"|{_BOUND}"
)
# A verb that is denied: `등록하지 아니하고`, `응하지 않은`.
_DENIED = re.compile(r"([가-힣]{2,})지 ?(?:아니|않|못)")
_BOUNDED = re.compile(rf"\s?({_BOUND})")
# To, from, by whom or what: 이용자에게, 금융위원회로부터.
_TOWARDS = re.compile(r"([가-힣]{2,})(에게서|에게|한테|으로부터|로부터)")
# What the sentence is about; 하는, 되는, 있는 … are verbs before a noun.
_TOPIC = re.compile(r"([가-힣]*[^\W\d하되있없받르지키치이])(?:은|는)(?= )")
# How a sentence leans on the one before it.
_LINK = re.compile(r"^(?:따라서|그러므로|또한|즉|이에 따라|그리고),? ")
# Words of asking, explaining and answering, not of the law.
_ASKING = {"경우", "질문", "조문", "내용", "규정", "다음", "해당", "이것", "무엇", "의미", "설명"}
_JOINING = {"따르", "위하", "대하", "관하", "따라서", "그러므로", "또한", "이때", "모두", "각각"}
_OPEN_WORDS = _ASKING | _JOINING | {"의무", "반드시", "지키", "기간", "기한", "취지", "요약"}
_POLITE = (
    ("하여야 합니다", "하여야 한다"),
    ("해야 합니다", "해야 한다"),
    ("해야 해요", "해야 한다"),
    ("있습니다", "있다"),
    ("있어요", "있다"),
    ("없습니다", "없다"),
    ("없어요", "없다"),
    ("아니 됩니다", "아니 된다"),
    ("안 됩니다", "안 된다"),
    ("안 돼요", "안 된다"),
    ("됩니다", "된다"),
    ("돼요", "된다"),
    ("합니다", "한다"),
    ("해요", "한다"),
    ("집니다", "진다"),
    ("봅니다", "본다"),
    ("입니다", "이다"),
    ("이에요", "이다"),
    ("예요", "이다"),
)


# Content words that are replaced at once; longer stretches are another way of saying it.
LONGEST_SUBSTITUTION = 3


@dataclass(frozen=True)
class Verdict:
    """A check's name, whether it passed, and what it found."""

    check: str
    ok: bool
    detail: str = ""


def support(answer: str, passage: str, *, place: str = "", known: str = "") -> list[Verdict]:
    """The verdicts of all checks on an answer against the passage it cites.

    `place` is the passage's own citation (`「전자금융거래법」 제9조제1항`), which an answer may
    name; `known` a text whose words, but not whose figures, an answer may use too.
    """
    passage = clean(passage)
    answer = plain_ending(_LINK.sub("", answer.strip()))
    source = _nearest(answer, passage)
    return [
        _figures(answer, passage),
        _bounds(answer, source),
        _articles(answer, f"{passage} {place}"),
        _terms(answer, f"{passage} {known}"),
        _substitution(answer, source),
        _negation(answer, source),
        _denial(answer, source),
        _actor(answer, source),
        _towards(answer, passage),
    ]


def plain_ending(sentence: str) -> str:
    """합니다 and 해요 as 한다, so that an answer's manners do not hide what it says."""
    bare, cited = _parted(sentence)
    for polite, plain in _POLITE:
        if bare.endswith(polite):
            return f"{bare[: -len(polite)]}{plain}.{cited}"
    return sentence


def _parted(answer: str) -> tuple[str, str]:
    """(the answer without its full stop, the citation in brackets after it)."""
    match = re.search(r"\s*\([^()]*\)\.?$", answer.strip())
    cited = match.group(0) if match else ""
    return answer.strip().removesuffix(cited).rstrip(". "), cited


def _figures(answer: str, passage: str) -> Verdict:
    held = {(q.dimension, round(q.value, 6)) for q in quantities(passage)}
    for quantity in quantities(answer):
        if (quantity.dimension, round(quantity.value, 6)) not in held:
            return Verdict("figures", False, quantity.text)
    bare = set(_NUMBER.findall(_CITATION.sub(" ", passage)))
    wrong = [n for n in _NUMBER.findall(_CITATION.sub(" ", answer)) if n not in bare]
    return Verdict("figures", not wrong, " ".join(wrong))


def _bounds(answer: str, source: str) -> Verdict:
    """A figure keeps the bound that stands after it (2주 이내, 10억원 이상)."""
    said = {q.text: _bound_after(answer, q.end) for q in quantities(answer)}
    for quantity in quantities(source):
        meant = _bound_after(source, quantity.end)
        if quantity.text in said and said[quantity.text] != meant:
            return Verdict("bounds", False, f"{quantity.text} {said[quantity.text]} / {meant}")
    return Verdict("bounds", True)


def _bound_after(text: str, place: int) -> str:
    match = _BOUNDED.match(text, place)
    return match.group(1) if match else ""


def _articles(answer: str, passage: str) -> Verdict:
    """Every cited article, whole or in part, is one that stands there; so is every act."""
    held = [_CITED_PART.findall(citation) for citation in _CITATION.findall(passage)]
    wrong = [
        citation
        for citation in _CITATION.findall(answer)
        if not any(_stands_in(_CITED_PART.findall(citation), whole) for whole in held)
    ]
    acts = {normal(act) for act in _ACT.findall(passage)}
    wrong += [act for act in _ACT.findall(answer) if normal(act) not in acts]
    return Verdict("articles", not wrong, " ".join(wrong))


def _stands_in(parts: Sequence[str], whole: Sequence[str]) -> bool:
    last = len(whole) - len(parts)
    return any(list(whole[i : i + len(parts)]) == list(parts) for i in range(last + 1))


def _terms(answer: str, passage: str) -> Verdict:
    """Every content word of the answer stands in the passage; long words as they are written."""
    held = set(content_morphemes([passage])[0])
    flat = normal(passage)
    missing = [
        word
        for word in content_morphemes([_uncited(answer)])[0]
        if len(word) > 1 and word not in held and word not in flat and word not in _OPEN_WORDS
    ]
    return Verdict("terms", not missing, " ".join(missing))


def _uncited(text: str) -> str:
    return _ACT.sub(" ", _CITATION.sub(" ", text))


def _substitution(answer: str, source: str) -> Verdict:
    """No word stands where the source has another, between the same neighbours."""
    told, meant = content_morphemes([_uncited(_parted(answer)[0]), _uncited(source)])
    for how, a, b, c, d in SequenceMatcher(None, meant, told, autojunk=False).get_opcodes():
        inside = a > 0 and b < len(meant) and c > 0 and d < len(told)
        if how == "replace" and inside and max(b - a, d - c) <= LONGEST_SUBSTITUTION:
            new = [word for word in told[c:d] if word not in meant[a:b]]
            if new:
                return Verdict("substitution", False, f"{' '.join(told[c:d])} / {meant[a:b]}")
    return Verdict("substitution", True)


def _nearest(answer: str, passage: str) -> str:
    """The passage's sentence or 호 that shares most bigrams with the answer."""
    rows = [s for line in passage.split("\n") for s in sentences(_unbracketed(line))]
    wanted = set(bigrams(answer))
    return max(rows, key=lambda row: len(wanted & set(bigrams(row))), default="")


def _unbracketed(text: str) -> str:
    out, last = "", 0
    for start, end in brackets(text):
        out += text[last:start]
        last = end
    return out + text[last:]


def _negation(answer: str, source: str) -> Verdict:
    """The same duty, permission or prohibition, and no further word of negation or bounds."""
    sentence = _parted(answer)[0]
    said, meant = reading(sentence), reading(source)
    if said and meant and said[2] != meant[2]:
        return Verdict("negation", False, f"{said[1]} / {meant[1]}")
    extra = _counts(answer, source)
    if extra:
        return Verdict("negation", False, " ".join(extra))
    if bool(said) != bool(meant) and sentence.endswith("다") and meant:
        return Verdict("negation", False, f"{sentence[-12:]} / {meant[1]}")
    return Verdict("negation", True)


def _counts(answer: str, source: str) -> list[str]:
    held = _NEGATION.findall(source)
    extra = []
    for word in _NEGATION.findall(answer):
        if word in held:
            held.remove(word)
        else:
            extra.append(word)
    return extra


def _denial(answer: str, source: str) -> Verdict:
    """What the source denies (등록하지 아니하고, 할 수 없다) the answer does not affirm."""
    lost = [
        verb
        for verb in set(_DENIED.findall(source))
        if _affirmed(verb, answer) > _affirmed(verb, source)
    ]
    if source.count("없") > answer.count("없") and answer.count("있") > source.count("있"):
        lost.append("없")
    return Verdict("denial", not lost, " ".join(lost))


def _affirmed(verb: str, text: str) -> int:
    """How often a verb (등록하) stands without a denial."""
    every = len(re.findall(re.escape(verb[:-1]) + "[하한할함해되된될됨돼]", text))
    return every - _DENIED.findall(text).count(verb)


def _actor(answer: str, source: str) -> Verdict:
    """Who the answer binds is who the nearest sentence binds, or someone it names as such."""
    said, meant = subject(_parted(answer)[0]), subject(source)
    if said and meant and normal(said) != normal(meant):
        return Verdict("actor", False, f"{said} / {meant}")
    topics = [topic.removesuffix("에") for topic in _TOPIC.findall(source)[:1]]
    lost = [topic for topic in topics if topic not in answer]
    return Verdict("actor", not lost, " ".join(lost))


def _towards(answer: str, passage: str) -> Verdict:
    """Whom an act is towards or from (…에게, …로부터) the passage names with the same particle."""
    flat = normal(passage)
    wrong = [name + how for name, how in _TOWARDS.findall(answer) if normal(name + how) not in flat]
    return Verdict("towards", not wrong, " ".join(wrong))
