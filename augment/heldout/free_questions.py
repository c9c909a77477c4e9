"""Make free-text questions about held-out acts: question, reference, required keywords.

They are measured, never trained on. Three checks keep them apart from the training examples:

- only held-out acts are asked about;
- a question whose deciding sentence is also a sentence of an act that is trained on is left out;
- questions near protected evaluation texts are rejected.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from kofinlaw.augment.assemble import AugmentContext
from kofinlaw.augment.examples import free_id
from kofinlaw.augment.generators.drafts import source_rng
from kofinlaw.augment.generators.falsity import is_a_right
from kofinlaw.augment.generators.free_text import POINTS_BACK, FreeItem, generate
from kofinlaw.augment.reading.acts import Law
from kofinlaw.augment.reading.endings import forbids
from kofinlaw.augment.reading.names import acting_subject, normalize
from kofinlaw.augment.reading.phrasing import as_modifier
from kofinlaw.records import Key, Question, record_fault, until_fault

__all__ = ["FREE_SLICE", "HeldoutFree", "heldout_free"]

# Characters of a reference. The limits are wider than in training, because acts are few.
SHORTEST, LONGEST = 25, 160
# The slice of every such question in its key.
FREE_SLICE = "free"


@dataclass(frozen=True)
class HeldoutFree:
    """A held-out free-text question, its key, and the phrases that decide it."""

    question: Question
    key: Key
    focus: tuple[str, ...]


def heldout_free(
    context: AugmentContext, held_out: AbstractSet[str], most: int
) -> list[HeldoutFree]:
    """Return at most `most` free-text questions of the acts whose titles are in `held_out`.

    Acts take turns, so that a long act does not crowd out a short one. One article gives at most
    `most_by_article` questions, one sentence at most one. Of questions with the same words but
    different references none is used. Rejected questions are added to the context.
    """
    if most == 0:
        return []
    trained = {
        normalize(text)
        for law in context.laws.acts
        if law.title not in held_out
        for clause in law.clauses
        for text in (clause.main, *clause.rest, *clause.items)
    }
    by_act = [_act_questions(context, law) for law in context.laws.acts if law.title in held_out]
    out: list[HeldoutFree] = []
    articles: Counter[str] = Counter()
    for turn in range(max(map(len, by_act), default=0)):
        for items in by_act:
            if len(out) == most:
                return out
            if turn >= len(items):
                continue
            item = items[turn]
            if articles[item.unit] == context.settings.most_by_article:
                continue
            try:
                problem = _problem(context, item, trained)
            except Exception as error:
                problem = "failed", record_fault(error)
            if problem is not None:
                context.reject_free(free_id(item), item, *problem)
                continue
            articles[item.unit] += 1
            out.append(_record(item))
    return out


def _act_questions(context: AugmentContext, law: Law) -> list[FreeItem]:
    """Return the questions of an act in the order in which they are taken, one for each sentence.

    Those that ask for a party come last: an act has many of them.
    """
    rng = source_rng(context.seed, "heldout free", law.title)
    report = context.act_report(law.title, FREE_SLICE)
    found: list[FreeItem] = []
    for items in (
        list(until_fault(generate(law, shortest=SHORTEST, longest=LONGEST), report)),
        list(until_fault(_who_questions(law), report)),
    ):
        rng.shuffle(items)
        found += items
    by_sentence = {normalize(item.reference): item for item in reversed(found)}
    same = Counter(normalize(item.question) for item in by_sentence.values())
    return [
        item
        for item in found
        if by_sentence[normalize(item.reference)] is item and same[normalize(item.question)] == 1
    ]


def _who_questions(law: Law) -> Iterator[FreeItem]:
    """Ask for the party that a sentence binds; what several parties may do is not asked."""
    for clause in law.clauses:
        sentence = clause.main
        who = acting_subject(sentence)
        if not who or sentence.count(who) != 1 or not sentence.startswith(who):
            continue
        if clause.restricted or clause.proviso or POINTS_BACK.search(sentence):
            continue
        if (
            forbids(sentence)
            or is_a_right(sentence)
            or sentence[len(who) :][:1] not in ("은", "는")
        ):
            continue
        doing = as_modifier(sentence[len(who) + 1 :].strip())
        reference = f"{sentence.rstrip('.')}({clause.citation})."
        if doing and SHORTEST <= len(reference) <= LONGEST:
            yield FreeItem(
                f"「{law.title}」에 따르면, {doing} 자는 누구인가?",
                reference,
                (who,),
                clause.article.id,
                (sentence[:30],),
                law.title,
            )


def _problem(
    context: AugmentContext, item: FreeItem, trained: AbstractSet[str]
) -> tuple[str, str] | None:
    """Return (reason, detail) if a question may not be asked, else None."""
    sentence = item.reference.rpartition("(")[0]
    if normalize(sentence) in trained:
        return "trained_sentence", sentence
    shared = context.protected.copied_part(item.question, item.reference)
    return ("contaminated", shared) if shared else None


def _record(item: FreeItem) -> HeldoutFree:
    name = free_id(item)
    key = Key(
        name,
        reference=item.reference,
        keywords=item.keywords,
        units=(item.unit,),
        slices=(FREE_SLICE,),
    )
    return HeldoutFree(Question(name, item.question), key, item.focus)
