"""Define the commands that run the stages up to one of them: data, augment, train, index."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kofinlaw import UserError
from kofinlaw.recipes.cli.binding import bind_recipe
from kofinlaw.recipes.cli.console import (
    asking_command,
    command_line,
    print_json,
    say,
    say_next,
    short_path,
)
from kofinlaw.recipes.cli.options import (
    DEFAULT_RUNS,
    AsJson,
    Overrides,
    RecipeName,
    ResumeMode,
    Runs,
    Trust,
    check_resume,
    same_run,
)

if TYPE_CHECKING:
    from kofinlaw.recipes.pipeline.run import Run

__all__ = ["augment", "data_build", "data_diff", "data_inspect", "index", "train"]


def data_build(
    recipe: RecipeName,
    overrides: Overrides = None,
    runs: Runs = DEFAULT_RUNS,
    resume: ResumeMode = "if-possible",
    trust: Trust = False,
) -> None:
    """Turn the recipe's documents into chunks, articles, citations and a data card."""
    bound = bind_recipe(recipe, overrides, runs)
    _run_stages(bound, resume, ["data"], trust)
    folder = bound.folder / "data"
    say(f"\n{short_path(folder / 'card.md')} lists what was found, kept and rejected.")
    then = "augment" if bound.recipe.makes_examples else "index"
    say_next(
        command_line("data", "inspect", short_path(folder)),
        command_line(then, recipe, *same_run(overrides, runs)),
    )


def data_inspect(
    folder: Annotated[
        Path, typer.Argument(help="Documents (a folder or file), a run's folder or its data stage.")
    ],
    find: Annotated[str, typer.Argument(help="Show units that contain these words.")] = "",
    limit: Annotated[
        int | None, typer.Option(min=1, help="How many units (or documents' chunks) to show.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what documents hold before any run, or the documents and units of a corpus."""
    from kofinlaw.recipes.cli.inspect_corpus import document_lines, holds_corpus, inspect_lines

    if holds_corpus(folder):
        if as_json:
            raise UserError(
                "--json describes documents, and this folder holds a corpus",
                where=str(folder),
                remedy="read card.json in its data stage",
            )
        for line in inspect_lines(folder, find, limit or 5):
            say(line)
        return
    from kofinlaw.data.inspection import inspect_documents
    from kofinlaw.recipes.pipeline.progress_display import stage_progress

    with stage_progress("inspect") as progress:
        found = inspect_documents(folder, find, progress)
    if as_json:
        print_json(found.to_record())
        return
    for line in document_lines(found, find, limit or 1):
        say(line)
    if found.documents:
        say_next(command_line("init", short_path(folder)))


def data_diff(
    before: Annotated[Path, typer.Argument(help="A data stage.")],
    after: Annotated[Path, typer.Argument(help="Another data stage.")],
) -> None:
    """List the articles that were added, amended, moved or repealed between two corpora."""
    import dataclasses

    from kofinlaw.data.corpus_diff import compare_corpora

    changes = dataclasses.asdict(compare_corpora(before, after))
    same = changes.pop("same")
    say(", ".join(f"{len(ids)} {name}" for name, ids in changes.items()) + f", {same} the same")
    for name, ids in changes.items():
        for unit in ids:
            say(f"  {name:<9}{unit}")


def augment(
    recipe: RecipeName,
    overrides: Overrides = None,
    runs: Runs = DEFAULT_RUNS,
    resume: ResumeMode = "if-possible",
    trust: Trust = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count and show a sample; write nothing.")
    ] = False,
) -> None:
    """Build training examples from the chunks, each with its source and its checks."""
    bound = bind_recipe(recipe, overrides, runs)
    if dry_run:
        from kofinlaw.recipes.cli.dry_run import augment_dry_run

        for line in augment_dry_run(bound):
            say(line)
        return
    _run_stages(bound, resume, ["data", "augment"], trust)
    card = bound.folder / "augment" / "card.md"
    if card.is_file():
        say(f"\n{short_path(card)} has counts and samples of each kind.")
    else:
        examples = card.with_name("examples.jsonl")
        say(f"\n{short_path(examples)} holds the recipe's ready examples.")
    then = "index" if bound.recipe.ask_only else "train"
    say_next(command_line(then, recipe, *same_run(overrides, runs)))


def train(
    recipe: RecipeName,
    overrides: Overrides = None,
    runs: Runs = DEFAULT_RUNS,
    resume: ResumeMode = "if-possible",
    trust: Trust = False,
) -> None:
    """Train the adapter on the run's examples."""
    bound = bind_recipe(recipe, overrides, runs)
    _run_stages(bound, resume, ["data", "augment", "train"], trust)
    say(f"\nadapter: {short_path(bound.folder / 'train' / 'adapter')}")
    say_next(
        command_line("run", recipe, *same_run(overrides, runs), comment="merge, proof and the rest")
    )


def index(
    recipe: RecipeName,
    overrides: Overrides = None,
    runs: Runs = DEFAULT_RUNS,
    resume: ResumeMode = "if-possible",
    trust: Trust = False,
    prune: Annotated[
        bool,
        typer.Option(
            "--prune",
            help="Then list the collections on the Weaviate server, and remove those that only "
            "earlier indexes of this recipe used.",
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Remove them without asking.")] = False,
) -> None:
    """Build the index that `ask` and `answer` search."""
    bound = bind_recipe(recipe, overrides, runs)
    _run_stages(bound, resume, ["data", "index"], trust)
    if prune:
        from kofinlaw.recipes.cli.prune_index import prune_collections

        prune_collections(bound, yes=yes)
    say_next(asking_command(bound.folder))


def _run_stages(bound: Run, resume: str, only: list[str], trust: bool) -> None:
    from kofinlaw.recipes.pipeline.execution import execute_stages

    mode = check_resume(resume)
    execute_stages(bound, mode, only=only, trust=trust, say=lambda line: say(f"  {line}"))
