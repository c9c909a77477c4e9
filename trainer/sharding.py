"""FSDP: each process holds a share of every layer and borrows the rest while it computes.

torch's `fully_shard` on each decoder layer; embeddings, last norm and head stay whole. The
adapter lies inside the layers, so its gradients come out summed and shared out. 4-bit weights are
shared out packed; their scales (a thirtieth of them) stay whole on each process, where bitsandbytes
looks for them once a layer is borrowed. 8-bit weights change while they compute: they cannot be.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from kofinlaw import UserError
from kofinlaw.files import write_json
from kofinlaw.trainer.loss import causal_model
from kofinlaw.trainer.memory_use import device_name

if TYPE_CHECKING:
    from torch import Tensor

    from kofinlaw.trainer.ranks import Ranks

EXIT_OUT_OF_MEMORY = 76
"""Exit code after out-of-memory under FSDP: run again to go on with half the budget."""

HALVED = "budget-halved.json"


def shard(model: Any, ranks: Ranks) -> None:
    """Share the decoder layers of `model` out over the processes, and put it on their devices.

    Gradients are summed, not averaged: a step's loss is already divided by all its tokens.
    """
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    mesh = init_device_mesh(ranks.device.type, (ranks.count,))
    base: Any = causal_model(model)
    layers = getattr(base.base_model, "layers", None)
    if layers is None:
        raise UserError(
            f"this kind of model ({base.config.model_type}) keeps its layers elsewhere",
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
        if scales is not None:  # no parameter: nobody else moves it
            scales.to(ranks.device)


def full_tensor(tensor: Tensor) -> Tensor:
    """The whole of a tensor that is shared out, on every process; another one as it is.

    Under ZeRO-3 it takes the parameter itself: a view of one does not know its shares.
    """
    if hasattr(tensor, "ds_id"):
        import deepspeed

        with deepspeed.zero.GatheredParameters([tensor]):
            return tensor.detach().clone()
    gather = getattr(tensor, "full_tensor", None)
    return gather() if gather is not None else tensor


def copy_full_tensor_(parameter: Tensor, value: Tensor) -> None:
    """Write the whole `value` into a parameter, shared out or not; all processes must."""
    import torch

    with torch.no_grad():
        if hasattr(parameter, "ds_id"):
            import deepspeed

            with deepspeed.zero.GatheredParameters([parameter], modifier_rank=0):
                parameter.copy_(value)
        else:
            parameter.copy_(shard_like(value, parameter))


def shard_like(value: Tensor, like: Tensor) -> Tensor:
    """This process's share of the whole `value`, shared out as `like` is."""
    from torch.distributed.tensor import DTensor, distribute_tensor

    if not isinstance(like, DTensor):
        return value
    return distribute_tensor(value.to(like.device), like.device_mesh, like.placements)


def local_tensor(tensor: Tensor) -> Tensor:
    """What this process holds of a tensor (FSDP); under ZeRO-3, that ends whole, all of it."""
    if hasattr(tensor, "ds_id"):
        return full_tensor(tensor)
    part = getattr(tensor, "to_local", None)
    return part() if part is not None else tensor


def full_optimizer_state(optimizer: Any) -> dict[str, Any]:
    """The optimizer's state with whole tensors; every process must ask for it."""
    state: dict[str, Any] = optimizer.state_dict()
    moments = {
        number: {key: full_tensor(v) if hasattr(v, "shape") else v for key, v in values.items()}
        for number, values in state["state"].items()
    }
    return {**state, "state": moments}


def load_optimizer_state(optimizer: Any, state: Mapping[str, Any]) -> None:
    """Give `optimizer` the whole `state`, shared out as its parameters are."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    moments = {
        number: {
            key: shard_like(v, parameters[number]) if getattr(v, "ndim", 0) else v
            for key, v in values.items()
        }
        for number, values in state["state"].items()
    }
    optimizer.load_state_dict({**state, "state": moments})


def exit_out_of_memory(root: Path, budget: int, why: str) -> NoReturn:
    """Leave half the budget for the next run below `root` and end this process at once.

    The other processes wait within a pass and cannot be told; whoever launched them ends them.
    """
    import os
    import sys

    half = max(1, budget // 2)
    root.mkdir(parents=True, exist_ok=True)
    write_json(root / HALVED, {"tokens": half, "why": why, "device": device_name()})
    sys.stderr.write(
        f"out of memory ({why}) with {budget} tokens a pass; run again: it goes on from the last "
        f"checkpoint with {half}\n"
    )
    sys.stderr.flush()
    os._exit(EXIT_OUT_OF_MEMORY)


def halved_budget(root: Path) -> int | None:
    """The budget that a run out of memory on such a card left below `root`."""
    import json

    try:
        value = json.loads((root / HALVED).read_text(encoding="utf-8"))
        return int(value["tokens"]) if value["device"] == device_name() else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
