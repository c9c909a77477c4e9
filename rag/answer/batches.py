"""How much work a question is, and the batches a whole file is cut into."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kofinlaw.rag.answer.deadline import DECODE_WORK, Kind, Plan
from kofinlaw.rag.answer_settings import AnswerSettings
from kofinlaw.rag.retrieve.evidence import Hit
from kofinlaw.records import Question

TOKENS_PER_CHARACTER = 0.6  # Korean in the vocabularies of the catalogue, .4 to .9
FRAME_TOKENS = 60  # the prompt's own words


@dataclass(frozen=True)
class Task:
    """One pass over one question, by its place in the file."""

    place: int
    turn: int
    kind: Kind


def scored(question: Question, settings: AnswerSettings) -> bool:
    """Whether the answer is read off the options' scores, nothing being written."""
    written = settings.choose_by == "generate" or settings.reasoning_tokens > 0
    return bool(question.options) and not written


def turns_of(question: Question, settings: AnswerSettings) -> int:
    """How many passes the settings ask for: orders of the options, and votes.

    Scoring is the same every time, so only what is written (free text, a generated or a reasoned
    choice) is voted on.
    """
    if not question.options:
        return settings.votes
    orders = min(settings.permutations, len(question.options))
    return orders if scored(question, settings) else max(orders, settings.votes)


def own_tokens(question: Question) -> float:
    """Prompt tokens of a question without evidence, by its characters."""
    characters = len(question.question) + sum(map(len, question.options))
    return TOKENS_PER_CHARACTER * characters + FRAME_TOKENS


def task_work(
    question: Question,
    hits: Sequence[Hit] | None,
    plan: Plan,
    settings: AnswerSettings,
    evidence_tokens: int,
) -> float:
    """Work of one pass in prompt tokens, from characters alone: before any prompt is built.

    `hits` None stands for evidence not searched yet: it will fill its budget.
    """
    found = float(evidence_tokens)
    if hits is not None:
        found = TOKENS_PER_CHARACTER * sum(len(hit.chunk.text) for hit in hits)
    own = own_tokens(question) + min(found, evidence_tokens * plan.evidence_share)
    if not question.options:
        return own + DECODE_WORK * settings.free_max_tokens
    if plan.reasoning:
        own += DECODE_WORK * settings.reasoning_tokens
    if settings.choose_by == "generate":
        return own + DECODE_WORK
    if settings.answer_form == "text" and not plan.label_only:
        return own + TOKENS_PER_CHARACTER * sum(map(len, question.options))
    return own


def first_batches(questions: Sequence[Question], batch_questions: int) -> Iterator[list[Task]]:
    """Turn 0 of every question, cut by the whole list alone.

    The longest question of each kind goes alone (the warm-up, and the worst case for memory),
    then multiple choice and then free text in batches, longest first. Evidence does not count:
    it fills its budget for nearly all, and is still being searched for when the first batch goes.
    """
    kinds: dict[Kind, list[Task]] = {"choice": [], "free": []}
    for place, question in enumerate(questions):
        kind: Kind = "choice" if question.options else "free"
        kinds[kind].append(Task(place, 0, kind))
    for tasks in kinds.values():
        tasks.sort(key=lambda task: (-own_tokens(questions[task.place]), task.place))
    for tasks in kinds.values():
        if tasks:
            yield tasks[:1]
    for tasks in kinds.values():
        for start in range(1, len(tasks), batch_questions):
            yield tasks[start : start + batch_questions]
