"""Apply a peft adapter to a loaded model, without merging, and check that nothing is left out.

peft fills tensors that an adapter lacks with its own start values and ignores tensors that its
config does not select. Both give another model than the one that was trained.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from kofinlaw import UserError
from kofinlaw.errors import raise_if_machine
from kofinlaw.models.out_of_memory import is_out_of_memory, memory_shortage
from kofinlaw.models.weight_headers import tensor_shapes

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel

__all__ = ["AdapterGapError", "apply_adapter"]

_WEIGHTS = "adapter_model.safetensors"
_PREFIX = "base_model.model."
# Marks of tensors that peft writes next to the adapter's: weights of resized or trained layers.
_BASE_MARKS = (".original_module.", ".modules_to_save.", ".base_layer.")


class AdapterGapError(UserError):
    """The adapter's tensors are not those that its config selects; `modules` counts the selected,
    `gaps` names the tensors that are missing or too many."""

    def __init__(self, message: str, *, where: str, modules: int, gaps: list[str]) -> None:
        remedy = "copy the adapter again, or train again"
        super().__init__(message, where=where, remedy=remedy)
        self.modules = modules
        self.gaps = gaps


def apply_adapter(model: PreTrainedModel, folder: Path, *, trainable: bool) -> PeftModel:
    """Return `model` with the adapter of `folder`, its vocabulary resized as the adapter's.

    Raises UserError for an adapter that peft cannot load onto this model, AdapterGapError for one
    that lacks tensors of its config's modules or has tensors of others, and MachineError where
    memory runs out or the system refuses to read.
    """
    from peft import PeftModel, get_peft_model_state_dict
    from peft.tuners.lora import LoraLayer

    if not (folder / "adapter_config.json").exists():
        raise UserError("no adapter_config.json in this folder", where=str(folder))
    if not (folder / _WEIGHTS).exists():
        raise UserError(
            f"no {_WEIGHTS} in this folder",
            where=str(folder),
            remedy="save the adapter as safetensors (save_pretrained does)",
        )
    shapes = tensor_shapes([folder / _WEIGHTS])
    try:
        _resize(model, shapes)
        adapted = PeftModel.from_pretrained(
            model, str(folder), is_trainable=trainable, use_safetensors=True
        )
    except Exception as error:  # peft checks adapter_config.json with errors of many types
        if is_out_of_memory(error):
            raise memory_shortage(
                error,
                "loading the adapter",
                where=str(folder),
                remedy="end other programs on the card, use quantization nf4, or a smaller model",
            ) from error
        raise_if_machine(error, folder)
        text = str(error).splitlines()
        raise UserError(
            f"this adapter does not load onto this model: {' '.join(text[:2])}",
            where=str(folder),
            remedy="use the model that it was trained on",
        ) from error
    wanted = set(get_peft_model_state_dict(adapted, save_embedding_layers=False))
    whole = {
        f"{_PREFIX}{name}.weight"
        for name, module in model.named_modules()
        if module in (model.get_input_embeddings(), model.get_output_embeddings())
    }
    extra = [
        name
        for name in shapes
        if name not in wanted | whole and not any(mark in name for mark in _BASE_MARKS)
    ]
    gaps = sorted(wanted - set(shapes)) or _own_gaps(extra, wanted)
    if gaps:
        modules = sum(isinstance(module, LoraLayer) for module in adapted.modules())
        what = "holds tensors that its config does not select"
        if wanted - set(shapes):
            what = "lacks tensors of the modules that its config selects"
        first = gaps[0].removeprefix(_PREFIX)
        raise AdapterGapError(
            f"this adapter {what}: {len(gaps)}, first {first}",
            where=str(folder / _WEIGHTS),
            modules=modules,
            gaps=gaps,
        )
    return adapted


def _own_gaps(extra: list[str], wanted: set[str]) -> list[str]:
    """Return the tensors that are too many.

    peft saves the trained rows of a tied head twice, and reads them from the embedding.
    """
    rows = any(name.endswith(".trainable_tokens_delta") for name in wanted)
    return sorted(n for n in extra if not (rows and n.endswith(".trainable_tokens_delta")))


def _resize(model: PreTrainedModel, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Give embedding and head the rows that the adapter holds for them."""
    embedding = model.get_input_embeddings()
    layers = (embedding, model.get_output_embeddings())
    names = {n: m for n, m in model.named_modules() if any(m is layer for layer in layers)}
    for name, module in names.items():
        for key in ("weight", "base_layer.weight", "token_adapter.base_layer.weight"):
            shape = shapes.get(f"{_PREFIX}{name}.{key}")
            if shape is not None and len(shape) == 2 and shape[1] == module.weight.shape[1]:
                if shape[0] != embedding.weight.shape[0]:
                    model.resize_token_embeddings(shape[0], mean_resizing=False)
                return
