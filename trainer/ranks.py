"""Provide the distributed context: rank, world size, and the collectives that a step needs.

With a whole model in each process (DDP) the micro-batches run without communication. A step needs
one agreement on a few flags and one sum of the adapter's gradients. If a process runs out of
memory, no other process waits for it. With a sharded model (FSDP) and under ZeRO the passes
communicate, so all processes must run the same number of passes.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, distributed

from kofinlaw import UserError
from kofinlaw.trainer.zero import launched_stage

__all__ = ["Ranks", "open_ranks"]


@dataclass(frozen=True)
class Ranks:
    """This process (`rank`) among `world_size` processes, and its device.

    `sharded` means that passes communicate. `zero_stage` is DeepSpeed's stage, 0 without DeepSpeed.
    """

    rank: int
    world_size: int
    device: torch.device
    sharded: bool = False
    zero_stage: int = 0

    @property
    def shards_base(self) -> bool:
        """Whether no process holds the whole base (FSDP, ZeRO-3)."""
        return self.sharded and self.zero_stage != 2

    @property
    def is_main(self) -> bool:
        """Whether this process writes the files."""
        return self.rank == 0

    def all_reduce_max(self, values: Sequence[float]) -> list[float]:
        """Return the maximum of each value over the processes."""
        if self.world_size == 1:
            return list(values)
        tensor = torch.tensor(values, dtype=torch.float64, device=self.device)
        distributed.all_reduce(tensor, op=distributed.ReduceOp.MAX)
        return tensor.tolist()

    def all_reduce_sum(self, values: Sequence[float]) -> list[float]:
        """Return the sum of each value over the processes."""
        if self.world_size == 1:
            return list(values)
        tensor = torch.tensor(values, dtype=torch.float64, device=self.device)
        distributed.all_reduce(tensor)
        return tensor.tolist()

    def sum_gradients_(self, gradients: Sequence[Tensor]) -> None:
        """Replace each tensor by its sum over the processes, in one message."""
        if self.world_size == 1 or not gradients:
            return
        flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
        distributed.all_reduce(flat)
        start = 0
        for gradient in gradients:
            gradient.copy_(flat[start : start + gradient.numel()].view_as(gradient))
            start += gradient.numel()

    def barrier(self) -> None:
        """Wait until all processes have called this."""
        if self.world_size > 1:
            distributed.barrier()


def open_ranks() -> Ranks:
    """Join the processes that `accelerate launch` or torchrun started; without them, use one.

    Raises UserError for a kind of launch that accelerate supports and the trainer does not, and as
    `zero.launched_stage`.
    """
    from accelerate import PartialState
    from accelerate.utils import DistributedType

    zero_stage = launched_stage()
    state = PartialState(cpu=not torch.cuda.is_available())
    known = (DistributedType.NO, DistributedType.MULTI_CPU, DistributedType.MULTI_GPU)
    if not zero_stage and state.distributed_type not in known:
        raise UserError(
            f"{state.distributed_type.value} is not supported: it needs its own training loop",
            where="accelerate",
            remedy="launch with a file of recipes/accelerate/",
        )
    if zero_stage:
        return Ranks(state.process_index, state.num_processes, state.device, True, zero_stage)
    asked = os.environ.get("ACCELERATE_USE_FSDP", "false").lower() == "true"
    sharded = asked and state.num_processes > 1
    if sharded:
        # Otherwise transformers loads the weights in the first process only and leaves the other
        # processes with random values.
        os.environ["FSDP_CPU_RAM_EFFICIENT_LOADING"] = "false"
    return Ranks(state.process_index, state.num_processes, state.device, sharded)
