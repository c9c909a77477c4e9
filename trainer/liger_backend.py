"""Replace norms, rotary embedding and SwiGLU by Liger's fused kernels, on a CUDA GPU.

*Not run*: this project has had no GPU to run it on. The kernels' names and arguments are compared
with Liger's source (`make check-extras`). Everything else is unchanged: our LoRA pass, our head and
loss on supervised rows, checkpointing, steps and files (docs/decisions/155). The last bits of the
loss differ from `hf`.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

import torch

from kofinlaw import UserError

if TYPE_CHECKING:
    from transformers import PreTrainedModel

__all__ = ["LIGER_MODELS", "apply_liger", "require_liger", "require_liger_model"]

# Model types whose layers Liger replaces and whose head is ours.
LIGER_MODELS = ("llama", "qwen2")


def require_liger() -> None:
    """Check before any work that Liger can run. Raises UserError without CUDA or the extra."""
    if not torch.cuda.is_available():
        raise UserError(
            "backend liger needs CUDA", where="train.backend", remedy="set train.backend: hf"
        )
    if find_spec("liger_kernel") is None:
        raise UserError(
            "Liger is not installed",
            where="train.backend",
            remedy="pip install 'kofinlaw[liger]', or set train.backend: hf",
        )


def require_liger_model(model: PreTrainedModel) -> str:
    """Return the type of a model. Raises UserError for a type outside `LIGER_MODELS`."""
    kind = str(model.config.get_text_config().model_type)
    if kind not in LIGER_MODELS:
        raise UserError(
            f"backend liger does not know models of type {kind}",
            where="train.backend",
            remedy=f"set train.backend: hf; liger is for {' and '.join(LIGER_MODELS)} "
            "(EXAONE 3.x after convert)",
        )
    return kind


def apply_liger(model: PreTrainedModel) -> None:
    """Replace the layers of a loaded model in place.

    Raises UserError as `require_liger_model`.
    """
    kind = require_liger_model(model)
    from liger_kernel.transformers import (
        apply_liger_kernel_to_llama,
        apply_liger_kernel_to_qwen2,
    )

    # Two plain calls: `make check-extras` compares the keywords of calls that it finds by name.
    if kind == "qwen2":
        apply_liger_kernel_to_qwen2(
            rope=True,
            rms_norm=True,
            swiglu=True,
            cross_entropy=False,
            fused_linear_cross_entropy=False,
            model=model,
        )
        return
    apply_liger_kernel_to_llama(
        rope=True,
        rms_norm=True,
        swiglu=True,
        cross_entropy=False,
        fused_linear_cross_entropy=False,
        model=model,
    )
