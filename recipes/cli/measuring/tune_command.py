"""Define the commands that fit to questions or documents: `tune`, `fit-voters`, `fit-retriever`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kofinlaw import UserError
from kofinlaw.recipes.cli.binding import bind_recipe
from kofinlaw.recipes.cli.console import command_line, say, say_next, short_path
from kofinlaw.recipes.cli.options import (
    DEFAULT_RUNS,
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
    from kofinlaw.records import Question

__all__ = ["check_development", "fit_retriever", "fit_voters", "tune"]


def tune(
    recipe: RecipeName,
    questions: Annotated[
        Path, typer.Option("--questions", help="Development questions (JSON Lines of Question).")
    ],
    key: Annotated[
        Path, typer.Option("--key", help="Their key; `units` names the correct articles.")
    ],
    overrides: Overrides = None,
    runs: Runs = DEFAULT_RUNS,
    trust: Trust = False,
) -> None:
    """Try retrieval weights, query forms and k on labelled questions; print the best setting."""
    from kofinlaw.files import write_jsonl
    from kofinlaw.offline import guard
    from kofinlaw.rag.questions.key_files import read_keys
    from kofinlaw.rag.questions.question_files import read_questions
    from kofinlaw.rag.retrieve.tune import tune_files
    from kofinlaw.recipes.pipeline.compliance import check_policy
    from kofinlaw.recipes.pipeline.integrity.checks import require_stages
    from kofinlaw.recipes.pipeline.lock import run_lock
    from kofinlaw.recipes.pipeline.progress_display import stage_progress
    from kofinlaw.recipes.pipeline.schema import leaves

    bound = bind_recipe(recipe, overrides, runs)
    check_policy(bound.recipe)
    check_development(bound, questions)
    index = bound.folder / "index"
    options = same_run(overrides, runs)
    if not index.is_dir():
        raise UserError(
            "there is no index to tune",
            where=str(index),
            remedy=f"run `{command_line('index', recipe, *options)}` first",
        )
    require_stages(bound.folder, ["index"], trust=trust, say=say)
    out = bound.folder / "tune"
    out.mkdir(parents=True, exist_ok=True)
    asked = read_questions(questions).questions
    write_jsonl(out / "questions.jsonl", asked)
    write_jsonl(out / "key.jsonl", read_keys(key))  # only its units are read
    offline = guard(offline=bound.recipe.offline)
    with run_lock(bound.folder, say), offline, stage_progress("tune") as progress:
        tuned = tune_files(
            index,
            out / "questions.jsonl",
            out / "key.jsonl",
            out,
            bound.recipe.rag,
            cache=bound.cache,
            progress=progress,
        )
    say((out / "tuning.md").read_text(encoding="utf-8"))
    before = dict(leaves(bound.recipe.rag.model_dump(mode="json")))
    changed = [
        word
        for name, value in leaves(tuned.settings.model_dump(mode="json"))
        if before.get(name) != value
        for word in ("--set", f"rag.{name}={json.dumps(value, ensure_ascii=False)}")
    ]
    comment = "with the best setting" if changed else "the recipe's own setting was the best"
    say_next(command_line("run", recipe, *options, *changed, comment=comment))


def fit_voters(
    recipe: RecipeName,
    questions: Annotated[
        Path | None,
        typer.Option("--questions", help="Labelled questions; default: the training examples."),
    ] = None,
    key: Annotated[
        Path | None, typer.Option("--key", help="Their key (JSON Lines), with --questions.")
    ] = None,
    overrides: Overrides = None,
    runs: Runs = DEFAULT_RUNS,
    trust: Trust = False,
) -> None:
    """Fit the weights of the voters (answer.voters) to questions that the run's model answers."""
    from kofinlaw.offline import guard
    from kofinlaw.rag.choosing.weights_file import read_weights
    from kofinlaw.rag.questions.key_files import read_keys
    from kofinlaw.rag.questions.question_files import read_questions
    from kofinlaw.recipes.pipeline.compliance import check_policy
    from kofinlaw.recipes.pipeline.fitting.voter_fitting import (
        fit_system,
        fitted_weights,
        serving_system,
        training_questions,
    )
    from kofinlaw.recipes.pipeline.integrity.checks import require_stages
    from kofinlaw.recipes.pipeline.lock import run_lock
    from kofinlaw.recipes.pipeline.progress_display import stage_progress

    if (questions is None) != (key is None):
        raise UserError("--questions and --key are given together, or neither is")
    bound = bind_recipe(recipe, overrides, runs)
    check_policy(bound.recipe)
    answer = bound.recipe.answer
    if answer.choose_by != "contrast":
        raise UserError(
            f"the recipe chooses by `{answer.choose_by}`, which has no voters",
            where="answer.choose_by",
            remedy="add `--set answer.choose_by=contrast`",
        )
    read = ("index", "merge", *(["augment"] if questions is None else []))
    require_stages(bound.folder, read, trust=trust, say=say)
    if questions is not None and key is not None:
        check_development(bound, questions)
        every = read_questions(questions).questions
        # An item with several right answers has no single option to prefer.
        keys = [row for row in read_keys(key, every) if len(row.labels) == 1]
        labelled = {row.id for row in keys}
        asked = [q for q in every if q.options and q.id in labelled]
    else:
        examples = bound.folder / "augment" / "examples.jsonl"
        asked, keys = training_questions(examples, answer.voter_items)
    system = serving_system(bound)
    path = fitted_weights(bound, system)
    offline = guard(offline=bound.recipe.offline)
    with run_lock(bound.folder, say), offline, stage_progress("fit-voters") as progress:
        fit = fit_system(bound, system, asked, keys, progress)
    if fit is None:
        say("the weights were fitted before, with the same questions, model and settings")
    else:
        for name, value in fit.to_record().items():
            say(f"  {name}: {value}")
    for name, weight in read_weights(path).voters.items():
        say(f"  {name}: {weight:g}")
    say(f"weights: {path}")
    # Unrelated voters belong to a table of voters, and the file has its own.
    written = {"answer.voters": str(path), "answer.unrelated_voters": "{}"}
    kept = [one for one in overrides or () if one.partition("=")[0] not in written]
    options = same_run(kept, runs)
    changed = [word for key, value in written.items() for word in ("--set", f"{key}={value}")]
    say_next(command_line("run", recipe, *options, *changed, comment="with these weights"))


