"""Preference tuning (DPO, Rafailov et al. 2023, arXiv 2305.18290) through TRL, on pairs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kofinlaw import Progress, UserError, __version__, silent
from kofinlaw.files import read_json_lines
from kofinlaw.models.templates import ChatTemplate
from kofinlaw.trainer import adapter as adapters
from kofinlaw.trainer.batching import StepPlan, plan_steps
from kofinlaw.trainer.encoding import Encoded, ExampleError, encode_example
from kofinlaw.trainer.guards import one_at_a_time
from kofinlaw.trainer.optimization import learning_rate, make_optimizer, set_learning_rate
from kofinlaw.trainer.preference_settings import PreferenceSettings, reject_unsupported
from kofinlaw.trainer.ranks import open_ranks
from kofinlaw.trainer.run_record import save_adapter
from kofinlaw.trainer.settings import TrainSettings
from kofinlaw.trainer.trainee import Trainee, load_trainee


@dataclass(frozen=True, slots=True)
class Pair:
    """Two answers to one prompt; both share the tokens before position `start`."""

    chosen: Encoded
    rejected: Encoded
    start: int

    def row(self) -> dict[str, list[int]]:
        """The pair as TRL's collator reads it."""
        return {
            "prompt_ids": self.chosen.tokens[: self.start].tolist(),
            "chosen_ids": self.chosen.tokens[self.start :].tolist(),
            "rejected_ids": self.rejected.tokens[self.start :].tolist(),
        }


def read_pairs(
    path: Path, template: ChatTemplate, encode: Callable[[str], list[int]], *, max_length: int
) -> list[Pair]:
    """Pairs of answers as token ids: lines with `id`, `messages`, `chosen` and `rejected`.

    `messages` end with the question; the answers are two texts. Each is rendered and tokenised as
    in supervised training, the stop token behind it. Raises UserError, with file and line, where
    a pair cannot be used or is longer than `max_length` tokens.
    """
    pairs = []
    for line, value in read_json_lines(path):
        where = f"{path}:{line}"
        messages = value.get("messages")
        answers = [value.get("chosen"), value.get("rejected")]
        if not isinstance(messages, list) or not all(isinstance(a, str) for a in answers):
            raise UserError("a pair needs `messages`, `chosen` and `rejected`", where=where)
        if answers[0] == answers[1]:
            raise UserError("chosen and rejected are the same text", where=where)
        try:
            chosen, rejected = (
                encode_example(
                    {
                        "id": str(line),
                        "messages": [*messages, {"role": "assistant", "content": answer}],
                    },
                    template,
                    encode,
                    max_length,
                    template.stop,
                )
                for answer in answers
            )
        except ExampleError as error:
            raise UserError(str(error), where=where) from error
        start = int(np.flatnonzero(~chosen.supervised)[-1]) + 1
        pairs.append(Pair(chosen, rejected, start))
    if not pairs:
        raise UserError("no pairs to train on", where=str(path))
    return pairs


