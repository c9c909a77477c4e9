"""Measure training on a GPU: random NF4 weights of real shape under a 24 GB cap. Needs CUDA.

    python benchmarks/gpu/training.py

The models are EXAONE-3.5-7.8B, SOLAR-10.7B and Qwen2.5-14B at 2,048 tokens. The script shows
whether each model trains, its peak memory and speed, and the error of `kofinlaw plan` (10 % at
most; both without the CUDA context, which torch's allocator does not see). TRL's SFTTrainer then
runs the same steps, and Unsloth if it is installed. Every way runs in a separate process. A
figure is the median over the steps after the first. Without CUDA the script prints `not_run`. The
last line is JSON.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kofinlaw.models.catalogue import find_model
from kofinlaw.units import GIB

MODELS = (
    "LGAI-EXAONE/EXAONE-3.5-7.8B-Instruct",
    "upstage/SOLAR-10.7B-v1.0",
    "Qwen/Qwen2.5-14B-Instruct",
)
WAYS = ("kofinlaw", "trl", "unsloth")
LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
TOKENS, ANSWER_SHARE = 2048, 0.1


def random_rows(vocabulary: int, count: int) -> list[Any]:
    """Return `count` examples of `TOKENS` random tokens; the last tenth is learned."""
    import numpy as np

    from kofinlaw.trainer.encoding import Encoded

    tokens = np.random.default_rng(0).integers(10, vocabulary, (count, TOKENS))
    learned = np.arange(TOKENS) >= round((1 - ANSWER_SHARE) * TOKENS)
    return [Encoded(str(n), row, learned) for n, row in enumerate(tokens)]


def ours(args: argparse.Namespace) -> Iterator[float]:
    """Yield the seconds of each step of kofinlaw's stepper; its probe finds the token budget."""
    from shapes import cap_memory, random_model

    from kofinlaw.trainer.adapter import attach_adapter
    from kofinlaw.trainer.device.kept_layers import kept_layers
    from kofinlaw.trainer.lora_pass import patch_lora_forward
    from kofinlaw.trainer.optimization import make_optimizer
    from kofinlaw.trainer.passes import Passes
    from kofinlaw.trainer.ranks import open_ranks
    from kofinlaw.trainer.settings import TrainSettings
    from kofinlaw.trainer.step import Stepper
    from kofinlaw.trainer.token_probe import probe_budget

    settings = TrainSettings(effective_batch=args.batch)
    base = random_model(args.model, quantization="nf4")
    model = attach_adapter(base, settings.lora, seed=0)
    patch_lora_forward(model)
    base.gradient_checkpointing_enable({"use_reentrant": False})
    model.train()
    passes = Passes(
        model,
        random_rows(find_model(args.model).vocab, args.batch * (args.steps + 1)),
        open_ranks(),
        settings,
    )
    budget, _ = probe_budget(passes, limit=cap_memory(args.limit_gib))
    stepper = Stepper(passes, seed=0, budget=budget, log_event=print)
    args.micro_batch = stepper.budget // TOKENS
    args.kept_layers = kept_layers(model)
    optimizer = make_optimizer(model, settings)
    yield 0.0
    for step in range(args.steps + 1):
        start = time.perf_counter()
        stepper.gradients(step, range(step * args.batch, (step + 1) * args.batch))
        optimizer.step()
        optimizer.zero_grad()
        yield time.perf_counter() - start


def trl(args: argparse.Namespace) -> Iterator[float]:
    """Yield the seconds of each step of SFTTrainer with its defaults, one example per pass."""
    from peft import LoraConfig
    from shapes import random_model

    adapter = LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
    yield from _sft(args, random_model(args.model, quantization="nf4"), adapter)


def unsloth(args: argparse.Namespace) -> Iterator[float]:
    """Yield the seconds of each step on Unsloth's model, read from a folder of random weights."""
    from unsloth import FastLanguageModel  # isort: skip  (before transformers)

    from shapes import random_model

    with tempfile.TemporaryDirectory() as folder:
        random_model(args.model, quantization="none", device="cpu").save_pretrained(folder)
        base, _ = FastLanguageModel.from_pretrained(
            model_name=folder, max_seq_length=TOKENS, load_in_4bit=True, local_files_only=True
        )
    model = FastLanguageModel.get_peft_model(
        base,
        r=16,
        lora_alpha=32,
        lora_dropout=0,
        target_modules=list(LINEAR),
        use_gradient_checkpointing="unsloth",
    )
    yield from _sft(args, model, None)