def check_development(bound: Run, questions: Path) -> None:
    """Raise UserError if one of these questions also evaluates the run's model."""
    from kofinlaw.rag.questions.question_files import read_questions
    from kofinlaw.recipes.pipeline.run import protected_questions

    def texts(questions: Iterable[Question]) -> set[tuple[str, ...]]:
        return {(one.question, *one.options) for one in questions}

    made = (bound.questions_path, bound.folder / "augment" / "heldout_questions.jsonl")
    # If no document is held out, augment writes an empty file of held-out questions.
    files = [path for path in made if path.is_file() and path.stat().st_size]
    evaluating = texts(protected_questions(bound))
    evaluating |= texts(one for path in files for one in read_questions(path).questions)
    common = texts(read_questions(questions).questions) & evaluating
    if common:
        raise UserError(
            "these questions evaluate the recipe's model, so retrieval may not be tuned on them: "
            + min(common)[0][:80],
            where=str(questions),
            remedy="use a separate set of development questions",
        )


def fit_retriever(
    recipe: RecipeName,
    overrides: Overrides = None,
    runs: Runs = DEFAULT_RUNS,
    resume: ResumeMode = "if-possible",
    trust: Trust = False,
) -> None:
    """Train an embedder on pairs from the recipe's documents and your own (section `retriever`)."""
    from kofinlaw.models.embedders import import_sentence_transformers
    from kofinlaw.offline import guard
    from kofinlaw.recipes.pipeline.compliance import check_policy
    from kofinlaw.recipes.pipeline.fitting.reranker_fitting import reranker_stage
    from kofinlaw.recipes.pipeline.fitting.retriever_fitting import STAGE, retriever_stage
    from kofinlaw.recipes.pipeline.fitting.retriever_pairs import check_fit
    from kofinlaw.recipes.pipeline.lock import run_lock
    from kofinlaw.recipes.pipeline.runner import run_stages
    from kofinlaw.recipes.pipeline.stages import build_stages

    mode = check_resume(resume)
    bound = bind_recipe(recipe, overrides, runs)
    check_policy(bound.recipe, (bound.recipe.retriever.base,))
    check_fit(bound)
    import_sentence_transformers(bound.recipe.retriever.base)
    for line in _planned(bound):
        say(line)
    documents = [stage for stage in build_stages(bound) if stage.name == "data"]
    stages = [*documents, retriever_stage(bound)]
    reranks = bound.recipe.retriever.reranker is not None
    if reranks:
        stages.append(reranker_stage(bound))
    offline = guard(offline=bound.recipe.offline)
    with run_lock(bound.folder, say), offline:
        outcomes = run_stages(
            stages, bound.folder, resume=mode, trust=trust, say=lambda line: say(f"  {line}")
        )
    for line in _lines(outcomes[len(documents)].record["counts"]):
        say(f"  {line}")
    if reranks:
        for line in _reranker_lines(outcomes[-1].record["counts"]):
            say(f"  {line}")
        folder = short_path(bound.folder / "reranker" / "model")
        say(f"  to try the reranker, set rag.reranker: {folder} and rag.rerank_share: 0.2")
    model = short_path(bound.folder / STAGE / "model")
    joined = bound.folder / STAGE / "joined"
    if joined.is_dir():
        say(f"  the trained embedder alone, which embeds faster: rag.embedder={model}")
        model = short_path(joined)
    elif bound.recipe.retriever.joined_share:
        say("  no joined embedder was written: it needs 8 different passages")
    options = same_run(overrides, runs)
    say_next(command_line("index", recipe, *options, "--set", f"rag.embedder={model}"))


