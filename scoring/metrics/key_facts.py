"""Score a free-text answer by the key facts of the reference, by rule and without a model.

The contest's score rewards an answer that repeats the question. This one does not: a fact that the
question already states does not count as answered. The facts are

- figures with unit, bound and direction (`3개월 이내`, `100분의 5`, `30일 전`),
- actors with their role (who acts, towards whom, with whose approval),
- acts and articles cited,
- conditions and exceptions (경우, 다만, 제외, 없이 …) with the words before them,
- duty, permission, prohibition, exemption and negation of a predicate,
- terms (nouns), where the reference has no fact of the other kinds but citations, or defines a
  word.

Score = max(0, p − h) / n. `n` counts the facts that the question does not state, `p` those of them
that the answer states and does not contradict, `h` the facts that the question does state and the
answer contradicts. The question given back scores 0, the reference 1. Without such facts (n = 0)
there is no score.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from kofinlaw.data.korean.modality import INCOMPATIBLE, Modality, Token, read_modalities
from kofinlaw.data.korean.quantities import BRANCH, Quantity, read_quantities
from kofinlaw.data.korean.words import CONTENT_TAGS, normalise, tag_text
from kofinlaw.data.law.actors import Actor, Role, read_actors

__all__ = ["FACT_KINDS", "Fact", "FactKind", "FactScore", "key_facts", "score_facts"]

FactKind = Literal["figure", "actor", "citation", "condition", "modality", "term"]
FACT_KINDS: tuple[FactKind, ...] = (
    "figure",
    "actor",
    "citation",
    "condition",
    "modality",
    "term",
)
_JOINS = frozenset({"고", "며", "으며", "지만", "으나"})  # endings that end a clause
_ANCHORS_BEFORE, _ANCHORS_AFTER = 2, 5  # content words around a figure that say what it measures
_HEADS = 3  # content words before a marker that say what the condition is
_CACHED_TEXTS = 4096

_ARTICLE = re.compile(
    rf"(?:「([^」]{{2,60}})」\s?)?제\s?(\d+)\s?조(?:{BRANCH}(\d+))?(?:\s?제\s?(\d+)\s?항)?"
)
_ACT = re.compile(r"「([^」]{2,60})」")
_DEFINES = re.compile(r"(?:말한다|뜻한다|의미한다|말합니다|뜻합니다|의미합니다)")
_PREDICATE = re.compile(r"(?:다|요|음|함|오|까)[.?!)\s]*$")
_LETTERS = re.compile(r"[^0-9A-Za-z가-힣%]")
_LONGEST_ITEM = 30  # characters of a reference that is a name and not a sentence
_GENERIC = frozenset(
    re.findall(r"\w+", "것 경우 말 등 이하 이상 이내 때 수 중 자 바 및 제 조 항 호 법 각 다음 해당")
)
_NOUN_TAGS = ("NNG", "NNP", "SL", "XPN", "XSN", "XR", "SH")
_NEGATIONS = frozenset({"아니하", "않", "못하", "없", "말", "아니", "안", "못"})
_MARKERS: dict[str, frozenset[str]] = {
    "condition": frozenset({"경우", "때"}),
    "exception": frozenset({"다만", "제외", "불구", "예외", "그러하", "한하", "한정"}),
    "absence": frozenset({"없이"}),
}
# For people: bounds as signs, and the kinds of conditions and predicates in Korean.
_SIGNS = {"most": "≤", "below": "<", "least": "≥", "above": ">"}
_WORDS = {
    "condition": "경우",
    "exception": "예외",
    "absence": "없이",
    "duty": "의무",
    "may": "허용",
    "not": "금지",
    "exempt": "면제",
    "negated": "부정",
}
_FAMILY_OF = {form: family for family, forms in _MARKERS.items() for form in forms}


@dataclass(frozen=True, slots=True)
class _Condition:
    """A marker's family and the content words before it, nearest last, perhaps negated."""

    family: str
    heads: tuple[str, ...]
    negated: bool


