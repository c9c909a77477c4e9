"""Supervised fine-tuning of an adapter: exact steps, checkpoints, exact resume."""

from __future__ import annotations

import json
import math
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

from kofinlaw import Progress, UserError, __version__, silent
from kofinlaw.data.files import JsonlAppender, sha256_text, write_json, write_jsonl, write_text
from kofinlaw.models.templates import ChatTemplate
from kofinlaw.trainer import adapter as adapters
from kofinlaw.trainer import checkpoint as checkpoints
from kofinlaw.trainer.base_identity import base_sha256
from kofinlaw.trainer.batching import StepPlan, plan_steps
from kofinlaw.trainer.dataset import read_dataset
from kofinlaw.trainer.encoding import Encoded, length_record, show_example
from kofinlaw.trainer.guards import EXIT_SAVED, Saved, one_at_a_time, termination
from kofinlaw.trainer.lora_pass import quicken
from kofinlaw.trainer.optimization import learning_rate, make_optimizer, set_learning_rate
from kofinlaw.trainer.out_of_memory import (
    GIB,
    memory_in_use,
    memory_limit,
    peak_memory,
    release,
    reset_peak,
)
from kofinlaw.trainer.probe import probe_budget
from kofinlaw.trainer.ranks import Ranks, open_ranks
from kofinlaw.trainer.settings import TrainSettings
from kofinlaw.trainer.state import RunState, cut_metrics, metrics_line
from kofinlaw.trainer.step import Stepper

__all__ = ["EXIT_SAVED", "Resume", "Saved", "train"]

Resume = Literal["never", "always", "if-possible"]

# What may change between two runs without making another model: memory, speed, files.
FREE_KEYS = {
    "max_tokens_per_micro_batch",
    "memory_limit_gib",
    "head_chunk_rows",
    "checkpoint_steps",
    "keep_checkpoints",
    "gradient_checkpointing",
    "mixture",  # the data's fingerprint covers what is in it
}


