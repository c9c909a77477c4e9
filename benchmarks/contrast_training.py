"""Time a training step over items: as texts, as packed rows, and as a row for each option.

    python benchmarks/contrast_training.py --model MODEL --examples examples.jsonl

All ways take the same examples, adapter and budget, in turn, in one process. `asked part` packs the
options after the prompt with evidence only: the difference to `packed` is the price of the bare
scores. Seconds are processor time of this process. The last line is JSON.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from outcome import outcome

if TYPE_CHECKING:
    from kofinlaw.trainer.encoding import Encoded
    from kofinlaw.trainer.step import Stepper

__all__ = ["main"]


def without_bare(item: Encoded) -> Encoded:
    """Return the part of an item before the bare prompt as a text of the same size."""
    from kofinlaw.trainer.encoding import Encoded

    assert item.choice is not None
    end = item.choice.edges[1 + item.choice.options]
    return Encoded(item.id, item.tokens[:end], item.supervised[:end])


def read(args: argparse.Namespace) -> tuple[list[Encoded], list[Encoded]]:
    """Return the first items of the file, and the same examples as texts."""
    from kofinlaw.models.templates import template_for
    from kofinlaw.models.tokenizer import load_tokenizer
    from kofinlaw.trainer.encoding import encode_examples

    both, _ = encode_examples(
        args.examples,
        template_for(args.model),
        load_tokenizer(args.model).encode,
        max_length=2048,
        objective="both",
    )
    items = [e for e in both if e.choice is not None][: args.items]
    ids = {e.id for e in items}
    return items, [e for e in both if e.choice is None and e.id in ids]


def steppers(args: argparse.Namespace) -> dict[str, Stepper]:
    """Return a stepper for each way; all share one model."""
    from kofinlaw.models.loading import load_model
    from kofinlaw.trainer.adapter import attach_adapter
    from kofinlaw.trainer.lora_pass import patch_lora_forward
    from kofinlaw.trainer.passes import Passes
    from kofinlaw.trainer.ranks import open_ranks
    from kofinlaw.trainer.settings import TrainSettings
    from kofinlaw.trainer.step import Stepper

    items, texts = read(args)
    settings = TrainSettings(quantization="none", objective="contrast")
    base = load_model(args.model, dtype=args.dtype, for_training=True, attention="eager")
    model = attach_adapter(base, settings.lora, seed=0)
    patch_lora_forward(model)
    model.train()
    ways = {
        "text": (texts, True),
        "packed": (items, True),
        "asked part": ([without_bare(e) for e in items], True),
        "separate": (items, False),
    }
    return {
        name: Stepper(
            Passes(model, rows, open_ranks(), settings, packed=packed),
            seed=0,
            budget=args.budget,
            log_event=print,
        )
        for name, (rows, packed) in ways.items()
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the ways in turn and print a table; the last line is JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--examples", type=Path, required=True)
    parser.add_argument("--items", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--budget", type=int, default=1024)
    parser.add_argument("--dtype", default="bfloat16")
    args = parser.parse_args(arguments)
    ways = steppers(args)
    best: dict[str, tuple[float, int, int]] = {}
    for stepper in ways.values():
        stepper.gradients(0, [0])  # warms up
    for number in range(args.rounds):
        for name, stepper in ways.items():
            members = range(len(stepper.passes.examples))
            start = time.process_time()
            result = stepper.gradients(0, members)
            seconds = time.process_time() - start
            print(f"round {number + 1}, {name}: {seconds:.2f} s", flush=True)
            if name not in best or seconds < best[name][0]:
                best[name] = (seconds, result.tokens, result.padded)
    print("| way | tokens read | computed | seconds | items/s | tokens/s |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for name, (seconds, tokens, padded) in best.items():
        rates = f"{args.items / seconds:.2f} | {tokens / seconds:.0f}"
        print(f"| {name} | {tokens} | {padded} | {seconds:.2f} | {rates} |")
    ways_found = {
        name: {"seconds": round(seconds, 3), "tokens": tokens, "computed": padded}
        for name, (seconds, tokens, padded) in best.items()
    }
    figures = {"items": args.items, "best_of": args.rounds, "ways": ways_found}
    print(outcome(figures, {}, not_run=["on a GPU"]))


if __name__ == "__main__":
    main()
