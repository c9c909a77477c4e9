"""Measure how fast the engines write and score on this machine with the quickstart model.

    python benchmarks/engines.py [--prompts 32] [--tokens 64] [--threads 2] [--repeats 3]

Writing: every engine gets the same short questions, and the figure is tokens per second. Rows
that write one prompt at a time get only the first few questions. The first row is what scripts
usually do: transformers' own `generate`, one prompt at a time. The other rows are compared with
it. All rows run in alternation, `--repeats` times; the table shows the median with the smallest
and largest value. Scoring: labels after prompts of about 600 tokens. The script prints a table
and, as the last line, JSON.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from outcome import outcome

from kofinlaw.models.engines.base import Engine, Request
from kofinlaw.models.engines.factory import open_engine
from kofinlaw.models.loading import load_model
from kofinlaw.models.quickstart import quickstart_model
from kofinlaw.models.settings import EngineSettings
from kofinlaw.models.templates import template_for
from kofinlaw.models.tokenizer import load_tokenizer

ARTICLE = (
    "제9조(금융회사 또는 전자금융업자의 책임) ① 금융회사 또는 전자금융업자는 접근매체의 위조나 "
    "변조로 발생한 사고로 인하여 이용자에게 손해가 발생한 경우에는 그 손해를 배상할 책임을 진다. "
)
SLOTS = (1, 8, 16)
OWN = "transformers' own generate, one by one"
T = TypeVar("T")
Write = Callable[[Sequence[str]], int]


def main() -> None:
    """Time every engine, print a table and one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--prompts", type=int, default=32)
    parser.add_argument(
        "--alone", type=int, default=4, help="prompts of the rows that write one at a time"
    )
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    folder = quickstart_model()
    template = template_for(folder)

    def prompt(number: int, articles: int) -> str:
        question = f"{number}번 질문은?\n1 가\n2 나\n3 다\n4 라"
        text = f"[참고 조문]\n{ARTICLE * articles}\n\n[문제] {question}"
        return template.render([{"role": "user", "content": text}], add_generation_prompt=True)

    short = [prompt(n, 1) for n in range(options.prompts)]
    long = [prompt(n, 6 + n % 3) for n in range(16)]
    speeds: dict[str, list[float]] = {}
    with ExitStack() as stack:
        plain = stack.enter_context(open_engine(EngineSettings(threads=options.threads), folder))
        alone, all_at_once = short[: options.alone], short
        writers = [
            (OWN, own_generate(folder, options), alone),
            ("engine transformers, in batches", written(plain, options), all_at_once),
        ]
        for slots in SLOTS:
            settings = EngineSettings(
                engine="llamacpp", threads=options.threads, slots=slots, context_tokens=1024
            )
            name = f"engine llamacpp, {slots} slot{'s' if slots > 1 else ''}"
            write = written(stack.enter_context(open_engine(settings, folder)), options)
            writers.append((name, write, alone if slots == 1 else all_at_once))
        for _, write, prompts in writers:
            write(prompts[:1])
        for _ in range(options.repeats):
            for name, write, prompts in writers:
                seconds, tokens = clocked(partial(write, prompts))
                speeds.setdefault(name, []).append(tokens / seconds)
                print(f"{name}: {speeds[name][-1]:.1f} tokens/s", flush=True)
        plain.score(long[:1], [["1", "2"]])
        seconds, _ = clocked(lambda: plain.score(long, [list("1234")] * len(long)))
    medians = {name: statistics.median(measured) for name, measured in speeds.items()}
    times = {name: round(speed / medians[OWN], 2) for name, speed in medians.items()}
    print(f"\n| {options.prompts} prompts, {options.tokens} tokens ", end="")
    print("| tokens/s (smallest–largest) | times one by one |")
    print("| --- | --- | --- |")
    for name, speed in medians.items():
        print(f"| {name} | {speed:.1f} ({min(speeds[name]):.1f}–{max(speeds[name]):.1f})", end="")
        print(f" | {times[name]:.1f} |")
    figures: dict[str, Any] = {
        "tokens_per_second": {
            name: [round(speed, 2) for speed in measured] for name, measured in speeds.items()
        },
        "times_one_by_one": times,
        "labels_scored_prompts_per_second": round(len(long) / seconds, 3),
    }
    best = max(factor for name, factor in times.items() if "llamacpp" in name)
    targets = {"llamacpp, times one by one": (best, (">=", 4))}
    print(
        outcome(figures, targets, not_run=["vLLM and transformers at 8B shapes (gpu/engines.py)"])
    )


def own_generate(folder: Path, options: argparse.Namespace) -> Write:
    """Return a function that writes with `model.generate`, one prompt at a time, in bf16.

    The function returns the number of tokens.
    """
    import torch

    torch.set_num_threads(options.threads)
    model, tokenizer = load_model(folder, attention="eager"), load_tokenizer(folder)

    def write(prompts: Sequence[str]) -> int:
        tokens = 0
        for prompt in prompts:
            ids = torch.tensor([tokenizer.encode(prompt)])
            with torch.inference_mode():
                whole = model.generate(
                    ids,
                    attention_mask=torch.ones_like(ids),
                    max_new_tokens=options.tokens,
                    do_sample=False,
                )
            tokens += int(whole.shape[1] - ids.shape[1])
        return tokens

    return write


def written(engine: Engine, options: argparse.Namespace) -> Write:
    """Return a function that writes with an engine: all prompts at once, texts only.

    The function returns the number of tokens.
    """

    def write(prompts: Sequence[str]) -> int:
        requests = [Request(p, max_tokens=options.tokens, logprob=False) for p in prompts]
        return sum(text.tokens for text in engine.generate(requests))

    return write


def clocked(work: Callable[[], T]) -> tuple[float, T]:
    """Return (wall-clock seconds, result) of a call."""
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


if __name__ == "__main__":
    main()
