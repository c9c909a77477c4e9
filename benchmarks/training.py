"""Training: kofinlaw's steps against TRL's SFTTrainer and a plain full-logits loop, on a processor.

    python benchmarks/training.py --model FOLDER --examples runs/NAME/augment/examples.jsonl

Same model, LoRA, data, precision, effective batch, and the same examples in the same steps. Every
way runs in a process of its own, twice in turn; a figure is the median over its steps. `tokens/s`
counts real tokens, not padding; `peak` is the rise of resident memory over the loaded process
(`VmHWM`, reset through `clear_refs`). `--table` runs the comparison, `--ways` single ones;
`--speed` times kofinlaw's own switches instead. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

GIB = 1024**3

# name → how it differs from its family's default
WAYS: dict[str, dict[str, Any]] = {
    "kofinlaw": {},
    "trl default": {},
    "trl no checkpointing": {"gradient_checkpointing": False},
    "trl micro-batch 2": {"gradient_checkpointing": False, "per_device_train_batch_size": 2},
    "trl best, by length": {
        "gradient_checkpointing": False,
        "per_device_train_batch_size": 2,
        "group_by_length": True,
        "attention": "eager",
    },
    "plain full logits": {},
}
SPEED: dict[str, dict[str, Any]] = {
    "as chosen": {},
    "sdpa": {"attention": "sdpa"},
    "peft's own LoRA pass": {"own_pass": False},
    "checkpointing": {"gradient_checkpointing": True},
    "nf4": {"quantization": "nf4"},
    "float32 base": {"dtype": "float32"},
    "512 tokens a pass": {"max_tokens_per_micro_batch": 512},
    "2048 tokens a pass": {"max_tokens_per_micro_batch": 2048},
}


def load(args: argparse.Namespace) -> tuple[list[Any], list[list[int]]]:
    """The encoded examples and the members of the steps that are timed, and one to warm up."""
    from kofinlaw.models.loading import load_tokenizer
    from kofinlaw.models.templates import template_for
    from kofinlaw.trainer.batching import plan_steps
    from kofinlaw.trainer.encoding import encode_examples

    rows, _ = encode_examples(
        args.examples, template_for(args.model), load_tokenizer(args.model).encode, max_length=1024
    )
    plan = plan_steps(
        [len(r) for r in rows], seed=0, batch=args.batch, epochs=9, max_steps=args.steps + 1
    )
    return rows, [plan.members(step) for step in range(plan.steps)]


def base(args: argparse.Namespace, options: dict[str, Any]) -> Any:
    """The frozen base in the precision under test."""
    from kofinlaw.models.loading import load_model

    model = load_model(
        args.model,
        quantization=options.get("quantization", args.quantization),
        dtype=options.get("dtype", "bfloat16"),
        for_training=True,
    )
    return model


def ours(args: argparse.Namespace, options: dict[str, Any]) -> Iterator[tuple[int, int, float]]:
    """(real tokens, padded tokens, seconds) of each step; the model is loaded before the first."""
    from kofinlaw.trainer.adapter import attach
    from kofinlaw.trainer.lora_pass import quicken
    from kofinlaw.trainer.optimization import make_optimizer
    from kofinlaw.trainer.ranks import open_ranks
    from kofinlaw.trainer.settings import TrainSettings
    from kofinlaw.trainer.step import Stepper

    rows, steps = load(args)
    settings = TrainSettings(lora={"rank": 16, "alpha": 32})
    model = base(args, options)
    model.set_attn_implementation(options.get("attention", "eager"))
    adapted = attach(model, settings.lora, seed=0)
    if options.get("own_pass", True):
        quicken(adapted)
    if options.get("gradient_checkpointing"):
        model.gradient_checkpointing_enable({"use_reentrant": False})
    adapted.train()
    stepper = Stepper(
        adapted,
        rows,
        open_ranks(),
        seed=0,
        budget=options.get("max_tokens_per_micro_batch", 1024),
        chunk_rows=settings.head_chunk_rows,
        limit=None,
        tell=print,
    )
    optimizer = make_optimizer(adapted, settings)
    yield 0, 0, 0.0
    for number, members in enumerate(steps):
        start = time.perf_counter()
        result = stepper.gradients(number, members)
        optimizer.step()
        optimizer.zero_grad()
        yield result.tokens, result.padded, time.perf_counter() - start


def plain(args: argparse.Namespace, options: dict[str, Any]) -> Iterator[tuple[int, int, float]]:
    """The same steps in one padded pass with every token's logits, as a first loop would do it."""
    import torch

    from kofinlaw.trainer.adapter import attach
    from kofinlaw.trainer.batching import pad
    from kofinlaw.trainer.settings import TrainSettings

    rows, steps = load(args)
    model = attach(base(args, options), TrainSettings().lora, seed=0)
    model.train()
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=2e-4)
    yield 0, 0, 0.0
    for members in steps:
        start = time.perf_counter()
        batch = [rows[i] for i in members]
        ids, positions, targets = pad([r.tokens for r in batch], [r.supervised for r in batch])
        labels = torch.full((ids.size,), -100)
        labels[torch.from_numpy(positions + 1)] = torch.from_numpy(targets)
        seen = torch.zeros(ids.shape, dtype=torch.long)
        for b, row in enumerate(batch):
            seen[b, : len(row)] = 1
        model(
            input_ids=torch.from_numpy(ids), attention_mask=seen, labels=labels.view(ids.shape)
        ).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        yield sum(len(r) for r in batch), ids.size, time.perf_counter() - start


