"""Write preference pairs: the right answer and a wrong one, in the form that `prefer` reads.

The wrong answer of a multiple-choice question is the option that the student prefers to the right
one, where a student was asked; otherwise the option that is most like the right one. The wrong
answer of a free-text question is the reference with a figure or an actor of another kind, by the
rules of `falsity`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from random import Random
from typing import Literal, TypedDict

from kofinlaw.augment.assemble import AugmentContext
from kofinlaw.augment.examples import free_id
from kofinlaw.augment.generators import free_text
from kofinlaw.augment.generators.drafts import source_rng
from kofinlaw.augment.generators.falsity import alterations, unrelated_terms
from kofinlaw.augment.generators.free_text import FreeItem
from kofinlaw.augment.reading.acts import Law
from kofinlaw.augment.reading.names import normalize
from kofinlaw.augment.reading.terms import read_terms
from kofinlaw.augment.student import WrongOption
from kofinlaw.data.korean.words import josa
from kofinlaw.data.prompting.wording import NO_EVIDENCE, choice_candidates, choice_messages
from kofinlaw.records import Example, Message

__all__ = [
    "LONGEST_SLOT",
    "PairFigures",
    "PreferencePair",
    "Source",
    "differs_in_one_slot",
    "hardest_wrong_option",
    "pair_figures",
    "preference_pairs",
]

# Words of a slot: two options that differ in one run of at most so many words differ in one slot.
LONGEST_SLOT = 3
# Where the wrong answer comes from: the student's choice; an option that differs in one slot, or
# the most similar one; a changed figure or actor, or another term's meaning; a refusal although the
# passage is shown, or an answer although it is not.
Source = Literal["student", "one_slot", "nearest", "number", "actor", "term", "refusal", "invented"]


@dataclass(frozen=True, slots=True)
class PreferencePair:
    """Two answers to one prompt. `messages` end with the question; `id` is that of the example.

    `margin` is the student's on this question (see `student_margins`), 0 where it was not asked.
    """

    id: str
    task: str
    source: Source
    margin: float
    teacher: str
    teacher_license: str
    messages: list[Message]
    chosen: str
    rejected: str


class PairFigures(TypedDict):
    """Counts of pairs: in all, by source and by task; examples without a pair; mean characters.

    `chosen_longer` is the share of pairs whose chosen answer has more characters (0 to 1). DPO
    learns a preference for long answers if it is far from the share of shorter ones.
    """

    pairs: int
    sources: dict[str, int]
    tasks: dict[str, int]
    without_pair: int
    chosen_characters: float
    rejected_characters: float
    chosen_longer: float
    chosen_shorter: float


def preference_pairs(
    context: AugmentContext,
    examples: Sequence[Example],
    wrong: Mapping[str, WrongOption],
) -> list[PreferencePair]:
    """Return at most one pair for each example, in the order of the examples.

    Args:
        context: Settings, seed and acts.
        examples: The training examples.
        wrong: By id of an example, the wrong option that the student prefers to the others.
    """
    free = dict(_free_items(context)) if any(e.task.startswith("free") for e in examples) else {}
    out = []
    for example in examples:
        pair: PreferencePair | None = None
        rng = source_rng(context.seed, "preference", example.id)
        if example.choice["answer"] >= 0:
            pair = _choice_pair(context, example, wrong.get(example.id), rng)
        elif example.id in free and not _was_corrected(example):
            pair = _free_pair(context, example, *free[example.id], rng)
        if pair is not None:
            out.append(pair)
    return out


def _was_corrected(example: Example) -> bool:
    """Return whether a reader corrected an example: the rules know a wrong answer to the original
    only, which may be right now.
    """
    return any(check["check"] == "reviewed" for check in example.checks)


def _pair(
    example: Example,
    source: Source,
    messages: Sequence[Message],
    chosen: str,
    rejected: str,
    margin: float = 0.0,
) -> PreferencePair:
    origin = example.provenance
    return PreferencePair(
        example.id,
        example.task,
        source,
        margin,
        origin["teacher"],
        origin["teacher_license"],
        list(messages),
        chosen,
        rejected,
    )


def _choice_pair(
    context: AugmentContext, example: Example, wrong: WrongOption | None, rng: Random
) -> PreferencePair:
    """Return the pair of a multiple-choice example, asked in the recipe's answer form."""
    choice, form = example.choice, context.settings.answer_form
    options, answer = choice["options"], choice["answer"]
    margin = wrong.margin if wrong is not None else 0.0
    source: Source
    if NO_EVIDENCE in options and options[answer] != NO_EVIDENCE:
        # As often as the refusal is right, so that it is neither preferred nor avoided.
        source, rejected = "refusal", options.index(NO_EVIDENCE)
    elif (
        wrong is not None
        and wrong.margin < 0
        and wrong.text in options
        and wrong.text != options[answer]
    ):
        source, rejected = "student", options.index(wrong.text)
    else:
        rejected = hardest_wrong_option(options, answer, rng)
        one = differs_in_one_slot(options[answer], options[rejected])
        source = "one_slot" if one else "nearest"
    texts = choice_candidates(options, form)
    messages = choice_messages(choice["question"], options, choice["evidence"], form)
    return _pair(example, source, messages, texts[answer], texts[rejected], margin)