def _planned(bound: Run) -> list[str]:
    """Return what the training will take on this machine. Raises UserError if it does not fit."""
    from contextlib import nullcontext

    from kofinlaw import silent
    from kofinlaw.models.machines import this_machine
    from kofinlaw.recipes.pipeline.planning.retriever_figures import (
        retriever_figures,
        retriever_lines,
    )
    from kofinlaw.recipes.pipeline.progress_display import stage_progress

    problems: list[str] = []
    bar = stage_progress("plan") if sys.stderr.isatty() else nullcontext(silent)
    with bar as progress:
        plan = retriever_figures(bound, this_machine(), problems, progress)
    if problems:
        message, _, remedy = problems[0].partition(" → ")
        raise UserError(message, where="retriever", remedy=remedy)
    return retriever_lines(plan)


def _lines(counts: Mapping[str, Any]) -> list[str]:
    """Return the figures of `FitResult.to_record` as sentences."""
    kinds = ", ".join(f"{count} {kind}" for kind, count in counts["kinds"].items())
    steps, planned = counts["steps"], counts["planned_steps"]
    lines = [
        f"{counts['pairs']} pairs: {kinds}",
        f"loss {counts['first_loss']} -> {counts['last_loss']} in {steps} steps",
    ]
    if steps < planned:
        lines.append(f"ended by retriever.budget_minutes after {steps} of {planned} steps")
    for name in ("before", "after"):
        row = counts[name]
        if row:
            asked = "own questions and court issues" if row["judged"] else "built queries"
            lines.append(
                f"{name}: {row['at_1']:.1%} of {row['queries']} held-out {asked} find their "
                f"passage first, {row['at_10']:.1%} among ten of {row['passages']}"
            )
    if counts["after"] and not counts["after"]["judged"]:
        lines.append(
            "built queries resemble the documents more than real questions do: compare with your "
            "own questions (kofinlaw tune) before you keep this embedder"
        )
    return lines


def _reranker_lines(counts: Mapping[str, Any]) -> list[str]:
    """Return the figures of `RerankerResult.to_record` as sentences."""
    steps, planned = counts["steps"], counts["planned_steps"]
    lines = [f"reranker: {counts['groups']} queries, {steps} of {planned} steps"]
    for name in ("before", "after"):
        row = counts[name]
        if row:
            lines.append(
                f"{name}: {row['at_1']:.1%} of {row['queries']} held-out queries get their "
                f"passage first ({row['by_chance']:.1%} by chance)"
            )
    return lines
