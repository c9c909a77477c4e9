"""Trace packing and model calls, in the same way for one question and for a batch of a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kofinlaw.rag.answer.deadline import Plan
from kofinlaw.rag.answer.engine_calls import Reply
from kofinlaw.rag.answer.prompts import Prompt, Prompter
from kofinlaw.records import Chunk, Question
from kofinlaw.tracing import child_span


@dataclass(frozen=True)
class PromptInput:
    """A question, its passages (best first) and the turn that the prompt is for."""

    question: Question
    passages: Sequence[Chunk]
    turn: int


def build_prompts(prompter: Prompter, inputs: Sequence[PromptInput], plan: Plan) -> list[Prompt]:
    """The prompts of questions under a plan; traced as `packing` with the passages that fit."""
    evidence_tokens = int(prompter.evidence_tokens * plan.evidence_share)
    out = []
    with child_span("packing", plan=plan.name, evidence_tokens=evidence_tokens) as span:
        for one in inputs:
            prompt = prompter.build(one.question, one.passages, plan, one.turn)
            span.item(
                one.question.id,
                turn=one.turn,
                found=len(one.passages),
                documents=[one.passages[index].id for index in prompt.passages],
                input_tokens=prompt.tokens,
            )
            out.append(prompt)
    return out


def call_model(
    call: Callable[[], list[Reply | None]],
    inputs: Sequence[PromptInput],
    prompts: Sequence[Prompt],
    plan: Plan,
    *,
    model: str,
    choose_by: str,
) -> list[Reply | None]:
    """The replies of `call` to the prompts; traced as `score` or `generate`, one item a prompt.

    `inputs` are those of the prompts; `model` and `choose_by` are recorded in the trace.
    """
    scored = bool(prompts[0].choices) and choose_by == "score" and not prompts[0].reasoning
    with child_span(
        "score" if scored else "generate",
        model=model,
        plan=plan.name,
        turns=[one.turn for one in inputs],
        input_tokens=sum(prompt.tokens for prompt in prompts),
    ) as span:
        replies = call()
        span.set(output_tokens=sum(reply.tokens for reply in replies if reply))
        for one, prompt, reply in zip(inputs, prompts, replies, strict=True):
            span.item(
                one.question.id,
                turn=one.turn,
                prompt=prompt.text,
                answer=(reply.text or reply.scores) if reply else None,
            )
    return replies
