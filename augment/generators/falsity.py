"""Decide which wrong options are really wrong. Every generator takes its wrong options from here.

A wrong option is useless if it can be defended as right. This module and `false_parties`,
`false_figures` and `false_conditions` hold one rule for each kind of question:

- `actor`, `addressee`: `false_parties`
- `modality`: `false_endings`
- `quantity`: `false_figures`
- `penalty`: `other_sanctions`; `violated_article`: `articles_not_violated`;
  `penalty_not`, `penalty_named`: `offences_punished_otherwise`
- `enumeration`, `enumeration_not`: `items_not_in_list`
- `exception`, `slot_condition`, `slot_exception`: `false_conditions`
- `definition_term`, `term_definition`, `definition_mismatch`: `unrelated_terms`;
  `concept`: `other_meanings`
- `statement_true`, `statement_false`: `false_versions`
- `not_of_article`: `sentences_not_in_article`
- the statements of a finished question: `true_elsewhere`

Questions about references need no rule: an article is wrong if it does not hold the quoted text.

`similarity` says when two texts say the same. All rules reject in doubt: a lost option costs
nothing, because an act gives more than are needed.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence

from kofinlaw.augment.generators.drafts import Draft, distinct
from kofinlaw.augment.generators.false_figures import (
    bound_makes_false,
    figure_makes_false,
    other_figures,
)
from kofinlaw.augment.generators.false_parties import other_parties
from kofinlaw.augment.generators.similarity import (
    bigram_share,
    combines,
    content_bigrams,
    drop_similar,
    names_same_kind,
    resembles,
)
from kofinlaw.augment.reading.acts import Law, Laws
from kofinlaw.augment.reading.clauses import Clause
from kofinlaw.augment.reading.endings import (
    CONTRADICTING_ENDINGS,
    NEAREST_CONTRADICTION,
    Ending,
    allows,
    forbids,
    grants_a_right,
    limits_to_one_party,
    read_ending,
)
from kofinlaw.augment.reading.figures import find_figures
from kofinlaw.augment.reading.kinds import noun_class, party_class
from kofinlaw.augment.reading.listings import Listing, cited_items
from kofinlaw.augment.reading.names import acting_subject, normalize, subject
from kofinlaw.augment.reading.offences import (
    SHORTEST_VIOLATION,
    Offence,
    changed_sanctions,
)
from kofinlaw.augment.reading.particles import replace_span, subject_topics
from kofinlaw.augment.reading.terms import Term
from kofinlaw.data.korean.words import bigrams, josa
from kofinlaw.records import Article

__all__ = [
    "IMPLIED",
    "SAME_AS_CITED",
    "SAME_MEANING",
    "SAME_VIOLATION",
    "alterations",
    "articles_not_violated",
    "false_endings",
    "false_versions",
    "flip_modality",
    "is_a_right",
    "items_not_in_list",
    "modality_is_decided",
    "offences_punished_otherwise",
    "other_meanings",
    "other_sanctions",
    "sentences_not_in_article",
    "true_elsewhere",
    "unrelated_terms",
]

# Shares of bigrams above which two texts are taken to say the same (0 to 1).
SAME_AS_CITED = 0.6  # an item and one of an article that the list only cites
SAME_VIOLATION = 0.4  # two violations; half of all violations end in 하지 아니한 자
SAME_MEANING = 0.8  # two definitions
IMPLIED = 0.8  # a sentence and a whole article, from which the sentence may follow
# `다른 법률에 특별한 규정이 있는 경우`, `법령에서 허용하고 있는 경우`: these mean much the same.
_BY_LAW = re.compile(r"(?<![가-힣])법[령률](?:에|상|이|로)")
# A bound directly after a figure, and its opposite. `10만원을 초과하는` has no opposite of the same
# form.
_BOUND = re.compile(r" ?(?P<bound>이상|이하|이내(?=에(?!서))|초과(?![하되시])|미만(?![하되시]))")
# `허가를 받으려는 경우에는`, `등록을 신청하는`: the sentence is about one who applies.
_APPLIES = re.compile(
    r"(?:지정|허가|인가|등록|승인|인증|면허|지원|포상금?|보상|환급|교부|발급|감면|면제|조정|심사|확인|신청|청구)"
    r"(?:을|를)? ?(?:받|하|얻|신청하)?(?:으려|려|고자 하|고자 할|려면)|신청(?:인|자)은 "
)
_OFFICES = ("state", "officer", "body")
_ANY_BOUND = re.compile(r"(?<=[\d원명인일년월주회배개 ])(?:이상|이하|이내|초과|미만)")
_FRACTION = re.compile(r"(?<!\d)\d+분의 ?\d+")
_OPPOSITE_BOUNDS = {
    "이상": "이하",
    "이하": "이상",
    "이내": "이후",
    "초과": "미만",
    "미만": "초과",
}

# --- Duties, permissions, prohibitions ---


def false_endings(ending: Ending) -> list[str]:
    """Return the same verb with the four endings that make the sentence false."""
    return [ending.verb + other for other in CONTRADICTING_ENDINGS[ending.sense]]


def modality_is_decided(sentence: str, *, anywhere: bool = False) -> bool:
    """Return whether another ending makes the sentence false beyond doubt.

    A prohibition always does. A duty or a permission does if it is one of an office or a business
    that the sentence names, if its verb is not a right (신청, 제기, 청구 …), and if the party does
    not apply for something: who must file an objection within a week also may file it, and who
    wants to be registered may of course send in the form.

    The office or business begins the sentence, or with `anywhere` is its only topic.
    """
    found = read_ending(sentence)
    if not found or "노력" in found.verb or "노력" in found.before[-8:]:
        return False
    if found.sense == "not":
        return True
    who = subject(sentence) or (_only_topic(sentence) if anywhere else "")
    return (
        party_class(who) in _OFFICES and not grants_a_right(found) and not _APPLIES.search(sentence)
    )


def _only_topic(sentence: str) -> str:
    """Return the last word of the sentence's only topic; empty for none or several."""
    ends = subject_topics(sentence)
    return sentence[: min(ends) - 1].rpartition(" ")[2] if len(ends) == 1 else ""


