"""Draw the form of a multiple-choice example and build its messages and reply by rule.

- `text`, `label`: the chosen option or its number.
- `reasoned`: the deciding line with the number of its passage and its citation, then the choice.
- `verification`: one statement instead of options; the reply says whether the shown provisions
  support it, contradict it or do not state it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from kofinlaw.augment.generators.drafts import Draft
from kofinlaw.augment.settings import TargetForm
from kofinlaw.augment.targets.deciding_lines import DecidingLine
from kofinlaw.data.prompting.wording import (
    REASONED_CUE,
    SYSTEM_PROMPT,
    VERDICTS,
    AnswerForm,
    choice_candidates,
    choice_messages,
    verification_messages,
)
from kofinlaw.records import Message

__all__ = [
    "Statement",
    "draw_form",
    "draw_statement",
    "reasoned_messages",
    "reasoning_of",
    "verified_messages",
    "with_system",
]

# Lines that a reason cites at most; a question that more lines decide gets another form.
_MOST_LINES = 3


@dataclass(frozen=True)
class Statement:
    """A statement to verify. `verdict` is an index of `VERDICTS`."""

    text: str
    verdict: int


def draw_form(
    weights: Mapping[TargetForm, float], possible: Sequence[TargetForm], rng: Random
) -> TargetForm | None:
    """Return a form by its weight among the possible ones; None if none of them has a weight."""
    names = [name for name in sorted(weights) if name in possible and weights[name] > 0]
    if not names:
        return None
    return rng.choices(names, [weights[name] for name in names])[0]


def draw_statement(draft: Draft, rng: Random) -> Statement | None:
    """Return a statement of a question about false statements, with its verdict.

    A third each is supported, contradicted and (with the gold passages left out) not stated. The
    true statements are those whose lines the evidence is sure to hold. None for another question.
    """
    if draft.kind != "statement_false":
        return None
    held = [text for text in draft.distractors if any(text.startswith(f) for f in draft.focus)]
    verdict = rng.randrange(3)
    if not held:
        return None
    true = rng.choice(held)
    if verdict == 2:
        return Statement(rng.choice([true, draft.answer]), verdict)
    return Statement(true if verdict == 0 else draft.answer, verdict)


def reasoning_of(lines: Sequence[DecidingLine], draft: Draft) -> str:
    """Return the reason that cites the deciding lines; empty where they are no reason.

    Of a negative question only the altered sentence has one: the line that it contradicts.
    """
    if draft.negative and draft.kind != "statement_false":
        return ""
    used = lines[:1] if draft.negative else lines
    if not 0 < len(used) <= _MOST_LINES:
        return ""
    return " ".join(f'[{one.number}] {one.citation}: "{one.text}".' for one in used)


def reasoned_messages(
    question: str,
    options: Sequence[str],
    evidence: Sequence[str],
    form: AnswerForm,
    reason: str,
    answer: int,
) -> list[Message]:
    """Return question and reply: the reason, then the choice, as an answering run reads them."""
    messages = choice_messages(question, options, evidence, form, reasoning=True)
    reply = f"{reason}{REASONED_CUE}{choice_candidates(options, form)[answer]}"
    return [*messages, {"role": "assistant", "content": reply}]


def verified_messages(statement: Statement, evidence: Sequence[str]) -> list[Message]:
    """Return the statement with the evidence, and its verdict."""
    messages = verification_messages(statement.text, evidence)
    return [*messages, {"role": "assistant", "content": VERDICTS[statement.verdict]}]


def with_system(messages: Sequence[Message]) -> list[Message]:
    """Return the messages after the system prompt."""
    return [{"role": "system", "content": SYSTEM_PROMPT}, *messages]
