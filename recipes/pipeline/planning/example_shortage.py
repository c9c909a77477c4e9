"""Say that documents give fewer examples than wanted, and stop where they are too few to train."""

from __future__ import annotations

from collections.abc import Mapping

from kofinlaw import UserError
from kofinlaw.recipes.pipeline.schema import Recipe

__all__ = ["counted", "too_few_examples"]


def too_few_examples(recipe: Recipe, examples: int) -> UserError | None:
    """Return the error that examples are too few to train, with what works instead; else None.

    A recipe that trains nothing, or on further files too (`train.mixture`), has no such limit.
    """
    fewest = recipe.train.fewest_examples
    if recipe.ask_only or recipe.train.mixture or examples >= fewest:
        return None
    return UserError(
        f"{recipe.augment.items} examples wanted, {examples} possible with these documents: "
        f"too few to train, at least {fewest} are needed",
        where="augment.items",
        remedy="only ask the documents, which needs no examples: set `ask_only: true` (or write "
        "such a recipe with `kofinlaw init FOLDER --start ask`); or add documents with articles "
        "(제n조)",
    )


def counted(counts: Mapping[str, int], most: int | None = None) -> str:
    """Return names with their numbers, the largest first; after `most` names the rest is summed."""
    rows = sorted(counts.items(), key=lambda row: (-row[1], row[0]))
    shown = [f"{name} {number}" for name, number in rows[:most]]
    rest = sum(number for _, number in rows[len(shown) :])
    return ", ".join([*shown, *([f"others {rest}"] if rest else [])])
