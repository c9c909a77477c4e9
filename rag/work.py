"""How much work a question is, and the batches a whole file is cut into."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kofinlaw.data.records import Question
from kofinlaw.rag.deadline import DECODE_WORK, FULL, Kind, Plan
from kofinlaw.rag.evidence import Hit
from kofinlaw.rag.settings import AnswerSettings

TOKENS_PER_CHARACTER = 0.6  # Korean in the vocabularies of the catalogue, .4 to .9
FRAME_TOKENS = 60  # the prompt's own words


@dataclass(frozen=True)
class Task:
    """One pass over one question, by its place in the file."""

    place: int
    turn: int
    kind: Kind


def task_work(
    question: Question,
    hits: Sequence[Hit],
    plan: Plan,
    settings: AnswerSettings,
    evidence_tokens: int,
) -> float:
    """Work of one pass in prompt tokens, from characters alone: before any prompt is built."""
    options = sum(map(len, question.options))
    own = TOKENS_PER_CHARACTER * (len(question.question) + options) + FRAME_TOKENS
    found = TOKENS_PER_CHARACTER * sum(len(hit.chunk.text) for hit in hits)
    own += min(found, evidence_tokens * plan.evidence_share)
    if not question.options:
        return own + DECODE_WORK * settings.free_max_tokens
    if settings.choose_by == "generate":
        return own + DECODE_WORK
    if settings.answer_form == "text" and not plan.label_only:
        return own + TOKENS_PER_CHARACTER * options
    return own


def first_batches(
    questions: Sequence[Question],
    hits: Sequence[Sequence[Hit]],
    settings: AnswerSettings,
    evidence_tokens: int,
) -> Iterator[list[Task]]:
    """Turn 0 of every question, cut by the whole list alone.

    The longest question of each kind goes alone (the warm-up, and the worst case for memory),
    then multiple choice and then free text in batches, longest first.
    """
    kinds: dict[Kind, list[Task]] = {"choice": [], "free": []}
    for place, question in enumerate(questions):
        kind: Kind = "choice" if question.options else "free"
        kinds[kind].append(Task(place, 0, kind))
    for tasks in kinds.values():
        tasks.sort(
            key=lambda task: (
                -task_work(
                    questions[task.place], hits[task.place], FULL, settings, evidence_tokens
                ),
                task.place,
            )
        )
    for tasks in kinds.values():
        if tasks:
            yield tasks[:1]
    for tasks in kinds.values():
        for start in range(1, len(tasks), settings.batch_questions):
            yield tasks[start : start + settings.batch_questions]
