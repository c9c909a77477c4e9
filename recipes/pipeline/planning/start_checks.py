"""Check before a run all that can stop it later; `plan` and `run` use the same function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from kofinlaw import Progress, UserError, silent
from kofinlaw.data.corpus import DocumentList
from kofinlaw.data.source_files import unread_lines
from kofinlaw.models.machines import Machine
from kofinlaw.models.policy.document_checks import check_documents
from kofinlaw.models.policy.rules import Verdict, verdict_sentence
from kofinlaw.recipes.pipeline.compliance import verdicts_for
from kofinlaw.recipes.pipeline.exam_stages import refuse_trained_exams
from kofinlaw.recipes.pipeline.integrity.fingerprints import is_complete
from kofinlaw.recipes.pipeline.plan_record import (
    AnsweringFigures,
    AnsweringTime,
    DiskFigures,
    FileRow,
    Lengths,
    MemoryFigures,
    TrainingFigures,
)
from kofinlaw.recipes.pipeline.planning.answering_time import answering_times, asks_free_text
from kofinlaw.recipes.pipeline.planning.at_hand import (
    NeededExtra,
    NeededModel,
    card_problems,
    costly_tokenization,
    needed_extras,
    needed_models,
)
from kofinlaw.recipes.pipeline.planning.count_record import DryCount
from kofinlaw.recipes.pipeline.planning.dry_count import documents_of, dry_count
from kofinlaw.recipes.pipeline.planning.example_shortage import too_few_examples
from kofinlaw.recipes.pipeline.planning.figures import (
    answering_figures,
    disk_figures,
    memory_figures,
    student_card,
    training_figures,
)
from kofinlaw.recipes.pipeline.run import (
    Run,
    protected_paths,
    protected_texts,
    question_doubts,
    source_paths,
)
from kofinlaw.recipes.pipeline.runner import Resume
from kofinlaw.recipes.pipeline.stages import build_stages

__all__ = [
    "GUESSED_TOKENS",
    "LONG_HOURS",
    "SHOWN_DOCUMENTS",
    "TEMPLATE_TOKENS",
    "StartChecks",
    "check_figures",
    "check_start",
    "is_trained",
    "loads_a_model",
    "planned_lengths",
    "require_start",
]

LONG_HOURS = 24.0  # more is a warning
SHOWN_DOCUMENTS = 10  # refused documents that are listed
GUESSED_TOKENS = 600  # mean length of an example before there are examples
TEMPLATE_TOKENS = 20  # of the chat template around an example


@dataclass
class StartChecks:
    """What was checked before any work.

    - A run stops at `problems`, each a sentence with its remedy. `warnings` do not stop it.
    - `allowed` says whether the policy allows every document; if not, nothing is counted.
    - `trained` says whether the training is complete: the run skips it, so it need not fit.
    - `count` is what the documents give; None if no example is made or there is a problem with it.
    - `estimated` says what the figures assume.
    """

    machine: Machine
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    estimated: list[str] = field(default_factory=list)
    files: list[FileRow] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    documents: DocumentList | None = None
    allowed: bool = True
    trained: bool = False
    models: list[NeededModel] = field(default_factory=list)
    extras: list[NeededExtra] = field(default_factory=list)
    count: DryCount | None = None
    answering_times: list[AnsweringTime] = field(default_factory=list)


def check_start(
    run: Run, machine: Machine, progress: Progress = silent, resume: Resume = "if-possible"
) -> StartChecks:
    """Check files, policy, documents, weights, packages, examples and questions of a recipe.

    Nothing is written except a count without texts in the cache. A mistake becomes a problem; no
    exception is raised for it.

    Args:
        run: The recipe bound to its folder.
        machine: The machine that is planned for.
        progress: Receives the phases of counting the examples.
        resume: What the run does with complete stages; `never` trains again.
    """
    found = StartChecks(machine, trained=resume != "never" and is_trained(run))
    _check_files(run, found)
    found.verdicts = verdicts_for(run.recipe, run.recipe.policy)
    found.problems += [
        f"policy {run.recipe.policy}: {verdict_sentence(v)}" for v in found.verdicts if not v.ok
    ]
    _check_review(run, found)
    _check_at_hand(run, found)
    complete = all(row["exists"] for row in found.files)
    if run.recipe.data is not None and complete:
        _check_documents(run, found)
    if complete and found.documents is not None and found.allowed:
        _check_examples(run, found, progress)
    if not run.recipe.tested:
        found.warnings.append(
            "not proven: the recipe has no test questions → set augment.holdout_share: 0.2, "
            "augment.holdout_items and evaluate.heldout: true, or name evaluate.questions"
        )
    return found


def check_figures(
    run: Run, found: StartChecks, lengths: Lengths
) -> tuple[MemoryFigures, TrainingFigures, AnsweringFigures, DiskFigures]:
    """Return memory, training, answering and disk; what does not fit is added to the checks."""
    machine, trains = found.machine, not run.recipe.ask_only and not found.trained
    memory = memory_figures(run, machine, [] if found.trained else found.problems)
    training = training_figures(run, machine, lengths, found.estimated if trains else [])
    answering = answering_figures(run, machine, found.problems)
    disk = disk_figures(run, found.problems if machine.here else found.warnings)
    found.answering_times = answering_times(run, student_card(run), machine, found.count)
    if trains and training["hours"] > LONG_HOURS:
        found.warnings.append(
            f"training takes about {training['hours']:,.0f} hours ({training['basis']}), "
            f"{training['hours'] / 24:,.1f} days → use a card (`kofinlaw plan --card 24` shows its "
            "hours), a smaller model, or fewer examples (augment.items, train.max_steps)"
        )
    for time in found.answering_times:
        budget = time["budget_minutes"]
        limited = time["file"] == "submission" or run.recipe.evaluate.deadline
        if limited and budget is not None and time["minutes"] > budget:
            found.warnings.append(
                f"{time['questions']} questions take about {time['minutes']:g} minutes, but "
                f"answer.budget_minutes is {budget:g}: later questions get less evidence, or an "
                "answer without the model → raise the budget, use a smaller model or a larger card"
            )
    return memory, training, answering, disk


def require_start(
    run: Run,
    machine: Machine,
    say: Callable[[str], None],
    progress: Progress = silent,
    resume: Resume = "if-possible",
) -> StartChecks:
    """Check a run before its work as `plan` does, say the warnings, and stop at a problem.

    Raises UserError that lists all problems.
    """
    found = check_start(run, machine, progress, resume)
    check_figures(run, found, planned_lengths(run, found.count))
    if found.count is not None:
        say(f"examples: {found.count.sentence()}, {found.count.wanted:,} asked for")
    for warning in found.warnings:
        say(f"warning: {warning}")
    if found.problems:
        one = len(found.problems) == 1
        head = "1 problem" if one else f"{len(found.problems)} problems"
        raise UserError(
            f"this run cannot start: {head}\n" + "\n".join(f"  ✗ {p}" for p in found.problems),
            remedy="fix the recipe; `kofinlaw plan` checks the same without starting",
        )
    return found


def is_trained(run: Run) -> bool:
    """Return whether the training of a run is complete and would not be repeated."""
    done = (run.folder / "train").is_dir()
    return done and is_complete(build_stages(run), "train", run.folder)


def loads_a_model(run: Run, only: Sequence[str] | None) -> bool:
    """Return whether one of these stages trains, answers or asks a teacher; None is all stages.

    The others run on any machine, so `require_start` is not needed before them.
    """
    augment = run.recipe.augment
    by_rule = augment.teacher is None and augment.select != "student"
    light = {"data", "index", *(["augment"] if by_rule else [])}
    return only is None or not light.issuperset(only)


def planned_lengths(run: Run, count: DryCount | None) -> Lengths:
    """Return the number and the lengths of the examples by a count, else by the recipe alone."""
    longest = run.recipe.train.max_length
    if count is None:
        mean = min(longest, GUESSED_TOKENS)
        return {"examples": run.recipe.augment.items, "mean_tokens": mean, "longest_tokens": None}
    return {
        "examples": count.examples,
        "mean_tokens": min(longest, count.mean_tokens + TEMPLATE_TOKENS),
        "longest_tokens": count.longest_tokens + TEMPLATE_TOKENS,
    }


def _check_files(run: Run, found: StartChecks) -> None:
    named = [*source_paths(run), *protected_paths(run)]
    if run.recipe.examples:
        named.append(run.path(run.recipe.examples))
    if run.recipe.evaluate.key:
        named.append(run.path(run.recipe.evaluate.key))
    named += [run.path(s.path) for exam in run.recipe.evaluate.exam for s in exam.sources]
    named += [run.path(str(part.path)) for part in run.recipe.train.mixture]
    for path in dict.fromkeys(named):
        found.files.append({"path": str(path), "exists": path.exists()})
        if not path.exists():
            found.problems.append(
                f"{path}: no such file or folder, but the recipe names it → fix the path, or "
                "override it with --set (for documents: --set data.sources=FOLDER)"
            )
    try:
        refuse_trained_exams(run)
        if all(row["exists"] for row in found.files):
            protected_texts(run)
            found.warnings += question_doubts(run)
    except UserError as error:
        found.problems.append(_one_line(error))


def _check_review(run: Run, found: StartChecks) -> None:
    """Add a broken file of verdicts, and say how many examples the verdicts leave out or change."""
    from kofinlaw.augment.review.outcomes import changes_of, current_verdicts
    from kofinlaw.augment.review.verdict_file import VERDICT_FILE, read_verdicts

    try:
        changes = changes_of(current_verdicts(read_verdicts(run.folder / VERDICT_FILE)))
    except UserError as error:
        found.problems.append(_one_line(error))
        return
    if changes:
        corrected = sum(any(c.correction for c in row) for row in changes.by_id.values())
        left_out = len(changes.by_id) - corrected
        found.warnings.append(
            f"{VERDICT_FILE}: readers left out {left_out} and corrected {corrected} of the counted "
            "examples"
        )


def _check_at_hand(run: Run, found: StartChecks) -> None:
    # The score of choices needs no embedder.
    unused = "" if asks_free_text(run) else "score.embedder"
    found.models = [model for model in needed_models(run) if model.key != unused]
    found.extras = [
        extra for extra in needed_extras(run.recipe, trained=found.trained) if extra.key != unused
    ]
    found.warnings += costly_tokenization(run.recipe)
    lines: dict[str, list[NeededModel]] = {}
    for model in found.models:
        if model.at_hand:
            continue
        if model.downloads:
            found.warnings.append(
                f"{model.key}: the run downloads {model.id} first, because `offline: false`"
            )
        else:
            lines.setdefault(model.command, []).append(model)
    missing = [
        f"{', '.join(m.key for m in models)}: the weights of {', '.join(m.id for m in models)} are "
        f"not on this machine → {_command(command)}"
        for command, models in lines.items()
    ]
    for extra in found.extras:
        if not extra.installed:
            missing.append(f"{extra.key} needs the package {extra.package} → {extra.command}")
    if found.machine.here:
        found.problems += missing
        found.problems += card_problems(run.recipe, found.machine, trained=found.trained)
    else:  # the plan is for another machine
        found.warnings += missing


def _command(command: str) -> str:
    if command.startswith("hf "):
        return f"run `{command}` on a machine with a network, or set its path"
    return command


def _check_documents(run: Run, found: StartChecks) -> None:
    """Add the policy's refusals of documents, and the files that are not read."""
    try:
        listed = documents_of(run)
    except UserError as error:
        found.problems.append(_one_line(error))
        return
    found.documents = listed
    policy = run.recipe.policy
    verdicts = check_documents(policy, listed.documents)
    found.allowed = all(verdict.ok for verdict in verdicts)
    refused = [f"policy {policy}: {verdict_sentence(v)}" for v in verdicts if not v.ok]
    found.problems += refused[:SHOWN_DOCUMENTS]
    if len(refused) > SHOWN_DOCUMENTS:
        found.problems.append(f"… and {len(refused) - SHOWN_DOCUMENTS} more documents")
    names = {file.name for file in listed.unread}
    if names:
        lines = unread_lines(listed.files, listed.unread)
        found.warnings.append("\n    ".join(lines))


def _check_examples(run: Run, found: StartChecks, progress: Progress) -> None:
    """Count what the documents give; add held-out titles that are missing, and too few examples."""
    recipe = run.recipe
    if not recipe.makes_examples or recipe.examples is not None:
        return
    try:
        count = found.count = dry_count(run, progress)
    except UserError as error:
        found.problems.append(_one_line(error))
        return
    if not count.exact:
        found.estimated.append(f"examples · {count.how}")
    if recipe.evaluate.heldout and not recipe.evaluate.questions and not count.tests:
        found.problems.append(
            "the held-out documents give no test question → hold other documents out "
            "(augment.holdout_share), name evaluate.questions, or set evaluate.heldout: false"
        )
    fewer = count.items < count.wanted and recipe.augment.teacher is None
    problem = too_few_examples(recipe, count.high) if fewer else None
    if problem is not None:
        found.problems.append(_one_line(problem))


def _one_line(error: UserError) -> str:
    """Return an error as one line: where, what, and the remedy after an arrow."""
    head = f"{error.where}: {error.message}" if error.where else error.message
    return f"{head} → {error.remedy}" if error.remedy else head
