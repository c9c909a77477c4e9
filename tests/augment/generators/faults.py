"""Find faults of form in generated questions, by rules that hold for every act."""

import re

from kofinlaw.augment.generators.drafts import Draft
from kofinlaw.augment.reading.acts import Law
from kofinlaw.augment.reading.endings import grants_a_right, read_ending
from kofinlaw.augment.reading.figures import find_figures
from kofinlaw.augment.reading.kinds import noun_class
from kofinlaw.augment.reading.names import is_name
from kofinlaw.augment.reading.particles import has_pair, has_topic
from kofinlaw.data.prompting.stems import is_negative

BOUND = re.compile(r"(?<=[\d원명인일년월주회배 ])(?:이상|이하|이내|이후|초과|미만)")
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