def is_a_right(sentence: str) -> bool:
    """Return whether the sentence grants a right (…을 청구할 수 있다). Others may have it too."""
    found = read_ending(sentence)
    return bool(found and found.sense == "may" and grants_a_right(found))


def flip_modality(sentence: str) -> str:
    """Return the sentence with the nearest false ending (duty ↔ permission,
    prohibition → permission).

    Empty where the sentence has no such ending, or where the result would not be false or not be a
    sentence (`…만 할 수 있다`, `허가를 받지 아니하고는 할 수 있다`).
    """
    found = read_ending(sentence)
    if not found:
        return ""
    if limits_to_one_party(found.before) or (found.sense == "not" and "고는 " in found.before):
        return ""
    return f"{found.before}{found.verb}{NEAREST_CONTRADICTION[found.sense]}."


# --- Penalties ---


def other_sanctions(
    offence: Offence, known: Sequence[Offence], rng: random.Random
) -> tuple[str, ...]:
    """Return the sanctions that the offence does not carry: those of its article first,
    then changed ones.
    """
    real = [o.sanction for o in known if o.clause.article.id == offence.clause.article.id]
    rng.shuffle(real)
    return distinct(offence.sanction, [*real, *changed_sanctions(offence.sanction, rng)])


def articles_not_violated(
    offence: Offence, known: Sequence[Offence], rng: random.Random
) -> tuple[str, ...]:
    """Return the provisions that other offences violate, none with a similar violation or
    of the same 조.
    """
    violation = [content_bigrams(offence.violation)]
    others = [
        o for o in known if o.article and not resembles(o.violation, violation, SAME_VIOLATION)
    ]
    others.sort(key=lambda o: (o.clause is not offence.clause, rng.random()))
    return distinct(
        offence.article,
        [o.article for o in others if o.article_number != offence.article_number],
    )