def train_preferences(
    settings: TrainSettings,
    preference: PreferenceSettings,
    model_folder: Path,
    pairs: Path,
    out: Path,
    *,
    template: ChatTemplate,
    seed: int,
    model_id: str = "",
    base: Path | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Tune an adapter on `pairs` and write `out/adapter`, as `sft.train` does; returns figures.

    Adapter, optimizer, effective batch (in pairs), steps and their order, schedule and caps are
    those of supervised training (a pair's tokens are those of both texts). `settings.start_from`,
    below `base` where it is relative, is the usual start; the reference is the model as it starts.
    TRL cuts the batch by `pairs_per_pass`, evenly: the effective batch must be a multiple of it.
    No checkpoints: a run that is cut off starts anew.

    Raises UserError for bad pairs, a pair longer than `max_length`, settings it does not heed, and
    more than one process.
    """
    reject_unsupported(settings, preference)
    settings = settings.starting_below(base)
    if settings.backend == "unsloth":
        from kofinlaw.trainer.unsloth_backend import require

        require()
    from kofinlaw.models.tokenizer import load_tokenizer

    ranks = open_ranks()
    if ranks.count > 1:
        raise UserError("preference tuning runs in one process", where="accelerate")
    encode = load_tokenizer(model_folder).encode
    rows = read_pairs(pairs, template, encode, max_length=settings.max_length)
    with one_at_a_time(out, holds=True):
        answers = [answer for pair in rows for answer in (pair.chosen, pair.rejected)]
        trainee = load_trainee(settings, model_folder, answers, ranks, seed=seed)
        plan = plan_steps(
            [len(pair.chosen) + len(pair.rejected) for pair in rows],
            seed=seed,
            batch=settings.effective_batch,
            epochs=settings.epochs,
            max_steps=settings.max_steps,
            max_tokens=settings.max_tokens,
        )
        history = _run(settings, preference, model_folder, rows, plan, trainee, out, progress)
        figures = {"examples": len(rows), **history}
        adapters.check_frozen(trainee.model, trainee.frozen)
        figures["unmoved_tensors"] = len(
            adapters.unchanged_parameters(trainee.model, trainee.start)
        )
        save_adapter(
            out / "adapter",
            settings,
            trainee,
            adapters.gathered_tensors(trainee.model),
            figures,
            base_id=model_id or model_folder.name,
            template=template,
            fingerprints={"version": __version__},
            preference=preference.model_dump(),
        )
    return figures


def _run(
    settings: TrainSettings,
    preference: PreferenceSettings,
    folder: Path,
    rows: Sequence[Pair],
    plan: StepPlan,
    trainee: Trainee,
    out: Path,
    progress: Progress,
) -> dict[str, Any]:
    import torch
    import transformers
    from datasets import Dataset
    from trl import DPOConfig, DPOTrainer

    cuda = torch.cuda.is_available()
    config = DPOConfig(
        output_dir=str(out / "trl"),
        beta=preference.beta,
        loss_type=[preference.loss],
        per_device_train_batch_size=preference.pairs_per_pass,
        gradient_accumulation_steps=settings.effective_batch // preference.pairs_per_pass,
        max_steps=plan.steps,
        train_sampling_strategy="sequential",  # the rows stand in the plan's order
        max_length=settings.max_length,
        max_grad_norm=settings.max_gradient_norm,
        gradient_checkpointing=False,  # as load_trainee has set it
        bf16=cuda and settings.dtype == "bfloat16",
        fp16=False,
        use_cpu=not cuda,
        seed=plan.seed,
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )

    class Trainer(DPOTrainer):
        """TRL's, on rows that are tokens already: its own tokenising adds BOS and EOS."""

        def _prepare_dataset(self, dataset: Any, *_: Any, **__: Any) -> Any:
            return dataset

    class Told(transformers.TrainerCallback):
        """Hands each step's loss to `progress`."""

        def on_log(self, args: Any, state: Any, control: Any, **more: Any) -> None:
            if "loss" in more["logs"]:
                loss = more["logs"]["loss"]
                progress("preference", state.global_step, state.max_steps, loss=loss)

    optimizer = make_optimizer(trainee.model, settings)
    set_learning_rate(optimizer, settings.learning_rate)

    def share_of_peak(step: int) -> float:
        return learning_rate(step, plan.steps, settings) / settings.learning_rate

    order = [row for step in range(plan.steps) for row in plan.members(step)]
    trainer = Trainer(
        model=trainee.model,
        args=config,
        train_dataset=Dataset.from_list([rows[number].row() for number in order]),
        processing_class=transformers.AutoTokenizer.from_pretrained(folder),
        optimizers=(optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, share_of_peak)),
        callbacks=[Told()],
    )
    trainer.remove_callback(transformers.PrinterCallback)  # `progress` says it
    for name, parameter in adapters.trainable(trainee.model):
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
