"""The commands that take a recipe: run, plan, recipe, policy, data, augment, train, index."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from kofinlaw import UserError
from kofinlaw.recipes.cli.app import (
    AsJson,
    DefaultCommand,
    Overrides,
    RecipeName,
    ResumeMode,
    Runs,
    app,
    check_resume,
    print_json,
    say,
    say_next,
)

DEFAULT_RUNS = Path("runs")


def bind_recipe(recipe: str, overrides: list[str] | None, runs: Path) -> Any:
    """Read the recipe, tell the libraries if it is offline, and bind the run's folder."""
    from kofinlaw.offline import set_environment
    from kofinlaw.recipes.pipeline.run import bind
    from kofinlaw.recipes.pipeline.schema import load_recipe

    loaded, recipe_file = load_recipe(recipe, overrides or ())
    if loaded.offline:
        set_environment()
    return bind(loaded, recipe_file, runs)


def execute(
    run: Any, resume: str, only: list[str] | None = None, stages: list[Any] | None = None
) -> list[Any]:
    """Check the policy, write the resolved recipe, run the stages under lock and guard.

    `stages` None are the recipe's own; `only` names those to run, of which the recipe must have
    the last.
    """
    from kofinlaw.data.korean.morpheme_cache import caching
    from kofinlaw.files import write_json, write_text
    from kofinlaw.offline import guard
    from kofinlaw.recipes.pipeline.compliance import check_policy, compliance_record
    from kofinlaw.recipes.pipeline.lock import run_lock
    from kofinlaw.recipes.pipeline.runner import run_stages
    from kofinlaw.recipes.pipeline.schema import resolved_yaml
    from kofinlaw.recipes.pipeline.stages import build_stages

    mode = check_resume(resume)
    check_policy(run.recipe)
    stages = stages or build_stages(run, mode)
    if only:
        _check_stage(stages, only[-1], run.recipe_file.path.name)
    offline = guard(offline=run.recipe.offline)
    counted = caching(run.cache / "morphemes.sqlite")
    with run_lock(run.folder, lambda line: say(f"  {line}")), offline, counted:
        write_text(run.folder / "recipe.yaml", resolved_yaml(run.recipe))
        write_json(run.folder / "compliance.json", compliance_record(run))
        return run_stages(
            stages, run.folder, resume=mode, only=only, say=lambda line: say(f"  {line}")
        )


@app.command()
def run(
    recipe: RecipeName,
    overrides: Overrides = None,
    runs: Runs = DEFAULT_RUNS,
    resume: ResumeMode = "if-possible",
    until: Annotated[str | None, typer.Option(help="Stop after this stage.")] = None,
    folder: Annotated[
        Path | None, typer.Option(help="The run's folder, instead of RUNS/<recipe>.")
    ] = None,
) -> None:
    """Run every stage: documents to a trained, merged, proven model and a report."""
    import time

    bound = bind_recipe(recipe, overrides, runs)
    if folder is not None:
        bound = replace(bound, folder=folder.resolve())
    say(f"{bound.recipe.name}: {bound.recipe.description}")
    say(f"  policy {bound.recipe.policy}, folder {bound.folder}")
    _show_licence(bound.recipe)
    began = time.monotonic()
    execute(bound, resume, _stages_until(bound, until))
    if until is not None:
        say(f"\nStopped after {until} in {(time.monotonic() - began) / 60:.1f} minutes.")
        say_next(f"kofinlaw run {recipe}   the stages that remain")
        return
    report = bound.folder / "report" / "report.html"
    summary = bound.folder / "report" / "report.md"
    _show_verdict(bound.folder)
    say(f"\nDone in {(time.monotonic() - began) / 60:.1f} minutes.")
    say(f"Report: {report}")
    say(f"        {summary}")
    say_next(
        f'kofinlaw ask "전자금융사고가 나면 언제까지 보고하나요?" --run {_short(bound.folder)}',
        "kofinlaw run statutes-cpu --set data.sources=FOLDER_OF_ACTS   your own documents",
        "kofinlaw plan qwen2.5-7b                                      what fits a 24 GB card",
    )


