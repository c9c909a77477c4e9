"""How fast the engines read and write on this machine, on the quickstart model.

    python benchmarks/engines.py [--prompts 12] [--tokens 48] [--threads 2]

Prints one line a measurement and a JSON object last. Wall-clock seconds mean something on an idle
machine alone; processor seconds are printed beside them.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

from kofinlaw.models.engines import Engine, Request, open_engine
from kofinlaw.models.quickstart import quickstart_model
from kofinlaw.models.settings import EngineSettings
from kofinlaw.models.templates import template_for

ARTICLE = (
    "제9조(금융회사 또는 전자금융업자의 책임) ① 금융회사 또는 전자금융업자는 접근매체의 위조나 "
    "변조로 발생한 사고로 인하여 이용자에게 손해가 발생한 경우에는 그 손해를 배상할 책임을 진다. "
)


def timed(work: Any) -> tuple[Any, float, float]:
    """The result, wall-clock seconds and processor seconds of a call."""
    wall, processor = time.perf_counter(), time.process_time()
    result = work()
    return result, time.perf_counter() - wall, time.process_time() - processor


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--prompts", type=int, default=12)
    parser.add_argument("--tokens", type=int, default=48)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    folder = quickstart_model()
    template = template_for(folder)

    def prompt(number: int, articles: int) -> str:
        question = f"{number}번 질문은?\n1 가\n2 나\n3 다\n4 라"
        text = f"[참고 조문]\n{ARTICLE * articles}\n\n[문제] {question}"
        return template.render([{"role": "user", "content": text}], add_generation_prompt=True)

    long = [prompt(n, 6 + n % 3) for n in range(options.prompts)]
    short = [Request(prompt(n, 1), max_tokens=options.tokens) for n in range(options.prompts)]
    figures: dict[str, float] = {}

    def note(name: str, value: float) -> None:
        figures[name] = round(value, 3)
        print(f"{name:<58}{value:>10.3f}", flush=True)

    def write(name: str, engine: Engine, one_by_one: bool) -> None:
        engine.generate(short[:1])
        groups = [[request] for request in short] if one_by_one else [short]
        texts, wall, _ = timed(lambda: [t for group in groups for t in engine.generate(group)])
        note(f"{name}, tokens/s", sum(text.tokens for text in texts) / wall)

    for dtype in ("bfloat16", "float32"):
        settings = EngineSettings(dtype=dtype, threads=options.threads)  # type: ignore[arg-type]
        with open_engine(settings, folder) as engine:
            engine.score(long[:1], [["1", "2"]])
            _, wall, processor = timed(lambda e=engine: e.score(long, [list("1234")] * len(long)))
            note(f"score labels, transformers {dtype}, s/prompt", wall / len(long))
            note(f"score labels, transformers {dtype}, processor s/prompt", processor / len(long))
            if dtype == "bfloat16":
                write("write one by one, transformers", engine, True)
                write("write in batches, transformers", engine, False)
    for slots in (1, 4):
        settings = EngineSettings(
            engine="llamacpp", threads=options.threads, slots=slots, context_tokens=1024
        )
        with open_engine(settings, folder) as engine:
            write(f"write, llamacpp, {slots} slot(s)", engine, False)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
