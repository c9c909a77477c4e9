"""Estimate the effort of answering questions: tokens read and written, before there are prompts."""

from __future__ import annotations

import math
from dataclasses import dataclass

from kofinlaw.rag.answer.batches import task_effort, turns_of
from kofinlaw.rag.answer.deadline import DECODE_EFFORT, FULL
from kofinlaw.rag.answer_settings import AnswerSettings
from kofinlaw.records import Question

__all__ = ["Effort", "Load", "effort_of", "prompts_together"]

# The questions of the shipped recipes' exams and of contest files: a stem of about 60 characters,
# with four options of about 25.
STEM_CHARACTERS, OPTION_CHARACTERS, OPTIONS = 60, 25, 4
CHOICE = Question("choice", "가" * STEM_CHARACTERS, ("나" * OPTION_CHARACTERS,) * OPTIONS)
FREE = Question("free", "가" * STEM_CHARACTERS, ())


@dataclass(frozen=True)
class Load:
    """The number of questions: with options, and in free text."""

    choices: int
    free: int

    @property
    def questions(self) -> int:
        """All questions."""
        return self.choices + self.free


@dataclass(frozen=True)
class Effort:
    """The effort of a file of questions.

    - `first` is that of one answer to each question, in prompt tokens (a written token counts
      `DECODE_EFFORT`); `all` adds the further votes and orders.
    - `read` and `written` are the tokens of one answer to each question; `steps` are the passes
      over the weights that write them, several answers at once.
    """

    first: float
    all: float
    read: float
    written: float
    steps: float


def effort_of(load: Load, answer: AnswerSettings, evidence_tokens: int) -> Effort:
    """Return the effort of questions of typical length with evidence that fills its tokens."""
    first = total = read = written = steps = 0.0
    for question, count in ((CHOICE, load.choices), (FREE, load.free)):
        one = task_effort(question, None, FULL, answer, evidence_tokens)
        tokens = _written(question, answer)
        prompt = one - DECODE_EFFORT * tokens
        first += count * one
        total += count * one * turns_of(question, answer)
        read += count * prompt
        written += count * tokens
        steps += math.ceil(count / prompts_together(answer, prompt)) * tokens
    return Effort(first, total, read, written, steps)


def _written(question: Question, answer: AnswerSettings) -> float:
    """Return the tokens that `task_effort` assumes are written for a question."""
    if not question.options:
        return 0.0 if answer.free_by == "choose" else float(answer.free_max_tokens)
    return answer.reasoning_tokens + (1.0 if answer.choose_by == "generate" else 0.0)


def prompts_together(answer: AnswerSettings, prompt_tokens: float) -> int:
    """Return how many prompts of this length the engine reads in one pass."""
    engine = answer.engine
    if engine.engine in ("llamacpp", "openai"):
        return engine.slots
    fitting = int(engine.max_batch_tokens // max(1.0, prompt_tokens))
    return max(1, min(fitting, engine.max_batch_size, answer.batch_questions))
