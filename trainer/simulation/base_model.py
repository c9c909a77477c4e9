"""Make a model of a config without its weights, and allocate its tensors one layer at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from torch.nn import Module, ModuleList, Parameter

from kofinlaw.models.loading import bitsandbytes_config
from kofinlaw.models.settings import Dtype, Quantization
from kofinlaw.trainer.loss import causal_model

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedModel

__all__ = ["NF4_BLOCK", "allocate", "empty_model", "few_layers", "prepare_tables"]

NF4_BLOCK = 64  # weights that share a scale, as bitsandbytes quantises them by default
FEW_LAYERS = 6
STD = 0.02  # of random weights; only a run with real tensors uses their values


def empty_model(
    config: PretrainedConfig, *, quantization: Quantization, dtype: Dtype, attention: str
) -> PreTrainedModel:
    """Return a model whose tensors are on torch's meta device, with the layers of `loading`.

    Quantised layers are those that transformers makes when it loads a model with the settings of
    `load_model`. Only `none` and `nf4` are supported.
    """
    from transformers import AutoModelForCausalLM

    kind = getattr(torch, dtype)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config, dtype=kind, attn_implementation=attention)
    settings = bitsandbytes_config(quantization, kind)
    if settings is not None:
        from transformers.integrations.bitsandbytes import replace_with_bnb_linear
        from transformers.quantizers.base import get_keys_to_not_convert

        replace_with_bnb_linear(model, get_keys_to_not_convert(model), settings)
        model.is_loaded_in_4bit = True  # peft chooses its layers by it
    return model


@contextmanager
def few_layers(model: Module) -> Iterator[None]:
    """Let a model have its first layers only, inside of this block.

    They hold each kind of layer: Gemma 3 has one of full attention in six.
    """
    base = causal_model(model)
    count = base.config.get_text_config().num_hidden_layers
    for parent in list(base.modules()):
        for name, layers in parent.named_children():
            if isinstance(layers, ModuleList) and len(layers) == count > FEW_LAYERS:
                setattr(parent, name, layers[:FEW_LAYERS])
                try:
                    yield
                finally:
                    setattr(parent, name, layers)
                return
    yield


def prepare_tables() -> None:
    """Make the tables that bitsandbytes keeps for the whole process, with real values.

    Made under fake tensors they would have no values when the process trains a real model later.
    """
    from bitsandbytes import functional

    if "dynamic" not in functional.name2qmap:
        functional.name2qmap["dynamic"] = functional.create_dynamic_map()


def allocate(model: Module, note: Callable[[Parameter], None]) -> None:
    """Give every tensor of a model on the meta device its memory; a weight is quantised at once.

    Only one layer's 16-bit weight exists at a time next to the quantised ones, as when
    transformers loads a model. `note` gets each parameter before its memory is allocated. Tied
    parameters stay tied.
    """
    made: dict[int, Parameter] = {}
    for module in model.modules():
        quantised = hasattr(module, "quant_state")
        for name, tensor in list(module._parameters.items()):
            if tensor is None:
                continue
            if id(tensor) not in made:
                note(tensor)
                quantises = quantised and name == "weight"
                made[id(tensor)] = _quantised(module) if quantises else _plain(tensor)
            module._parameters[name] = made[id(tensor)]
        for name, buffer in list(module._buffers.items()):
            if buffer is not None:
                module._buffers[name] = torch.ones(buffer.shape, dtype=buffer.dtype)


def _plain(parameter: Parameter) -> Parameter:
    value = torch.empty(parameter.shape, dtype=parameter.dtype).normal_(std=STD)
    return Parameter(value, requires_grad=parameter.requires_grad)


def _quantised(layer: Module) -> Parameter:
    """Return a random NF4 weight for a layer, with the state that bitsandbytes reads from it.

    bitsandbytes's own class of parameters cannot hold a fake tensor.
    """
    from bitsandbytes import functional

    shape, dtype = (layer.out_features, layer.in_features), layer.compute_dtype
    packed, state = functional.quantize_4bit(
        torch.empty(shape, dtype=dtype).normal_(std=STD),
        blocksize=NF4_BLOCK,
        compress_statistics=True,
        quant_type="nf4",
    )
    parameter = Parameter(packed, requires_grad=False)
    parameter.quant_state = state
    parameter.quant_type = "nf4"
    parameter.quant_storage = torch.uint8
    parameter.blocksize = NF4_BLOCK
    parameter.compress_statistics = True
    parameter.bnb_quantized = True
    layer.quant_state = state
    layer.support_avx512bf16_for_cpu = False  # see loading.repair_nf4
    return parameter
