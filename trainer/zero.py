"""ZeRO by DeepSpeed (Rajbhandari et al. 2020, arXiv 1910.02054) under the trainer's own steps.

Stage 2 shares out the adapter's gradients and AdamW's moments and leaves the base whole on each
card; stage 3 shares out the base as well. DeepSpeed moves the data. A step's examples, its loss,
its learning rate and its files stay the trainer's, so a checkpoint of one process goes on here
and the other way round.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kofinlaw import UserError
from kofinlaw.trainer.loss import supervised_nll

if TYPE_CHECKING:
    from torch import Tensor

    from kofinlaw.trainer.settings import TrainSettings

MOMENTS = ("exp_avg", "exp_avg_sq")
RECIPES_OWN = ("optimizer", "scheduler", "fp16", "bf16", "amp", "torch_autocast")


def launched_stage() -> int:
    """The ZeRO stage (2 or 3) that `accelerate launch` asks for, 0 where it asks for none.

    Raises UserError for another stage, for a DeepSpeed file that sets what the recipe decides,
    and where DeepSpeed cannot be imported.
    """
    if os.environ.get("ACCELERATE_USE_DEEPSPEED", "false").lower() != "true":
        return 0
    config = _launched()
    stage = config["zero_optimization"].get("stage")
    if stage not in (2, 3):
        raise UserError(
            f"ZeRO stage {stage} is not supported",
            where="accelerate",
            remedy="launch with recipes/accelerate/zero2.yaml or zero3.yaml",
        )
    doubled = [key for key in RECIPES_OWN if _is_on(config.get(key))]
    if doubled:
        raise UserError(
            f"DeepSpeed's configuration sets {', '.join(doubled)}, which the recipe decides",
            where="accelerate",
            remedy="take it out; see train.dtype and train.optimizer",
        )
    return int(stage)


def check_settings(settings: TrainSettings, stage: int) -> None:
    """Raise UserError where ZeRO cannot train what is asked for."""
    if settings.optimizer != "adamw":
        raise UserError(
            f"ZeRO shares out the moments of adamw, not those of {settings.optimizer}",
            where="train.optimizer",
            remedy="set optimizer: adamw, or launch with recipes/accelerate/ddp.yaml",
        )
    if settings.dtype == "float16":
        raise UserError(
            "small float16 gradients would vanish: under ZeRO nothing scales them up",
            where="train.dtype",
            remedy="set dtype: bfloat16, or launch with recipes/accelerate/ddp.yaml",
        )
    if stage == 3 and settings.quantization != "none":
        raise UserError(
            f"{settings.quantization} weights cannot be shared out over processes (ZeRO-3)",
            where="train.quantization",
            remedy="launch with zero2.yaml, ddp.yaml or (nf4) fsdp.yaml of recipes/accelerate/",
        )


def engine_config(settings: TrainSettings, numbers: int) -> dict[str, Any]:
    """DeepSpeed's configuration: its ZeRO section as launched, all else as the recipe has it.

    One bucket holds the `numbers` that are trained (DeepSpeed's own default takes 2 GB), where
    the section does not say otherwise.
    """
    return {
        "zero_optimization": {"reduce_bucket_size": numbers, **_launched()["zero_optimization"]},
        "train_micro_batch_size_per_gpu": 1,  # the trainer counts examples and passes
        "gradient_accumulation_steps": 1,
        "managed_gradient_accumulation": False,  # a step is over when the trainer says so
        "gradient_clipping": settings.max_gradient_norm or 0.0,
        "zero_allow_untested_optimizer": True,  # torch's AdamW: no kernels to compile
        "zero_force_ds_cpu_optimizer": False,
    }


class Zero:
    """DeepSpeed's engine around a model: runs its passes and is its adapter's optimizer.

    Goes on with the moments that `optimizer` (plain AdamW over the adapter) holds. The model is
    whole until then; afterwards `sharding.full_tensor` gives its tensors.
    """

    def __init__(self, model: Any, optimizer: Any, settings: TrainSettings, stage: int) -> None:
        import deepspeed

        known = optimizer.state_dict()
        self.stage = stage
        self.optimizer = optimizer
        self.groups = known["param_groups"]
        self.parameters = [p for group in optimizer.param_groups for p in group["params"]]
        self.engine = deepspeed.initialize(
            model=_watched(model),
            optimizer=optimizer,
            config=engine_config(settings, sum(p.numel() for p in self.parameters)),
        )[0]
        self._start_moments(known["state"])

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """The groups whose `lr` the next update takes."""
        groups: list[dict[str, Any]] = self.optimizer.param_groups
        return groups

    def nll(self, ids: Tensor, positions: Tensor, targets: Tensor, chunk_rows: int) -> Tensor:
        """`loss.supervised_nll`; its backward pass sums the gradients and shares them out."""
        nll: Tensor = self.engine(ids, positions, targets, chunk_rows)
        return nll

    def update(self) -> float:
        """Clip the gradients of the passes since the last update, and step; returns their norm.

        Where it is not a number nothing is changed.
        """
        self.engine.step()
        if not self.engine.was_step_applied():
            return math.nan
        return float(self.engine.get_global_grad_norm())

    def forget(self) -> None:
        """Drop the gradients of a probe (stage 3; stage 2 starts after it)."""
        self.engine.optimizer.zero_grad()

    def state_dict(self) -> dict[str, Any]:
        """AdamW's state with whole tensors, as plain AdamW says it; all processes must ask."""
        from deepspeed.utils import safe_get_full_optimizer_state

        step = next(iter(self.optimizer.state.values()))["step"]
        state = {
            number: {"step": step.clone()}
            | {key: safe_get_full_optimizer_state(parameter, key) for key in MOMENTS}
            for number, parameter in enumerate(self.parameters)
        }
        return {"state": state, "param_groups": self.groups}

    def _start_moments(self, known: Mapping[int, Any]) -> None:
        # at once, not within the first step: a probe then counts them
        import torch

        inner = self.engine.optimizer
        if self.stage == 3:
            parts = inner.fp32_partitioned_groups_flat
        else:
            parts = inner.single_partition_of_fp32_groups
        self.optimizer.state.clear()  # it was by whole parameters
        for part in parts:
            step = known[0]["step"].clone() if known else torch.zeros(())
            zeros = {key: torch.zeros_like(part, requires_grad=False) for key in MOMENTS}
            self.optimizer.state[part] = {"step": step, **zeros}
        if self.stage == 2:
            inner._lazy_init_hp_params_optimizer_state()
        for number, values in known.items():
            for key in MOMENTS:
                self._give(self.parameters[number], key, values[key])

    def _give(self, parameter: Any, key: str, value: Tensor) -> None:
        import torch
        from deepspeed.utils import safe_set_full_optimizer_state, safe_set_local_optimizer_state

        if self.stage == 2:
            safe_set_full_optimizer_state(parameter, value, key)
            return
        share = value.new_zeros(parameter.ds_tensor.numel())  # the last process's is padded
        mine = value.flatten()[len(share) * torch.distributed.get_rank() :][: len(share)]
        share[: len(mine)] = mine
        safe_set_local_optimizer_state(parameter, share, key)


def _watched(model: Any) -> Any:
    """A module whose forward pass is the loss of some examples: what DeepSpeed hooks into."""
    import torch

    class Passes(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, *pass_: Any) -> Tensor:
            return supervised_nll(self.model, *pass_)

    return Passes()


def _launched() -> dict[str, Any]:
    """DeepSpeed's configuration as `accelerate launch` hands it on."""
    remedy = "pip install 'kofinlaw[deepspeed]', or launch with recipes/accelerate/fsdp.yaml"
    try:
        import deepspeed
    except ImportError as error:
        raise UserError(
            f"DeepSpeed cannot be imported: {error}", where="accelerate", remedy=remedy
        ) from error
    if not hasattr(deepspeed.DeepSpeedEngine, "managed_gradient_accumulation"):
        raise UserError(
            f"DeepSpeed {deepspeed.__version__} counts a step's passes itself, 0.19.8 does not",
            where="accelerate",
            remedy=remedy,
        )
    from accelerate.utils import DeepSpeedPlugin

    config: dict[str, Any] = DeepSpeedPlugin().deepspeed_config
    return config


def _is_on(section: Any) -> bool:
    return bool(section.get("enabled", True)) if isinstance(section, dict) else bool(section)
