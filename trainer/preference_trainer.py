"""Run TRL's DPO trainer on encoded pairs.

It imports transformers and TRL, which takes seconds: only the command `prefer` imports it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypedDict

import torch
from datasets import Dataset
from torch.optim.lr_scheduler import LambdaLR
from transformers import (
    AutoTokenizer,
    PrinterCallback,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)
from trl import DPOConfig, DPOTrainer

from kofinlaw import Progress
from kofinlaw.trainer.adapter import trainable
from kofinlaw.trainer.batching import StepPlan
from kofinlaw.trainer.optimization import learning_rate, make_optimizer, set_learning_rate
from kofinlaw.trainer.preference_settings import PreferenceSettings
from kofinlaw.trainer.settings import TrainSettings
from kofinlaw.trainer.trainee import Trainee

__all__ = ["EncodedPairTrainer", "LossProgress", "PreferenceFigures", "run_dpo"]


class PreferenceFigures(TypedDict):
    """TRL's figures of the first and the last step."""

    steps: int
    loss_first: float
    loss_last: float
    margin_last: float
    accuracy_last: float


class EncodedPairTrainer(DPOTrainer):
    """TRL's trainer on rows of tokens; TRL's own tokenising would add BOS and EOS."""

    def _prepare_dataset(self, dataset: Dataset, *_: object, **__: object) -> Dataset:
        return dataset


class LossProgress(TrainerCallback):
    """Reports the loss of each step to `progress`."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: Mapping[str, float] | None = None,
        **more: object,
    ) -> None:
        """Report the loss, if this line of the log has one."""
        if logs is not None and "loss" in logs:
            self.progress("preference", state.global_step, state.max_steps, loss=logs["loss"])


def run_dpo(
    settings: TrainSettings,
    preference: PreferenceSettings,
    folder: Path,
    rows: Sequence[Mapping[str, list[int]]],
    plan: StepPlan,
    trainee: Trainee,
    out: Path,
    progress: Progress,
) -> PreferenceFigures:
    """Train the adapter of `trainee` on `rows` (see `preference.Pair.row`) in the order of `plan`.

    `folder` is the folder of the base, for its tokenizer; TRL writes below `out`.
    """
    cuda = torch.cuda.is_available()
    config = DPOConfig(
        output_dir=str(out / "trl"),
        beta=preference.beta,
        loss_type=[preference.loss],
        per_device_train_batch_size=preference.pairs_per_pass,
        gradient_accumulation_steps=settings.effective_batch // preference.pairs_per_pass,
        max_steps=plan.steps,
        train_sampling_strategy="sequential",  # the rows are in the order of the plan
        max_length=settings.max_length,
        max_grad_norm=settings.max_gradient_norm,
        gradient_checkpointing=False,  # `load_trainee` has set it
        bf16=cuda and settings.dtype == "bfloat16",
        fp16=False,
        use_cpu=not cuda,
        seed=plan.seed,
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )
    optimizer = make_optimizer(trainee.model, settings)
    set_learning_rate(optimizer, settings.learning_rate)

    def share_of_peak(step: int) -> float:
        return learning_rate(step, plan.steps, settings) / settings.learning_rate

    order = [row for step in range(plan.steps) for row in plan.members(step)]
    trainer = EncodedPairTrainer(
        model=trainee.model,
        args=config,
        train_dataset=Dataset.from_list([rows[number] for number in order]),
        processing_class=AutoTokenizer.from_pretrained(folder),
        optimizers=(optimizer, LambdaLR(optimizer, share_of_peak)),
        callbacks=[LossProgress(progress)],
    )
    trainer.remove_callback(PrinterCallback)  # `progress` reports the loss
    for name, parameter in trainable(trainee.model):
        parameter.data = trainee.start[name].clone()  # TRL rounds a 4-bit base's adapter to bf16
    trainer.train()
    lines = [line for line in trainer.state.log_history if "loss" in line]
    return {
        "steps": trainer.state.global_step,
        "loss_first": round(lines[0]["loss"], 6),
        "loss_last": round(lines[-1]["loss"], 6),
        "margin_last": round(lines[-1].get("rewards/margins", 0.0), 6),
        "accuracy_last": round(lines[-1].get("rewards/accuracies", 0.0), 6),
    }
