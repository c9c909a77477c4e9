"""Find faults of form in generated questions, by rules that hold for every act."""

import re

from kofinlaw.augment.generators.drafts import Draft
from kofinlaw.augment.reading.acts import Law
from kofinlaw.augment.reading.arguments import lacks_argument
from kofinlaw.augment.reading.endings import grants_a_right, read_ending
from kofinlaw.augment.reading.figures import find_figures
from kofinlaw.augment.reading.kinds import noun_class
from kofinlaw.augment.reading.names import is_name
from kofinlaw.augment.reading.particles import has_pair, has_topic, topic_ends
from kofinlaw.augment.reading.phrasing import joins_another_subject
from kofinlaw.augment.reading.short_names import local_names
from kofinlaw.data.prompting.stems import is_negative

BOUND = re.compile(r"(?<=[\d원명인일년월주회배 ])(?:이상|이하|이내|이후|초과|미만)")
LASTING = re.compile(r"\d(?:년|개월|일) 이하 (?:\S+ ){0,2}(?:보존|보관|공고|공시|게시|유지)")
COMPOUND = re.compile(r"[가-힣]{2}(?:에서|에게|으로|(?<=[서권청면행회])에)가 ")
ASKED = re.compile(r"^(?P<said>.*?) (?:자는\?|자로 |주체는\?|자는 누구)")
LAST_DAY = re.compile(r"이라면 (?P<said>.*) 마지막 날은")
# Kinds whose statement is one of one article.
ONE_ARTICLE = ("quantity", "modality", "actor", "addressee", "statement_true", "deadline", "share")
MEMBERS = re.compile(r"위원\S* .*(?:사람|자)(?:으?로(?:서)?|을|를) [^.]*(?:한다|구성|이루어진다)")
CASE_OF_A_FIGURE = re.compile(
    r"(?P<figure>\d+(?:일|개월|년))(?: 이내)?\((?P<inside>[^()]*경우[^()]*)\)"
)
WORDINGS = (
    ("square bracket", re.compile(r"[\[\]]")),
    ("repeated subject", re.compile(r"([가-힣]{2,}[이가]) \1 ")),
    ("case without its particle", re.compile(r"(?:경우|때), 예외로")),
    ("ban with two topics", re.compile(r"는 것은 금지된다")),
    ("rule without content", re.compile(r"^(?:\S+[으]?로|\S+에) (?:하여야|해야) 하지만")),
    ("condition of a relative clause", re.compile(r"하는 보험으로 .*지만, \S+ 퇴직")),
)
STEMS = (
    ("square bracket", re.compile(r"[\[\]]")),
    ("body that composes", re.compile(r"위원으로 (?:\S+ )*구성하는 (?:자|주체)")),
    ("content of the content", re.compile(r"내용에 (?:대한|관한) 내용")),
    ("two brackets", re.compile(r"\(\([^)]*\)\)")),
    ("half of a period", re.compile(r"몇 년 ?\d|\(   \)(?:\([^)]*\))? ?\d+개월")),
    (
        "nothing but a list",
        re.compile(
            r"(?:때|따르면|따를 때|의하면),? 다음 각 호의 \S+[을를] \S+(?:하는|하여야 하는|할 수 있는) (?:자|주체)"
        ),
    ),
    (
        "object as the subject",
        re.compile(r"이라면 .*[이가] (?:\S+ )*\S*[^을를\s] (?:하여야|해야) 하는 마지막 날"),
    ),
    (
        "period of another verb",
        re.compile(r"이라면 .*(?:지체 ?(?:없이|하지)|즉시|바로) .*마지막 날"),
    ),
)
DOUBLED = re.compile(r"[가-힣](?:을를|를을|은는|는은|이가 |에게에게|(?<!이)은은|을을|를를)(?= |$)")


def faults(law: Law, draft: Draft) -> list[str]:
    """Return the names of the faults of a draft."""
    options = (draft.answer, *draft.distractors)
    found = []
    if any(_particle_broken(text) for text in options):
        found.append("particle after a figure or bound")
    if any(DOUBLED.search(text) for text in options):
        found.append("two particles in a row")
    if any("노력하도록 노력" in text for text in options):
        found.append("노력하도록 노력")
    if is_negative(draft.stem) != draft.negative:
        found.append("polarity")
    if draft.kind in ("actor", "addressee"):
        if not all(is_name(text) for text in options):
            found.append("clause for a party")
        if any(law.parties.overlap(draft.answer, text) for text in draft.distractors):
            found.append("overlapping parties")
    if draft.kind == "exception" and any(has_topic(text) for text in options):
        found.append("topic in a condition")
    if draft.kind.startswith("enumeration") and len({noun_class(text) for text in options}) > 1:
        found.append("options of several classes")
    if draft.kind in ("statement_true", "statement_false", "modality") and _right_twin(draft):
        found.append("right turned into a duty")
    if draft.kind == "quantity" and ": (   )" in draft.stem and "각 호" not in draft.stem:
        found.append("호 without its opening sentence")
    return [*found, *_second_round(law, draft), *_third_round(law, draft)]


