"""One question, its passages and a plan in; the exact text the model reads out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kofinlaw.data.prompting.packing import pack_with_index
from kofinlaw.data.prompting.wording import (
    AnswerForm,
    choice_candidates,
    choice_messages,
    free_messages,
)
from kofinlaw.models.templates import ChatTemplate
from kofinlaw.rag.answer.deadline import Plan
from kofinlaw.rag.answer.free_text import opening_of
from kofinlaw.rag.answer_settings import AnswerSettings
from kofinlaw.records import Chunk, Question

CUT_MARK = " … "


@dataclass(frozen=True)
class Prompt:
    """A rendered prompt. `choices` are what may follow it (none for free text) and `order[i]` the
    option that choice i stands for; `places` are the passages in it, `tokens` its length.

    `reasoning` says that the model is to write before it chooses, `sampled` that what it writes
    is drawn at random; a free-text answer begins with `opening`, which ends the prompt.
    """

    text: str
    choices: tuple[str, ...]
    order: tuple[int, ...]
    places: tuple[int, ...]
    tokens: int
    cut: bool
    reasoning: bool = False
    sampled: bool = False
    opening: str = ""

    @property
    def shown(self) -> int:
        """How many passages are in it."""
        return len(self.places)


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
        """The prompt of a question under a plan.

        Turn 0 is greedy. Later turns show the options in their other orders first, as many as
        `permutations` asks for; what is written in turns after those, or after reasoning, is
        sampled. What is longer than the context loses evidence first, then its stem's middle.
        """
        settings, count = self.settings, len(question.options)
        form: AnswerForm = "label" if plan.label_only else settings.answer_form
        reasoning = plan.reasoning and settings.reasoning_tokens > 0 and count > 0
        orders = min(settings.permutations, count)
        order = tuple((place + (turn % orders)) % count for place in range(count))
        options = [question.options[place] for place in order]
        choices = choice_candidates(options, form) if options else []
        opening = opening_of(question.question) if settings.free_opening and not options else ""
        room = settings.context_tokens - (
            max(self.count(choice) for choice in choices) if choices else settings.free_max_tokens
        )
        room -= settings.reasoning_tokens if reasoning else 0

        def render(stem: str, evidence: Sequence[str]) -> tuple[str, int]:
            if options:
                messages = choice_messages(stem, options, evidence, form, reasoning=reasoning)
            else:
                messages = free_messages(stem, evidence)
            text = self.template.render(messages, add_generation_prompt=True) + opening
            return text, self.count(text)

        budget = int(self.evidence_tokens * plan.evidence_share)
        query = " ".join([question.question, *question.options])
        while True:
            kept = pack_with_index(list(passages), query, budget, self.count) if budget > 0 else []
            evidence = [passage for _, passage in kept]
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
        return Prompt(
            text,
            tuple(choices),
            order,
            tuple(place for place, _ in kept),
            tokens,
            cut,
            reasoning,
            sampled=turn > 0 and (reasoning or turn >= orders),
            opening=opening,
        )
