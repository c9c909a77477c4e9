"""Run the trainer's steps under ZeRO by DeepSpeed (Rajbhandari et al. 2020, arXiv 1910.02054).

Stage 2 shards the gradients of the adapter and the moments of AdamW and keeps the whole base on
each card. Stage 3 shards the base as well. DeepSpeed moves the data. The trainer still decides the
examples of a step, the loss, the learning rate and the files, so a run can resume under ZeRO from
the checkpoint of one process, and the other way round.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from typing import TypedDict

import torch
from torch import Tensor, distributed
from torch.nn import Module
from torch.optim import Optimizer

from kofinlaw import UserError
from kofinlaw.trainer.contrast.attention import RowLayout
from kofinlaw.trainer.loss import token_nll
from kofinlaw.trainer.settings import TrainSettings

__all__ = [
    "MOMENTS",
    "RECIPE_SECTIONS",
    "LossModule",
    "OptimizerState",
    "Zero",
    "check_settings",
    "engine_config",
    "launched_stage",
]

MOMENTS = ("exp_avg", "exp_avg_sq")
# Sections of DeepSpeed's configuration that the recipe decides.
RECIPE_SECTIONS = ("optimizer", "scheduler", "fp16", "bf16", "amp", "torch_autocast")


class OptimizerState(TypedDict):
    """The return value of `Optimizer.state_dict`: values by parameter number, and the groups."""

    state: Mapping[int, Mapping[str, object]]
    param_groups: list[dict[str, object]]


def launched_stage() -> int:
    """Return the ZeRO stage (2 or 3) that `accelerate launch` was started with, 0 without ZeRO.

    Raises UserError for another stage, for a DeepSpeed file that sets what the recipe decides, and
    if DeepSpeed cannot be imported.
    """
    if os.environ.get("ACCELERATE_USE_DEEPSPEED", "false").lower() != "true":
        return 0
    config = _launched_config()
    stage = _zero_section(config).get("stage")
    if stage not in (2, 3):
        raise UserError(
            f"ZeRO stage {stage} is not supported",
            where="accelerate",
            remedy="launch with recipes/accelerate/zero2.yaml or zero3.yaml",
        )
    doubled = [key for key in RECIPE_SECTIONS if _is_on(config.get(key))]
    if doubled:
        raise UserError(
            f"DeepSpeed's configuration sets {', '.join(doubled)}, which the recipe decides",
            where="accelerate",
            remedy="remove it from that configuration, and set train.dtype and train.optimizer",
        )
    return 2 if stage == 2 else 3


def check_settings(settings: TrainSettings, stage: int) -> None:
    """Raise UserError if ZeRO of this stage cannot train with `settings`."""
    if settings.optimizer != "adamw":
        raise UserError(
            f"ZeRO shards the moments of adamw, not those of {settings.optimizer}",
            where="train.optimizer",
            remedy="set optimizer: adamw, or launch with recipes/accelerate/ddp.yaml",
        )
    if settings.dtype == "float16":
        raise UserError(
            "small float16 gradients would vanish: ZeRO does not scale the loss",
            where="train.dtype",
            remedy="set dtype: bfloat16, or launch with recipes/accelerate/ddp.yaml",
        )
    if stage == 3 and settings.quantization != "none":
        raise UserError(
            f"{settings.quantization} weights cannot be sharded over processes (ZeRO-3)",
            where="train.quantization",
            remedy="launch with zero2.yaml, ddp.yaml or (nf4) fsdp.yaml of recipes/accelerate/",
        )


def engine_config(settings: TrainSettings, numbers: int) -> dict[str, object]:
    """Return DeepSpeed's configuration: its ZeRO section as launched, the rest from the recipe.

    One bucket holds all `numbers` trained numbers (DeepSpeed's default takes 2 GB), unless the
    section says otherwise.
    """
    return {
        "zero_optimization": {"reduce_bucket_size": numbers, **_zero_section(_launched_config())},
        "train_micro_batch_size_per_gpu": 1,  # the trainer counts examples and passes
        "gradient_accumulation_steps": 1,
        "managed_gradient_accumulation": False,  # the trainer decides when a step ends
        "gradient_clipping": settings.max_gradient_norm or 0.0,
        "zero_allow_untested_optimizer": True,  # torch's AdamW: no kernels to compile
        "zero_force_ds_cpu_optimizer": False,
    }


class Zero:
    """DeepSpeed's engine around a model: it runs the passes and is the optimizer of the adapter.

    It starts with the moments in `optimizer` (plain AdamW over the adapter). Afterwards the model
    may be sharded; `sharding.full_tensor` returns its tensors.
    """

    def __init__(
        self, model: Module, optimizer: Optimizer, settings: TrainSettings, stage: int
    ) -> None:
        import deepspeed

        known = optimizer.state_dict()
        self.stage = stage
        self.optimizer = optimizer
        self.groups = known["param_groups"]
        self.parameters = [p for group in optimizer.param_groups for p in group["params"]]
        self.engine = deepspeed.initialize(
            model=LossModule(model),
            optimizer=optimizer,
            config=engine_config(settings, sum(p.numel() for p in self.parameters)),
        )[0]
        self._start_moments(known["state"])

    @property
    def param_groups(self) -> list[dict[str, float]]:
        """The parameter groups; the next update uses their `lr`."""
        return self.optimizer.param_groups

    def nll(
        self,
        ids: Tensor,
        positions: Tensor,
        targets: Tensor,
        chunk_rows: int,
        layout: RowLayout | None,
    ) -> Tensor:
        """See `loss.token_nll`; the backward pass sums and shards the gradients."""
        return self.engine(ids, positions, targets, chunk_rows, layout)

    def update(self) -> float:
        """Clip the gradients since the last update, step, and return the norm of the gradients.

        If the norm is not a number, nothing is changed and NaN is returned.
        """
        self.engine.step()
        if not self.engine.was_step_applied():
            return math.nan
        return float(self.engine.get_global_grad_norm())

    def zero_grad(self) -> None:
        """Drop the gradients of a probe (stage 3; stage 2 starts after the probe)."""
        self.engine.optimizer.zero_grad()

    def state_dict(self) -> OptimizerState:
        """Return the state of plain AdamW with whole tensors; all processes must call this."""
        from deepspeed.utils import safe_get_full_optimizer_state

        step = next(iter(self.optimizer.state.values()))["step"]
        state = {
            number: {"step": step.clone()}
            | {key: safe_get_full_optimizer_state(parameter, key) for key in MOMENTS}
            for number, parameter in enumerate(self.parameters)
        }
        return {"state": state, "param_groups": self.groups}

    def _start_moments(self, known: Mapping[int, Mapping[str, Tensor]]) -> None:
        """Create the sharded moments at once, so that a probe of the memory counts them."""
        inner = self.engine.optimizer
        if self.stage == 3:
            parts = inner.fp32_partitioned_groups_flat
        else:
            parts = inner.single_partition_of_fp32_groups
        self.optimizer.state.clear()  # its keys were the whole parameters
        for part in parts:
            step = known[0]["step"].clone() if known else torch.zeros(())
            zeros = {key: torch.zeros_like(part, requires_grad=False) for key in MOMENTS}
            self.optimizer.state[part] = {"step": step, **zeros}
        if self.stage == 2:
            inner._lazy_init_hp_params_optimizer_state()
        for number, values in known.items():
            for key in MOMENTS:
                self._set_moment(self.parameters[number], key, values[key])

    def _set_moment(self, parameter: Tensor, key: str, value: Tensor) -> None:
        from deepspeed.utils import safe_set_full_optimizer_state, safe_set_local_optimizer_state

        if self.stage == 2:
            safe_set_full_optimizer_state(parameter, value, key)
            return
        share = value.new_zeros(parameter.ds_tensor.numel())  # the last process's is padded
        mine = value.flatten()[len(share) * distributed.get_rank() :][: len(share)]
        share[: len(mine)] = mine
        safe_set_local_optimizer_state(parameter, share, key)


class LossModule(Module):
    """A module whose forward pass is the loss of some tokens; DeepSpeed hooks into it."""

    def __init__(self, model: Module) -> None:
        super().__init__()
        self.model = model

    def forward(
        self,
        ids: Tensor,
        positions: Tensor,
        targets: Tensor,
        chunk_rows: int,
        layout: RowLayout | None,
    ) -> Tensor:
        """See `loss.token_nll`."""
        return token_nll(self.model, ids, positions, targets, chunk_rows, layout)


def _launched_config() -> Mapping[str, object]:
    """Return DeepSpeed's configuration as `accelerate launch` passes it to this process."""
    remedy = "pip install 'kofinlaw[deepspeed]', or launch with recipes/accelerate/fsdp.yaml"
    try:
        import deepspeed
    except ImportError as error:
        raise UserError(
            f"DeepSpeed cannot be imported: {error}", where="accelerate", remedy=remedy
        ) from error
    if not hasattr(deepspeed.DeepSpeedEngine, "managed_gradient_accumulation"):
        raise UserError(
            f"DeepSpeed {deepspeed.__version__} counts the passes of a step itself, but 0.19.8 "
            "does not",
            where="accelerate",
            remedy=remedy,
        )
    from accelerate.utils import DeepSpeedPlugin

    return DeepSpeedPlugin().deepspeed_config


def _zero_section(config: Mapping[str, object]) -> Mapping[str, object]:
    """Return the section `zero_optimization`, which accelerate always sets."""
    section = config["zero_optimization"]
    assert isinstance(section, Mapping)
    return section


def _is_on(section: object) -> bool:
    return bool(section.get("enabled", True)) if isinstance(section, Mapping) else bool(section)
