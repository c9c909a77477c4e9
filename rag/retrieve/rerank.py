"""Rerank passages: score a question and a passage together, which retrievers never do.

A reranker is a cross-encoder (such as BAAI/bge-reranker-v2-m3), or the answering model, which says
yes or no. For the model only the scores of its first token are read: one forward pass for a pair.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from kofinlaw import UserError
from kofinlaw.models.engines.base import Engine
from kofinlaw.models.resolve import model_folder
from kofinlaw.models.settings import ModelSettings
from kofinlaw.models.templates import ChatTemplate

if TYPE_CHECKING:
    from kofinlaw.rag.retrieve.cross_encoder import CrossEncoder

__all__ = [
    "NO",
    "PASSAGE_CHARACTERS",
    "YES",
    "CrossEncoderReranker",
    "Reranker",
    "mixed",
    "open_reranker",
    "yes_or_no",
]

# (question, passage) pairs → scores in 0..1, in order: higher is better.
Reranker = Callable[[Sequence[tuple[str, str]]], list[float]]

YES, NO = "예", "아니오"
PASSAGE_CHARACTERS = 1500  # of a passage, in the prompt that asks for yes or no


def open_reranker(
    name: str, *, engine: Engine | None = None, template: ChatTemplate | None = None
) -> Reranker | None:
    """Return the reranker that a recipe names: `none` (None), `llm`,
    or a cross-encoder's id or folder.

    Raises UserError for `llm` without a model, and for a cross-encoder that is not on this
    machine.
    """
    if name == "none":
        return None
    if name == "llm":
        if engine is None or template is None:
            raise UserError(
                "the reranker llm needs the answering model",
                where="rag.reranker",
                remedy="give the retriever a model (with_model), or set rag.reranker: none",
            )
        return yes_or_no(engine, template)
    return CrossEncoderReranker(model_folder(ModelSettings(id=name), offline=True))


class CrossEncoderReranker:
    """A cross-encoder that is loaded when it scores its first pairs.

    torch is imported only then: `kofinlaw answer` writes its first submission before that.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """Return the scores of the pairs. Raises UserError for a model with several labels."""
        return self._loaded.score(pairs)

    @cached_property
    def _loaded(self) -> CrossEncoder:
        from kofinlaw.rag.retrieve.cross_encoder import CrossEncoder

        return CrossEncoder.load(self._folder)


def yes_or_no(engine: Engine, template: ChatTemplate) -> Reranker:
    """Return a reranker by the model: the share of `예` against `아니오` as its first word."""

    def score(pairs: Sequence[tuple[str, str]]) -> list[float]:
        prompts = [
            template.render(
                [{"role": "user", "content": _asked(question, passage)}],
                add_generation_prompt=True,
            )
            for question, passage in pairs
        ]
        rows = engine.score(prompts, [[YES, NO]] * len(prompts))
        # A sigmoid of the difference: the two words' probabilities scaled to add up to 1.
        return [_sigmoid(yes.logprob - no.logprob) for yes, no in rows]

    return score


def mixed(scores: Sequence[float], fused: Sequence[float], share: float) -> list[float]:
    """Return the mixture of a question's two scores, each scaled from 0 to 1 over its passages.

    `share` is that of the reranker's `scores` (0 to 1). Logits are compared, not their sigmoids,
    which are all near 0 or 1.
    """
    logits = _scaled([_logit(score) for score in scores])
    return [share * a + (1 - share) * b for a, b in zip(logits, _scaled(fused), strict=True)]


def _scaled(values: Sequence[float]) -> list[float]:
    low, high = min(values, default=0.0), max(values, default=0.0)
    return [(value - low) / (high - low) if high > low else 1.0 for value in values]


def _logit(score: float) -> float:
    inside = min(max(score, 1e-7), 1 - 1e-7)
    return math.log(inside / (1 - inside))


def _sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value)) if value >= 0 else math.exp(value) / (1 + math.exp(value))


def _asked(question: str, passage: str) -> str:
    return (
        f"[조문]\n{passage[:PASSAGE_CHARACTERS]}\n\n[질문]\n{question}\n\n"
        f"위 조문에 이 질문의 답이 있습니까? {YES} 또는 {NO}로만 답하십시오."
    )
