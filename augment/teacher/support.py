"""Check whether a passage supports an answer: figures, articles, terms, negation, parties.

All checks reject in doubt. A correct answer that is lost costs one example; a wrong one teaches the
model a wrong deadline.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from kofinlaw.augment.reading.clauses import bracket_spans, clean, sentences
from kofinlaw.augment.reading.endings import read_ending
from kofinlaw.augment.reading.figures import find_figures
from kofinlaw.augment.reading.names import normalize, subject
from kofinlaw.data.korean.words import bigrams, content_morphemes

__all__ = [
    "LONGEST_SUBSTITUTION",
    "Verdict",
    "figure_verdict",
    "plain_ending",
    "support",
    "term_verdict",
    "worst_verdicts",
]

_CITATION = re.compile(r"(?:제\d+(?:조(?:의\d+)?|항|호))+")
_CITED_PART = re.compile(r"제\d+(?:조(?:의\d+)?|항|호)")
_ACT = re.compile(r"「([^「」]+)」")
_NUMBER = re.compile(r"\d+")
_BOUND = r"미만|초과|이상|이하|이내|이전|이후"
_NEGATION = re.compile(
    r"아니|않|없|못하|못한|금지|제외|안 된다|안 되|면제|거부|취소" + rf"|{_BOUND}"
)
# A negated verb: `등록하지 아니하고`, `응하지 않은`.
_DENIED = re.compile(r"(?<![가-힣])([가-힣]{2,})지 ?(?:아니|않|못)")
_BOUNDED = re.compile(rf"\s?({_BOUND})")
# To, from, by whom or what: 이용자에게, 금융위원회로부터.
_TOWARDS = re.compile(r"(?<![가-힣])([가-힣]{2,})(에게서|에게|한테|으로부터|로부터)")
# The topic of the sentence. 하는, 되는, 있는 … are verbs before a noun.
_TOPIC = re.compile(r"(?<![가-힣])([가-힣]*[^\W\d하되있없받르지키치이])(?:은|는)(?= )")
# A connection to the sentence before.
_LINK = re.compile(r"^(?:따라서|그러므로|또한|즉|이에 따라|그리고),? ")
# Words of questions, explanations and answers that are not words of the law.
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
# Content words of a replacement; a longer one is another way to say the same.
LONGEST_SUBSTITUTION = 3


@dataclass(frozen=True)
class Verdict:
    """The name of a check, whether it passed, and what it found."""

    check: str
    ok: bool
    detail: str = ""


def worst_verdicts(found: Iterable[Verdict]) -> list[Verdict]:
    """Return one verdict for each check, in order: the last one that failed, else the first."""
    merged: dict[str, Verdict] = {}
    for verdict in found:
        if verdict.check not in merged or not verdict.ok:
            merged[verdict.check] = verdict
    return list(merged.values())


def support(answer: str, passage: str, *, citation: str = "", known: str = "") -> list[Verdict]:
    """Return the verdicts of all checks of an answer against its passage.

    `citation` is the passage's own citation (`「전자금융거래법」 제9조제1항`), which the answer may
    contain. `known` is a text whose words the answer may use too, but not its figures.
    """
    passage = clean(passage)
    answer = plain_ending(_LINK.sub("", answer.strip()))
    source = _nearest(answer, passage)
    return [
        figure_verdict(answer, passage),
        _bounds(answer, source),
        _articles(answer, f"{passage} {citation}"),
        term_verdict(answer, f"{passage} {known}"),
        _substitution(answer, source),
        _negation(answer, source),
        _denial(answer, source),
        _actor(answer, source),
        _towards(answer, passage),
    ]


def plain_ending(sentence: str) -> str:
    """Return the sentence with 한다 for 합니다 and 해요, so that all checks see one form."""
    bare, citation = _split_citation(sentence)
    for polite, plain in _POLITE:
        if bare.endswith(polite):
            return f"{bare[: -len(polite)]}{plain}.{citation}"
    return sentence


def _split_citation(answer: str) -> tuple[str, str]:
    """Return (the answer without its full stop, the citation in brackets after it)."""
    match = re.search(r"(?<!\s)\s*+\([^()]*\)\.?$", answer.strip())
    citation = match.group(0) if match else ""
    return answer.strip().removesuffix(citation).rstrip(". "), citation


def figure_verdict(answer: str, passage: str) -> Verdict:
    """Check that the passage has every figure and number of the answer."""
    held = {(q.dimension, round(q.value, 6)) for q in find_figures(passage)}
    for quantity in find_figures(answer):
        if (quantity.dimension, round(quantity.value, 6)) not in held:
            return Verdict("figures", False, quantity.text)
    bare = set(_NUMBER.findall(_CITATION.sub(" ", passage)))
    wrong = [n for n in _NUMBER.findall(_CITATION.sub(" ", answer)) if n not in bare]
    return Verdict("figures", not wrong, " ".join(wrong))


def _bounds(answer: str, source: str) -> Verdict:
    """Check that a figure keeps the bound that follows it (2주 이내, 10억원 이상)."""
    said = {q.text: _bound_after(answer, q.end) for q in find_figures(answer)}
    for quantity in find_figures(source):
        meant = _bound_after(source, quantity.end)
        if quantity.text in said and said[quantity.text] != meant:
            return Verdict("bounds", False, f"{quantity.text} {said[quantity.text]} / {meant}")
    return Verdict("bounds", True)


def _bound_after(text: str, position: int) -> str:
    match = _BOUNDED.match(text, position)
    return match.group(1) if match else ""


def _articles(answer: str, passage: str) -> Verdict:
    """Check that the passage cites every article of the answer, in full or in part,
    and every act.
    """
    held = [_CITED_PART.findall(citation) for citation in _CITATION.findall(passage)]
    wrong = [
        citation
        for citation in _CITATION.findall(answer)
        if not any(_is_part(_CITED_PART.findall(citation), whole) for whole in held)
    ]
    acts = {normalize(act) for act in _ACT.findall(passage)}
    wrong += [act for act in _ACT.findall(answer) if normalize(act) not in acts]
    return Verdict("articles", not wrong, " ".join(wrong))


def _is_part(parts: Sequence[str], whole: Sequence[str]) -> bool:
    last = len(whole) - len(parts)
    return any(list(whole[i : i + len(parts)]) == list(parts) for i in range(last + 1))


def term_verdict(answer: str, passage: str) -> Verdict:
    """Check that the passage has every content word of the answer,
    as a morpheme or as it is written.
    """
    held = set(content_morphemes([passage])[0])
    flat = normalize(passage)
    missing = [
        word
        for word in content_morphemes([_uncited(answer)])[0]
        if len(word) > 1 and word not in held and word not in flat and word not in _OPEN_WORDS
    ]
    return Verdict("terms", not missing, " ".join(missing))


def _uncited(text: str) -> str:
    return _ACT.sub(" ", _CITATION.sub(" ", text))


def _substitution(answer: str, source: str) -> Verdict:
    """Check that no word of the source is replaced by another between the same neighbours."""
    said, meant = content_morphemes([_uncited(_split_citation(answer)[0]), _uncited(source)])
    for how, a, b, c, d in SequenceMatcher(None, meant, said, autojunk=False).get_opcodes():
        inside = a > 0 and b < len(meant) and c > 0 and d < len(said)
        if how == "replace" and inside and max(b - a, d - c) <= LONGEST_SUBSTITUTION:
            new = [word for word in said[c:d] if word not in meant[a:b]]
            if new:
                return Verdict("substitution", False, f"{' '.join(said[c:d])} / {meant[a:b]}")
    return Verdict("substitution", True)


def _nearest(answer: str, passage: str) -> str:
    """Return the sentence or 호 of the passage that shares most bigrams with the answer."""
    rows = [s for line in passage.split("\n") for s in sentences(_unbracketed(line))]
    wanted = set(bigrams(answer))
    return max(rows, key=lambda row: len(wanted & set(bigrams(row))), default="")


def _unbracketed(text: str) -> str:
    out, last = "", 0
    for start, end in bracket_spans(text):
        out += text[last:start]
        last = end
    return out + text[last:]


def _negation(answer: str, source: str) -> Verdict:
    """Check that the answer has the same duty, permission or prohibition,
    and no further negation or bound.
    """
    sentence = _split_citation(answer)[0]
    said, meant = read_ending(sentence), read_ending(source)
    if said and meant and said.sense != meant.sense:
        return Verdict("negation", False, f"{said.text} / {meant.text}")
    extra = _extra_negations(answer, source)
    if extra:
        return Verdict("negation", False, " ".join(extra))
    if bool(said) != bool(meant) and sentence.endswith("다") and meant:
        return Verdict("negation", False, f"{sentence[-12:]} / {meant.text}")
    return Verdict("negation", True)


def _extra_negations(answer: str, source: str) -> list[str]:
    """Return negations and bounds of the answer beyond those of the source."""
    held = _NEGATION.findall(source)
    extra = []
    for word in _NEGATION.findall(answer):
        if word in held:
            held.remove(word)
        else:
            extra.append(word)
    return extra


def _denial(answer: str, source: str) -> Verdict:
    """Check that the answer does not affirm what the source denies (등록하지 아니하고,
    할 수 없다).
    """
    lost = [
        verb
        for verb in set(_DENIED.findall(source))
        if _affirmed(verb, answer) > _affirmed(verb, source)
    ]
    if source.count("없") > answer.count("없") and answer.count("있") > source.count("있"):
        lost.append("없")
    return Verdict("denial", not lost, " ".join(lost))


def _affirmed(verb: str, text: str) -> int:
    """Return how often a verb (등록하) is not negated."""
    every = len(re.findall(re.escape(verb[:-1]) + "[하한할함해되된될됨돼]", text))
    return every - _DENIED.findall(text).count(verb)


def _actor(answer: str, source: str) -> Verdict:
    """Check that the answer binds the same party as the nearest sentence and keeps its topic."""
    said, meant = subject(_split_citation(answer)[0]), subject(source)
    if said and meant and normalize(said) != normalize(meant):
        return Verdict("actor", False, f"{said} / {meant}")
    topics = [topic.removesuffix("에") for topic in _TOPIC.findall(source)[:1]]
    lost = [topic for topic in topics if topic not in answer]
    return Verdict("actor", not lost, " ".join(lost))


def _towards(answer: str, passage: str) -> Verdict:
    """Check that the passage has every party of …에게 and …로부터 with the same particle."""
    flat = normalize(passage)
    wrong = [
        name + how for name, how in _TOWARDS.findall(answer) if normalize(name + how) not in flat
    ]
    return Verdict("towards", not wrong, " ".join(wrong))
