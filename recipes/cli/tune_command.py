"""The command `tune`: the retrieval setting that a labelled development set prefers."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kofinlaw import UserError
from kofinlaw.recipes.cli.app import Overrides, RecipeName, Runs, app, say, say_next

if TYPE_CHECKING:
    from kofinlaw.recipes.pipeline.run import Run


@app.command()
def tune(
    recipe: RecipeName,
    questions: Annotated[
        Path, typer.Option("--questions", help="Development questions (JSON Lines of Question).")
    ],
    key: Annotated[Path, typer.Option("--key", help="Their key; `units` names the gold articles.")],
    overrides: Overrides = None,
    runs: Runs = Path("runs"),
) -> None:
    """Sweep retrieval's weights, forms and k on labelled questions; write the chosen setting."""
    from kofinlaw.offline import guard
    from kofinlaw.rag.retrieve.tune import tune_files
    from kofinlaw.recipes.cli.recipe_commands import bind_recipe
    from kofinlaw.recipes.pipeline.compliance import check_policy
    from kofinlaw.recipes.pipeline.lock import run_lock
    from kofinlaw.recipes.pipeline.progress import stage_progress
    from kofinlaw.recipes.pipeline.schema import leaves

    bound = bind_recipe(recipe, overrides, runs)
    check_policy(bound.recipe)
    check_development(bound, questions)
    index = bound.folder / "index"
    if not index.is_dir():
        raise UserError(
            "there is no index to tune",
            where=str(index),
            remedy=f"run `kofinlaw index {recipe}` first",
        )
    out = bound.folder / "tune"
    out.mkdir(parents=True, exist_ok=True)
    offline = guard(offline=bound.recipe.offline)
    with run_lock(bound.folder, say), offline, stage_progress("tune") as progress:
        tuned = tune_files(
            index, questions, key, out, bound.recipe.rag, cache=bound.cache, progress=progress
        )
    say((out / "tuning.md").read_text(encoding="utf-8"))
    before = dict(leaves(bound.recipe.rag.model_dump(mode="json")))
    after = leaves(tuned.settings.model_dump(mode="json"))
    changed = [
        shlex.join(["--set", f"rag.{name}={json.dumps(value, ensure_ascii=False)}"])
        for name, value in after
        if before.get(name) != value
    ]
    if changed:
        say_next(f"kofinlaw run {recipe} {' '.join(changed)}   the chosen setting")
    else:
        say_next(f"kofinlaw run {recipe}   its own setting was the best")


def check_development(bound: Run, questions: Path) -> None:
    """Raise UserError where one of these questions, in whatever file, proves the run's model."""
    from kofinlaw.rag.questions.question_files import read_questions
    from kofinlaw.recipes.pipeline.run import protected_paths

    def asked(path: Path) -> set[tuple[str, ...]]:
        return {(one.question, *one.options) for one in read_questions(path).questions}

    made = (bound.questions_path, bound.folder / "augment" / "heldout_questions.jsonl")
    files = (*protected_paths(bound), *made)
    # Without held-out documents augment leaves the file of their questions empty.
    proving = [path for path in files if path.is_file() and path.stat().st_size]
    common = asked(questions) & {question for path in proving for question in asked(path)}
    if common:
        raise UserError(
            "these questions prove the recipe's model, so retrieval may not be tuned on them: "
            + min(common)[0][:80],
            where=str(questions),
            remedy="name a development set of its own",
        )
