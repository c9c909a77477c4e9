"""Decide which wrong options are really wrong. Every generator takes its wrong options from here.

A wrong option is useless if it can be defended as right. This module holds one rule for each kind
of question:

- `actor`, `addressee`: `other_parties`, `other_addressees`
- `modality`: `false_endings`
- `quantity`: `other_figures`
- `penalty`: `other_sanctions`; `violated_article`: `articles_not_violated`;
  `penalty_not`, `penalty_named`: `offences_punished_otherwise`
- `enumeration`, `enumeration_not`: `items_not_in_list`
- `exception`: `other_conditions`
- `definition_term`, `term_definition`, `definition_mismatch`: `unrelated_terms`
- `statement_true`, `statement_false`: `false_versions`
- `not_of_article`: `sentences_not_in_article`
- the statements of a finished question: `true_elsewhere`

Questions about references need no rule: an article is wrong if it does not hold the quoted text.

`reading.parties` says which parties of an act overlap, `similarity` when two texts say the same.
All rules reject in doubt: a lost option costs nothing, because an act gives more than are needed.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence

from kofinlaw.augment.generators.drafts import Draft, distinct
from kofinlaw.augment.generators.similarity import (
    bigram_share,
    combines,
    content_bigrams,
    drop_overlapping_names,
    drop_similar,
    names_overlap,
    names_same_kind,
    resembles,
)
from kofinlaw.augment.reading.acts import Law, Laws
from kofinlaw.augment.reading.clauses import Clause
from kofinlaw.augment.reading.delegation import delegating_sentences
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
from kofinlaw.augment.reading.figures import Figure, clearly_differ, find_figures, near_values
from kofinlaw.augment.reading.kinds import noun_class, party_class
from kofinlaw.augment.reading.listings import Listing, cited_items
from kofinlaw.augment.reading.names import acting_subject, addressees, normalize, subject
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
    "SAME_VIOLATION",
    "SHORTEST_CONDITION",
    "alterations",
    "articles_not_violated",
    "bound_makes_false",
    "false_endings",
    "false_versions",
    "figure_makes_false",
    "flip_modality",
    "is_a_right",
    "items_not_in_list",
    "modality_is_decided",
    "offences_punished_otherwise",
    "other_addressees",
    "other_conditions",
    "other_figures",
    "other_parties",
    "other_sanctions",
    "sentences_not_in_article",
    "true_elsewhere",
    "unrelated_terms",
]

# Shares of bigrams above which two texts are taken to say the same (0 to 1).
SAME_AS_CITED = 0.6  # an item and one of an article that the list only cites
SAME_VIOLATION = 0.4  # two violations; half of all violations end in 하지 아니한 자
SHORTEST_CONDITION = 14  # characters of a condition that says enough to be wrong
IMPLIED = 0.8  # a sentence and a whole article, from which the sentence may follow
# `다른 법률에 특별한 규정이 있는 경우`, `법령에서 허용하고 있는 경우`: these mean much the same.
_BY_LAW = re.compile(r"(?<![가-힣])법[령률](?:에|상|이|로)")
# A bound directly after a figure, and its opposite. `10만원을 초과하는` has no opposite of the same
# form.
_BOUND = re.compile(r" ?(?P<bound>이상|이하|이내(?=에(?!서))|초과(?![하되시])|미만(?![하되시]))")
# A case that may except from any rule.
_EXCEPTS_ANYTHING = re.compile(
    r"달리 (?:정한|정하는|합의|약정)|특별한 (?:규정|사정|약정)|정당한 (?:사유|이유)|부득이"
    r"|(?:동의|허가|승인|인가)(?:가 있는|한|를 받은|을 받은|를 얻은|을 얻은)|필요하다고 인정"
    r"|필요(?:한|가 있는) 경우$|^\S+ \S+$"
    r"|(?:령|규칙|정관)으로 (?:따로 )?정하는 경우$"
)
# `허가를 받으려는 경우에는`, `등록을 신청하는`: the sentence is about one who applies.
_APPLIES = re.compile(
    r"(?:지정|허가|인가|등록|승인|인증|면허|지원|포상금?|보상|환급|교부|발급|감면|면제|조정|심사|확인|신청|청구)"
    r"(?:을|를)? ?(?:받|하|얻|신청하)?(?:으려|려|고자 하|고자 할|려면)|신청(?:인|자)은 "
)
_OFFICES = ("state", "officer", "body")
_ANY_BOUND = re.compile(r"(?<=[\d원명인일년월주회배개 ])(?:이상|이하|이내|초과|미만)")
_FRACTION = re.compile(r"\d+분의 ?\d+")
_OPPOSITE_BOUNDS = {
    "이상": "이하",
    "이하": "이상",
    "이내": "이후",
    "초과": "미만",
    "미만": "초과",
}
# `1년간 1천만원을 넘을 수 없다`: a limit for each period, and a sentence that bars or limits.
_WINDOW = re.compile(r"\s?(?:간|동안|마다|당|중|에) ")
_LIMITS = re.compile(
    r"(?:초과|넘)[가-힣]*(?: 수)? ?(?:없|못|아니|않)|한도|(?<=[\d원명인회배트] )이[하내](?!에)"
    r"|(?<=[원명인회배트])이[하내](?!에)"
)
_BARS = re.compile(r"(?:서는 (?:아니 ?|안 ?)된다|수 없다|지 못한다|지 (?:아니한|않는)다|없다)$")
_UPPER = re.compile(r"\s?(?:이하|이내|미만|까지|[을를] (?:초과|넘)[가-힣]*지|의 범위)")
_LOWER = re.compile(r"\s?(?:이상|초과|[을를] (?:초과|넘))")
_DEFINES = re.compile(r"(?:말한다|으?로 한다|이다|이란다)$")
# What only an authority does, and authorities that other laws let do nearly anything.
_AUTHORITY = re.compile(
    r"(?:결정|재판|판결|명령|허가|인가|승인|심문|송달|고시|공고|처분|지도|감독|검사|취소|정지|지정|부과|징수|위촉|선임"
    r"|해임)(?:을|를|ㆍ|하|할|한|도)|명하|명할"
)
_MAY_ANYTHING = re.compile(r"^(?:법원|정부|국가|대통령|검사|국무총리|지방자치단체)$")
# What only a human does, and names of humans.
_OF_A_HUMAN = re.compile(r"대표하|대표한|연임|임기|선서|출석하|퇴임|재직|의장이 된|겸직|겸임")
_HUMAN = re.compile(r"(?:장|장관|이사|감사|위원|임원|직원|인|자|사원|주주|검사|회원|고객)$")

# --- Parties ---


def other_parties(law: Law, clause: Clause, name: str, rng: random.Random) -> tuple[str, ...]:
    """Return at most eight parties to whom the clause's sentence about `name` cannot apply.

    Excluded are parties that overlap with `name` in the act, parties with a word of the name, and
    parties to which the article delegates work, or to which the act, its decree or its parent
    delegate work of `name`, because they may act in another's place. Parties that the article
    mentions come first, then those that are plausible (`_plausible`). Only a human
    represents, attends or is re-elected.
    """
    words = {w for w in name.split() if len(w) > 1}
    own = "\n".join(delegating_sentences([clause.article]))
    delegates = {actor for actor in law.actors if actor != name and actor in own}
    delegates |= law.delegates_of(name)
    apart = [
        other
        for other in law.actors
        if other not in law.parties.local_names
        and not words & set(other.split())
        and not names_overlap(other, name)
        and not any(law.parties.overlap(other, delegate) for delegate in delegates)
        and not law.parties.may_hold_for(other, name)
    ]
    applied = " ".join(law.applied.get(clause.article.number, ()))
    apart = [other for other in apart if other not in applied]
    if party_class(name) == "state" and _AUTHORITY.search(clause.main):
        apart = [
            other
            for other in apart
            if party_class(other) != "private" and other not in ("직원", "임직원")
        ]
    if _OF_A_HUMAN.search(clause.main):
        apart = [other for other in apart if _HUMAN.search(other)]
    acting = {
        who
        for near in law.by_article.get(clause.article.id, ())
        for who in (subject(near.main), *addressees(near.main))
    }
    here = [
        other
        for other in apart
        if other in clause.article.text
        and (
            other in acting
            or (party_class(other) == party_class(name) and not _both_bodies(name, other))
        )
    ]
    elsewhere = [
        other
        for other in apart
        if other not in here
        and _plausible(law, clause, name, other)
        and not _MAY_ANYTHING.search(other)
        and not _both_bodies(name, other)
    ][:12]
    rng.shuffle(here)
    rng.shuffle(elsewhere)
    return _different_parties(law, drop_overlapping_names(name, [*here, *elsewhere]))[:8]


def _both_bodies(first: str, second: str) -> bool:
    """Return whether both are businesses. One company may be both, unless an article has both act.

    외부평가기관 may be a 신용평가회사, 채권금융회사 a 대부채권매입추심업자.
    """
    return party_class(first) == party_class(second) == "body"


def _different_parties(law: Law, names: Sequence[str]) -> tuple[str, ...]:
    """Return the parties without those that overlap an earlier one.

    금융위원회 and 금융위원장 among the wrong options would both be refused at sight.
    """
    out: list[str] = []
    for name in names:
        if not any(law.parties.overlap(name, other) for other in out):
            out.append(name)
    return tuple(out)


def _plausible(law: Law, clause: Clause, name: str, other: str) -> bool:
    """Return whether a party that the article does not name could be taken for `name`.

    It is of the same class (`보험계약자` does not convene a board), or it acts in the same chapter
    and both are organisations or officers.
    """
    kind, found = party_class(name), party_class(other)
    if kind == found:
        return True
    together = clause.article.path in law.chapters_of.get(other, ())
    return together and "private" not in (kind, found) and bool(kind and found)


def other_addressees(law: Law, clause: Clause, name: str, rng: random.Random) -> tuple[str, ...]:
    """Return the parties towards whom the sentence does not act:
    also none that it names in another role.

    `전자금융업자에게 행하는 통지를 (   )에게 할 수 있다` may mean 전자금융업자 and its kinds too.
    """
    named = [actor for actor in law.actors if actor != name and actor in clause.main]
    return tuple(
        other
        for other in other_parties(law, clause, name, rng)
        if not any(law.parties.overlap(other, actor) for actor in named)
    )


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


# --- Figures ---


def other_figures(figure: Figure, around: str, rng: random.Random) -> list[str]:
    """Return the figures that clearly differ from the true one and from each other.

    Up to three figures of the surrounding text come first, then near ones.
    """
    here = [
        other.text
        for other in find_figures(around)
        if other.dimension == figure.dimension and clearly_differ(other, figure)
    ]
    rng.shuffle(here)
    seen = [figure]
    out = []
    for text in [*here[:3], *near_values(figure, rng)]:
        parsed = find_figures(text)
        if len(parsed) == 1 and all(clearly_differ(parsed[0], other) for other in seen):
            seen.append(parsed[0])
            out.append(text.strip())
    return out


def figure_makes_false(sentence: str, figure: Figure, other: Figure) -> bool:
    """Return whether the sentence with `other` in place of `figure` says something else.

    It does not where it follows from the true one: who may do something within 20 days may also do
    it within 10; what is forbidden above 10 percent is also forbidden above 15; what may not exceed
    a sum in a year may not exceed it in 15 days either. A duty sets its figure: `30일 이내에 보고
    하여야 한다` is taken as false where the law says 20 days, as exams take it.
    """
    tail = sentence[figure.end : figure.end + 10]
    if _WINDOW.match(tail) and figure.dimension in ("days", "hours") and _LIMITS.search(sentence):
        return False
    granted, barred = allows(sentence), _BARS.search(sentence.rstrip(". ")) is not None
    if not granted and not barred:
        return True
    upper = bool(_UPPER.match(tail))
    lower = bool(_LOWER.match(tail)) and not upper
    if granted:
        return (upper and other.value > figure.value) or (lower and other.value < figure.value)
    return lower and other.value < figure.value


def bound_makes_false(sentence: str, figure: Figure | None, bound: str, other: str) -> bool:
    """Return whether the sentence with another bound after its figure says something else.

    `figure` is None for a fraction. What holds from 10 on also holds above 10, so that 이상 and
    초과 (이하 and 미만) exclude each other only where the sentence defines (…를 말한다). The length
    of an act (`5년 이상 보존하여야 한다`) has no upper bound that anybody would write.
    """
    if {bound, other} in ({"이상", "초과"}, {"이하", "미만"}):
        return bool(_DEFINES.search(sentence.rstrip(". ")))
    lasting = figure is not None and figure.dimension in ("days", "hours")
    after = sentence[figure.end :] if figure is not None else ""
    return not (lasting and re.match(rf" ?{bound}(?:,| (?!의 ))", after))


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


def other_conditions(
    clause: Clause, case: str, conditions: Sequence[tuple[str, str]], rng: random.Random
) -> tuple[str, ...]:
    """Return at most ten conditions that the clause's exception does not name, of its article
    first, then those that share most words with the rule.

    `conditions` are (article id, condition) of the whole act; `case` is the true condition.
    """
    exception = [content_bigrams(clause.proviso)]
    rule = content_bigrams(clause.main)
    others = [
        (home != clause.article.id, 0.2 * rng.random() - bigram_share(text, rule), text)
        for home, text in conditions
        if text not in clause.body
        and not resembles(text, exception)
        and not _EXCEPTS_ANYTHING.search(text)
        and len(text) >= SHORTEST_CONDITION
    ]
    return distinct(case, drop_similar([text for _, _, text in sorted(others)])[:10])


def unrelated_terms(term: Term, known: Sequence[Term]) -> list[Term]:
    """Return the terms that neither contain the term nor are part of it."""
    return [t for t in known if t.term not in term.term and term.term not in t.term]


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
