"""Supervised fine-tuning of an adapter: exact steps, checkpoints, exact resume."""

from __future__ import annotations

import fcntl
import json
import math
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from kofinlaw import Progress, UserError, __version__, silent
from kofinlaw.data.files import JsonlAppender, sha256_text, write_json, write_jsonl, write_text
from kofinlaw.models.templates import ChatTemplate
from kofinlaw.trainer import adapter as adapters
from kofinlaw.trainer import checkpoint as checkpoints
from kofinlaw.trainer.base_identity import base_sha256
from kofinlaw.trainer.batching import StepPlan, plan_steps
from kofinlaw.trainer.encoding import (
    Encoded,
    encode_examples,
    fingerprint,
    length_record,
    show_example,
)
from kofinlaw.trainer.lora_pass import quicken
from kofinlaw.trainer.optimization import learning_rate, make_optimizer, set_learning_rate
from kofinlaw.trainer.out_of_memory import GIB, memory_limit, peak_memory, release, reset_peak
from kofinlaw.trainer.probe import probe_budget
from kofinlaw.trainer.ranks import Ranks, open_ranks
from kofinlaw.trainer.settings import TrainSettings
from kofinlaw.trainer.step import Stepper, StepResult

Resume = Literal["never", "always", "if-possible"]

EXIT_SAVED = 75
"""Exit code after SIGTERM: the state is saved, run again to go on (EX_TEMPFAIL)."""

# What may change between two runs without making another model: memory, speed, files.
FREE_KEYS = {
    "max_tokens_per_micro_batch",
    "memory_limit_gib",
    "head_chunk_rows",
    "checkpoint_steps",
    "keep_checkpoints",
    "gradient_checkpointing",
}


class Saved(SystemExit):
    """Raised after SIGTERM, once a checkpoint is written; exits with `EXIT_SAVED`."""

    def __init__(self, step: int) -> None:
        super().__init__(EXIT_SAVED)
        self.step = step


