"""Supervised fine-tuning of an adapter: exact steps, checkpoints, exact resume."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kofinlaw import Progress, silent
from kofinlaw.files import JsonlAppender, write_json, write_jsonl, write_text
from kofinlaw.models.templates import ChatTemplate
from kofinlaw.trainer import adapter as adapters
from kofinlaw.trainer import sharding, tracking
from kofinlaw.trainer.batching import StepPlan, plan_steps
from kofinlaw.trainer.dataset import read_dataset
from kofinlaw.trainer.encoding import length_record, show_example
from kofinlaw.trainer.guards import EXIT_SAVED, Saved, one_at_a_time, termination
from kofinlaw.trainer.loop import Loop
from kofinlaw.trainer.memory_use import memory_limit, release_memory, use_expandable_segments
from kofinlaw.trainer.noise import EmbeddingNoise
from kofinlaw.trainer.optimization import make_optimizer
from kofinlaw.trainer.ranks import Ranks, open_ranks
from kofinlaw.trainer.remedies import remedies
from kofinlaw.trainer.resume import Resume, fingerprints
from kofinlaw.trainer.run_checkpoints import RunCheckpoints
from kofinlaw.trainer.run_record import save_adapter
from kofinlaw.trainer.settings import TrainSettings
from kofinlaw.trainer.state import RunState, cut_metrics
from kofinlaw.trainer.step import Stepper
from kofinlaw.trainer.token_budget import find_budget
from kofinlaw.trainer.trainee import load_trainee
from kofinlaw.units import GIB

__all__ = ["EXIT_SAVED", "Resume", "Saved", "train"]


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
    """Train an adapter on `examples` (JSON Lines, docs/guides/trainer.md), write it to `out`.

    Writes `adapter/` (peft's files, `kofinlaw.json`, the chat template), `metrics.jsonl` (a line a
    step), `lengths.json`, `first_example.txt`, `rejected.jsonl` and `checkpoints/`. A run that was
    cut off goes on from its newest whole checkpoint and ends with the same weights, bit for bit on
    one kind of CPU with as many threads. `model_id` names the base in the adapter's record; `base`
    is where relative paths of `settings.mixture` and `start_from` begin. Started by
    `accelerate launch`, the processes share the work and the first one writes.
    `on_micro_batch(step, number)` is called before each pass.

    Returns flat counts and figures. Raises UserError for the person's mistakes (see
    docs/guides/trainer.md) and `Saved` after SIGTERM.
    """
    started = time.monotonic()
    use_expandable_segments()
    settings = settings.starting_below(base)
    if settings.backend == "unsloth":
        from kofinlaw.trainer.unsloth_backend import require

        require()
    tracking.require(settings.report_to)
    ranks = open_ranks()
    with one_at_a_time(out, holds=ranks.is_main), termination() as asked_to_stop:
        run = _Run(settings, model_folder, out, template, seed, model_id, ranks, progress)
        run.read(examples, base)
        run.load()
        run.restore(resume)
        run.find_budget(on_micro_batch)
        peak = run.loop(asked_to_stop)
        figures = run.finish(time.monotonic() - started, peak)
    del run  # the model goes before the next stage loads its own
    release_memory()
    return figures


class _Run:
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
        self.progress = progress if ranks.is_main else silent
        self.state = RunState()

    def tell(self, text: str) -> None:
        """Put a line into the run's record and before the person's eyes."""
        self.state.events.append(text)
        self.progress("train", self.state.step, note=text)

    def read(self, path: Path, base: Path | None) -> None:
        """Tokenise, hold out, mix, plan the steps; show the lengths and the first example."""
        from kofinlaw.models.tokenizer import load_tokenizer

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
            targets=[e.targets for e in self.examples[: self.data.trained]],
            batch_targets=settings.effective_batch_tokens,
        )
        if not self.ranks.is_main:
            return
        write_jsonl(self.out / "rejected.jsonl", self.data.rejected)
        write_json(self.out / "lengths.json", length_record(self.examples, self.data.rejected))
        first = self.examples[self.plan.members(0)[0]]

        def decode(ids: list[int]) -> str:
            return tokenizer.decode(ids, skip_special_tokens=False)

        write_text(self.out / "first_example.txt", show_example(first, decode))

    def load(self) -> None:
        """The base with a fresh adapter, its optimizer, and what a checkpoint must agree with."""
        self.progress("load", 0)
        self.trainee = load_trainee(
            self.settings, self.model_folder, self.examples, self.ranks, seed=self.seed
        )
        self.model = self.trainee.model
        self.optimizer = make_optimizer(self.model, self.settings)
        started_from = self.settings.start_from
        self.fingerprints = fingerprints(
            self.settings,
            seed=self.seed,
            data=self.data.sha256,
            base=self.trainee.base_sha256,
            template=self.template.sha256,
            start="" if started_from is None else adapters.adapter_sha256(started_from),
        )
        self.checkpoints = RunCheckpoints(
            self.out,
            self.model,
            self.optimizer,
            self.ranks,
            fingerprints=self.fingerprints,
            keep=self.settings.keep_checkpoints,
        )

    def restore(self, resume: Resume) -> None:
        """Go on from the newest whole checkpoint that belongs to this run, or start anew."""
        self.budget_record: dict[str, Any] | None = None
        self.checkpoints.clear_leftovers()
        self.halved = sharding.halved_budget(self.checkpoints.root)
        found = self.checkpoints.take_up(resume, self.tell)
        if found is not None:
            told = self.state.events
            self.state = RunState(**found.record["state"], resumed_from=found.step)
            self.state.events += told
            self.budget_record = found.record["budget"]
        if self.ranks.is_main:
            cut_metrics(self.out / "metrics.jsonl", self.state.step)

    def find_budget(self, on_micro_batch: Callable[[int, int], None] | None) -> None:
        """What runs the passes, and how many tokens it may take at a time."""
        settings = self.settings
        limit = memory_limit(settings.memory_limit_gib)
        root = self.checkpoints.root
        alpha = settings.neftune_alpha

        def remedy(over: int | None, pass_bytes: int | None, longest: int) -> str:
            return remedies(self.model, settings, over=over, pass_bytes=pass_bytes, longest=longest)

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
            noise=None if alpha is None else EmbeddingNoise(self.model, alpha, seed=self.seed),
            remedy=remedy,
            exhausted=lambda budget, why: sharding.exit_out_of_memory(root, budget, why),
        )
        self.progress("probe", 0)
        if self.ranks.zero == 3:
            self._start_zero()
        self.budget_record = find_budget(
            self.stepper,
            settings,
            limit=limit,
            known=self.budget_record,
            halved=self.halved,
            tell=self.tell,
        )
        if self.ranks.zero == 2:  # without it, passes are probed as they are
            self._start_zero()
        elif self.stepper.zero is not None:
            self.stepper.zero.forget()

    def _start_zero(self) -> None:
        from kofinlaw.trainer.zero import Zero

        zero = Zero(self.model, self.optimizer, self.settings, self.ranks.zero)
        self.stepper.zero = self.optimizer = self.checkpoints.optimizer = zero

    def loop(self, asked_to_stop: Callable[[], bool]) -> int:
        """The steps that are left; returns the most bytes of memory held."""
        metrics = JsonlAppender(self.out / "metrics.jsonl") if self.ranks.is_main else None
        trackers = tracking.open_trackers(
            self.settings.report_to if self.ranks.is_main else (),
            self.out,
            settings=self.settings.model_dump(mode="json"),
            resumed_at=self.state.step,
        )
        loop = Loop(
            self.settings,
            self.stepper,
            self.optimizer,
            self.plan,
            self.state,
            held_out=self.data.held_out,
            save=self._save,
            metrics=metrics,
            trackers=trackers,
            tell=self.tell,
            progress=self.progress,
        )
        try:
            loop.run(asked_to_stop)
        finally:
            for tracker in trackers:
                tracker.close()
            if metrics is not None:
                metrics.close()
        return self.state.peak

    def _save(self, name: str | None) -> None:
        self.budget_record = {**(self.budget_record or {}), "tokens": self.stepper.budget}
        self.checkpoints.save(
            name, state=self.state, steps=self.plan.steps, budget=self.budget_record
        )

    def finish(self, seconds: float, peak: int) -> dict[str, Any]:
        """Check what moved, write the adapter, and return the run's figures."""
        if self.state.best() is not None:
            self.checkpoints.take_best()
        unmoved = adapters.unchanged_parameters(self.model, self.trainee.start)
        if unmoved and self.state.step > 2:
            self.tell(f"{len(unmoved)} trained tensors did not move, the first is {unmoved[0]}")
        adapters.check_frozen(self.model, self.trainee.frozen)
        figures = {
            "examples": self.data.trained,
            "held_out": len(self.data.held_out),
            "rejected": len(self.data.rejected),
            **self.state.figures(),
            "seconds": round(seconds, 1),
            "peak_memory_gib": round(peak / GIB, 3),
            "budget_tokens": self.stepper.budget,
            "trainable_parameters": self.trainee.parameters,
            "unmoved_tensors": len(unmoved),
            "frozen_changed": 0,
            "processes": self.ranks.count,
            "base_sha256": self.trainee.base_sha256,
            "template_sha256": self.template.sha256,
        }
        tensors = adapters.gathered_tensors(self.model)
        if self.ranks.is_main:
            save_adapter(
                self.out / "adapter",
                self.settings,
                self.trainee,
                tensors,
                figures,
                base_id=self.model_id,
                template=self.template,
                fingerprints=self.fingerprints,
            )
        self.ranks.barrier()
        return figures
