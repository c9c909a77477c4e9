"""What a plan says of the examples: how many, how long, and the first with its loss mask."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kofinlaw.files import read_json_lines
from kofinlaw.recipes.pipeline.ready_examples import texts_of
from kofinlaw.recipes.pipeline.run import Run

GUESSED_TOKENS = 600


def examples_path(run: Run) -> Path | None:
    """The examples there are: those of the run, else the recipe's ready ones; None where neither.

    Ready ones lie behind the stage's copy because that has lost what holds an evaluation question.
    """
    ready = run.path(run.recipe.examples) if run.recipe.examples else None
    for path in (run.folder / "augment" / "examples.jsonl", ready):
        if path is not None and path.is_file():
            return path
    return None


def plan_examples(run: Run, tokens_per_character: float, estimated: list[str]) -> dict[str, Any]:
    """`lengths` and `first_example`, counted exactly where examples and tokenizer are here.

    Without the tokenizer lengths are characters times the catalogue's figure, without examples
    the number asked for; both say so in `estimated`. Raises UserError as the trainer would for
    examples that cannot be trained on.
    """
    path = examples_path(run)
    if path is None:
        estimated.append("lengths: no examples yet; run `kofinlaw augment` for counts")
        mean = min(run.recipe.train.max_length, GUESSED_TOKENS)
        lengths = {
            "examples": run.recipe.augment.items,
            "mean_tokens": mean,
            "longest_tokens": None,
        }
        return {"lengths": lengths, "first_example": None}
    from kofinlaw.models.resolve import local_folder
    from kofinlaw.models.tokenizer import load_tokenizer

    folder = local_folder(run.recipe.model, cache=run.cache)
    if folder is None:
        estimated.append("lengths: the tokenizer is not on this machine; characters × catalogue")
        return {"lengths": _by_characters(path, tokens_per_character), "first_example": None}
    from kofinlaw.models.templates import template_for
    from kofinlaw.trainer.encoding import encode_examples, length_record, show_example

    tokenizer, template = load_tokenizer(folder), template_for(folder)
    kept, rejected = encode_examples(
        path, template, tokenizer.encode, max_length=run.recipe.train.max_length
    )
    record = length_record(kept, rejected)
    percentiles = record["percentiles"]
    first = kept[0]
    return {
        "lengths": {
            "examples": len(kept),
            "mean_tokens": round(record["tokens"] / len(kept)),
            "median_tokens": round(percentiles["50"]),
            "p95_tokens": round(percentiles["95"]),
            "longest_tokens": round(percentiles["100"]),
            "supervised_tokens": record["supervised_tokens"],
            "rejected": record["rejected"],
        },
        "first_example": {
            "rendered": show_example(first, tokenizer.decode),
            "tokens": len(first),
            "supervised_tokens": first.targets,
            "template_sha256": template.sha256,
        },
    }


def _by_characters(path: Path, tokens_per_character: float) -> dict[str, Any]:
    characters = sorted(
        sum(map(len, texts_of(row))) for _, row in read_json_lines(path) if isinstance(row, dict)
    )
    counts = [int(count * tokens_per_character) for count in characters] or [0]
    return {
        "examples": len(characters),
        "mean_tokens": round(sum(counts) / len(counts)),
        "longest_tokens": counts[-1],
    }
