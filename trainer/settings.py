"""Define and validate the `train:` section of a recipe."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from kofinlaw.data.prompting.contrast import ContrastForm, ContrastReference

__all__ = [
    "FEWEST_EXAMPLES",
    "FEWEST_STEPS",
    "ContrastSettings",
    "DataPart",
    "LoraSettings",
    "Objective",
    "Optimizer",
    "Quantization",
    "Schedule",
    "Tracking",
    "TrainSettings",
]

# One optimizer step changes an adapter so little that storage in 16 bit rounded 82 % of the change
# away (measured on 3 examples, a 270M model), and fewer than four steps end inside the warm-up.
FEWEST_STEPS = 4
FEWEST_EXAMPLES = 8

Quantization = Literal["none", "nf4", "int8"]
Optimizer = Literal["adamw", "adamw_8bit", "paged_adamw_8bit"]
Schedule = Literal["cosine", "linear", "constant"]
Tracking = Literal["tensorboard", "wandb", "mlflow"]
Objective = Literal["text", "contrast", "both"]


class LoraSettings(BaseModel):
    """The shape of the adapter (LoRA, Hu et al. 2021, arXiv 2106.09685).

    Raises pydantic's ValidationError for an unknown key or a value out of range; the recipe reader
    turns it into a UserError with the line.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rank: int = Field(default=16, ge=1, description="rank r of the update A·B")
    alpha: float = Field(default=32.0, gt=0, description="the update is scaled by alpha / rank")
    dropout: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="share of the adapter's inputs dropped during training; above 0 the split into "
        "micro-batches changes which inputs are dropped, so steps are exact only at 0",
    )
    targets: tuple[str, ...] | Literal["all-linear"] = Field(
        default="all-linear",
        description="names of the layers that get an adapter; the output head never gets one",
    )
    rank_stabilized: bool = Field(
        default=False,
        description="scale by alpha / √rank instead of alpha / rank (rsLoRA, arXiv 2312.03732)",
    )
    decomposed: bool = Field(
        default=False,
        description="train magnitude and direction of each weight separately (DoRA, 2402.09353)",
    )
    last_layers: int | None = Field(
        default=None,
        ge=1,
        description="adapt only this many layers, counted from the top; empty: all layers",
    )
    initialization: Literal["default", "pissa", "loftq"] = Field(
        default="default",
        description="how the adapter starts: default (no change to the base), pissa (the base's "
        "largest singular directions; needs a 16-bit base), loftq (the error of NF4; needs nf4)",
    )


class ContrastSettings(BaseModel):
    """How items to choose from are trained (`train.objective: contrast` or `both`).

    Raises pydantic's ValidationError for an unknown key or a value out of range; the recipe reader
    turns it into a UserError with the line.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    weight: float = Field(
        default=1.0, gt=0, description="factor of the loss of items, next to the loss of texts"
    )
    temperature: float = Field(
        default=0.5,
        gt=0,
        description="nats per token by which the preferences of the options are divided before "
        "the softmax; lower values stop earlier at items that are already right",
    )
    form: ContrastForm = Field(
        default="chat",
        description="prompts in the chat template or as plain text; the same as "
        "answer.contrast_form",
    )
    reference: ContrastReference = Field(
        default="bare",
        description="prompt whose scores are subtracted: without content (bare, trains the voter "
        "`contrast`), the stem without evidence (stem, trains `evidence`), or none (trains "
        "`likelihood`; costs least)",
    )
    detach_reference: bool = Field(
        default=False,
        description="whether the scores after the reference prompt, which are those of the model "
        "under training, get no gradient",
    )
    rows: Literal["auto", "packed", "separate"] = Field(
        default="auto",
        description="packed: the options of an item share one row; separate: a row for each; auto: "
        "packed where the model's attention allows it. The result is the same",
    )


class DataPart(BaseModel):
    """One further file of examples in the mixture."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path = Field(description="JSON Lines in one of the three accepted forms")
    weight: float = Field(
        default=1.0,
        gt=0,
        description="how often an epoch repeats each example of the file; 0.5 draws half of them",
    )


