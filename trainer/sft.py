"""Train an adapter by supervised fine-tuning: exact steps, checkpoints and exact resume."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from torch.optim import Optimizer

from kofinlaw import Progress, UserError, silent
from kofinlaw.files import write_json, write_jsonl, write_text
from kofinlaw.models.memory.card_memory import use_expandable_segments
from kofinlaw.models.out_of_memory import is_out_of_memory, memory_shortage
from kofinlaw.models.templates import ChatTemplate
from kofinlaw.trainer import adapter as adapters
from kofinlaw.trainer import sharding
from kofinlaw.trainer.batching import StepPlan, plan_steps
from kofinlaw.trainer.dataset import Dataset, read_dataset
from kofinlaw.trainer.device.padding_free import why_padded
from kofinlaw.trainer.encoding import length_record, show_example
from kofinlaw.trainer.guards import catch_sigterm, exclusive_folder
from kofinlaw.trainer.loop import Loop
from kofinlaw.trainer.memory_use import memory_limit, release_memory
from kofinlaw.trainer.noise import EmbeddingNoise
from kofinlaw.trainer.optimization import make_optimizer
from kofinlaw.trainer.passes import Passes
from kofinlaw.trainer.ranks import Ranks, open_ranks
from kofinlaw.trainer.resume import Resume, recorded_threads, run_fingerprints
from kofinlaw.trainer.run_checkpoints import RunCheckpoints
from kofinlaw.trainer.run_record import save_adapter
from kofinlaw.trainer.settings import TrainSettings
from kofinlaw.trainer.state import RunState, cut_metrics
from kofinlaw.trainer.step import Stepper
from kofinlaw.trainer.token_budget import BudgetRecord, find_budget
from kofinlaw.trainer.tracking import open_metrics, require_trackers
from kofinlaw.trainer.trainee import Trainee, load_trainee
from kofinlaw.trainer.training_result import TrainingResult
from kofinlaw.units import GIB

__all__ = ["train"]


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
) -> TrainingResult:
    """Train an adapter on `examples` and write it to `out`.

    Writes `adapter/` (peft's files, `kofinlaw.json`, the chat template), `metrics.jsonl` (one line
    per step), `lengths.json`, `first_example.txt`, `rejected.jsonl` and `checkpoints/`. An
    interrupted run resumes from its newest complete checkpoint, with the number of threads that it
    started with, and ends with the same weights, bit for bit on one kind of CPU. Under
    `accelerate launch` the processes share the work and the main process writes.

    Args:
        settings: lengths and budgets are in tokens, batches in examples, memory in GiB.
        model_folder: the base model: safetensors, config and tokenizer.
        examples: JSON Lines with `messages`, or `prompt` and `completion`, or `text`; with
            `choice` for the objectives that compare options.
        out: the folder of the run.
        template: the chat template of `messages`.
        seed: seed of the order of examples, the adapter's start, dropout and noise.
        resume: "never" starts from step 0, "always" requires a checkpoint.
        model_id: the name of the base in the adapter's record; empty: the name of its folder.
        base: the folder of relative paths in `settings.mixture` and `settings.start_from`.
        progress: reports the phases `load`, `tokenise`, `probe` and `train`.
        on_micro_batch: called with step and number before each pass.

    Returns:
        The figures of the run; without items, losses are in nats per supervised token.

    Raises:
        UserError: examples, settings or model cannot be used, an example does not fit into memory,
            the loss is not a number, or another run holds the folder.
        Saved: after SIGTERM, once a checkpoint is written; exits with `EXIT_SAVED`.
    """
    started = time.monotonic()
    use_expandable_segments()
    settings = settings.starting_below(base)
    if settings.backend == "liger":
        from kofinlaw.trainer.liger_backend import require_liger

        require_liger()
    require_trackers(settings.report_to)
    ranks = open_ranks()
    with exclusive_folder(out, holds=ranks.is_main), catch_sigterm() as stop_requested:
        run = _Run(
            settings=settings,
            model_folder=model_folder,
            model_id=model_id or model_folder.name,
            examples=examples,
            base=base,
            out=out,
            template=template,
            seed=seed,
            ranks=ranks,
            progress=progress if ranks.is_main else silent,
            started=started,
        )
        try:
            with recorded_threads(out / "checkpoints", resume) as note:
                result = _train(run, resume, on_micro_batch, stop_requested, note)
        except Exception as error:
            if isinstance(error, UserError) or not is_out_of_memory(error):
                raise
            # A step's passes are cut smaller (`step.py`); nothing else can be.
            raise memory_shortage(
                error,
                "training, outside of the passes that can be made smaller",
                where=str(out),
                remedy="the same command resumes from the newest checkpoint; use a smaller "
                "train.lora.rank, quantization nf4 or a smaller model",
            ) from error
    release_memory()  # the model is freed before the next stage loads its own
    return result


@dataclass(frozen=True, kw_only=True)
class _Run:
    """The inputs of a run; `started` is the reading of the monotonic clock at its start."""

    settings: TrainSettings
    model_folder: Path
    model_id: str
    examples: Path
    base: Path | None
    out: Path
    template: ChatTemplate
    seed: int
    ranks: Ranks
    progress: Progress
    started: float


def _train(
    run: _Run,
    resume: Resume,
    on_micro_batch: Callable[[int, int], None] | None,
    stop_requested: Callable[[], bool],
    note: str,
) -> TrainingResult:
    """Read, load, restore, find the budget, run the steps, and write the adapter.

    `note` is an event of the start of the run; empty if there is none.
    """
    settings, ranks = run.settings, run.ranks
    data, plan = _read_examples(run)
    run.progress("load", 0)
    trainee = load_trainee(settings, run.model_folder, data.examples, ranks, seed=run.seed)
    plain_optimizer = make_optimizer(trainee.model, settings)
    checkpoints = RunCheckpoints(
        run.out,
        trainee.model,
        ranks,
        fingerprints=_fingerprints(run, data, trainee),
        keep=settings.keep_checkpoints,
        elsewhere=settings.resume_elsewhere,
    )
    checkpoints.clear_leftovers()
    halved = sharding.halved_budget(checkpoints.root)  # before a restart deletes it
    state, known_budget = _restore(run, checkpoints, plain_optimizer, resume)
    log_event = partial(_log_event, state, run.progress)
    if note:
        log_event(note)
    limit = memory_limit(settings.memory_limit_gib)
    alpha = settings.neftune_alpha
    noise = None if alpha is None else EmbeddingNoise(trainee.model, alpha, seed=run.seed)
    if trainee.not_packed:
        log_event(f"each option of an item takes a row of its own: {trainee.not_packed}")
    padded = why_padded(trainee.model, data.examples, settings, ranks)
    if padded and ranks.device.type == "cuda":
        log_event(f"examples of a pass are padded: {padded}")
    passes = Passes(
        trainee.model,
        data.examples,
        ranks,
        settings,
        noise=noise,
        packed=not trainee.not_packed,
        joined=not padded,
    )
    run.progress("probe", 0)
    if ranks.zero_stage == 3:  # before the probe, which must measure the sharded base
        passes = passes.under_zero(plain_optimizer)
    budget = find_budget(
        passes,
        limit=limit,
        known=known_budget,
        halved=halved,
        log_event=log_event,
        checkpoint_root=checkpoints.root,
    )
    if passes.zero is not None:
        passes.zero.zero_grad()
    elif ranks.zero_stage == 2:  # after the probe, whose passes need no engine
        passes = passes.under_zero(plain_optimizer)
    stepper = Stepper(
        passes,
        seed=run.seed,
        budget=budget.tokens,
        log_event=log_event,
        limit_bytes=limit if ranks.device.type != "cuda" else None,
        on_micro_batch=on_micro_batch,
        checkpoint_root=checkpoints.root,
    )
    with open_metrics(
        run.out,
        settings.report_to,
        writes=ranks.is_main,
        settings=settings.model_dump(mode="json"),
        resumed_at=state.step,
    ) as metrics:
        Loop(
            settings=settings,
            stepper=stepper,
            optimizer=plain_optimizer if passes.zero is None else passes.zero,
            plan=plan,
            state=state,
            held_out=data.held_out,
            budget=budget,
            checkpoints=checkpoints,
            metrics=metrics,
            log_event=log_event,
            progress=run.progress,
        ).run(stop_requested)
    return _finish(run, data, trainee, state, checkpoints, stepper.budget, log_event)


def _read_examples(run: _Run) -> tuple[Dataset, StepPlan]:
    """Tokenise, hold out, mix and plan the steps; write lengths, rejections and one example."""
    from kofinlaw.models.tokenizer import load_tokenizer

    settings = run.settings
    tokenizer = load_tokenizer(run.model_folder)
    data = read_dataset(
        run.examples,
        settings,
        run.template,
        tokenizer.encode,
        seed=run.seed,
        base=run.base,
        progress=run.progress,
    )
    plan = plan_steps(
        data.lengths,
        seed=run.seed,
        batch=settings.effective_batch,
        epochs=settings.epochs,
        max_steps=settings.max_steps,
        max_tokens=settings.max_tokens,
        targets=data.targets,
        batch_targets=settings.effective_batch_tokens,
    )
    if run.ranks.is_main:
        write_jsonl(run.out / "rejected.jsonl", data.rejected)
        write_json(run.out / "lengths.json", length_record(data.examples, data.rejected))
        first = data.examples[plan.members(0)[0]]
        decode = partial(tokenizer.decode, skip_special_tokens=False)
        write_text(run.out / "first_example.txt", show_example(first, decode))
    return data, plan


def _fingerprints(run: _Run, data: Dataset, trainee: Trainee) -> dict[str, str]:
    """Return what a checkpoint must agree with."""
    started_from = run.settings.start_from
    return run_fingerprints(
        run.settings,
        run.ranks,
        seed=run.seed,
        data=data.sha256,
        base=trainee.base_sha256,
        template=run.template.sha256,
        start="" if started_from is None else adapters.adapter_sha256(started_from),
    )


def _restore(
    run: _Run, checkpoints: RunCheckpoints, optimizer: Optimizer, resume: Resume
) -> tuple[RunState, BudgetRecord | None]:
    """Resume from the newest complete checkpoint of this run, or start from step 0.

    Returns the state of the run and the budget of the checkpoint.
    """
    state, budget = RunState(), None
    found = checkpoints.restore(optimizer, resume, partial(_log_event, state, run.progress))
    if found is not None:
        events = state.events
        state = RunState(**found.record["state"], resumed_from=found.step)
        state.events += events
        budget = found.record["budget"]
    if run.ranks.is_main:
        unreadable = cut_metrics(run.out / "metrics.jsonl", state.step)
        if unreadable:
            _log_event(
                state,
                run.progress,
                f"{unreadable} lines of metrics.jsonl cannot be read; the file with them is kept "
                "next to it",
            )
    return state, budget


def _log_event(state: RunState, progress: Progress, text: str) -> None:
    """Record an event in the state of the run and show it to the user."""
    state.events.append(text)
    progress("train", state.step, note=text)


def _finish(
    run: _Run,
    data: Dataset,
    trainee: Trainee,
    state: RunState,
    checkpoints: RunCheckpoints,
    budget_tokens: int,
    log_event: Callable[[str], None],
) -> TrainingResult:
    """Load the best weights, check what training changed, and write the adapter."""
    seconds = time.monotonic() - run.started
    if state.best() is not None:
        checkpoints.load_best()
    unmoved = adapters.unchanged_parameters(trainee.model, trainee.start)
    if unmoved and state.step > 2:
        log_event(f"{len(unmoved)} trained tensors did not change; the first is {unmoved[0]}")
    adapters.check_frozen(trainee.model, trainee.frozen)
    result = TrainingResult(
        examples=data.trained,
        held_out=len(data.held_out),
        rejected=len(data.rejected),
        **state.figures(),
        seconds=round(seconds, 1),
        peak_memory_gib=round(state.peak / GIB, 3),
        budget_tokens=budget_tokens,
        trainable_parameters=trainee.parameters,
        unmoved_tensors=len(unmoved),
        frozen_changed=0,
        processes=run.ranks.world_size,
        base_sha256=trainee.base_sha256,
        template_sha256=run.template.sha256,
    )
    tensors = adapters.gathered_tensors(trainee.model)
    if run.ranks.is_main:
        save_adapter(
            run.out / "adapter",
            run.settings,
            trainee,
            tensors,
            result.to_record(),
            base_id=run.model_id,
            template=run.template,
            fingerprints=checkpoints.fingerprints,
        )
    run.ranks.barrier()
    return result
