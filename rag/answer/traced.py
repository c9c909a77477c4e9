"""Packing and the model's calls as spans, alike for one question and for a batch of a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kofinlaw.rag.answer.deadline import Plan
from kofinlaw.rag.answer.engine_calls import Asked
from kofinlaw.rag.answer.prompts import Prompt, Prompter
from kofinlaw.records import Chunk, Question
from kofinlaw.tracing import child_span

# A question, its passages and the turn it is asked for.
Wanted = tuple[Question, Sequence[Chunk], int]


def build_prompts(prompter: Prompter, wanted: Sequence[Wanted], plan: Plan) -> list[Prompt]:
    """The prompts of questions under a plan; traced as `packing` with the passages that fit."""
    budget = int(prompter.evidence_tokens * plan.evidence_share)
    out = []
    with child_span("packing", plan=plan.name, evidence_tokens=budget) as span:
        for question, passages, turn in wanted:
            prompt = prompter.build(question, passages, plan, turn)
            span.item(
                question.id,
                turn=turn,
                found=len(passages),
                documents=[passages[place].id for place in prompt.places],
                input_tokens=prompt.tokens,
            )
            out.append(prompt)
    return out


def call_model(
    call: Callable[[], list[Asked | None]],
    wanted: Sequence[Wanted],
    prompts: Sequence[Prompt],
    plan: Plan,
    *,
    model: str,
    choose_by: str,
) -> list[Asked | None]:
    """What `call` says to the prompts; traced as `score` or `generate`, a prompt an item."""
    scored = bool(prompts[0].choices) and choose_by == "score" and not prompts[0].reasoning
    with child_span(
        "score" if scored else "generate",
        model=model,
        plan=plan.name,
        turns=[turn for _, _, turn in wanted],
        input_tokens=sum(prompt.tokens for prompt in prompts),
    ) as span:
        asked = call()
        span.set(output_tokens=sum(item.tokens for item in asked if item))
        for (question, _, turn), prompt, item in zip(wanted, prompts, asked, strict=True):
            span.item(
                question.id,
                turn=turn,
                prompt=prompt.text,
                answer=(item.text or item.scores) if item else None,
            )
    return asked