def offences_punished_otherwise(
    group: Sequence[Offence], known: Sequence[Offence], rng: random.Random
) -> list[Offence]:
    """Return offences with another sanction than `group` (one clause's offences),
    like none of its 호.
    """
    clause, sanction = group[0].clause, group[0].sanction
    listed = {normalize(o.violation) for o in group}
    items = [content_bigrams(text) for text in clause.items]
    others = [
        o
        for o in known
        if o.sanction != sanction
        and len(o.violation) >= SHORTEST_VIOLATION
        and normalize(o.violation) not in listed
        and not resembles(o.violation, items, SAME_VIOLATION)
    ]
    others.sort(key=lambda o: (o.clause.article.id != clause.article.id, rng.random()))
    return others


# --- Lists and conditions ---


def items_not_in_list(
    law: Law, here: Listing, known: Sequence[Listing], rng: random.Random
) -> list[str]:
    """Return the items of the act's other lists that the list does not hold, best first.

    Excluded are items that resemble an item of the list or of an article that it cites, that
    several of its items say together, that are of a kind that an item names, and `by law` cases
    where the list has one.
    """
    inside = [content_bigrams(text) for text in here.clause.items]
    cited = [content_bigrams(text) for text in cited_items(law, here)]
    return [
        text
        for text in _items_of_other_lists(here, known, rng)
        if not resembles(text, inside)
        and not resembles(text, cited, SAME_AS_CITED)
        and not combines(text, inside)
        and not names_same_kind(text, here.clause.items)
        and not (_BY_LAW.search(text) and any(map(_BY_LAW.search, here.clause.items)))
    ]


def _items_of_other_lists(here: Listing, known: Sequence[Listing], rng: random.Random) -> list[str]:
    """Return the items of the act's other lists that are of the class of an item, without similar
    ones.

    Items of the same article come first, then those of its chapter, then those that share most
    bigrams with the article: an item that shares nothing with the evidence could be found without
    reading it. An article that the list itself cites (제30조에 따른 조치) gives none, because its
    items are part of the list.
    """
    classes = {noun_class(item) for item in here.items}
    words = content_bigrams(here.clause.article.text)
    own = {normalize(text) for text in here.clause.items}
    cited = here.cited_articles
    if here.cites_own_paragraph:
        cited.add(here.clause.article.number)
    ranked: list[tuple[int, float, str]] = []
    for other in known:
        if other is here or other.clause.article.number in cited:
            continue
        distance = 1 if other.clause.article.path == here.clause.article.path else 2
        if other.clause.article.id == here.clause.article.id:
            distance = 0
        for item in other.items:
            if normalize(item) not in own and noun_class(item) in classes:
                grams = content_bigrams(item)
                shared = len(grams & words) / max(len(grams), 1)
                ranked.append((distance, 0.3 * rng.random() - shared, item))
    return drop_similar([text for _, _, text in sorted(ranked)])


def unrelated_terms(term: Term, known: Sequence[Term]) -> list[Term]:
    """Return the terms that neither contain the term nor are part of it."""
    return [t for t in known if t.term not in term.term and term.term not in t.term]


def other_meanings(term: Term, known: Sequence[Term]) -> list[Term]:
    """Return the terms whose definition is not that of the term, the most similar ones first.

    Excluded are terms of the same words, and terms of which one definition names or nearly repeats
    the other: what is a kind of another is defined by it too.
    """
    own = content_bigrams(term.meaning)
    ranked = []
    for other in unrelated_terms(term, known):
        grams = content_bigrams(other.meaning)
        smaller = min(len(own), len(grams)) or 1
        if term.term in other.meaning or other.term in term.meaning:
            continue
        if (share := len(own & grams) / smaller) < SAME_MEANING:
            ranked.append((-share, other.term, other))
    return [other for *_, other in sorted(ranked, key=lambda row: row[:2])]


# --- Statements ---


