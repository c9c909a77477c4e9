"""Estimate the effort of a question, and divide a file into batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kofinlaw.rag.answer.deadline import DECODE_EFFORT, Plan, QuestionKind
from kofinlaw.rag.answer_settings import AnswerSettings
from kofinlaw.rag.retrieve.evidence import Hit
from kofinlaw.records import Question

__all__ = [
    "FRAME_TOKENS",
    "TOKENS_OF_SENTENCE",
    "TOKENS_PER_CHARACTER",
    "Task",
    "first_batches",
    "is_scored",
    "question_tokens",
    "task_effort",
    "turns_of",
]

TOKENS_PER_CHARACTER = 0.6  # Korean in the vocabularies of the catalogue, .4 to .9
FRAME_TOKENS = 60  # the prompt's own words
TOKENS_OF_SENTENCE = 40  # of a provision


@dataclass(frozen=True)
class Task:
    """One turn (pass) over one question, which is given by its position in the file."""

    position: int
    turn: int
    kind: QuestionKind


def is_scored(question: Question, settings: AnswerSettings) -> bool:
    """Return whether the answer comes from scores, without writing anything: those of the options,
    or of sentences of the evidence.
    """
    if not question.options:
        return settings.free_by == "choose"
    written = settings.choose_by == "generate" or settings.reasoning_tokens > 0
    return not written


def turns_of(question: Question, settings: AnswerSettings) -> int:
    """Return how many turns the settings ask for: orders of the options, and votes.

    Scores are the same every time, so only what is written (free text, a generated or reasoned
    choice) is voted on.
    """
    if not question.options:
        return 1 if is_scored(question, settings) else settings.votes
    orders = min(settings.permutations, len(question.options))
    return orders if is_scored(question, settings) else max(orders, settings.votes)


def question_tokens(question: Question) -> float:
    """Return the estimated prompt tokens of a question without evidence, by its characters."""
    characters = len(question.question) + sum(map(len, question.options))
    return TOKENS_PER_CHARACTER * characters + FRAME_TOKENS


def task_effort(
    question: Question,
    hits: Sequence[Hit] | None,
    plan: Plan,
    settings: AnswerSettings,
    evidence_tokens: int,
) -> float:
    """Return the effort of one turn in prompt tokens, estimated
    from characters before a prompt is built.

    `hits` None means that the evidence is not searched yet: it is assumed to fill
    `evidence_tokens`, the most tokens of evidence in a prompt.
    """
    found = float(evidence_tokens)
    if hits is not None:
        found = TOKENS_PER_CHARACTER * sum(len(hit.chunk.text) for hit in hits)
    effort = question_tokens(question) + min(found, evidence_tokens * plan.evidence_share)
    if not question.options:
        if is_scored(question, settings) and found:
            return _choice_of_sentences(effort, question, settings, evidence_tokens)
        return effort + DECODE_EFFORT * settings.free_max_tokens
    if plan.reasoning:
        effort += DECODE_EFFORT * settings.reasoning_tokens
    if settings.choose_by == "generate":
        return effort + DECODE_EFFORT
    options = TOKENS_PER_CHARACTER * sum(map(len, question.options))
    if settings.choose_by == "contrast":
        # The options follow the prompt and the bare prompt instead of being listed.
        tables = (settings.voters, settings.unrelated_voters)
        alone = all(isinstance(one, dict) and not one.get("evidence") for one in tables)
        return effort + options + (0.0 if alone else question_tokens(question))
    if settings.answer_form == "text" and not plan.label_only:
        return effort + options
    return effort


def _choice_of_sentences(
    effort: float, question: Question, settings: AnswerSettings, evidence_tokens: int
) -> float:
    """Return the effort of choosing among sentences, of which `effort` reads the prompt.

    The sentences are at most the evidence. They follow the prompt, and for the voter `evidence` the
    stem alone; for `question` each is read with the question.
    """
    model = {name for name, weight in settings.free_voters.items() if weight} - {"nearest"}
    sentences = float(min(evidence_tokens, settings.free_candidates * settings.free_max_tokens))
    total = 1.0
    if model - {"question"}:
        total += effort + sentences
    if "evidence" in model:
        total += sentences + question_tokens(question)
    if "question" in model:
        count = sentences / TOKENS_OF_SENTENCE
        total += sentences + min(count, settings.free_candidates) * question_tokens(question)
    return total


def first_batches(questions: Sequence[Question], batch_questions: int) -> Iterator[list[Task]]:
    """Turn 0 of every question, in batches that depend on the whole file only.

    The longest question of each kind is a separate batch (the warm-up, and the worst case for
    memory). Then come multiple choice and free text in batches of `batch_questions`, longest first.
    Evidence does not count: it fills its tokens for nearly all questions, and it is still being
    searched when the first batch starts.
    """
    kinds: dict[QuestionKind, list[Task]] = {"choice": [], "free": []}
    for position, question in enumerate(questions):
        kind: QuestionKind = "choice" if question.options else "free"
        kinds[kind].append(Task(position, 0, kind))
    for tasks in kinds.values():
        tasks.sort(key=lambda task: (-question_tokens(questions[task.position]), task.position))
    for tasks in kinds.values():
        if tasks:
            yield tasks[:1]
    for tasks in kinds.values():
        for start in range(1, len(tasks), batch_questions):
            yield tasks[start : start + batch_questions]
