"""Load the base with Unsloth, for its faster kernels on a CUDA GPU.

*Not run*: this project has had no GPU to run it on. Differences from `hf`:

- Unsloth rewrites the layers of the model when it is imported and loads its own code for attention
  and MLP, so the last bits of the loss differ.
- It checkpoints activations in its own way, into host memory.

Steps, budget, loss at the supervised positions, checkpoints and files are the same.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch

from kofinlaw import UserError
from kofinlaw.trainer.settings import TrainSettings

if TYPE_CHECKING:
    from transformers import PreTrainedModel

__all__ = ["load_base", "require_unsloth"]


def require_unsloth() -> None:
    """Import Unsloth, which must happen before transformers is imported.

    Raises UserError without CUDA or without the extra.
    """
    if not torch.cuda.is_available():
        raise UserError("backend unsloth needs CUDA", where="train.backend", remedy="use hf")
    try:
        import unsloth  # noqa: F401
    except ImportError as error:
        raise UserError(
            "Unsloth is not installed",
            where="train.backend",
            remedy="pip install 'kofinlaw[unsloth]', or use backend: hf",
        ) from error


def load_base(folder: Path, settings: TrainSettings) -> PreTrainedModel:
    """Load the frozen base of `folder` with Unsloth; the adapter is attached as with `hf`."""
    from unsloth import FastLanguageModel

    model, _ = FastLanguageModel.from_pretrained(
        model_name=str(folder),
        max_seq_length=settings.max_length,
        dtype=getattr(torch, settings.dtype),
        load_in_4bit=settings.quantization == "nf4",
        load_in_8bit=settings.quantization == "int8",
        trust_remote_code=False,
        local_files_only=True,
    )
    return model