def _stages_until(run: Any, until: str | None) -> list[str] | None:
    """The stages up to and with `until`; None is all. Raises UserError for a stage there is not."""
    from kofinlaw.recipes.pipeline.stages import build_stages

    if until is None:
        return None
    stages = build_stages(run)
    _check_stage(stages, until, "--until")
    names = [stage.name for stage in stages]
    return names[: names.index(until) + 1]


def _check_stage(stages: list[Any], name: str, where: str) -> None:
    names = [stage.name for stage in stages]
    if name not in names:
        raise UserError(
            f"this recipe has no stage `{name}`",
            where=where,
            remedy=f"its stages are {', '.join(names)}",
        )


def _short(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _show_licence(recipe: Any) -> None:
    from kofinlaw.models.catalogue import find
    from kofinlaw.models.policy import gate as policy
    from kofinlaw.recipes.pipeline.compliance import model_name, verdicts_for

    card = find(model_name(recipe.model))
    say(f"  model {card.id}: {card.license}, released {card.released}")
    if recipe.policy != "contest-2025":
        refused = [v for v in verdicts_for(recipe, "contest-2025") if not v.ok]
        if refused:
            say(f"  policy contest-2025 would refuse this run: {policy.sentence(refused[0])}")


def _show_verdict(folder: Path) -> None:
    import json

    path = folder / "report" / "report.json"
    try:
        lines = json.loads(path.read_text(encoding="utf-8"))["verdict"]["en"]
    except (OSError, ValueError, KeyError, TypeError):
        return
    say()
    for line in lines:
        say(line)


@app.command()
def plan(
    recipe: RecipeName,
    overrides: Overrides = None,
    runs: Runs = DEFAULT_RUNS,
    as_json: AsJson = False,
) -> None:
    """Check all that can be checked before work: schema, policy, memory, steps, hours, disk."""
    from kofinlaw.recipes.pipeline.plan import make_plan, plan_lines

    bound = bind_recipe(recipe, overrides, runs)
    result = make_plan(bound)
    if as_json:
        print_json(result)
    else:
        for line in plan_lines(result):
            say(line)
        if result["ok"]:
            say_next(f"kofinlaw run {recipe}")
    if not result["ok"]:
        raise typer.Exit(1)


recipe_app = typer.Typer(no_args_is_help=True, help="Show a recipe, or the schema for editors.")
app.add_typer(recipe_app, name="recipe")


@recipe_app.command("show")
def recipe_show(recipe: RecipeName, overrides: Overrides = None, as_json: AsJson = False) -> None:
    """Print the resolved recipe with the origin of each value."""
    from kofinlaw.recipes.pipeline.schema import leaves, load_recipe, origin_of

    loaded, recipe_file = load_recipe(recipe, overrides or ())
    values = loaded.model_dump(mode="json")
    if as_json:
        print_json(values)
        return
    rows = [(key, value, origin_of(recipe_file, key)) for key, value in leaves(values)]
    width = min(46, max(len(key) for key, _, _ in rows))
    for key, value, origin in rows:
        import json

        say(f"{key:<{width}}  {json.dumps(value, ensure_ascii=False)}  # {origin}")


@recipe_app.command("schema")
def recipe_schema() -> None:
    """Print the JSON Schema of recipes, for editors."""
    from kofinlaw.recipes.pipeline.schema import json_schema

    print_json(json_schema())


policy_app = typer.Typer(no_args_is_help=True, help="What a policy allows, and why not.")
app.add_typer(policy_app, name="policy")


@policy_app.command("check")
def policy_check(recipe: RecipeName, overrides: Overrides = None, as_json: AsJson = False) -> None:
    """Print the verdicts of the recipe's policy on its models and sources."""
    import dataclasses

    from kofinlaw.models.policy import gate as policy
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
            say(f"  {'allowed' if verdict.ok else 'REFUSED'}  {policy.sentence(verdict)}")
    if refused:
        raise typer.Exit(1)


data_app = typer.Typer(
    cls=DefaultCommand, no_args_is_help=True, help="Documents to chunks; look at what came out."
)
app.add_typer(data_app, name="data")


@data_app.command("build", hidden=True)
def data_build(
    recipe: RecipeName,
    overrides: Overrides = None,
    runs: Runs = DEFAULT_RUNS,
    resume: ResumeMode = "if-possible",
) -> None:
    """Read the recipe's documents into chunks, articles, citations and a card."""
    bound = bind_recipe(recipe, overrides, runs)
    execute(bound, resume, ["data"])
    say(f"\n{_short(bound.folder / 'data' / 'card.md')} says what was found, kept and rejected.")
    say_next(f"kofinlaw data inspect {_short(bound.folder / 'data')}", f"kofinlaw augment {recipe}")


@data_app.command("inspect")
def data_inspect(
    folder: Annotated[Path, typer.Argument(help="A data stage, or a document to read.")],
    find: Annotated[str, typer.Argument(help="Show units that contain these words.")] = "",
    limit: Annotated[int, typer.Option(help="How many units to show.")] = 5,
) -> None:
    """Show a corpus's documents, or a document's tree and chunks."""
    from kofinlaw.recipes.cli.inspect_corpus import inspect_lines

    for line in inspect_lines(folder, find, limit):
        say(line)


@data_app.command("diff")
def data_diff(
    before: Annotated[Path, typer.Argument(help="A data stage.")],
    after: Annotated[Path, typer.Argument(help="Another data stage.")],
) -> None:
    """Tell which articles were added, amended, moved or repealed between two corpora."""
    import dataclasses

    from kofinlaw.data.corpus_diff import compare_corpora

    changes = dataclasses.asdict(compare_corpora(before, after))
    same = changes.pop("same")
    say(", ".join(f"{len(ids)} {name}" for name, ids in changes.items()) + f", {same} the same")
    for name, ids in changes.items():
        for unit in ids:
            say(f"  {name:<9}{unit}")


@app.command()
def augment(
    recipe: RecipeName,
    overrides: Overrides = None,
    runs: Runs = DEFAULT_RUNS,
    resume: ResumeMode = "if-possible",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count, show a sample, write nothing.")
    ] = False,
) -> None:
    """Build training examples from the chunks, each with its source and checks."""
    bound = bind_recipe(recipe, overrides, runs)
    if dry_run:
        from kofinlaw.recipes.cli.dry_run import augment_dry_run

        for line in augment_dry_run(bound):
            say(line)
        return
    execute(bound, resume, ["data", "augment"])
    card = bound.folder / "augment" / "card.md"
    if card.is_file():
        say(f"\n{_short(card)} has counts and samples of each kind.")
    else:
        say(f"\n{_short(card.with_name('examples.jsonl'))} holds the recipe's ready examples.")
    say_next(f"kofinlaw train {recipe}")


@app.command()
def train(
    recipe: RecipeName,
    overrides: Overrides = None,
    runs: Runs = DEFAULT_RUNS,
    resume: ResumeMode = "if-possible",
) -> None:
    """Train the adapter on the run's examples."""
    bound = bind_recipe(recipe, overrides, runs)
    execute(bound, resume, ["data", "augment", "train"])
    say_next(
        f"kofinlaw merge {_short(bound.folder / 'train' / 'adapter')} --out MERGED",
        f"kofinlaw run {recipe}   the stages that remain",
    )


@app.command()
def index(
    recipe: RecipeName,
    overrides: Overrides = None,
    runs: Runs = DEFAULT_RUNS,
    resume: ResumeMode = "if-possible",
) -> None:
    """Build the index that `ask` and `answer` read."""
    bound = bind_recipe(recipe, overrides, runs)
    execute(bound, resume, ["data", "index"])
    say_next(f'kofinlaw ask "질문" --run {_short(bound.folder)}')