class TrainSettings(BaseModel):
    """Supervised fine-tuning. Lengths and budgets are in tokens, batches in examples.

    Raises pydantic's ValidationError for an unknown key or a value out of range; the recipe reader
    turns it into a UserError with the line.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    lora: LoraSettings = Field(default_factory=LoraSettings, description="shape of the adapter")
    quantization: Quantization = Field(
        default="nf4", description="format of the frozen base in memory: none (16-bit), nf4 or int8"
    )
    dtype: Literal["bfloat16", "float16", "float32"] = Field(
        default="bfloat16",
        description="number format of the unquantized weights and of the arithmetic",
    )
    learning_rate: float = Field(default=2e-4, gt=0, description="peak learning rate")
    learning_rate_ratio_b: float = Field(
        default=1.0,
        gt=0,
        description="learning rate of B divided by that of A (LoRA+, arXiv 2402.12354)",
    )
    optimizer: Optimizer = Field(
        default="adamw", description="adamw, or an 8-bit form of it, which needs CUDA"
    )
    weight_decay: float = Field(default=0.0, ge=0, description="decoupled weight decay of AdamW")
    max_gradient_norm: float = Field(
        default=1.0, ge=0, description="gradients are scaled down to this norm; 0 disables clipping"
    )
    schedule: Schedule = Field(
        default="cosine", description="decay of the learning rate after the warm-up"
    )
    warmup_share: float = Field(
        default=0.05, ge=0, lt=1, description="share of the steps with a rising rate"
    )

    objective: Objective = Field(
        default="text",
        description="what is learned: text (the answers), contrast (examples with a choice are "
        "asked as answer.choose_by: contrast asks, the others stay texts), both (such an example "
        "is a text and an item)",
    )
    contrast: ContrastSettings = Field(
        default_factory=ContrastSettings, description="how items to choose from are trained"
    )
    backend: Literal["hf", "liger"] = Field(
        default="hf",
        description="layers of the model: transformers' own, or norms, rotary embedding and SwiGLU "
        "by Liger's kernels (an extra, needs CUDA, not run yet)",
    )
    start_from: Path | None = Field(
        default=None,
        description="folder of a trained adapter to continue from; empty: a new adapter",
    )
    neftune_alpha: float | None = Field(
        default=None,
        gt=0,
        description="noise on the embeddings during training (NEFTune, 2310.05914); 5 is usual",
    )
    mixture: tuple[DataPart, ...] = Field(
        default=(), description="further files of examples, each with its weight"
    )
    effective_batch: int = Field(
        default=16, ge=1, description="examples in a step, over all micro-batches and processes"
    )
    effective_batch_tokens: int | None = Field(
        default=None,
        ge=1,
        description="supervised tokens in a step: the step ends with the example that reaches this "
        "number; empty: a step has effective_batch examples",
    )
    epochs: float = Field(default=1.0, gt=0, description="passes over the examples")
    max_steps: int | None = Field(default=None, ge=1, description="stop after this many steps")
    max_tokens: int | None = Field(
        default=None,
        ge=1,
        description="stop before the step that would exceed this many real tokens in total",
    )
    max_length: int = Field(
        default=2048,
        ge=8,
        description="longest example in tokens; longer examples are rejected, never truncated",
    )

    max_tokens_per_micro_batch: int | Literal["auto"] = Field(
        default="auto",
        description="padded tokens in one forward pass; auto measures the memory first. The value "
        "limits memory and affects speed, but never changes the result",
    )
    memory_limit_gib: float | None = Field(
        default=None,
        gt=0,
        description="memory limit of a process in GiB; empty: the GPU memory, or four fifths of "
        "the free RAM (divided by the number of processes on the machine)",
    )
    gradient_checkpointing: bool | Literal["auto"] = Field(
        default="auto",
        description="recompute layers in the backward pass; auto: on with CUDA, off on a CPU",
    )
    kept_layers: int | Literal["auto"] = Field(
        default="auto",
        description="layers, counted from the top, that gradient_checkpointing does not recompute; "
        "auto: as many as make steps fastest in the memory that max_tokens_per_micro_batch: auto "
        "measures, 0 with a fixed number of tokens. The result is the same",
    )
    attention: Literal["auto", "sdpa", "eager"] = Field(
        default="auto",
        description="attention implementation; auto: sdpa with CUDA, eager on a CPU (faster there)",
    )
    padding_free: bool | Literal["auto"] = Field(
        default="auto",
        description="lay the examples of a pass end to end, without padding; attention sees each "
        "one alone. auto: with CUDA, for models and objectives where the states are the same",
    )
    head_chunk_rows: int = Field(
        default=256,
        ge=1,
        description="number of supervised positions whose logits exist at the same time",
    )

    checkpoint_steps: int = Field(default=25, ge=1, description="steps between two checkpoints")
    keep_checkpoints: int = Field(
        default=2, ge=1, description="number of newest checkpoints to keep"
    )
    resume_elsewhere: bool = Field(
        default=False,
        description="continue a checkpoint that was made on another device or with another number "
        "of processes; the adapter then equals that of an uninterrupted run to rounding only, and "
        "its record names both",
    )
    evaluation_share: float = Field(
        default=0.0,
        ge=0,
        le=0.5,
        description="share of the examples that is held out for the evaluation loss",
    )
    evaluation_steps: int = Field(default=50, ge=1, description="steps between two evaluations")
    patience: int | None = Field(
        default=None, ge=1, description="stop after this many evaluations without a better loss"
    )
    report_to: tuple[Tracking, ...] = Field(
        default=(),
        description="trackers in addition to metrics.jsonl, all offline in the run's folder (extra "
        "track)",
    )

    @property
    def fewest_examples(self) -> int:
        """The fewest examples that can train: enough for four optimizer steps, at least eight."""
        for_steps = math.floor((FEWEST_STEPS - 1) * self.effective_batch / self.epochs) + 1
        return max(FEWEST_EXAMPLES, for_steps)

    def starting_below(self, base: Path | None) -> Self:
        """Return a copy whose relative `start_from` is resolved against the folder `base`."""
        if self.start_from is None:
            return self
        return self.model_copy(update={"start_from": (base or Path()) / self.start_from})

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.patience is not None and self.evaluation_share == 0:
            raise ValueError("patience needs held-out examples: set evaluation_share above 0")
        if self.neftune_alpha is not None and self.objective != "text":
            raise ValueError("neftune_alpha works with objective: text only")
        if self.lora.decomposed and self.quantization == "int8":
            raise ValueError("lora.decomposed works with quantization none or nf4, not int8")
        start = self.lora.initialization
        if start == "pissa" and (self.quantization != "none" or self.lora.decomposed):
            raise ValueError(
                "lora.initialization: pissa changes the base's weights and therefore needs "
                "quantization: none and no lora.decomposed"
            )
        if start == "loftq" and self.quantization != "nf4":
            raise ValueError("lora.initialization: loftq needs quantization: nf4")
        if start != "default" and self.start_from is not None:
            raise ValueError(
                f"lora.initialization: {start} and start_from exclude each other: use one of them"
            )
        budget = self.max_tokens_per_micro_batch
        if budget != "auto" and budget < 1:
            raise ValueError("max_tokens_per_micro_batch must be at least 1, or auto")
        if self.kept_layers != "auto" and self.kept_layers < 0:
            raise ValueError("kept_layers must be at least 0, or auto")
        return self