@dataclass(frozen=True, slots=True)
class _Reading:
    """What one text states. `anchors[i]` are the words around `quantities[i]`.

    `articles` are (article, 항 or empty, act named before it or empty). `nouns` are compounds.
    `letters` is the text without blanks and punctuation.
    """

    quantities: tuple[Quantity, ...]
    anchors: tuple[frozenset[str], ...]
    actors: tuple[Actor, ...]
    acts: tuple[str, ...]
    articles: tuple[tuple[str, str, str], ...]
    conditions: tuple[_Condition, ...]
    modalities: tuple[Modality, ...]
    nouns: tuple[str, ...]
    letters: str


@dataclass(frozen=True, slots=True)
class Fact:
    """A key fact of a reference: its kind, its words, and whether the question states it too."""

    kind: FactKind
    text: str
    held: bool


@dataclass(frozen=True, slots=True)
class FactScore:
    """The score (0..1) of one answer, or None where the question states every fact.

    `new` counts the facts that the question does not state. `missing` are those of them that the
    answer does not state, `contradicted` all facts that it contradicts, in the reference's words.
    """

    score: float | None
    new: int
    missing: tuple[str, ...]
    contradicted: tuple[str, ...]


_Value = Quantity | Actor | str | tuple[str, str, str] | _Condition | Modality


def key_facts(question: str, reference: str) -> tuple[Fact, ...]:
    """Return the key facts of a reference, in the order of FACT_KINDS."""
    asked = _read(question)
    return tuple(
        Fact(kind, text, _states(asked, kind, value))
        for kind, text, value in _facts(_read(reference), asked, reference)
    )


def score_facts(question: str, reference: str, answer: str) -> FactScore:
    """Score an answer by the key facts of its reference (see the module's text)."""
    asked, right, given = _read(question), _read(reference), _read(answer)
    new = present = held_contradicted = 0
    missing: list[str] = []
    contradicted: list[str] = []
    for kind, text, value in _facts(right, asked, reference):
        wrong = _contradicts(given, kind, value, right, asked)
        if wrong:
            contradicted.append(text)
        if _states(asked, kind, value):
            held_contradicted += wrong
            continue
        new += 1
        if _states(given, kind, value) and not wrong:
            present += 1
        else:
            missing.append(text)
    score = max(0, present - held_contradicted) / new if new else None
    return FactScore(score, new, tuple(missing), tuple(contradicted))


@lru_cache(maxsize=_CACHED_TEXTS)
def _read(text: str) -> _Reading:
    text = normalise(text)
    tokens = tag_text(text)
    content = [token for token in tokens if _is_content(token)]
    seams = [token[3] for token in tokens if token[1] in ("SP", "SF") or token[0] in _JOINS]
    quantities = tuple(read_quantities(text))
    return _Reading(
        quantities=quantities,
        anchors=tuple(_anchors(quantity, content, seams) for quantity in quantities),
        actors=tuple(read_actors(text)),
        acts=tuple(dict.fromkeys(_letters(match[1]) for match in _ACT.finditer(text))),
        articles=tuple(
            dict.fromkeys(
                (
                    f"제{match[2]}조" + (f"의{match[3]}" if match[3] else ""),
                    match[4] or "",
                    _letters(match[1] or ""),
                )
                for match in _ARTICLE.finditer(text)
            )
        ),
        conditions=tuple(_conditions(tokens, quantities)),
        modalities=tuple(read_modalities(tokens)),
        nouns=tuple(_compounds(text, tokens)),
        letters=_letters(text),
    )


def _letters(text: str) -> str:
    return _LETTERS.sub("", text).lower()


def _is_content(token: Token) -> bool:
    form, tag = token[0], token[1]
    return tag in CONTENT_TAGS and form not in _GENERIC and form not in ("하", "되", "있", "없")


