"""Make counterfactual twins: the same question with another fact in its evidence, another answer.

The word of the deciding line that makes an option right (3개월) is replaced by that of another
option (6개월). A system that answers from memory, or without this line, is wrong on one of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random

from kofinlaw.augment.option_choice import Item
from kofinlaw.augment.reading.clauses import line_letters
from kofinlaw.augment.reading.names import normalize
from kofinlaw.augment.reading.particles import replace_span
from kofinlaw.data.korean.words import bigrams
from kofinlaw.records import Choice, Example, TwinQuestion

__all__ = ["changed_evidence", "other_reading", "twin_example", "twin_id", "twin_pair"]

# Share of bigrams above which another line says much the same as the deciding one (0 to 1).
SAME_FACT = 0.5


def twin_id(name: str) -> str:
    """Return the id of the twin of a question."""
    return f"{name}-twin"


def other_reading(item: Item, options: Sequence[str], rng: Random) -> tuple[str, str, int] | None:
    """Return (the law's word, the twin's word, index of the twin's answer); None for none."""
    readings = dict(item.draft.readings)
    true = readings.get(item.draft.answer)
    found = [
        (index, readings[option])
        for index, option in enumerate(options)
        if option in readings and readings[option] != true
    ]
    if true is None or not found:
        return None
    index, word = rng.choice(found)
    return true, word, index


def changed_evidence(
    texts: Sequence[str], focus: str, old: str, new: str
) -> tuple[str, ...] | None:
    """Return the texts with the word of the deciding line replaced; None where this is not clear.

    The deciding line holds `focus`. It must have the word once. A line of another passage that says
    the same is changed too; where such a line has the word more than once, there is no twin.
    """
    wanted = normalize(focus)
    lines = [text.split("\n") for text in texts]
    places = [
        (i, j)
        for i, rows in enumerate(lines)
        for j, row in enumerate(rows)
        if wanted in line_letters(row)
    ]
    if not places:
        return None
    deciding = set(bigrams(lines[places[0][0]][places[0][1]]))
    changed = False
    for rows in lines:
        for j, row in enumerate(rows):
            # An older word in the same place: a line about the same fact.
            grams = set(bigrams(row))
            same = wanted in line_letters(row) or (
                len(grams & deciding) > SAME_FACT * min(len(grams), len(deciding) or 1)
            )
            count = len(_places(row, old))
            if not same or not count:
                continue
            if count > 1 or _places(row, new):
                return None
            start = _places(row, old)[0]
            rows[j] = replace_span(row, start, start + len(old), new)
            changed = True
    return tuple("\n".join(rows) for rows in lines) if changed else None


def _places(row: str, word: str) -> list[int]:
    """Return where the word is, not inside a longer number or name (10일 in 110일)."""
    before = r"(?<![\d,])" if word[:1].isdigit() else r"(?<![가-힣])"
    return [m.start() for m in re.finditer(before + re.escape(word), row)]


def twin_example(example: Example, item: Item, form: str, rng: Random) -> Example | None:
    """Return the twin of a training example; None where its fact cannot be changed clearly.

    Both have the id of the other in `choice.twin` (set the first one's with `Choice`).
    """
    choice = example.choice
    found = other_reading(item, choice["options"], rng)
    if found is None or choice["answer"] < 0:
        return None
    old, new, answer = found
    texts = changed_evidence(choice["evidence"], item.draft.focus[0], old, new)
    if texts is None:
        return None
    *before_question, question, _ = example.messages
    content = question["content"]
    for before, after in zip(choice["evidence"], texts, strict=True):
        content = content.replace(before.strip(), after.strip(), 1)
    reply = str(answer + 1) if form == "label" else choice["options"][answer]
    messages = [
        *before_question,
        {**question, "content": content},
        {"role": "assistant", "content": reply},
    ]
    return Example(
        twin_id(example.id),
        f"{example.task}_twin",
        messages,
        str(answer + 1),
        example.provenance,
        [*example.checks, {"check": "counterfactual", "ok": True}],
        Choice(
            question=choice["question"],
            options=choice["options"],
            evidence=list(texts),
            answer=answer,
            negative=choice["negative"],
            twin=example.id,
        ),
    )


def twin_pair(
    name: str, item: Item, texts: Sequence[str], rng: Random
) -> tuple[TwinQuestion, TwinQuestion] | None:
    """Return a held-out question with its evidence and its twin; None for none."""
    found = other_reading(item, item.options, rng)
    if found is None:
        return None
    old, new, answer = found
    changed = changed_evidence(texts, item.draft.focus[0], old, new)
    if changed is None:
        return None
    draft = item.draft
    first = TwinQuestion(
        name, draft.stem, item.options, tuple(texts), item.label, draft.negative, twin_id(name)
    )
    second = TwinQuestion(
        twin_id(name), draft.stem, item.options, changed, str(answer + 1), draft.negative, name
    )
    return first, second
