"""Load causal language models from a local folder: safetensors only, never remote code."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    BitsAndBytesConfig,
    PreTrainedModel,
)
from transformers.utils import logging

from kofinlaw import UserError
from kofinlaw.errors import raise_if_machine
from kofinlaw.models.adapters import apply_adapter
from kofinlaw.models.folder_checks import check_folder
from kofinlaw.models.out_of_memory import is_out_of_memory, memory_shortage
from kofinlaw.models.settings import Dtype, Quantization

__all__ = ["bitsandbytes_config", "check_block_widths", "load_model", "quiet_bars", "repair_nf4"]


def load_model(
    folder: Path,
    *,
    quantization: Quantization = "none",
    dtype: Dtype = "bfloat16",
    device: str | None = None,
    adapter: Path | None = None,
    for_training: bool = False,
    attention: Literal["sdpa", "eager"] = "sdpa",
) -> PreTrainedModel:
    """Load a causal language model from a local folder.

    Args:
        folder: holds config.json and the safetensors files.
        quantization: 4-bit nf4 or int8 through bitsandbytes, or none.
        dtype: type of the weights and of the computation.
        device: None takes the GPU if there is one, else the CPU.
        adapter: a peft folder, applied without merging. The result is then a `PeftModel`.
        for_training: the model is in training mode and the adapter's weights are trainable.
            Otherwise the model is in evaluation mode.
        attention: transformers' attention implementation.

    Raises: UserError for a folder without weights, with remote code or with pickled weights, for
    weights with missing tensors, for a model that transformers does not support, for an adapter
    that does not fit (`apply_adapter`), and where memory runs out.
    """
    folder = Path(folder)
    check_folder(folder)
    torch_dtype = getattr(torch, dtype)
    if device is None:
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        with quiet_bars():
            config = AutoConfig.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False
            )
            model, info = AutoModelForCausalLM.from_pretrained(
                folder,
                output_loading_info=True,
                config=config,
                dtype=torch_dtype,
                device_map={"": device},
                use_safetensors=True,
                attn_implementation=attention,
                local_files_only=True,
                trust_remote_code=False,
                quantization_config=bitsandbytes_config(quantization, torch_dtype),
            )
    except Exception as error:  # transformers checks config.json with errors of many types
        if is_out_of_memory(error):
            raise memory_shortage(
                error,
                "loading the model",
                where=str(folder),
                remedy="end other programs on the card, use quantization nf4, or a smaller model",
            ) from error
        raise_if_machine(error, folder)
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise UserError(
            f"the model does not load: {reason}",
            where=str(folder),
            remedy="check config.json and the packages that the model needs, or get it again",
        ) from error
    if missing := sorted(info["missing_keys"]):
        # transformers would fill them with random numbers and continue.
        raise UserError(
            f"{len(missing)} tensors are missing from the weights: {', '.join(missing[:3])}",
            where=str(folder),
            remedy="get the model's files again",
        )
    repair_nf4(model)
    if device == "cpu":
        check_block_widths(model, folder)
    if adapter is not None:
        model = apply_adapter(model, Path(adapter), trainable=for_training)
        repair_nf4(model)
    model.train(for_training)
    return model


def bitsandbytes_config(
    quantization: Quantization, compute_dtype: torch.dtype
) -> BitsAndBytesConfig | None:
    """Return the settings with which transformers loads quantised weights; None without."""
    if quantization == "nf4":
        return BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=compute_dtype,
        )
    if quantization == "int8":
        return BitsAndBytesConfig(load_in_8bit=True)
    return None


@contextlib.contextmanager
def quiet_bars() -> Iterator[None]:
    """Hide the progress bars of transformers in this context; kofinlaw reports its own progress."""
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def repair_nf4(model: torch.nn.Module) -> int:
    """Keep bitsandbytes from repacking 4-bit weights on CPUs with AVX512-BF16.

    Its first pass without gradients would repack them in a form that the backward pass misreads.
    Every later gradient is then silently wrong (cosine down to 0.22 against the true gradient).
    Returns the number of layers that were changed.
    """
    count = 0
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False
            count += 1
    return count


def check_block_widths(model: torch.nn.Module, folder: Path) -> None:
    """Refuse 4-bit layers that bitsandbytes reads wrongly on a CPU.

    Its CPU kernel assumes that a scale's block ends with each row. If the input width is not a
    multiple of the block size (64), the weights have an error of 0.25 of their norm instead of
    NF4's own 0.09 (bitsandbytes 0.50, widths 32 to 1,056).

    Raises: UserError with the layer, its width and the block size.
    """
    for name, module in model.named_modules():
        state = getattr(getattr(module, "weight", None), "quant_state", None)
        width, block = getattr(module, "in_features", 0), getattr(state, "blocksize", 0)
        if block and width % block:
            raise UserError(
                f"layer {name} has {width} inputs, which is not a multiple of NF4's block size of "
                f"{block}: bitsandbytes reads such weights wrongly on a CPU",
                where=str(folder),
                remedy="use quantization none or int8 here, or a GPU",
            )