def hardest_wrong_option(options: Sequence[str], answer: int, rng: Random) -> int:
    """Return the index of the wrong option that is most like the right one.

    An option that differs in one slot comes before any other. Equal ones are drawn by `rng`, so
    that no position is preferred.
    """
    right = options[answer]
    ranked = [
        (
            differs_in_one_slot(right, text),
            SequenceMatcher(None, right, text, autojunk=False).ratio(),
            rng.random(),
            index,
        )
        for index, text in enumerate(options)
        if index != answer
    ]
    return max(ranked)[-1]


def differs_in_one_slot(first: str, second: str) -> bool:
    """Return whether two texts have the same words, except one run of up to `LONGEST_SLOT`.

    Single words always do: they fill a blank of the question.
    """
    one, two = first.split(), second.split()
    start = 0
    while start < min(len(one), len(two)) and one[start] == two[start]:
        start += 1
    end = 0
    while end < min(len(one), len(two)) - start and one[-1 - end] == two[-1 - end]:
        end += 1
    longest = max(len(one), len(two))
    return longest == 1 or (start + end > 0 and longest - start - end <= LONGEST_SLOT)


def _free_items(context: AugmentContext) -> Iterator[tuple[str, tuple[FreeItem, Law]]]:
    """Yield (id of the example, (the question, its act)) of all free-text questions."""
    for law in context.laws.acts:
        for item in free_text.generate(law):
            yield free_id(item), (item, law)


def _free_pair(
    context: AugmentContext, example: Example, item: FreeItem, law: Law, rng: Random
) -> PreferencePair | None:
    """Return the pair of a free-text example; None where no rule makes a wrong answer."""
    messages, chosen = example.messages[:-1], example.messages[-1]["content"]
    altered = _altered_reference(context, item, law, rng)
    if chosen.startswith(NO_EVIDENCE):
        # The passage is missing, so that any answer is invented, even the right one.
        rejected = altered[1] if altered is not None else item.reference
        return _pair(example, "invented", messages, chosen, rejected)
    share = context.settings.raft.free_missing_share
    if example.provenance["chunks"] and rng.random() < share:
        return _pair(example, "refusal", messages, chosen, f"{NO_EVIDENCE} {item.needs}")
    if altered is None:
        return None
    return _pair(example, altered[0], messages, chosen, altered[1])


def _altered_reference(
    context: AugmentContext, item: FreeItem, law: Law, rng: Random
) -> tuple[Source, str] | None:
    """Return (what was changed, the reference with one change that makes it wrong)."""
    for clause in law.by_article.get(item.unit, ()):
        if f"{clause.main.rstrip('.')}({clause.citation})." != item.reference:
            continue
        found = {
            change: f"{text.rstrip('.')}({clause.citation})."
            for change, text in alterations(law, clause, rng)
            if normalize(text) not in context.laws.sentences
        }
        if "number" in found:  # what the question asks for
            return "number", found["number"]
        if "actor" in found:
            return "actor", found["actor"]
    terms = read_terms(law)
    own = next((t for t in terms if t.term in item.keywords and t.meaning in item.reference), None)
    if own is None:
        return None
    others = [t for t in unrelated_terms(own, terms) if t.meaning != own.meaning]
    if not others:
        return None
    near = min(others, key=lambda t: (abs(len(t.meaning) - len(own.meaning)), rng.random()))
    mine, theirs = josa(own.meaning, "을/를"), josa(near.meaning, "을/를")
    return "term", item.reference.replace(mine, theirs)


def pair_figures(pairs: Sequence[PreferencePair], examples: int) -> PairFigures:
    """Return the counts and lengths of the pairs; `examples` is the number of all examples."""
    total = max(len(pairs), 1)
    lengths = [(len(pair.chosen), len(pair.rejected)) for pair in pairs]
    return {
        "pairs": len(pairs),
        "sources": dict(sorted(Counter(p.source for p in pairs).items())),
        "tasks": dict(sorted(Counter(p.task for p in pairs).items())),
        "without_pair": examples - len(pairs),
        "chosen_characters": round(sum(chosen for chosen, _ in lengths) / total, 2),
        "rejected_characters": round(sum(rejected for _, rejected in lengths) / total, 2),
        "chosen_longer": round(sum(a > b for a, b in lengths) / total, 4),
        "chosen_shorter": round(sum(a < b for a, b in lengths) / total, 4),
    }