def train(
    settings: TrainSettings,
    model_folder: Path,
    examples: Path,
    out: Path,
    *,
    template: ChatTemplate,
    seed: int,
    resume: Resume = "if-possible",
    model_id: str = "",
    base: Path | None = None,
    progress: Progress = silent,
    on_micro_batch: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Train an adapter on `examples` (JSON Lines, see docs/trainer.md) and write it to `out`.

    Writes `adapter/` (peft's files, `kofinlaw.json`, the chat template), `metrics.jsonl` (a line a
    step), `lengths.json`, `first_example.txt`, `rejected.jsonl` and `checkpoints/`. A run that was
    cut off goes on from its newest whole checkpoint and ends with the same weights, bit for bit on
    one kind of CPU with as many threads. `model_id` names the base in the adapter's record; `base`
    is where relative paths of `settings.mixture` start. Started by `accelerate launch`, the
    processes share the work and the first one writes. `on_micro_batch(step, number)` is called
    before each pass.

    Returns flat counts and figures. Raises UserError for the person's mistakes (see
    docs/trainer.md) and `Saved` after SIGTERM.
    """
    started = time.monotonic()
    ranks = open_ranks()
    with one_at_a_time(out, holds=ranks.first), termination() as asked_to_stop:
        trainer = _Trainer(settings, model_folder, out, template, seed, model_id, ranks, progress)
        trainer.read(examples, base)
        trainer.load()
        trainer.restore(resume)
        trainer.find_budget(on_micro_batch)
        trainer.loop(asked_to_stop)
        figures = trainer.finish(time.monotonic() - started)
    del trainer  # the model goes before the next stage loads its own
    release()
    return figures


class _Trainer:
    """The stages of a run in their order; holds the model, the data and where the run stands."""

    def __init__(
        self,
        settings: TrainSettings,
        model_folder: Path,
        out: Path,
        template: ChatTemplate,
        seed: int,
        model_id: str,
        ranks: Ranks,
        progress: Progress,
    ) -> None:
        self.settings = settings
        self.model_folder = model_folder
        self.out = out
        self.template = template
        self.seed = seed
        self.model_id = model_id or model_folder.name
        self.ranks = ranks
        self.progress = progress if ranks.first else silent
        self.root = out / "checkpoints"
        self.state = RunState()

    def tell(self, text: str) -> None:
        """Put a line into the run's record and before the person's eyes."""
        self.state.events.append(text)
        self.progress("train", self.state.step, note=text)

    def read(self, path: Path, base: Path | None) -> None:
        """Tokenise, hold out, mix, plan the steps; show the lengths and the first example."""
        from kofinlaw.models.loading import load_tokenizer

        settings = self.settings
        tokenizer = load_tokenizer(self.model_folder)
        self.data = read_dataset(
            path,
            settings,
            self.template,
            tokenizer.encode,
            seed=self.seed,
            base=base,
            progress=self.progress,
        )
        self.examples = self.data.examples
        self.plan: StepPlan = plan_steps(
            self.data.lengths,
            seed=self.seed,
            batch=settings.effective_batch,
            epochs=settings.epochs,
            max_steps=settings.max_steps,
            max_tokens=settings.max_tokens,
        )
        if not self.ranks.first:
            return
        write_jsonl(self.out / "rejected.jsonl", self.data.rejected)
        write_json(self.out / "lengths.json", length_record(self.examples, self.data.rejected))
        first = self.examples[self.plan.members(0)[0]]

        def decode(ids: list[int]) -> str:
            return tokenizer.decode(ids, skip_special_tokens=False)

        write_text(self.out / "first_example.txt", show_example(first, decode))

    def load(self) -> None:
        """The base with a fresh adapter, checked, and the sums that show what moved."""
        import torch

        from kofinlaw.models.loading import load_model
        from kofinlaw.trainer.loss import check_head

        self.progress("load", 0)
        settings = self.settings
        self.base_sha256 = base_sha256(self.model_folder)
        base = load_model(
            self.model_folder,
            quantization=settings.quantization,
            dtype=settings.dtype,
            device=str(self.ranks.device),
            for_training=True,
        )
        base.set_attn_implementation(self._attention())
        _check_window(base, self.examples)
        self.storage_dtype = str(base.dtype).rsplit(".", 1)[-1]
        self.model = adapters.attach(base, settings.lora, seed=self.seed)
        quicken(self.model)
        if self._checkpointing():
            base.gradient_checkpointing_enable({"use_reentrant": False})
        self.model.train()
        ids = torch.from_numpy(self.examples[0].tokens[:16]).to(self.ranks.device)[None]
        check_head(self.model, ids, settings.head_chunk_rows)
        self.start = {n: p.detach().clone() for n, p in adapters.trainable(self.model)}
        self.frozen = adapters.frozen_marks(self.model)
        self.optimizer = make_optimizer(self.model, settings)
        self.fingerprints = {
            "format": "2",
            "settings": sha256_text(
                json.dumps(settings.model_dump(mode="json", exclude=FREE_KEYS), sort_keys=True)
            ),
            "data": self.data.sha256,
            "base": self.base_sha256,
            "template": self.template.sha256,
            "seed": str(self.seed),
        }

    def _attention(self) -> str:
        if self.settings.attention != "auto":
            return self.settings.attention
        return "sdpa" if self.ranks.device.type == "cuda" else "eager"

    def _checkpointing(self) -> bool:
        asked = self.settings.gradient_checkpointing
        return self.ranks.device.type == "cuda" if asked == "auto" else asked

    def restore(self, resume: Resume) -> None:
        """Go on from the newest whole checkpoint that belongs to this run, or start anew."""
        self.budget_record: dict[str, Any] | None = None
        if self.ranks.first:
            checkpoints.clear_leftovers(self.out)
            checkpoints.clear_leftovers(self.root)
        self.ranks.wait()  # the first process may just have cleared the folder
        found = checkpoints.newest(self.root, self.tell) if resume != "never" else None
        if resume == "always" and found is None:
            raise UserError("no checkpoint to go on from", where=str(self.root))
        if found is not None:
            differing = [
                key
                for key, value in self.fingerprints.items()
                if found.record["fingerprints"].get(key) != value
            ]
            if differing and resume == "always":
                raise UserError(
                    f"the checkpoint belongs to another run: different {', '.join(differing)}",
                    where=str(found.folder),
                    remedy="put back what changed, or start anew with --resume never",
                )
            if differing:
                self.tell(f"started anew: the checkpoint has different {', '.join(differing)}")
                found = None
        if found is not None:
            self._load_state(found)
        elif self.ranks.first:
            shutil.rmtree(self.root, ignore_errors=True)
        self.ranks.wait()
        if self.ranks.first:
            cut_metrics(self.out / "metrics.jsonl", self.state.step)

    def _load_state(self, found: checkpoints.Checkpoint) -> None:
        self._copy_weights(checkpoints.tensors_of(found))
        self.optimizer.load_state_dict(checkpoints.optimizer_of(found))
        told = self.state.events
        self.state = RunState(**found.record["state"], resumed_from=found.step)
        self.state.events += told
        self.budget_record = found.record["budget"]

    def _copy_weights(self, tensors: dict[str, Any]) -> None:
        import torch

        with torch.no_grad():
            for name, parameter in adapters.trainable(self.model):
                parameter.copy_(tensors[name])

    def find_budget(self, on_micro_batch: Callable[[int, int], None] | None) -> None:
        """The token budget: as asked, as the checkpoint says on this card, or by a probe."""
        settings = self.settings
        limit = memory_limit(settings.memory_limit_gib)
        here = {"device": device_name(), "limit_gib": settings.memory_limit_gib}
        asked = settings.max_tokens_per_micro_batch
        self.stepper = Stepper(
            self.model,
            self.examples,
            self.ranks,
            seed=self.seed,
            budget=1,
            chunk_rows=settings.head_chunk_rows,
            limit=limit if self.ranks.device.type != "cuda" else None,
            tell=self.tell,
            on_micro_batch=on_micro_batch,
        )
        known = self.budget_record
        figures: dict[str, float] = {}
        if known is not None and known["asked"] == asked and known["where"] == here:
            budget = int(known["tokens"])
        elif asked != "auto":
            budget = asked
        else:
            self.progress("probe", 0)
            budget, figures = probe_budget(
                self.stepper,
                limit=limit,
                batch=settings.effective_batch,
                make_optimizer=lambda: make_optimizer(self.model, settings),
            )
            budget = -int(self.ranks.largest([-budget])[0])
            self.tell(f"probe: {budget} padded tokens a pass ({json.dumps(figures)})")
        self.stepper.budget = budget
        self.budget_record = {"asked": asked, "where": here, "tokens": budget, "probe": figures}

    def loop(self, asked_to_stop: Callable[[], bool]) -> None:
        """The steps that are left, with metrics, evaluations and checkpoints between them."""
        self.peak = 0
        self.much = 0
        reset_peak()
        metrics = JsonlAppender(self.out / "metrics.jsonl") if self.ranks.first else None
        try:
            while self.state.step < self.plan.steps:
                if self.state.out_of_patience(self.settings.patience):
                    self.tell(f"stopped after step {self.state.step}: no better held-out loss")
                    break
                stop = self._one_step(metrics, asked_to_stop())
                done = self.state.step == self.plan.steps
                if stop or done or self.state.step % self.settings.checkpoint_steps == 0:
                    if metrics is not None:
                        metrics.sync()
                    self._save()
                if stop and not done:
                    raise Saved(self.state.step)
        finally:
            if metrics is not None:
                metrics.close()

    def _one_step(self, metrics: JsonlAppender | None, stop: bool) -> bool:
        started = time.perf_counter()
        state = self.state
        result = self.stepper.gradients(state.step, self.plan.members(state.step), stop=stop)
        rate = learning_rate(state.step, self.plan.steps, self.settings)
        norm = self._update(rate)
        seconds = time.perf_counter() - started
        state.add(result, seconds)
        held_out = self._evaluate()
        self._tidy()
        more = {"evaluation_loss": held_out, "learning_rate": rate, "gradient_norm": norm}
        line = metrics_line(state, result, seconds=seconds, peak=self.peak, more=more)
        if metrics is not None:
            metrics.append(line)
        self.progress(
            "train",
            state.step,
            self.plan.steps,
            loss=round(result.loss, 4),
            tokens_per_second=line["tokens_per_second"],
            padding=line["padding"],
            memory_gib=line["memory_gib"],
            budget=result.budget,
        )
        return result.stop

    def _tidy(self) -> None:
        """On a processor, hand memory back when what lies between steps has grown by a quarter.

        Passes of ever new lengths leave holes in the heap that nobody returns by themselves.
        """
        self.peak = max(self.peak, peak_memory())
        if self.ranks.device.type != "cuda" and memory_in_use() > self.much:
            if self.much:
                release()
            self.much = int(1.25 * memory_in_use())

    def _update(self, rate: float) -> float:
        import torch

        parameters = [p for _, p in adapters.trainable(self.model)]
        most = self.settings.max_gradient_norm or math.inf
        norm = float(torch.nn.utils.clip_grad_norm_(parameters, most))
        if not math.isfinite(norm):
            members = self.plan.members(self.state.step)
            raise UserError(
                "a gradient is not a number; the step's examples: "
                + ", ".join(self.examples[i].id for i in members),
                where=f"train, step {self.state.step + 1}",
                remedy="lower learning_rate, or use dtype: bfloat16",
            )
        set_learning_rate(self.optimizer, rate)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return norm

    def _evaluate(self) -> float | None:
        last = self.state.step == self.plan.steps
        if not self.data.held_out or (
            self.state.step % self.settings.evaluation_steps and not last
        ):
            return None
        loss = self.stepper.evaluate(self.data.held_out)
        self.state.evaluations.append([self.state.step, loss])
        best = self.state.best()
        if best is not None and best[0] == self.state.step:
            self._save(name="best")
        return loss

    def _save(self, name: str | None = None) -> None:
        self.budget_record = {**(self.budget_record or {}), "tokens": self.stepper.budget}
        if self.ranks.first:
            record = {
                "version": __version__,
                "step": self.state.step,
                "steps": self.plan.steps,
                "budget": self.budget_record,
                "fingerprints": self.fingerprints,
                "state": self.state.record(),
            }
            checkpoints.save(
                self.root,
                tensors=dict(adapters.trainable(self.model)),
                optimizer=self.optimizer.state_dict(),
                record=record,
                name=name,
            )
            checkpoints.keep_newest(self.root, self.settings.keep_checkpoints)
        self.ranks.wait()

    def finish(self, seconds: float) -> dict[str, Any]:
        """Check what moved, write the adapter, and return the run's figures."""
        best = self.state.best()
        if best is not None:
            self._copy_weights(checkpoints.tensors_of(checkpoints.read(self.root / "best")))
        unmoved = adapters.still(self.model, self.start)
        if unmoved and self.state.step > 2:
            self.tell(f"{len(unmoved)} trained tensors did not move, the first is {unmoved[0]}")
        after = adapters.frozen_marks(self.model)
        changed = [name for name, mark in self.frozen.items() if after[name] != mark]
        if changed:
            raise RuntimeError(f"frozen tensors changed while training: {', '.join(changed[:5])}")
        figures = self._figures(seconds, len(unmoved))
        if self.ranks.first:
            with checkpoints.whole_folder(self.out / "adapter") as folder:
                adapters.write_adapter(
                    self.model, folder, base_name=self.model_id, record=self._record(figures)
                )
                (folder / "chat_template.jinja").write_text(self.template.source, "utf-8")
        self.ranks.wait()
        return figures

    def _figures(self, seconds: float, unmoved: int) -> dict[str, Any]:
        return {
            "examples": self.data.trained,
            "held_out": len(self.data.held_out),
            "rejected": len(self.data.rejected),
            **self.state.figures(),
            "seconds": round(seconds, 1),
            "peak_memory_gib": round(self.peak / GIB, 3),
            "budget_tokens": self.stepper.budget,
            "trainable_parameters": sum(p.numel() for p in self.start.values()),
            "unmoved_tensors": unmoved,
            "frozen_changed": 0,
            "processes": self.ranks.count,
            "base_sha256": self.base_sha256,
            "template_sha256": self.template.sha256,
        }

    def _record(self, figures: dict[str, Any]) -> dict[str, Any]:
        """`kofinlaw.json`: what merging, answering and a reader need; no times, no places."""
        settings = self.settings
        quantization: dict[str, Any] | None = None
        if settings.quantization == "nf4":
            quantization = {
                "type": "nf4",
                "block_size": _block_size(self.model),
                "double_quant": True,
                "compute_dtype": settings.dtype,
                "storage_dtype": self.storage_dtype,
            }
        elif settings.quantization == "int8":
            quantization = {"type": "int8", "compute_dtype": settings.dtype}
        kept = ("examples", "steps", "tokens", "supervised_tokens", "loss_first", "loss_last")
        return {
            "format": 1,
            "version": __version__,
            "base_id": self.model_id,
            "base_sha256": self.base_sha256,
            "template_sha256": self.template.sha256,
            "quantization": quantization,
            "fingerprints": self.fingerprints,
            "settings": settings.model_dump(mode="json"),
            "training": {key: figures[key] for key in kept},
        }


def device_name() -> str:
    """The card's name, or `cpu`: a budget found on one is not used on another."""
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"


def _check_window(model: Any, examples: Sequence[Encoded]) -> None:
    window = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    longest = max(examples, key=len)
    if isinstance(window, int) and len(longest) > window:
        raise UserError(
            f"example {longest.id} has {len(longest)} tokens, the model's window is {window}",
            where="train.max_length",
            remedy=f"set max_length to {window} or less",
        )


def _block_size(model: Any) -> int:
    for module in model.modules():
        state = getattr(getattr(module, "weight", None), "quant_state", None)
        if state is not None:
            return int(state.blocksize)
    raise RuntimeError("no 4-bit layer in a model that was loaded in 4-bit")
