"""The processes of a run and the little they tell each other.

With a whole model on each (DDP) every micro-batch runs without communication; a step has one
agreement (a few flags) and one sum (the adapter's gradients). A process that runs out of memory
therefore leaves nobody waiting. With a shared model (FSDP) and under ZeRO passes communicate: all
processes must run the same number of passes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kofinlaw import UserError

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Ranks:
    """This process's number, how many there are, its device, and whether they share one model.

    `sharded`: their passes communicate. `zero` is DeepSpeed's stage, 0 without it.
    """

    rank: int
    count: int
    device: Any
    sharded: bool = False
    zero: int = 0

    @property
    def shares_base(self) -> bool:
        """Whether no process holds the whole base (FSDP, ZeRO-3)."""
        return self.sharded and self.zero != 2

    @property
    def is_main(self) -> bool:
        """Whether this process writes the files."""
        return self.rank == 0

    def all_reduce_max(self, values: Sequence[float]) -> list[float]:
        """The largest of each value over the processes."""
        if self.count == 1:
            return list(values)
        import torch
        import torch.distributed as distributed

        tensor = torch.tensor(values, dtype=torch.float64, device=self.device)
        distributed.all_reduce(tensor, op=distributed.ReduceOp.MAX)
        return tensor.tolist()

    def all_reduce_sum(self, values: Sequence[float]) -> list[float]:
        """The sum of each value over the processes."""
        if self.count == 1:
            return list(values)
        import torch
        import torch.distributed as distributed

        tensor = torch.tensor(values, dtype=torch.float64, device=self.device)
        distributed.all_reduce(tensor)
        return tensor.tolist()

    def sum_gradients_(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor by its sum over the processes, in one message."""
        if self.count == 1 or not tensors:
            return
        import torch
        import torch.distributed as distributed

        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        distributed.all_reduce(flat)
        start = 0
        for tensor in tensors:
            tensor.copy_(flat[start : start + tensor.numel()].view_as(tensor))
            start += tensor.numel()

    def barrier(self) -> None:
        """Go on when all processes have come here."""
        if self.count > 1:
            import torch.distributed as distributed

            distributed.barrier()


def open_ranks() -> Ranks:
    """The processes as `accelerate launch` (or torchrun) started them; one where nothing did.

    Raises UserError for what accelerate can start and the trainer cannot use.
    """
    import os

    import torch
    from accelerate import PartialState
    from accelerate.utils import DistributedType

    from kofinlaw.trainer.zero import launched_stage

    zero = launched_stage()
    state = PartialState(cpu=not torch.cuda.is_available())
    known = (DistributedType.NO, DistributedType.MULTI_CPU, DistributedType.MULTI_GPU)
    if not zero and state.distributed_type not in known:
        raise UserError(
            f"{state.distributed_type.value} is not supported: it steps in a loop of its own",
            where="accelerate",
            remedy="launch with a file of recipes/accelerate/",
        )
    if zero:
        return Ranks(state.process_index, state.num_processes, state.device, True, zero)
    asked = os.environ.get("ACCELERATE_USE_FSDP", "false").lower() == "true"
    sharded = asked and state.num_processes > 1
    if sharded:
        # else transformers gives weights to the first process alone and noise to the others
        os.environ["FSDP_CPU_RAM_EFFICIENT_LOADING"] = "false"
    return Ranks(state.process_index, state.num_processes, state.device, sharded)
