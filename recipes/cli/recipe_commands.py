"""Define the commands on a whole recipe: run, plan, recipe show, recipe schema, policy check."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kofinlaw.decoding import load_json
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
    Again,
    AsJson,
    Card,
    Overrides,
    RecipeName,
    ResumeMode,
    Runs,
    Trust,
    check_resume,
    same_run,
)

if TYPE_CHECKING:
    from kofinlaw import Progress
    from kofinlaw.recipes.pipeline.run import Run
    from kofinlaw.recipes.pipeline.runner import Resume
    from kofinlaw.recipes.pipeline.schema import Recipe
    from kofinlaw.recipes.starting.recipe_text import Start

__all__ = [
    "init",
    "plan",
    "policy_check",
    "recipe_schema",
    "recipe_show",
    "run",
]


def init(
    folder: Annotated[Path, typer.Argument(help="The folder (or file) of your documents.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="The recipe file; default: FOLDER's name.yaml.")
    ] = None,
    start: Annotated[
        str | None,
        typer.Option("--start", help="ask, train (and prove), or train-untested (not proven)."),
    ] = None,
    policy: Annotated[
        str | None, typer.Option("--policy", help="open, research, commercial or contest-2025.")
    ] = None,
    card: Card = None,
    model: Annotated[
        str, typer.Option("--model", help="A catalogue id or a folder with weights.")
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing: take the defaults.")] = False,
) -> None:
    """Write a commented recipe for your documents; plan, run and ask work on it unchanged."""
    from kofinlaw import UserError
    from kofinlaw.recipes.pipeline.progress_display import stage_progress
    from kofinlaw.recipes.starting.init_recipe import STARTS, Wishes, init_recipe

    chosen = next((name for name in STARTS if name == start), None)
    if start is not None and chosen is None:
        raise UserError(
            f"unknown start {start!r}", where="--start", remedy=f"use one of {', '.join(STARTS)}"
        )
    asks = not yes and sys.stdin.isatty()
    if policy is None:
        policy = _ask_one("Policy", _policy_names(), "open") if asks else "open"
    with stage_progress("init") as progress:

        def ask_start(options: Sequence[Start], proposed: Start) -> Start:
            with progress.paused():
                return _ask_start(options, proposed)

        wishes = Wishes(chosen, policy, card, model, out, ask_start if asks else None)
        written = init_recipe(folder, wishes, progress)
    for line in written.lines:
        say(line)
    recipe = short_path(written.path)
    say(f"\nWrote {recipe}: {written.start}")
    asked = ["ask", written.question, "--run", DEFAULT_RUNS / written.name]
    say_next(
        command_line("plan", recipe, *(["--card", card] if card else [])),
        command_line("run", recipe),
        command_line(*asked, comment="as soon as the index is built"),
    )


def _policy_names() -> list[str]:
    from kofinlaw.models.policy.rules import policies

    return list(policies())


def _ask_start(options: Sequence[Start], proposed: Start) -> Start:
    say("ask: index and base model, minutes. train: also trains, and tests on held-out documents.")
    say("train-untested: trains on everything, not proven.")
    answer = _ask_one("Start", options, proposed)
    return next(one for one in options if one == answer)


def _ask_one(what: str, options: Sequence[str], default: str) -> str:
    """Ask until the answer is one of the options."""
    while True:
        answer = str(typer.prompt(f"{what} ({', '.join(options)})", default=default)).strip()
        if answer in options:
            return answer
        say(f"one of: {', '.join(options)}")


def run(
    recipe: RecipeName,
    overrides: Overrides = None,
    runs: Runs = DEFAULT_RUNS,
    resume: ResumeMode = "if-possible",
    until: Annotated[str | None, typer.Option(help="Stop after this stage.")] = None,
    folder: Annotated[
        Path | None, typer.Option(help="The run's folder, instead of RUNS/<recipe>.")
    ] = None,
    again: Again = None,
    trust: Trust = False,
) -> None:
    """Run every stage: documents to a trained, merged and verified model, and a report."""
    from kofinlaw.recipes.pipeline.execution import execute_stages, stages_until
    from kofinlaw.recipes.pipeline.recipe_file import SHIPPED

    bound = bind_recipe(recipe, overrides, runs)
    if folder is not None:
        bound = replace(bound, folder=folder.resolve())
    say(f"{bound.recipe.name}: {bound.recipe.description}")
    say(f"  policy {bound.recipe.policy}, folder {bound.folder}")
    _show_licence(bound.recipe)
    started = time.monotonic()
    only = stages_until(bound, until, "--until") if until is not None else None
    mode = check_resume(resume)
    _check_start(bound, only, mode)
    execute_stages(
        bound,
        mode,
        only=only,
        again=again or (),
        trust=trust,
        say=lambda line: say(f"  {line}"),
    )
    minutes = (time.monotonic() - started) / 60
    if until is not None:
        say(f"\nStopped after {until} in {minutes:.1f} minutes.")
        again = ["run", recipe, *same_run(overrides, runs, folder)]
        say_next(command_line(*again, comment="the remaining stages"))
        return
    _show_verdict(bound.folder)
    say(f"\nDone in {minutes:.1f} minutes.")
    say(f"Report: {bound.folder / 'report' / 'report.html'}")
    say(f"        {bound.folder / 'report' / 'report.md'}")
    if bound.recipe_file.path.parent == SHIPPED:
        say("Your own documents: `kofinlaw init FOLDER` writes a recipe for them.")
    served = short_path(bound.folder.parent)
    say_next(
        *([asking_command(bound.folder)] if bound.recipe.data else []),
        command_line("report", "serve", served, comment="all reports in a browser"),
    )


def _check_start(bound: Run, only: Sequence[str] | None, resume: Resume) -> None:
    """Stop before any work at a problem that `plan` would show, and print its warnings.

    Stages that any machine runs (`--until index`) need no check.
    """
    from kofinlaw.models.machines import this_machine
    from kofinlaw.recipes.pipeline.planning.start_checks import loads_a_model, require_start

    if not loads_a_model(bound, only):
        return
    with _brief_progress("check") as progress:
        require_start(bound, this_machine(), lambda line: say(f"  {line}"), progress, resume)


def _brief_progress(name: str) -> AbstractContextManager[Progress]:
    """Return a bar for work of seconds; without a terminal, nothing is shown."""
    from kofinlaw import silent
    from kofinlaw.recipes.pipeline.progress_display import stage_progress

    return stage_progress(name) if sys.stderr.isatty() else nullcontext(silent)


def _show_licence(recipe: Recipe) -> None:
    from kofinlaw.models.catalogue import find_model
    from kofinlaw.recipes.pipeline.compliance import model_name

    card = find_model(model_name(recipe.model))
    say(f"  model {card.id}: {card.license}, released {card.released}")


def _show_verdict(folder: Path) -> None:
    """Print the report's verdict in English; nothing if the run has no readable report."""
    try:
        report = load_json((folder / "report" / "report.json").read_text(encoding="utf-8"))
        lines = report["verdict"]["en"]
    except (OSError, ValueError, KeyError, TypeError):
        return
    say()
    for line in filter(None, lines):
        say(line)


