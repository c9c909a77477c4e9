"""Plan the training examples: count them, measure their lengths, and show the first one."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from kofinlaw.data.prompting.bad_examples import malformed
from kofinlaw.data.prompting.example_forms import read_example
from kofinlaw.files import read_json_records
from kofinlaw.recipes.pipeline.integrity.stage_record import read_record
from kofinlaw.recipes.pipeline.plan_record import FirstExample, Lengths
from kofinlaw.recipes.pipeline.planning.count_record import DryCount
from kofinlaw.recipes.pipeline.planning.start_checks import planned_lengths
from kofinlaw.recipes.pipeline.ready_examples import choice_texts
from kofinlaw.recipes.pipeline.run import Run
from kofinlaw.trainer.settings import TrainSettings

__all__ = ["ExamplesPlan", "examples_path", "plan_examples"]


class ExamplesPlan(NamedTuple):
    """The lengths of all examples, and the first example if the tokenizer is on this machine."""

    lengths: Lengths
    first: FirstExample | None


def examples_path(run: Run) -> Path | None:
    """Return the run's examples, else the recipe's ready examples, else None.

    The run's own copy comes first because it has lost the examples that contain evaluation
    questions. Examples that were generated with other settings do not count.
    """
    ready = run.path(run.recipe.examples) if run.recipe.examples else None
    made = run.folder / "augment" / "examples.jsonl"
    for path in (made if ready is not None or _same_settings(run) else None, ready):
        if path is not None and path.is_file():
            return path
    return None


def _same_settings(run: Run) -> bool:
    """Return whether the run's examples were generated with the settings of the recipe."""
    settings = read_record(run.folder / "augment").get("settings", {})
    return settings.get("augment") == run.recipe.augment.model_dump(mode="json")


def plan_examples(
    run: Run, count: DryCount | None, tokens_per_character: float, estimated: list[str]
) -> ExamplesPlan:
    """Count the examples and their tokens, exactly if examples and tokenizer are on this machine.

    Without the tokenizer, lengths are characters times `tokens_per_character`. Without examples,
    number and lengths are those of the dry count, else the number is the one that the recipe asks
    for. What is estimated adds a note to `estimated`. Raises UserError for examples that cannot be
    trained on, as the trainer does.
    """
    path = examples_path(run)
    if path is None:
        if count is None:
            estimated.append("lengths · no examples yet: as many as the recipe asks for")
        return ExamplesPlan(planned_lengths(run, count), first=None)
    from kofinlaw.models.resolve import local_folder
    from kofinlaw.models.tokenizer import load_tokenizer

    folder = local_folder(run.recipe.model, cache=run.cache)
    if folder is None:
        estimated.append("lengths · the tokenizer is not on this machine: characters × catalogue")
        return ExamplesPlan(
            _by_characters(path, tokens_per_character, run.recipe.train), first=None
        )
    from kofinlaw.models.templates import template_for
    from kofinlaw.trainer.encoding import (
        encode_examples,
        length_record,
        require_choices,
        show_example,
    )

    tokenizer, template = load_tokenizer(folder), template_for(folder)
    train = run.recipe.train
    kept, rejected = encode_examples(
        path,
        template,
        tokenizer.encode,
        max_length=train.max_length,
        objective=train.objective,
        contrast=train.contrast,
    )
    if not train.mixture:
        require_choices(kept, train.objective, path)
    record = length_record(kept, rejected)
    percentiles = record["percentiles"]
    first = kept[0]
    lengths: Lengths = {
        "examples": len(kept),
        "mean_tokens": round(record["tokens"] / len(kept)),
        "median_tokens": round(percentiles["50"]),
        "p95_tokens": round(percentiles["95"]),
        "longest_tokens": round(percentiles["100"]),
        "supervised_tokens": record["supervised_tokens"],
        "rejected": record["rejected"],
    }
    example: FirstExample = {
        "rendered": show_example(first, tokenizer.decode),
        "tokens": len(first),
        "supervised_tokens": first.targets,
        "template_sha256": template.sha256,
    }
    return ExamplesPlan(lengths, example)


def _by_characters(path: Path, tokens_per_character: float, train: TrainSettings) -> Lengths:
    """Estimate lengths; an item that is trained as one counts what its packed row holds."""
    items, reference = train.objective != "text", train.contrast.reference
    characters = sorted(
        sum(
            map(
                len,
                (items and choice_texts(row, reference))
                or read_example(row, f"{path}:{line}").texts,
            )
        )
        for line, row, fault in read_json_records(path)
        if not fault and not malformed(row)
    )
    counts = [int(count * tokens_per_character) for count in characters] or [0]
    return {
        "examples": len(characters),
        "mean_tokens": round(sum(counts) / len(counts)),
        "longest_tokens": counts[-1],
    }
