"""Load a cross-encoder that scores (question, passage) pairs. Imports torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from kofinlaw import UserError
from kofinlaw.models.embedding.batches import CARD_TEXTS, CARD_TOKENS, cut_batches

__all__ = ["BATCH", "MAX_TOKENS", "CrossEncoder"]

MAX_TOKENS = 512  # of a pair, or fewer if its tokenizer says so; the longer text is cut
BATCH = 16  # pairs scored in one forward pass


class CrossEncoder:
    """A sequence-classification model with one label, as FlagEmbedding's rerankers are.

    A pass scores 16 pairs; with `card_tokens` as many as have so many tokens with their padding.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        *,
        card_tokens: int | None = None,
    ) -> None:
        self._model = model
        self._card_tokens = card_tokens
        self._tokenizer = tokenizer
        # Transformers gives a tokenizer without a limit an astronomic one.
        self._longest = min(MAX_TOKENS, int(tokenizer.model_max_length))

    @classmethod
    def load(cls, folder: Path) -> CrossEncoder:
        """Load a model folder, in float16 on a GPU and in float32 on a CPU.

        Raises UserError for a model with several labels.
        """
        tokenizer = AutoTokenizer.from_pretrained(str(folder), trust_remote_code=False)
        device = "cuda" if torch.cuda.is_available() else "cpu"
        model = AutoModelForSequenceClassification.from_pretrained(
            str(folder),
            trust_remote_code=False,
            use_safetensors=True,
            dtype=torch.float16 if device == "cuda" else torch.float32,
        )
        if model.config.num_labels != 1:
            raise UserError(
                f"a reranker has one label, this model has {model.config.num_labels}",
                where=str(folder),
                remedy="name a cross-encoder such as BAAI/bge-reranker-v2-m3",
            )
        tokens = CARD_TOKENS if device == "cuda" else None
        return cls(model.to(device).eval(), tokenizer, card_tokens=tokens)

    def score(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """Return the sigmoid of the logit (0..1) of each (question, passage) pair, in order."""
        scores = [0.0] * len(pairs)
        by_length = sorted(range(len(pairs)), key=lambda i: (sum(map(len, pairs[i])), i))
        texts = BATCH if self._card_tokens is None else CARD_TEXTS
        lengths = [min(sum(map(len, pairs[i])) + 4, self._longest) for i in by_length]
        for start, end in cut_batches(lengths, texts=texts, tokens=self._card_tokens):
            part = by_length[start:end]
            inputs = self._tokenizer(
                [pairs[i][0] for i in part],
                [pairs[i][1] for i in part],
                padding=True,
                truncation="longest_first",
                max_length=self._longest,
                return_tensors="pt",
            ).to(self._model.device)
            with torch.inference_mode():
                logits = self._model(**inputs).logits[:, 0].float()
            for i, value in zip(part, torch.sigmoid(logits).tolist(), strict=True):
                scores[i] = value
        return scores