def _anchors(quantity: Quantity, content: Sequence[Token], seams: Sequence[int]) -> frozenset[str]:
    """Return the content words next to a figure in its clause, which say what it measures."""
    first = max((seam for seam in seams if seam <= quantity.start), default=0)
    last = min((seam for seam in seams if seam >= quantity.end), default=quantity.end + 10_000)
    before = [t[0] for t in content if first <= t[2] and t[3] <= quantity.start]
    after = [t[0] for t in content if t[2] >= quantity.end and t[3] <= last]
    before, after = before[-_ANCHORS_BEFORE:], after[:_ANCHORS_AFTER]
    return frozenset(form for form in (*before, *after) if not form[0].isdigit())


def _conditions(tokens: Sequence[Token], quantities: Sequence[Quantity]) -> list[_Condition]:
    """Return the conditions, exceptions and absences of a text, each once."""
    out: list[_Condition] = []
    for index, (form, tag, _, _) in enumerate(tokens):
        family = _FAMILY_OF.get(form)
        if tag == "EC" and form in ("면", "으면") and not _is_modal(tokens[index + 1 :]):
            family = "condition"
        elif family is None or not tag.startswith(("N", "M", "V", "XR")):
            continue
        heads: list[str] = []
        negated = False
        for before in reversed(tokens[:index]):
            if before[0] in _NEGATIONS and before[1][0] in "VM" and not heads:
                negated = True
            elif before[1] in ("SF", "SP") or before[0] in _FAMILY_OF:
                break
            elif _is_content(before) and not any(q.start <= before[2] < q.end for q in quantities):
                heads.insert(0, before[0])
            if len(heads) == _HEADS:
                break
        condition = _Condition(family, tuple(heads), negated)
        if condition not in out:
            out.append(condition)
    return out


def _is_modal(after: Sequence[Token]) -> bool:
    """Return whether `…면` belongs to a prohibition or duty (`하면 안 된다`)."""
    return [token[0] for token in after[:2]] in (["안", "되"], ["아니", "되"])


def _compounds(text: str, tokens: Sequence[Token]) -> list[str]:
    """Return the nouns of a text, adjacent ones as one, without words that mean little."""
    runs: list[tuple[int, int]] = []
    for _, tag, start, end in tokens:
        if tag in _NOUN_TAGS:
            if runs and runs[-1][1] == start:
                runs[-1] = (runs[-1][0], end)
            else:
                runs.append((start, end))
    nouns = [text[start:end] for start, end in runs]
    return list(dict.fromkeys(noun for noun in nouns if len(noun) > 1 and noun not in _GENERIC))


def _facts(right: _Reading, asked: _Reading, reference: str) -> list[tuple[FactKind, str, _Value]]:
    """Return (kind, words, value) of every fact of the reference."""
    found: list[tuple[FactKind, str, _Value]] = []
    for quantity in right.quantities:
        if not any(v[2] == quantity or _same(v[2], quantity) for v in found):
            sign = _SIGNS.get(quantity.bound, "")
            found.append(("figure", f"{sign} {quantity.text}".strip(), quantity))
    found += [("actor", a.name, a) for a in right.actors if a.role != "other"]
    found += [("citation", f"「{act}」", act) for act in right.acts]
    found += [
        ("citation", article[0] + (f"제{article[1]}항" if article[1] else ""), article)
        for article in right.articles
    ]
    found += [
        ("condition", " ".join((*condition.heads, _WORDS[condition.family])), condition)
        for condition in right.conditions
    ]
    found += [
        ("modality", f"{modality.head}({_WORDS[modality.sense]})", modality)
        for modality in dict.fromkeys(right.modalities)
    ]
    strict = [kind for kind, _, value in found if not _states(asked, kind, value)]
    if _DEFINES.search(reference) or all(kind == "citation" for kind in strict):
        found += [("term", noun, _letters(noun)) for noun in right.nouns]
        if not right.nouns and _is_item(reference):
            found.append(("term", reference.strip(), right.letters))
    return found


def _is_item(reference: str) -> bool:
    """Return whether the reference is a name or number and not a sentence."""
    text = reference.strip()
    return 0 < len(text) <= _LONGEST_ITEM and not _PREDICATE.search(text)