def trl(args: argparse.Namespace, options: dict[str, Any]) -> Iterator[tuple[int, int, float]]:
    """The same examples through SFTTrainer, tokenised by us, in its own batches."""
    import transformers
    from datasets import Dataset
    from peft import LoraConfig
    from trl import SFTConfig, SFTTrainer

    options = dict(options)
    rows, steps = load(args)
    model = base(args, options)
    model.set_attn_implementation(options.pop("attention", "sdpa"))
    picked = [rows[i] for members in steps for i in members]
    data = Dataset.from_list(
        [
            {"input_ids": r.tokens.tolist(), "completion_mask": r.supervised.astype(int).tolist()}
            for r in picked
        ]
    )
    grouped = options.pop("group_by_length", False)
    micro = options.pop("per_device_train_batch_size", min(8, args.batch))
    with tempfile.TemporaryDirectory() as out:
        config = SFTConfig(
            output_dir=out,
            per_device_train_batch_size=micro,
            gradient_accumulation_steps=max(1, args.batch // micro),
            max_steps=len(steps),
            learning_rate=2e-4,
            bf16=True,
            use_cpu=True,
            report_to="none",
            save_strategy="no",
            logging_strategy="no",
            max_length=None,
            completion_only_loss=True,
            disable_tqdm=True,
            **({"train_sampling_strategy": "group_by_length"} if grouped else {}),
            **options,
        )
        trainer = SFTTrainer(
            model=model,
            args=config,
            train_dataset=data,
            processing_class=transformers.AutoTokenizer.from_pretrained(args.model),
            peft_config=LoraConfig(
                r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM"
            ),
        )
        clock = StepClock.make(trainer)
        yield 0, 0, 0.0
        trainer.train()
        yield from clock.steps


class StepClock:
    """Times SFTTrainer's steps and counts what its collator hands it."""

    def __init__(self) -> None:
        self.steps: list[tuple[int, int, float]] = []
        self.real = 0
        self.padded = 0
        self.start = 0.0

    @classmethod
    def make(cls, trainer: Any) -> StepClock:
        """A clock that is wired to the trainer's collator and its step events."""
        import transformers

        clock = cls()
        collate = trainer.data_collator

        def counted(rows: Any) -> Any:
            batch = collate(rows)
            clock.real += sum(len(row["input_ids"]) for row in rows)
            clock.padded += batch["input_ids"].numel()
            return batch

        class Events(transformers.TrainerCallback):
            def on_step_begin(self, *_: Any, **__: Any) -> None:
                clock.start = time.perf_counter()

            def on_step_end(self, *_: Any, **__: Any) -> None:
                seconds = time.perf_counter() - clock.start
                clock.steps.append((clock.real, clock.padded, seconds))
                clock.real = clock.padded = 0

        trainer.data_collator = counted
        trainer.add_callback(Events())
        return clock


def worker(args: argparse.Namespace) -> dict[str, Any]:
    """Run one way in this process."""
    from kofinlaw.trainer.out_of_memory import memory_in_use, peak_memory, release, reset_peak

    options = (SPEED if args.speed else WAYS)[args.worker]
    family = trl if args.worker.startswith("trl") else plain if "plain" in args.worker else ours
    passes = family(args, options)
    next(passes)
    release()
    loaded = memory_in_use()
    reset_peak()
    steps = list(passes)[1:]  # the first warms up
    return {
        "tokens_per_second": round(statistics.median(r / s for r, _, s in steps), 1),
        "padding": round(1 - sum(r for r, _, _ in steps) / sum(p for _, p, _ in steps), 3),
        "peak_gib": round((peak_memory() - loaded) / GIB, 2),
        "step_seconds": round(statistics.median(s for _, _, s in steps), 2),
    }


def main() -> None:
    """Compare, print a table, and one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--examples", type=Path, required=True)
    parser.add_argument("--quantization", default="none", choices=["none", "nf4"])
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--ways", nargs="*")
    parser.add_argument("--speed", action="store_true", help="kofinlaw's own switches")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        print(json.dumps(worker(args)))
        return
    names = args.ways or list(SPEED if args.speed else WAYS)
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for _ in range(args.repeats):  # in turn, so that a busy minute does not fall on one alone
        for name in names:
            command = [sys.executable, __file__, *sys.argv[1:], "--worker", name]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                print(f"{name}: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
                continue
            found[name].append(json.loads(done.stdout.strip().splitlines()[-1]))
    result = {
        name: {key: round(statistics.median(r[key] for r in runs), 3) for key in runs[0]}
        for name, runs in found.items()
        if runs
    }
    print("| | tokens/s | padding | peak, GiB | step, s |\n| --- | --- | --- | --- | --- |")
    for name, row in result.items():
        print(f"| {name} | " + " | ".join(str(value) for value in row.values()) + " |")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
