"""Shard a model by FSDP: parameters are sharded per layer and gathered for the computation.

torch's `fully_shard` is applied to each decoder layer. Embeddings, last norm and head stay whole.
The adapter lies inside the layers, so its gradients are summed and sharded. 4-bit weights are
sharded in their packed form. Their scales (a thirtieth of the bytes) stay whole in each process,
because bitsandbytes reads them there when a layer is gathered. 8-bit weights change during the
computation and cannot be sharded.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

import torch
from torch import Tensor
from torch.nn import Module
from torch.optim import Optimizer

from kofinlaw import UserError
from kofinlaw.decoding import load_json
from kofinlaw.files import write_json
from kofinlaw.trainer.loss import causal_model
from kofinlaw.trainer.memory_use import device_name
from kofinlaw.trainer.ranks import Ranks
from kofinlaw.trainer.zero import OptimizerState, Zero

__all__ = [
    "EXIT_OUT_OF_MEMORY",
    "HALVED",
    "copy_full_tensor_",
    "exit_out_of_memory",
    "full_optimizer_state",
    "full_tensor",
    "halved_budget",
    "load_optimizer_state",
    "local_tensor",
    "shard_like",
    "shard_model",
]

EXIT_OUT_OF_MEMORY = 76
"""Exit code after out of memory with a sharded model: the next run resumes with half the budget."""

HALVED = "budget-halved.json"


def shard_model(model: Module, ranks: Ranks) -> None:
    """Shard the decoder layers of `model` over the processes and move it to their devices.

    Gradients are summed, not averaged, because the loss of a step is already divided by all its
    tokens. Raises UserError for a model whose layers are not found.
    """
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    mesh = init_device_mesh(ranks.device.type, (ranks.world_size,))
    base = causal_model(model)
    layers = getattr(base.base_model, "layers", None)
    if layers is None:
        raise UserError(
            f"FSDP does not know where a model of type {base.config.model_type} keeps its layers",
            where="accelerate",
            remedy="launch with recipes/accelerate/ddp.yaml",
        )
    for layer in layers:
        fully_shard(layer, mesh=mesh, reshard_after_forward=True)
        layer.set_gradient_divide_factor(1.0)
        layer.set_force_sum_reduction_for_comms(True)
    model.to(ranks.device)
    for module in model.modules():
        scales = getattr(module, "quant_state", None)
        if scales is not None:  # not a parameter, so `model.to` does not move it
            scales.to(ranks.device)


def full_tensor(tensor: Tensor) -> Tensor:
    """Return the whole of a sharded tensor on every process; another tensor unchanged.

    Under ZeRO-3 `tensor` must be the parameter itself: a view of it does not know its shards.
    """
    if hasattr(tensor, "ds_id"):
        import deepspeed

        with deepspeed.zero.GatheredParameters([tensor]):
            return tensor.detach().clone()
    gather = getattr(tensor, "full_tensor", None)
    return gather() if gather is not None else tensor


def copy_full_tensor_(parameter: Tensor, value: Tensor) -> None:
    """Write the whole `value` into a parameter, sharded or not; all processes must call this."""
    with torch.no_grad():
        if hasattr(parameter, "ds_id"):
            import deepspeed

            with deepspeed.zero.GatheredParameters([parameter], modifier_rank=0):
                parameter.copy_(value)
        else:
            parameter.copy_(shard_like(value, parameter))


def shard_like(value: Tensor, like: Tensor) -> Tensor:
    """Return this process's shard of the whole `value`, sharded as `like` is."""
    from torch.distributed.tensor import DTensor, distribute_tensor

    if not isinstance(like, DTensor):
        return value
    return distribute_tensor(value.to(like.device), like.device_mesh, like.placements)


def local_tensor(tensor: Tensor) -> Tensor:
    """Return the shard that this process holds (FSDP); under ZeRO-3 return the whole tensor.

    Under ZeRO-3 the model is sharded after its checksums were taken, so only whole tensors can be
    compared with them.
    """
    if hasattr(tensor, "ds_id"):
        return full_tensor(tensor)
    part = getattr(tensor, "to_local", None)
    return part() if part is not None else tensor


def full_optimizer_state(optimizer: Optimizer | Zero) -> OptimizerState:
    """Return the state of the optimizer with whole tensors; all processes must call this."""
    state: OptimizerState = optimizer.state_dict()
    moments = {
        number: {key: full_tensor(v) if isinstance(v, Tensor) else v for key, v in values.items()}
        for number, values in state["state"].items()
    }
    return {**state, "state": moments}


def load_optimizer_state(optimizer: Optimizer, state: OptimizerState) -> None:
    """Load the whole `state` into `optimizer`, sharded as its parameters are."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    moments = {
        number: {
            key: shard_like(v, parameters[number]) if isinstance(v, Tensor) and v.ndim else v
            for key, v in values.items()
        }
        for number, values in state["state"].items()
    }
    optimizer.load_state_dict({**state, "state": moments})


def exit_out_of_memory(root: Path, budget: int, why: str) -> NoReturn:
    """Write half the budget below `root` for the next run and end this process at once.

    The other processes wait inside a pass and cannot be notified; their launcher ends them.
    """
    half = max(1, budget // 2)
    root.mkdir(parents=True, exist_ok=True)
    write_json(root / HALVED, {"tokens": half, "why": why, "device": device_name()})
    sys.stderr.write(
        f"out of memory ({why}) with {budget} tokens per pass; run the command again: it resumes "
        f"from the last checkpoint with {half}\n"
    )
    sys.stderr.flush()
    os._exit(EXIT_OUT_OF_MEMORY)


def halved_budget(root: Path) -> int | None:
    """Read the budget that a run left below `root` when it was out of memory on the same GPU."""
    try:
        value = load_json((root / HALVED).read_text(encoding="utf-8"))
        return int(value["tokens"]) if value["device"] == device_name() else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
