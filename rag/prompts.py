"""One question, its passages and a plan in; the exact text the model reads out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kofinlaw.data.packing import pack
from kofinlaw.data.prompting import (
    AnswerForm,
    choice_candidates,
    choice_messages,
    free_messages,
)
from kofinlaw.data.records import Chunk, Message, Question
from kofinlaw.models.templates import ChatTemplate
from kofinlaw.rag.deadline import Plan
from kofinlaw.rag.settings import AnswerSettings

CUT_MARK = " … "


@dataclass(frozen=True)
class Prompt:
    """A rendered prompt. `choices` are what may follow it (none for free text) and `order[i]` the
    option that choice i stands for; `shown` counts passages in it, `tokens` its length."""

    text: str
    choices: tuple[str, ...]
    order: tuple[int, ...]
    shown: int
    tokens: int
    cut: bool


@dataclass(frozen=True)
class Prompter:
    """Builds prompts that fit: evidence into `evidence_tokens`, the whole into the context."""

    template: ChatTemplate
    settings: AnswerSettings
    evidence_tokens: int
    count: Callable[[str], int]

    def build(
        self, question: Question, passages: Sequence[Chunk], plan: Plan, turn: int = 0
    ) -> Prompt:
        """The prompt of a question; `turn` rotates the options, so that each order is another.

        What is longer than the context loses evidence first, then the middle of its stem.
        """
        form: AnswerForm = "label" if plan.label_only else self.settings.answer_form
        count = len(question.options)
        order = tuple((place + turn) % count for place in range(count))
        options = [question.options[place] for place in order]
        choices = choice_candidates(options, form) if options else []
        room = self.settings.context_tokens - (
            max(self.count(choice) for choice in choices)
            if choices
            else self.settings.free_max_tokens
        )

        def render(stem: str, evidence: Sequence[str]) -> tuple[str, int]:
            messages = messages_for(stem, options, evidence, form)
            text = self.template.render(messages, add_generation_prompt=True)
            return text, self.count(text)

        budget = int(self.evidence_tokens * plan.evidence_share)
        query = " ".join([question.question, *question.options])
        while True:
            evidence = pack(list(passages), query, budget, self.count) if budget > 0 else []
            text, tokens = render(question.question, evidence)
            if tokens <= room or not evidence:
                break
            shown = sum(self.count(passage) for passage in evidence)
            budget = min(budget, shown) - (tokens - room) - 8
        stem, cut = question.question, False
        while tokens > room and len(stem) > 40:
            keep = max(20, int(len(stem) * room / tokens * 0.9) // 2)
            stem, cut = stem[:keep] + CUT_MARK + stem[-keep:], True
            text, tokens = render(stem, evidence)
            if keep == 20:
                break
        return Prompt(text, tuple(choices), order, len(evidence), tokens, cut)


def messages_for(
    stem: str, options: Sequence[str], evidence: Sequence[str], form: AnswerForm
) -> list[Message]:
    """The user's turn, as training built it."""
    if options:
        return choice_messages(stem, options, evidence, form)
    return free_messages(stem, evidence)
