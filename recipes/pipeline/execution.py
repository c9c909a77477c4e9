"""Run a recipe's stages: check the policy, write the resolved recipe, lock, guard, run."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kofinlaw import UserError
from kofinlaw.data.korean.morpheme_cache import caching
from kofinlaw.files import write_json, write_text
from kofinlaw.offline import guard
from kofinlaw.recipes.pipeline.compliance import check_policy, compliance_record
from kofinlaw.recipes.pipeline.exam_stages import refuse_trained_exams
from kofinlaw.recipes.pipeline.integrity.fingerprints import Stage
from kofinlaw.recipes.pipeline.lock import run_lock
from kofinlaw.recipes.pipeline.run import Run
from kofinlaw.recipes.pipeline.runner import Outcome, Resume, run_stages
from kofinlaw.recipes.pipeline.schema import resolved_yaml
from kofinlaw.recipes.pipeline.stages import build_stages

__all__ = ["check_stage", "execute_stages", "stages_until"]


def execute_stages(
    run: Run,
    resume: Resume = "if-possible",
    *,
    only: Sequence[str] | None = None,
    stages: Sequence[Stage] | None = None,
    again: Sequence[str] = (),
    trust: bool = False,
    say: Callable[[str], None] = lambda line: None,
) -> list[Outcome]:
    """Run stages of a recipe in order, in the run's folder.

    Args:
        run: The recipe bound to its folder.
        resume: What to do with finished and unfinished work (`run_stages`).
        only: Names of the stages to run; the recipe must have the last one. None runs all.
        stages: The stages to choose from; None builds the recipe's own.
        again: Names of stages to start again, also if they are complete.
        trust: Do not check that the files of finished stages are unchanged.
        say: Called with one line of text for each event.

    Raises UserError for a mistake that the user can fix (policy, missing input, unknown stage) and
    StageFailed for a fault of kofinlaw.
    """
    check_policy(run.recipe)
    refuse_trained_exams(run)
    chosen = list(stages) if stages else build_stages(run, resume)
    if only:
        check_stage(chosen, only[-1], run.recipe_file.path.name)
    for name in again:
        check_stage(chosen, name, "--again")
    offline = guard(offline=run.recipe.offline)
    counted = caching(run.cache / "morphemes.sqlite")
    with run_lock(run.folder, say), offline, counted:
        write_text(run.folder / "recipe.yaml", resolved_yaml(run.recipe))
        write_json(run.folder / "compliance.json", compliance_record(run))
        return run_stages(
            chosen, run.folder, resume=resume, only=only, again=again, trust=trust, say=say
        )


def check_stage(stages: Sequence[Stage], name: str, where: str) -> None:
    """Check that a stage has this name. Raises UserError at `where` if none has it."""
    names = [stage.name for stage in stages]
    if name not in names:
        raise UserError(
            f"this recipe has no stage `{name}`",
            where=where,
            remedy=f"its stages are {', '.join(names)}",
        )


def stages_until(run: Run, until: str, where: str) -> list[str]:
    """Return the names of the recipe's stages up to and including `until`.

    Raises UserError if the recipe has no such stage; `where` is shown as the origin of the name.
    """
    stages = build_stages(run)
    check_stage(stages, until, where)
    names = [stage.name for stage in stages]
    return names[: names.index(until) + 1]
