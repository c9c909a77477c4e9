"""Rerankers: a question and a passage read together, which the retrievers never do.

A cross-encoder (BAAI/bge-reranker-v2-m3 and its like) or the answering model itself, which says
yes or no: only the scores of its first token are read, one forward pass a pair.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from kofinlaw import UserError

if TYPE_CHECKING:
    from pathlib import Path

    from kofinlaw.models.engines.base import Engine
    from kofinlaw.models.templates import ChatTemplate

# (question, passage) pairs to scores in 0..1, in order: higher is better.
Reranker = Callable[[Sequence[tuple[str, str]]], list[float]]

YES, NO = "예", "아니오"
PASSAGE_CHARACTERS = 1500  # of a passage that the model reads when it is asked yes or no
_CROSS_ENCODER_TOKENS = 512
_BATCH = 16


def open_reranker(
    name: str, *, engine: Engine | None = None, template: ChatTemplate | None = None
) -> Reranker | None:
    """The reranker a recipe names: `none` (None), `llm`, or a cross-encoder's id or folder.

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
                remedy="give the retriever engine and template, or set rag.reranker: none",
            )
        return yes_or_no(engine, template)
    from kofinlaw.models.resolve import model_folder
    from kofinlaw.models.settings import ModelSettings

    return cross_encoder(model_folder(ModelSettings(id=name), offline=True))


def cross_encoder(folder: Path) -> Reranker:
    """A sequence-classification model with one label, as FlagEmbedding's rerankers are.

    The pair is (question, passage), in this order; the score is the logit's sigmoid. A passage is
    cut where the pair exceeds 512 tokens. Raises UserError for a model with several labels.
    """
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(str(folder), trust_remote_code=False)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    loaded: Any = AutoModelForSequenceClassification.from_pretrained(
        str(folder),
        trust_remote_code=False,
        use_safetensors=True,
        dtype=torch.float16 if device == "cuda" else torch.float32,
    )
    if loaded.config.num_labels != 1:
        raise UserError(
            f"a reranker has one label, this model has {loaded.config.num_labels}",
            where=str(folder),
            remedy="name a cross-encoder such as BAAI/bge-reranker-v2-m3",
        )
    model = loaded.to(device).eval()

    def score(pairs: Sequence[tuple[str, str]]) -> list[float]:
        scores = [0.0] * len(pairs)
        by_length = sorted(range(len(pairs)), key=lambda i: (sum(map(len, pairs[i])), i))
        for start in range(0, len(pairs), _BATCH):
            part = by_length[start : start + _BATCH]
            inputs = tokenizer(
                [pairs[i][0] for i in part],
                [pairs[i][1] for i in part],
                padding=True,
                truncation="longest_first",
                max_length=_CROSS_ENCODER_TOKENS,
                return_tensors="pt",
            ).to(device)
            with torch.inference_mode():
                logits = model(**inputs).logits[:, 0].float()
            for i, value in zip(part, torch.sigmoid(logits).tolist(), strict=True):
                scores[i] = value
        return scores

    return score


def yes_or_no(engine: Engine, template: ChatTemplate) -> Reranker:
    """The share of `예` against `아니오` as the model's first word, for each pair."""

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


def _sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value)) if value >= 0 else math.exp(value) / (1 + math.exp(value))


def _asked(question: str, passage: str) -> str:
    return (
        f"[조문]\n{passage[:PASSAGE_CHARACTERS]}\n\n[질문]\n{question}\n\n"
        f"위 조문에 이 질문의 답이 있습니까? {YES} 또는 {NO}로만 답하십시오."
    )