def _same(value: _Value, quantity: Quantity) -> bool:
    return isinstance(value, Quantity) and value.agrees(quantity)


def _states(reading: _Reading, kind: FactKind, value: _Value) -> bool:
    """Return whether a text states the fact."""
    if isinstance(value, Quantity):
        return any(value.agrees(other) for other in reading.quantities)
    if isinstance(value, Actor):
        return any(
            other.name == value.name and _roles_fit(other.role, value.role)
            for other in reading.actors
        )
    if isinstance(value, _Condition):
        return any(_same_condition(value, other) for other in reading.conditions)
    if isinstance(value, Modality):
        return value in reading.modalities
    if isinstance(value, tuple):
        return any(_same_article(value, other) for other in reading.articles)
    return bool(value) and value in reading.letters


def _roles_fit(one: Role, other: Role) -> bool:
    """Return whether two roles do not exclude each other: only acting and being addressed do."""
    return {one, other} != {"agent", "addressee"}


def _same_article(one: tuple[str, str, str], other: tuple[str, str, str]) -> bool:
    """Return whether two citations agree; a 항 that one does not name fits any, an act none."""
    return (
        one[0] == other[0]
        and (not one[1] or not other[1] or one[1] == other[1])
        and one[2] == other[2]
    )


def _same_condition(one: _Condition, other: _Condition) -> bool:
    return (
        one.family == other.family
        and one.negated == other.negated
        and (not one.heads or bool(set(one.heads) & set(other.heads)))
    )


def _contradicts(
    given: _Reading, kind: FactKind, value: _Value, right: _Reading, asked: _Reading
) -> bool:
    """Return whether an answer states something else in the place of the fact."""
    if isinstance(value, Quantity):
        return _other_figure(given, value, right, asked)
    if isinstance(value, Actor):
        return _other_actor(given, value, right, asked)
    if isinstance(value, _Condition):
        return not _states(given, kind, value) and any(
            other.family == value.family
            and other.negated != value.negated
            and value.heads[-1:] == other.heads[-1:]
            for other in given.conditions
        )
    if isinstance(value, Modality):
        clash = INCOMPATIBLE[value.sense]
        known = (*right.modalities, *asked.modalities)
        return any(
            other.head == value.head and other.sense in clash and other not in known
            for other in given.modalities
        )
    if isinstance(value, tuple):
        cited = (*right.articles, *asked.articles)
        return not _states(given, kind, value) and any(
            not any(_same_article(other, known) for known in cited) for other in given.articles
        )
    return False


def _other_figure(given: _Reading, value: Quantity, right: _Reading, asked: _Reading) -> bool:
    """Return whether the answer has another figure for the same thing.

    Two figures are of the same thing if each is the only one of its family in its text, or if they
    share a word next to them.
    """
    known = (*right.quantities, *asked.quantities)
    at = right.quantities.index(value)
    for other, anchors in zip(given.quantities, given.anchors, strict=True):
        if not value.conflicts(other) or any(other.agrees(one) for one in known):
            continue
        alone = all(
            sum(one.family == value.family for one in text.quantities) == 1
            for text in (right, given)
        )
        if alone or not anchors or anchors & right.anchors[at]:
            return True
    return False


def _other_actor(given: _Reading, value: Actor, right: _Reading, asked: _Reading) -> bool:
    """Return whether the answer gives the actor's role to somebody else, or the actor another."""
    own = [other for other in given.actors if other.name == value.name]
    if own:
        known = (*right.actors, *asked.actors)
        return not any(_roles_fit(other.role, value.role) or other in known for other in own)
    # An approver may also be said to act (금융위원회의 승인을 받아, 금융위원회가 승인한).
    known_roles = {(other.name, other.role) for other in (*right.actors, *asked.actors)}
    return any(
        other.role == value.role
        and not known_roles & {(other.name, value.role), (other.name, "approver")}
        and not other.name.endswith(value.name)
        and not value.name.endswith(other.name)
        for other in given.actors
    )
