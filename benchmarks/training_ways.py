"""Define the ways that `training.py` times: kofinlaw's steps, TRL's trainer and a plain loop.

Each way is a generator. It first loads the model and yields three zeros. Then it yields (real
tokens, padded tokens, seconds) for each step.
"""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from memory import settle

CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}
# --random: small enough for a busy machine, with a vocabulary as large as that of real models
RANDOM: dict[str, Any] = {
    "vocab_size": 102_400,
    "hidden_size": 512,
    "intermediate_size": 1536,
    "num_hidden_layers": 6,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "max_position_embeddings": 2048,
    "pad_token_id": 0,
}
ANSWER_SHARE, ROW_TOKENS, LOSS_BATCH = 0.1, 512, 4


def load(args: argparse.Namespace) -> tuple[list[Any], list[list[int]]]:
    """Return the encoded examples and the members of each step, the warm-up step included."""
    from kofinlaw.models.templates import template_for
    from kofinlaw.models.tokenizer import load_tokenizer
    from kofinlaw.trainer.batching import plan_steps
    from kofinlaw.trainer.encoding import encode_examples

    rows, _ = encode_examples(
        args.examples, template_for(args.model), load_tokenizer(args.model).encode, max_length=1024
    )
    if args.table == "loss":
        rows = equal_rows(rows, args.batch * (args.steps + 1))
    plan = plan_steps(
        [len(r) for r in rows], seed=0, batch=args.batch, epochs=9, max_steps=args.steps + 1
    )
    if args.random:
        rows = [dataclasses.replace(row, tokens=row.tokens % RANDOM["vocab_size"]) for row in rows]
    return rows, [plan.members(step) for step in range(plan.steps)]


def equal_rows(rows: list[Any], count: int) -> list[Any]:
    """Return `count` examples of `ROW_TOKENS` real tokens each; the last tenth is learned."""
    from kofinlaw.trainer.encoding import Encoded

    tokens = np.resize(np.concatenate([r.tokens for r in rows]), (count, ROW_TOKENS))
    learned = np.arange(ROW_TOKENS) >= round((1 - ANSWER_SHARE) * ROW_TOKENS)
    return [Encoded(str(n), row, learned) for n, row in enumerate(tokens)]


def base(args: argparse.Namespace, options: dict[str, Any]) -> Any:
    """Load the frozen base in the precision under test."""
    import torch
    import transformers

    from kofinlaw.models.loading import load_model

    dtype = options.get("dtype", "bfloat16")
    if args.random:
        torch.manual_seed(0)
        config = transformers.LlamaConfig(**RANDOM)
        return transformers.AutoModelForCausalLM.from_config(config, dtype=getattr(torch, dtype))
    quantization = options.get("quantization", args.quantization)
    return load_model(args.model, quantization=quantization, dtype=dtype, for_training=True)


def ours(args: argparse.Namespace, options: dict[str, Any]) -> Iterator[tuple[int, int, float]]:
    """Run the steps of kofinlaw."""
    from kofinlaw.trainer.adapter import attach_adapter
    from kofinlaw.trainer.lora_pass import patch_lora_forward
    from kofinlaw.trainer.optimization import make_optimizer
    from kofinlaw.trainer.passes import Passes
    from kofinlaw.trainer.ranks import open_ranks
    from kofinlaw.trainer.settings import TrainSettings
    from kofinlaw.trainer.step import Stepper

    rows, steps = load(args)
    settings = TrainSettings(lora={"rank": 16, "alpha": 32})
    model = base(args, options)
    model.set_attn_implementation(options.get("attention", "eager"))
    adapted = attach_adapter(model, settings.lora, seed=0)
    if options.get("own_pass", True):
        patch_lora_forward(adapted)
    if options.get("gradient_checkpointing"):
        model.gradient_checkpointing_enable({"use_reentrant": False})
    adapted.train()
    stepper = Stepper(
        Passes(adapted, rows, open_ranks(), settings),
        seed=0,
        budget=options.get("max_tokens_per_micro_batch", 1024),
        log_event=print,
    )
    optimizer = make_optimizer(adapted, settings)
    settle(adapted)
    yield 0, 0, 0.0
    for number, members in enumerate(steps):
        start = CLOCKS[args.clock]()
        result = stepper.gradients(number, members)
        optimizer.step()
        optimizer.zero_grad()
        yield result.tokens, result.padded, CLOCKS[args.clock]() - start


def plain(args: argparse.Namespace, options: dict[str, Any]) -> Iterator[tuple[int, int, float]]:
    """Run the same steps as a simple loop does: one padded pass with the logits of every token."""
    import torch

    from kofinlaw.trainer.adapter import attach_adapter
    from kofinlaw.trainer.batching import pad_micro_batch
    from kofinlaw.trainer.settings import TrainSettings

    rows, steps = load(args)
    model = attach_adapter(base(args, options), TrainSettings().lora, seed=0)
    model.train()
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=2e-4)
    settle(model)
    yield 0, 0, 0.0
    for members in steps:
        start = CLOCKS[args.clock]()
        batch = [rows[i] for i in members]
        ids, positions, targets = pad_micro_batch(
            [r.tokens for r in batch], [r.supervised for r in batch]
        )
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
        yield sum(len(r) for r in batch), ids.size, CLOCKS[args.clock]() - start


def trl(args: argparse.Namespace, options: dict[str, Any]) -> Iterator[tuple[int, int, float]]:
    """Run the same examples with SFTTrainer, tokenised by kofinlaw, in SFTTrainer's batches."""
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
            **{"train_sampling_strategy": "sequential", **options},  # our order by default
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
        clock = StepClock.make(trainer, CLOCKS[args.clock])
        settle(trainer.model)
        yield 0, 0, 0.0
        trainer.train()
        yield from clock.steps


class StepClock:
    """Times SFTTrainer's steps and counts the tokens of its loss.

    It does not count in the collator, because the loader collates one batch ahead of the step.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.steps: list[tuple[int, int, float]] = []
        self.real = 0
        self.padded = 0
        self.start = 0.0

    @classmethod
    def make(cls, trainer: Any, seconds: Callable[[], float]) -> StepClock:
        """Return a clock that is connected to the trainer's loss and step events."""
        import transformers

        clock = cls(seconds)
        compute = trainer.compute_loss

        def counted(model: Any, inputs: Any, *more: Any, **named: Any) -> Any:
            clock.real += int(inputs["attention_mask"].sum())
            clock.padded += inputs["input_ids"].numel()
            return compute(model, inputs, *more, **named)

        class Events(transformers.TrainerCallback):
            def on_step_begin(self, *_: Any, **__: Any) -> None:
                clock.start = clock.clock()

            def on_step_end(self, *_: Any, **__: Any) -> None:
                seconds = clock.clock() - clock.start
                clock.steps.append((clock.real, clock.padded, seconds))
                clock.real = clock.padded = 0

        trainer.compute_loss = counted
        trainer.add_callback(Events())
        return clock
