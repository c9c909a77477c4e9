"""Open the embedder that is trained: choose its weights, and write it as one merged folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from kofinlaw import UserError
from kofinlaw.models.embedders import load_sentence_model
from kofinlaw.models.loading import quiet_bars
from kofinlaw.trainer.retriever.settings import RetrieverSettings
from kofinlaw.trainer.retriever.static import distil

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

__all__ = ["Trainee", "open_trainee"]


class Trainee:
    """An embedder in training; `weights` are the tensors that are trained, by name."""

    def __init__(self, model: SentenceTransformer, transformer: nn.Module, merged: bool) -> None:
        self.model = model
        self._transformer, self._merged = transformer, merged
        self.weights: dict[str, Tensor] = {
            name: weight for name, weight in transformer.named_parameters() if weight.requires_grad
        }

    def save(self, folder: Path) -> None:
        """Write the model so that sentence-transformers alone loads it; an adapter is merged."""
        if not self._merged:
            self.model[0].model = self._transformer.merge_and_unload()  # type: ignore[operator]
            self._merged = True
        with quiet_bars():
            self.model.save(str(folder), create_model_card=False)


def open_trainee(
    folder: Path, settings: RetrieverSettings, seed: int, texts: Sequence[str] = ()
) -> Trainee:
    """Load the embedder and mark what is trained.

    `texts` are those whose tokens a static embedder keeps.

    Raises UserError if sentence-transformers (or peft, for `method: lora`) is missing, or if the
    folder is not a transformer that sentence-transformers saved.
    """
    model = load_sentence_model(folder)
    transformer = getattr(model[0], "model", None)
    if not isinstance(transformer, nn.Module):
        raise UserError(
            f"{type(model[0]).__name__} cannot be trained here: only transformers can",
            where=str(folder),
        )
    if settings.method == "static":
        return _static(model, transformer, texts)
    if settings.method == "lora":
        from peft import LoraConfig, get_peft_model

        torch.manual_seed(seed)  # of the adapter's first weights
        config = LoraConfig(
            r=settings.lora_rank, lora_alpha=2 * settings.lora_rank, target_modules="all-linear"
        )
        adapted = get_peft_model(transformer, config)
        model[0].model = adapted.base_model.model
        return Trainee(model, adapted, merged=False)
    for name, weight in transformer.named_parameters():
        weight.requires_grad_(not ("embeddings." in name or name.startswith("pooler.")))
    return Trainee(model, transformer, merged=True)


def _static(embedder: SentenceTransformer, transformer: nn.Module, texts: Sequence[str]) -> Trainee:
    """Return the embedder's static form, distilled."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, StaticEmbedding

    backend = getattr(embedder.tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise UserError(
            "a static embedder needs a fast tokenizer (tokenizer.json)", where="retriever.base"
        )
    tokenizer, table = distil(backend, transformer, texts)
    module = StaticEmbedding(tokenizer, embedding_weights=table)
    model = SentenceTransformer(modules=[module, Normalize()], device="cpu")
    return Trainee(model, module, merged=True)