def _sft(args: argparse.Namespace, model: Any, adapter: Any) -> Iterator[float]:
    import tokenizers
    import transformers
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    rows = random_rows(find_model(args.model).vocab, args.batch * (args.steps + 1))
    data = [
        {"input_ids": r.tokens.tolist(), "completion_mask": r.supervised.astype(int).tolist()}
        for r in rows
    ]
    seconds: list[float] = []
    started = [0.0]

    class Clock(transformers.TrainerCallback):
        def on_step_begin(self, *_: Any, **__: Any) -> None:
            started[0] = time.perf_counter()

        def on_step_end(self, *_: Any, **__: Any) -> None:
            seconds.append(time.perf_counter() - started[0])

    words = tokenizers.Tokenizer(tokenizers.models.WordLevel({"<pad>": 0, "</s>": 2}, "<pad>"))
    with tempfile.TemporaryDirectory() as out:
        trainer = SFTTrainer(
            model=model,
            args=SFTConfig(
                output_dir=out,
                per_device_train_batch_size=1,
                gradient_accumulation_steps=args.batch,
                max_steps=args.steps + 1,
                optim="adamw_torch_fused",
                max_length=None,
                completion_only_loss=True,
                report_to="none",
                save_strategy="no",
                logging_strategy="no",
                disable_tqdm=True,
            ),
            train_dataset=Dataset.from_list(data),
            processing_class=transformers.PreTrainedTokenizerFast(
                tokenizer_object=words, pad_token="<pad>", eos_token="</s>"
            ),
            peft_config=adapter,
            callbacks=[Clock()],
        )
        yield 0.0
        trainer.train()
    yield from seconds


def worker(args: argparse.Namespace) -> dict[str, float]:
    """Run one way on one model in this process."""
    import torch
    from shapes import cap_memory, without_context

    from kofinlaw.models.memory.memory_plan import plan_training_memory

    cap_memory(args.limit_gib)  # torch's allocator raises beyond it
    passes = {"kofinlaw": ours, "trl": trl, "unsloth": unsloth}[args.worker](args)
    next(passes)
    torch.cuda.reset_peak_memory_stats()
    seconds = statistics.median(list(passes)[1:])
    peak = torch.cuda.max_memory_reserved() / GIB
    result = {
        "tokens_per_second": round(args.batch * TOKENS / seconds, 1),
        "peak_gib": round(peak, 2),
        "step_seconds": round(seconds, 2),
    }
    if args.worker == "kofinlaw":
        plan = plan_training_memory(
            find_model(args.model),
            optimizer="adamw",
            length=TOKENS,
            batch=args.micro_batch,
            kept_layers=args.kept_layers,
        )
        result["micro_batch"] = args.micro_batch
        result["kept_layers"] = args.kept_layers
        result["plan_gib"] = round(without_context(plan), 2)
        result["plan_error"] = round(without_context(plan) / peak - 1, 3)
    return result


def main() -> None:
    """Run every way on every model, print a table and one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="*", default=MODELS)
    parser.add_argument("--limit-gib", type=float, default=24.0)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--model", help=argparse.SUPPRESS)
    parser.add_argument("--worker", choices=WAYS, help=argparse.SUPPRESS)
    args = parser.parse_args()
    from outcome import outcome
    from shapes import not_run, plan_targets

    if not_run():
        return
    if args.worker:
        print(json.dumps(worker(args)))
        return
    result: dict[str, dict[str, Any]] = {}
    print("| model | way | tokens/s | peak, GiB | step, s |\n| --- | --- | --- | --- | --- |")
    for name in args.models:
        for way in WAYS:
            row = _one(name, way)
            result.setdefault(name, {})[way] = row
            figures = [row.get(k, "–") for k in ("tokens_per_second", "peak_gib", "step_seconds")]
            note = f" ({row['not_run']})" if "not_run" in row else ""
            print(f"| {name} | {way}{note} | " + " | ".join(str(f) for f in figures) + " |")
    errors = {name: rows["kofinlaw"].get("plan_error") for name, rows in result.items()}
    print(outcome(result, plan_targets(errors)))


def _one(name: str, way: str) -> dict[str, Any]:
    if way == "unsloth" and importlib.util.find_spec("unsloth") is None:
        return {"not_run": "not installed"}
    command = [sys.executable, __file__, *sys.argv[1:], "--model", name, "--worker", way]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"not_run": (done.stderr.strip() or str(done.returncode)).splitlines()[-1][:160]}
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


if __name__ == "__main__":
    here = Path(__file__).parent
    sys.path[:0] = [str(here), str(here.parent)]  # shapes.py and outcome.py
    main()