def plan(
    recipe: RecipeName,
    overrides: Overrides = None,
    runs: Runs = DEFAULT_RUNS,
    card: Card = None,
    simulate: Annotated[
        bool,
        typer.Option(
            "--simulate",
            help="Also run the training step without weights and count its memory (minutes).",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check a recipe before it runs: policy, weights, examples, memory, hours, disk."""
    from kofinlaw.recipes.pipeline.plan import make_plan, plan_lines, planned_machine
    from kofinlaw.recipes.pipeline.progress_display import stage_progress

    bound = bind_recipe(recipe, overrides, runs)
    machine = planned_machine(bound, card)
    shown = stage_progress("plan") if simulate else _brief_progress("plan")
    with shown as progress:
        result = make_plan(bound, machine, progress, simulate=simulate)
    if as_json:
        print_json(result)
    else:
        for line in plan_lines(result, len(bound.recipe.evaluate.systems)):
            say(line)
        if result["ok"]:
            where = "" if machine.here else f"on a machine with {machine.gib:g} GiB of card memory"
            say_next(command_line("run", recipe, *same_run(overrides, runs), comment=where))
    if not result["ok"]:
        raise typer.Exit(1)


def recipe_show(
    recipe: RecipeName,
    overrides: Overrides = None,
    changed: Annotated[
        bool, typer.Option("--changed", help="Only what differs from the defaults.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print the resolved recipe as YAML with the origin of each value."""
    from kofinlaw.recipes.pipeline.schema import load_recipe
    from kofinlaw.recipes.shown_recipe import nested_values, recipe_lines, shown_values

    loaded, recipe_file = load_recipe(recipe, overrides or ())
    shown = shown_values(loaded, recipe_file, changed=changed)
    if as_json:
        print_json(nested_values(shown))
        return
    said = "only what is not a default" if changed else "a value without a comment is a default"
    say(f"# {short_path(recipe_file.path)}: {said}")
    for line in recipe_lines(shown):
        say(line)


def recipe_schema() -> None:
    """Print the JSON Schema of recipes, for editors."""
    from kofinlaw.recipes.pipeline.schema import json_schema

    print_json(json_schema())


def policy_check(recipe: RecipeName, overrides: Overrides = None, as_json: AsJson = False) -> None:
    """Print what the recipe's policy says about its models and sources; exit code 1 if refused."""
    import dataclasses

    from kofinlaw.models.policy.rules import verdict_sentence
    from kofinlaw.recipes.pipeline.compliance import verdicts_for
    from kofinlaw.recipes.pipeline.schema import load_recipe

    loaded, _ = load_recipe(recipe, overrides or ())
    verdicts = verdicts_for(loaded, loaded.policy)
    refused = [verdict for verdict in verdicts if not verdict.ok]
    if as_json:
        print_json({"ok": not refused, "verdicts": [dataclasses.asdict(v) for v in verdicts]})
    else:
        say(f"policy {loaded.policy}")
        for verdict in verdicts:
            say(f"  {'allowed' if verdict.ok else 'REFUSED'}  {verdict_sentence(verdict)}")
    if refused:
        raise typer.Exit(1)
