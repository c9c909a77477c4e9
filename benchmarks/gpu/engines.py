"""Measure how fast the engines write with a model of 8B shape on a GPU. Needs CUDA.

    python benchmarks/gpu/engines.py [--limit-gib 24] [--prompts 64] [--tokens 128]

The model has the shape of EXAONE-3.5-7.8B and random weights, because speed depends on the shape
only. The first row is transformers' own `generate`, one prompt at a time. The other rows are
engine transformers in 16 bit and in NF4, and engine vllm if it is installed. Each row runs in a
separate process under the memory cap. The engines also score labels after the same prompts.
Without CUDA the script prints `not_run`. The last line is JSON.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from kofinlaw.units import GIB

NAME = "LGAI-EXAONE/EXAONE-3.5-7.8B-Instruct"
WAYS = (
    "own generate, one by one",
    "engine transformers, 16 bit",
    "engine transformers, NF4",
    "engine vllm, 16 bit",
)


def worker(args: argparse.Namespace) -> dict[str, float]:
    """Return tokens written and prompts scored per second by one way, and the peak of memory."""
    import torch
    from shapes import cap_memory, sample_texts, save_tokenizer

    from kofinlaw.models.catalogue import find_model

    card = find_model(NAME)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        save_tokenizer(folder, sample_texts(), card.tokens_per_korean_char)
        if args.worker != "engine vllm, 16 bit":
            cap_memory(args.limit_gib)
        write, score = opened(args, folder)
        write(args.prompts[:1])
        tokens, seconds = clocked(lambda: write(args.prompts))
        figures = {"tokens_per_second": round(tokens / seconds, 1)}
        if score is not None:
            _, seconds = clocked(lambda: score(args.prompts))
            figures["labels_per_second"] = round(len(args.prompts) / seconds, 2)
        figures["peak_gib"] = round(torch.cuda.max_memory_reserved() / GIB, 2)
        return figures


def opened(
    args: argparse.Namespace, folder: Path
) -> tuple[Callable[[list[str]], int], Callable[[list[str]], Any] | None]:
    """Return a way's two functions: write after prompts (returns tokens), score their labels."""
    import torch
    from shapes import random_model, save_config

    from kofinlaw.models.engines.base import Request
    from kofinlaw.models.engines.transformers_engine import TransformersEngine
    from kofinlaw.models.settings import EngineSettings
    from kofinlaw.models.tokenizer import load_tokenizer

    if args.worker == "own generate, one by one":
        model, tokenizer = random_model(NAME), load_tokenizer(folder)

        def generate(prompts: list[str]) -> int:
            count = 0
            for prompt in prompts:
                ids = torch.tensor([tokenizer.encode(prompt)], device="cuda")
                with torch.inference_mode():
                    whole = model.generate(
                        ids,
                        attention_mask=torch.ones_like(ids),
                        max_new_tokens=args.tokens,
                        min_new_tokens=args.tokens,
                        do_sample=False,
                    )
                count += int(whole.shape[1] - ids.shape[1])
            return count

        return generate, None
    engine: Any
    if args.worker == "engine vllm, 16 bit":
        import vllm

        from kofinlaw.models.engines.vllm_engine import VllmEngine, engine_arguments

        total = torch.cuda.get_device_properties(0).total_memory / GIB
        share = min(1.0, args.limit_gib / total)
        settings = EngineSettings(engine="vllm")
        save_config(NAME, folder)
        arguments = engine_arguments(settings, folder, None, 0, share) | {"load_format": "dummy"}
        engine = VllmEngine(settings, folder, llm=vllm.LLM(**arguments))
    else:
        quantization = "nf4" if args.worker.endswith("NF4") else "none"
        settings = EngineSettings(max_batch_tokens=32_768, max_batch_size=64)
        model = random_model(NAME, quantization=quantization)  # type: ignore[arg-type]
        engine = TransformersEngine(settings, folder, model=model)

    def write(prompts: list[str]) -> int:
        before = engine.stats.tokens
        engine.generate([Request(prompt, max_tokens=args.tokens) for prompt in prompts])
        return int(engine.stats.tokens - before)

    def score(prompts: list[str]) -> Any:
        return engine.score(prompts, [list("1234")] * len(prompts))

    return write, score


def clocked(work: Callable[[], Any]) -> tuple[Any, float]:
    """Return (result, seconds on the GPU) of a call."""
    import torch

    torch.cuda.synchronize()
    started = time.perf_counter()
    result = work()
    torch.cuda.synchronize()
    return result, time.perf_counter() - started


def main() -> None:
    """Run every way, print a table and one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--limit-gib", type=float, default=24.0)
    parser.add_argument("--prompts", type=int, default=64)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--worker", choices=WAYS, help=argparse.SUPPRESS)
    args = parser.parse_args()
    from outcome import outcome
    from shapes import not_run, sample_prompts

    if not_run():
        return
    if args.worker:
        args.prompts = sample_prompts(args.prompts)
        print(json.dumps(worker(args)))
        return
    result: dict[str, dict[str, Any]] = {}
    print("| way | tokens/s | labels/s | peak, GiB |\n| --- | --- | --- | --- |")
    for way in WAYS:
        row = result[way] = one(way)
        note = f" ({row['not_run']})" if "not_run" in row else ""
        figures = [row.get(k, "–") for k in ("tokens_per_second", "labels_per_second", "peak_gib")]
        print(f"| {way}{note} | " + " | ".join(str(f) for f in figures) + " |", flush=True)
    print(outcome(result, targets_of(result)))


def targets_of(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return each engine's speed in multiples of the first row; None for a row that failed."""
    alone = result[WAYS[0]].get("tokens_per_second")
    targets: dict[str, Any] = {}
    for way in WAYS[1:]:
        speed = result[way].get("tokens_per_second")
        times = round(speed / alone, 2) if speed and alone else None
        targets[f"{way}, times one by one"] = (times, (">=", 4))
    return targets


def one(way: str) -> dict[str, Any]:
    """Run one way in a separate process; `not_run` holds the error if it fails."""
    if "vllm" in way and importlib.util.find_spec("vllm") is None:
        return {"not_run": "vllm is not installed"}
    command = [sys.executable, __file__, *sys.argv[1:], "--worker", way]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"not_run": (done.stderr.strip() or str(done.returncode)).splitlines()[-1][:160]}
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


if __name__ == "__main__":
    here = Path(__file__).parent
    sys.path[:0] = [str(here), str(here.parent)]  # shapes.py and outcome.py
    main()