def _second_round(law: Law, draft: Draft) -> list[str]:
    """Return the faults of the kinds that an independent reader found."""
    options = (draft.answer, *draft.distractors)
    found = []
    if draft.kind in ("actor", "slot_actor") and not law.delegates_of(draft.answer).isdisjoint(
        draft.distractors
    ):
        found.append("party to whom the work is delegated")
    if any(COMPOUND.search(text) for text in (draft.stem, *options)):
        found.append("subject particle after another particle")
    if re.search(r"(?:이란|란|함은) 말하", draft.stem):
        found.append("definition as a noun phrase")
    if draft.kind == "actor" and _joined(draft.stem):
        found.append("second half with its own subject")
    if any(LASTING.search(text) for text in options if text != draft.answer):
        found.append("upper bound of a length of keeping")
    if draft.kind == "deadline" and _hanging(draft.stem):
        found.append("topic or condition before 마지막 날")
    if draft.kind in ONE_ARTICLE and _untold(law, draft):
        found.append("short name of one article without it")
    if draft.kind == "exception" and any(lacks_argument(text) for text in options):
        found.append("condition without its object")
    return found


def _third_round(law: Law, draft: Draft) -> list[str]:
    """Return the faults of the kinds that a second independent reader found."""
    options = (draft.answer, *draft.distractors)
    article = next(a for a in law.articles if a.id == draft.units[0])
    found = [name for name, pattern in WORDINGS if any(map(pattern.search, options))]
    found += [name for name, pattern in STEMS if pattern.search(draft.stem)]
    if draft.kind in ("actor", "addressee", "slot_actor"):
        others = [who for who in law.actors if draft.answer in law.delegates_of(who)]
        if not set(others).isdisjoint(draft.distractors):
            found.append("party that delegates the work")
        role = re.search(
            rf'(?:한|된|받은) (?:기관|자)\(이하 이 [조항]에서 "{re.escape(draft.answer)}"',
            article.text,
        )
        if role and any(text in article.text for text in draft.distractors):
            found.append("party that may have the role")
    listed = re.search(r"다음 각 ?호", draft.stem) and not re.search(r"제[\d-]+조", draft.stem)
    if draft.kind in ("actor", "addressee", "quantity") and listed:
        found.append("list of an article that is not named")
    persons = re.search(r"다음 각 호의 (?:어느 하나에 해당하는 )?(?:사람|자)", article.text)
    if draft.kind == "slot_figure" and MEMBERS.search(draft.answer) and persons:
        found.append("one of several qualities as that of all members")
    for case in CASE_OF_A_FIGURE.finditer(article.text) if draft.numeric else ():
        texts = [figure.text for figure in find_figures(case.group("inside"))]
        if draft.answer == case.group("figure") and not set(texts).isdisjoint(draft.distractors):
            found.append("figure of a bracket's case")
    return found


def _particle_broken(text: str) -> bool:
    ends = [(m.group(), m.end()) for m in BOUND.finditer(text)]
    ends += [(figure.text, figure.end) for figure in find_figures(text)]
    return any(not has_pair([noun], text[end:]) for noun, end in ends)


def _right_twin(draft: Draft) -> bool:
    """Return whether the answer and an option differ only in 할 수 있다 and 하여야 한다 of a
    right."""
    true = read_ending(draft.answer)
    others = [ending for text in draft.distractors if (ending := read_ending(text))]
    return true is not None and any(
        (true.before, true.verb) == (other.before, other.verb)
        and {true.sense, other.sense} == {"may", "duty"}
        and grants_a_right(true)
        for other in others
    )


def _joined(stem: str) -> bool:
    asked = ASKED.match(stem)
    return asked is not None and joins_another_subject(asked.group("said"))


def _hanging(stem: str) -> bool:
    said = LAST_DAY.search(stem)
    return said is None or bool(
        topic_ends(said.group("said")) or re.search(r"[가-힣]면 |때에는|경우", said.group("said"))
    )


def _untold(law: Law, draft: Draft) -> bool:
    """Return whether the question uses a short name of its article without naming the article."""
    article = next(a for a in law.articles if a.id == draft.units[0])
    text = f" {draft.stem} {draft.answer}"
    used = [n for n in local_names(article) if re.search(rf"(?<![가-힣]){re.escape(n)}", text)]
    return bool(used) and article.number not in draft.stem