@dataclass
class _Run:
    """Where a run stands: what a checkpoint carries besides tensors."""

    step: int = 0
    tokens: int = 0
    padded: int = 0
    supervised: int = 0
    losses: list[float] = field(default_factory=list)
    evaluations: list[list[float]] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    resumed_from: int | None = None

    def best(self) -> tuple[int, float] | None:
        if not self.evaluations:
            return None
        step, loss = min(self.evaluations, key=lambda e: (e[1], e[0]))
        return int(step), loss

    def out_of_patience(self, patience: int | None) -> bool:
        best = self.best()
        if patience is None or best is None:
            return False
        return sum(step > best[0] for step, _ in self.evaluations) >= patience


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
    progress: Progress = silent,
    on_micro_batch: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Train an adapter on `examples` (JSON Lines with `id` and `messages`) and write it to `out`.

    Writes `adapter/` (peft's files, `kofinlaw.json`, the chat template), `metrics.jsonl` (a line a
    step), `lengths.json`, `first_example.txt`, `rejected.jsonl` and `checkpoints/`. A run that was
    cut off goes on from its newest whole checkpoint and ends with the same weights, bit for bit on
    one kind of CPU with as many threads. Started by `accelerate launch`, the processes share the
    work and the first one writes. `on_micro_batch(step, number)` is called before each pass.

    Returns flat counts and figures. Raises UserError for the person's mistakes (see
    docs/trainer.md) and `Saved` after SIGTERM.
    """
    started = time.monotonic()
    ranks = open_ranks()
    with _one_at_a_time(out, ranks), _terminated() as asked_to_stop:
        trainer = _Trainer(settings, model_folder, out, template, seed, model_id, ranks, progress)
        trainer.read(examples)
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
        self.run = _Run()
        self.seconds = 0.0

    def tell(self, text: str) -> None:
        """Put a line into the run's record and before the person's eyes."""
        self.run.events.append(text)
        self.progress("train", self.run.step, note=text)

    def read(self, path: Path) -> None:
        """Tokenise, hold out, plan the steps, show lengths and the first example."""
        from kofinlaw.models.loading import load_tokenizer

        tokenizer = load_tokenizer(self.model_folder)
        kept, rejected = encode_examples(
            path,
            self.template,
            tokenizer.encode,
            max_length=self.settings.max_length,
            progress=self.progress,
        )
        self.rejected = len(rejected)
        self.examples, self.held_out = _hold_out(kept, self.settings.evaluation_share, self.seed)
        self.data_sha256 = fingerprint(kept)
        self.plan: StepPlan = plan_steps(
            [len(e) for e in self.examples[: self.trained_on]],
            seed=self.seed,
            batch=self.settings.effective_batch,
            epochs=self.settings.epochs,
            max_steps=self.settings.max_steps,
            max_tokens=self.settings.max_tokens,
        )
        if not self.ranks.first:
            return
        write_jsonl(self.out / "rejected.jsonl", rejected)
        write_json(self.out / "lengths.json", length_record(kept, rejected))
        first = self.examples[self.plan.members(0)[0]]

        def decode(ids: list[int]) -> str:
            return tokenizer.decode(ids, skip_special_tokens=False)

        write_text(self.out / "first_example.txt", show_example(first, decode))

    @property
    def trained_on(self) -> int:
        """Examples that are trained on; the held-out ones stand behind them."""
        return len(self.examples) - len(self.held_out)

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
            "settings": sha256_text(
                json.dumps(settings.model_dump(mode="json", exclude=FREE_KEYS), sort_keys=True)
            ),
            "data": self.data_sha256,
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
            _cut_metrics(self.out / "metrics.jsonl", self.run.step)

    def _load_state(self, found: checkpoints.Checkpoint) -> None:
        self._copy_weights(checkpoints.tensors_of(found))
        self.optimizer.load_state_dict(checkpoints.optimizer_of(found))
        self.run = _Run(**{**found.record["run"], "resumed_from": found.step})
        self.seconds = float(found.record["seconds"])
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
        reset_peak()
        metrics = JsonlAppender(self.out / "metrics.jsonl") if self.ranks.first else None
        try:
            while self.run.step < self.plan.steps:
                if self.run.out_of_patience(self.settings.patience):
                    self.tell(f"stopped early after step {self.run.step}: no better held-out loss")
                    break
                stop = self._one_step(metrics, asked_to_stop())
                done = self.run.step == self.plan.steps
                if stop or done or self.run.step % self.settings.checkpoint_steps == 0:
                    if metrics is not None:
                        metrics.sync()
                    self._save()
                if stop and not done:
                    raise Saved(self.run.step)
        finally:
            if metrics is not None:
                metrics.close()

    def _one_step(self, metrics: JsonlAppender | None, stop: bool) -> bool:
        started = time.perf_counter()
        run, settings = self.run, self.settings
        result = self.stepper.gradients(run.step, self.plan.members(run.step), stop=stop)
        rate = learning_rate(run.step, self.plan.steps, settings)
        norm = self._update(rate)
        seconds = time.perf_counter() - started
        run.step += 1
        run.tokens += result.tokens
        run.padded += result.padded
        run.supervised += result.supervised
        run.losses.append(result.loss)
        self.seconds += seconds
        held_out = self._evaluate()
        self.peak = max(self.peak, peak_memory())
        line = _metrics_line(run, result, rate, norm, seconds, self.peak, held_out)
        if metrics is not None:
            metrics.append(line)
        self.progress(
            "train",
            run.step,
            self.plan.steps,
            loss=round(result.loss, 4),
            tokens_per_second=line["tokens_per_second"],
            padding=line["padding"],
            memory_gib=line["memory_gib"],
            budget=result.budget,
        )
        return result.stop

    def _update(self, rate: float) -> float:
        import torch

        parameters = [p for _, p in adapters.trainable(self.model)]
        most = self.settings.max_gradient_norm or math.inf
        norm = float(torch.nn.utils.clip_grad_norm_(parameters, most))
        if not math.isfinite(norm):
            members = self.plan.members(self.run.step)
            raise UserError(
                "a gradient is not a number; the step's examples: "
                + ", ".join(self.examples[i].id for i in members),
                where=f"train, step {self.run.step + 1}",
                remedy="lower learning_rate, or use dtype: bfloat16",
            )
        set_learning_rate(self.optimizer, rate)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return norm

    def _evaluate(self) -> float | None:
        every = self.settings.evaluation_steps
        if not self.held_out or (self.run.step % every and self.run.step != self.plan.steps):
            return None
        loss = self.stepper.evaluate(self.held_out)
        self.run.evaluations.append([self.run.step, loss])
        best = self.run.best()
        if best is not None and best[0] == self.run.step:
            self._save(name="best")
        return loss

    def _save(self, name: str | None = None) -> None:
        self.budget_record = {**(self.budget_record or {}), "tokens": self.stepper.budget}
        if self.ranks.first:
            record = {
                "format": 1,
                "version": __version__,
                "step": self.run.step,
                "steps": self.plan.steps,
                "seconds": self.seconds,
                "budget": self.budget_record,
                "fingerprints": self.fingerprints,
                "run": {k: v for k, v in vars(self.run).items() if k != "resumed_from"},
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
        best = self.run.best()
        if best is not None:
            self._copy_weights(checkpoints.tensors_of(checkpoints.read(self.root / "best")))
        unmoved = adapters.still(self.model, self.start)
        if unmoved and self.run.step > 2:
            self.tell(f"{len(unmoved)} trained tensors did not move, the first is {unmoved[0]}")
        after = adapters.frozen_marks(self.model)
        changed = [name for name, mark in self.frozen.items() if after[name] != mark]
        if changed:
            raise RuntimeError(f"frozen tensors changed while training: {', '.join(changed[:5])}")
        figures = self._figures(seconds, unmoved, best)
        if self.ranks.first:
            with checkpoints.whole_folder(self.out / "adapter") as folder:
                adapters.write_adapter(
                    self.model, folder, base_name=self.model_id, record=self._record(figures)
                )
                (folder / "chat_template.jinja").write_text(self.template.source, "utf-8")
        self.ranks.wait()
        return figures

    def _figures(
        self, seconds: float, unmoved: Sequence[str], best: tuple[int, float] | None
    ) -> dict[str, Any]:
        run = self.run
        last = run.losses[-max(1, len(run.losses) // 10) :]
        return {
            "examples": self.trained_on,
            "held_out": len(self.held_out),
            "rejected": self.rejected,
            "steps": run.step,
            "tokens": run.tokens,
            "supervised_tokens": run.supervised,
            "padding": round(1 - run.tokens / run.padded, 4),
            "loss_first": round(run.losses[0], 6),
            "loss_last": round(sum(last) / len(last), 6),
            "evaluation_loss": None if best is None else round(best[1], 6),
            "best_step": None if best is None else best[0],
            "tokens_per_second": round(run.tokens / self.seconds, 1),
            "train_seconds": round(self.seconds, 1),
            "seconds": round(seconds, 1),
            "peak_memory_gib": round(self.peak / GIB, 3),
            "budget_tokens": self.stepper.budget,
            "trainable_parameters": sum(p.numel() for p in self.start.values()),
            "unmoved_tensors": len(unmoved),
            "frozen_changed": 0,
            "processes": self.ranks.count,
            "resumed_from": run.resumed_from,
            "out_of_memory": sum("out of memory" in event for event in run.events),
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


def _hold_out(examples: list[Encoded], share: float, seed: int) -> tuple[list[Encoded], range]:
    """The examples with the held-out ones moved behind the others, and their indices."""
    count = round(share * len(examples))
    if share > 0 and not 0 < count < len(examples):
        raise UserError(
            f"{len(examples)} examples are too few to hold out a share of {share}",
            where="train.evaluation_share",
        )
    chosen = set(np.random.default_rng([seed, 2**31]).permutation(len(examples))[:count].tolist())
    front = [e for i, e in enumerate(examples) if i not in chosen]
    back = [e for i, e in enumerate(examples) if i in chosen]
    return front + back, range(len(front), len(examples))


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


def _metrics_line(
    run: _Run,
    result: StepResult,
    rate: float,
    norm: float,
    seconds: float,
    peak: int,
    held_out: float | None,
) -> dict[str, Any]:
    return {
        "step": run.step,
        "loss": result.loss,
        "evaluation_loss": held_out,
        "learning_rate": rate,
        "gradient_norm": norm,
        "tokens": result.tokens,
        "supervised_tokens": result.supervised,
        "padding": round(1 - result.tokens / result.padded, 4),
        "micro_batches": result.micro_batches,
        "budget": result.budget,
        "seconds": round(seconds, 4),
        "tokens_per_second": round(result.tokens / seconds, 1),
        "memory_gib": round(peak / GIB, 3),
        "all_tokens": run.tokens,
    }


def _cut_metrics(path: Path, step: int) -> None:
    """Drop the lines of steps that will be done again."""
    if not path.exists():
        return
    kept = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if value["step"] <= step:
            kept.append(value)
    write_jsonl(path, kept)


@contextmanager
def _one_at_a_time(out: Path, ranks: Ranks) -> Iterator[None]:
    """Hold the folder; raises UserError where another run has it. Ends with the process."""
    if not ranks.first:
        yield
        return
    from kofinlaw.data.files import disk_error

    path = out / ".lock"
    try:
        out.mkdir(parents=True, exist_ok=True)
        handle = open(path, "a+", encoding="utf-8")
    except OSError as error:
        raise disk_error(error, out) from error
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            handle.seek(0)
            raise UserError(
                f"another run (process {handle.read().strip() or '?'}) trains in this folder",
                where=str(out),
                remedy="wait for it, or choose another folder",
            ) from error
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        yield
        path.unlink(missing_ok=True)


@contextmanager
def _terminated() -> Iterator[Callable[[], bool]]:
    """Tells whether SIGTERM came; outside the main thread nothing is caught."""
    came: list[int] = []
    try:
        before = signal.signal(signal.SIGTERM, lambda number, _: came.append(number))
    except ValueError:
        yield lambda: False
        return
    try:
        yield lambda: bool(came)
    finally:
        signal.signal(signal.SIGTERM, before)
