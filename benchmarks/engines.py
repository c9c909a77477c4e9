"""How fast the engines write and score on this machine, on the quickstart model.

    python benchmarks/engines.py [--prompts 16] [--tokens 64] [--threads 2]

Writing: short questions, each engine the same ones, tokens written a second. The first row is what
scripts usually do, transformers' own `generate` one prompt at a time; the others are compared with
it. Scoring: labels after prompts of about 600 tokens. Wall-clock seconds mean something on an idle
machine alone. Prints a table and, last, one line of JSON.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from outcome import outcome

from kofinlaw.models.engines import Engine, Request, open_engine
from kofinlaw.models.loading import load_model, load_tokenizer
from kofinlaw.models.quickstart import quickstart_model
from kofinlaw.models.settings import EngineSettings
from kofinlaw.models.templates import template_for

ARTICLE = (
    "제9조(금융회사 또는 전자금융업자의 책임) ① 금융회사 또는 전자금융업자는 접근매체의 위조나 "
    "변조로 발생한 사고로 인하여 이용자에게 손해가 발생한 경우에는 그 손해를 배상할 책임을 진다. "
)
SLOTS = (1, 4, 8)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--prompts", type=int, default=16)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    folder = quickstart_model()
    template = template_for(folder)

    def prompt(number: int, articles: int) -> str:
        question = f"{number}번 질문은?\n1 가\n2 나\n3 다\n4 라"
        text = f"[참고 조문]\n{ARTICLE * articles}\n\n[문제] {question}"
        return template.render([{"role": "user", "content": text}], add_generation_prompt=True)

    short = [prompt(n, 1) for n in range(options.prompts)]
    long = [prompt(n, 6 + n % 3) for n in range(options.prompts)]
    rows = [("transformers' own generate, one by one", own_generate(folder, short, options))]
    figures: dict[str, Any] = {}
    plain = EngineSettings(threads=options.threads)
    with open_engine(plain, folder) as engine:
        rows.append(("engine transformers, in batches", written(engine, short, options)))
        engine.score(long[:1], [["1", "2"]])
        seconds = clocked(lambda: engine.score(long, [list("1234")] * len(long)))
        figures["labels_scored_prompts_per_second"] = round(len(long) / seconds, 3)
    for slots in SLOTS:
        settings = EngineSettings(
            engine="llamacpp", threads=options.threads, slots=slots, context_tokens=1024
        )
        with open_engine(settings, folder) as engine:
            name = f"engine llamacpp, {slots} slot{'s' if slots > 1 else ''}"
            rows.append((name, written(engine, short, options)))
    base = rows[0][1]
    print(f"\n| {options.prompts} prompts, {options.tokens} tokens | tokens/s | times |")
    print("| --- | --- | --- |")
    for name, speed in rows:
        print(f"| {name} | {speed:.1f} | {speed / base:.1f} |")
    figures["tokens_per_second"] = {name: round(speed, 2) for name, speed in rows}
    figures["times_one_by_one"] = {name: round(speed / base, 2) for name, speed in rows}
    best = max(times for name, times in figures["times_one_by_one"].items() if "llamacpp" in name)
    targets = {"llamacpp, times one by one": (best, (">=", 4))}
    print(
        outcome(figures, targets, not_run=["vLLM and transformers at 8B shapes (gpu/engines.py)"])
    )


def own_generate(folder: Path, prompts: list[str], options: argparse.Namespace) -> float:
    """Tokens a second of `model.generate`, one prompt at a time, in bf16 as the engine loads it."""
    import torch

    torch.set_num_threads(options.threads)
    model, tokenizer = load_model(folder, attention="eager"), load_tokenizer(folder)
    rows = [torch.tensor([tokenizer.encode(prompt)]) for prompt in prompts]

    def write(ids: Any) -> int:
        whole = model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=options.tokens,
            do_sample=False,
        )
        return int(whole.shape[1] - ids.shape[1])

    with torch.inference_mode():
        write(rows[0])
        started = time.perf_counter()
        tokens = sum(write(ids) for ids in rows)
        return tokens / (time.perf_counter() - started)


def written(engine: Engine, prompts: list[str], options: argparse.Namespace) -> float:
    """Tokens a second of an engine given all prompts at once, after one to warm up."""
    requests = [Request(prompt, max_tokens=options.tokens) for prompt in prompts]
    engine.generate(requests[:1])
    texts = []
    seconds = clocked(lambda: texts.extend(engine.generate(requests)))
    return sum(text.tokens for text in texts) / seconds


def clocked(work: Callable[[], Any]) -> float:
    """Wall-clock seconds of a call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