def alterations(law: Law, clause: Clause, rng: random.Random) -> list[tuple[str, str]]:
    """Return (what was changed, text): the clause's sentence with one change that makes it false.

    Changes are `modality`, `actor`, `number` and `bound`, in random order.
    """
    sentence = clause.main
    out = []
    flipped = flip_modality(sentence) if modality_is_decided(sentence) else ""
    if flipped and "노력" not in sentence:
        out.append(("modality", flipped))
    who = acting_subject(sentence)
    # What one party may not do, another may not do either; a right may be that of several.
    if who and not forbids(sentence) and not is_a_right(sentence):
        others = other_parties(law, clause, who, rng)
        start = sentence.index(who)
        rest = sentence[start + len(who) + 1 :]
        others = tuple(name for name in others if name not in rest)
        if others:
            out.append(("actor", sentence[:start] + josa(others[0], "은/는") + rest))
    # Who may do something within 20 days may also do it within 10.
    # `위원장 1명을 포함한`: any other number would be absurd.
    figures = [] if allows(sentence) else find_figures(sentence)
    figures = [f for f in figures if not (f.dimension == "people" and f.value == 1)]
    for figure in figures[:1]:
        near = [
            text
            for text in other_figures(figure, clause.article.text, rng)
            if figure_makes_false(sentence, figure, find_figures(text)[0])
            and not (figure.dimension == "people" and find_figures(text)[0].value == 1)
        ]
        if near:
            out.append(("number", replace_span(sentence, figure.start, figure.end, near[0])))
    fractions = [] if allows(sentence) else [m.end() for m in _FRACTION.finditer(sentence)]
    for position in sorted({*(figure.end for figure in figures), *fractions}):
        match = _BOUND.match(sentence, position)
        # `5명 이상 9명 이하`: with one bound changed the range is empty.
        ranged = len(_ANY_BOUND.findall(sentence)) > 1
        if match and sentence.count(match.group("bound")) == 1 and not ranged:
            start, end = match.span("bound")
            opposite = _OPPOSITE_BOUNDS[match.group("bound")]
            before = next((f for f in figures if f.end == position), None)
            if bound_makes_false(sentence, before, match.group("bound"), opposite):
                out.append(("bound", replace_span(sentence, start, end, opposite)))
            break
    rng.shuffle(out)
    return out


def false_versions(law: Law, laws: Laws, clause: Clause, rng: random.Random) -> list[str]:
    """Return the altered versions of the clause's sentence that no sentence of the corpus says."""
    altered = alterations(law, clause, rng)
    return [text for _, text in altered if normalize(text) not in laws.sentences]


def sentences_not_in_article(
    article: Article,
    stated: Sequence[tuple[str, Clause]],
    position: Mapping[str, int],
    rng: random.Random,
) -> list[Clause]:
    """Return the clauses of other articles that the article neither says nor implies,
    most similar first.

    `stated` are (normalised sentence, clause) of the whole act; `position` gives the place of an
    article in the act by its id. Only the 40 nearest clauses are ranked.
    """
    here = normalize(article.text)
    others = [c for key, c in stated if c.article.id != article.id and key not in here]
    grams = set(bigrams(article.text))
    others.sort(key=lambda c: abs(position[c.article.id] - position[article.id]))
    others = others[:40]
    others.sort(key=lambda c: 0.3 * rng.random() - bigram_share(c.main, grams))
    return [c for c in others if bigram_share(c.main, grams) < IMPLIED]


def true_elsewhere(
    draft: Draft, options: Sequence[str], answer: int, sentences: frozenset[str]
) -> str:
    """Return a false statement of a finished question that the corpus says word for word;
    empty for none.

    Only statement questions are checked, because only their options are true or false alone.
    `answer` is the index of the right option: of a negative question it is the false statement.
    `sentences` are the corpus's sentences, normalised.
    """
    if not draft.kind.startswith("statement"):
        return ""
    if draft.negative:
        false = [options[answer]]
    else:
        false = [text for index, text in enumerate(options) if index != answer]
    return next((text for text in false if normalize(text) in sentences), "")
