"""Check a recipe without loading weights: the checks of a run's start, memory, steps and hours."""

from __future__ import annotations

from kofinlaw import Progress, UserError, silent
from kofinlaw.files import read_jsonl
from kofinlaw.models.catalogue import lookup_model
from kofinlaw.models.machines import DEFAULT_CARD_GIB, Machine, machine_for, planned_card
from kofinlaw.models.policy.rules import verdict_sentence
from kofinlaw.recipes.pipeline.plan_examples import ExamplesPlan, plan_examples
from kofinlaw.recipes.pipeline.plan_record import (
    AtHandRow,
    CountFigures,
    Plan,
    RetrieverFigures,
    TeacherPlan,
)
from kofinlaw.recipes.pipeline.planning.answering_time import minutes_line
from kofinlaw.recipes.pipeline.planning.at_hand import card_only
from kofinlaw.recipes.pipeline.planning.count_record import DryCount
from kofinlaw.recipes.pipeline.planning.dry_count import tokens_per_character
from kofinlaw.recipes.pipeline.planning.example_shortage import counted
from kofinlaw.recipes.pipeline.planning.figures import student_card
from kofinlaw.recipes.pipeline.planning.retriever_figures import (
    retriever_figures,
    retriever_lines,
)
from kofinlaw.recipes.pipeline.planning.simulated import simulation_figures, simulation_lines
from kofinlaw.recipes.pipeline.planning.start_checks import (
    StartChecks,
    check_figures,
    check_start,
    is_trained,
    planned_lengths,
)
from kofinlaw.recipes.pipeline.run import Run
from kofinlaw.records import Article

__all__ = [
    "make_plan",
    "plan_lines",
    "planned_machine",
]

LARGE_PARAMETERS = 3e9  # training this many on a processor takes days
MOST_KINDS = 6  # kinds of example that are listed


def planned_machine(run: Run, card: str | None) -> Machine:
    """Return the machine that a recipe is planned for.

    Args:
        run: The recipe bound to its folder.
        card: The option `--card`: GiB of a card, `none` or `cpu` for the processor, or None.

    Without the option it is this machine; a recipe that needs a card, or that trains a model of
    `LARGE_PARAMETERS`, is planned for one of 24 GiB if this machine has none. Raises UserError for
    an option that names no card.
    """
    machine = machine_for(card)
    if card is not None or machine.gpu:
        return machine
    trained = is_trained(run)
    if card_only(run.recipe, trained=trained) or (_is_large(run) and not trained):
        return planned_card(
            DEFAULT_CARD_GIB, "a 24 GB card, which this recipe needs and this machine does not have"
        )
    return machine


def _is_large(run: Run) -> bool:
    """Return whether the recipe trains a model that would take days on a processor."""
    model = lookup_model(run.recipe.model.id)
    return not run.recipe.ask_only and model is not None and model.parameters >= LARGE_PARAMETERS


def make_plan(
    run: Run,
    machine: Machine | None = None,
    progress: Progress = silent,
    *,
    simulate: bool = False,
) -> Plan:
    """Check everything that can be checked without loading weights.

    Args:
        run: The recipe bound to its folder.
        machine: The machine that is planned for; None: as `planned_machine` chooses.
        progress: Receives the phases of counting the examples and of the simulation.
        simulate: Whether to simulate the training step too; this loads torch.

    Nothing is written to the run's folder. Raises UserError if the catalogue does not know the
    model, and as `simulation_figures`.
    """
    machine = machine or planned_machine(run, None)
    student_card(run)
    found = check_start(run, machine, progress)
    examples = _examples(run, found)
    memory, training, answering, disk = check_figures(run, found, examples.lengths)
    simulation = None
    if simulate:
        simulation = simulation_figures(run, machine, memory, found.problems, progress)
    teacher = _teacher(run, machine, found)
    retriever = _retriever(run, machine, found, progress)
    recipe = run.recipe
    return {
        "recipe": recipe.name,
        "policy": recipe.policy,
        "trains": not recipe.ask_only,
        "trained": found.trained,
        "tested": recipe.tested,
        "machine": {
            "gib": round(machine.gib, 2),
            "gpu": machine.gpu,
            "origin": machine.origin,
            "rates": machine.rates,
            "here": machine.here,
        },
        "models": [_row(m.id, m.key, m.at_hand, m.command) for m in found.models],
        "packages": [_row(x.package, x.key, x.installed, x.command) for x in found.extras],
        "documents": len(found.documents.documents) if found.documents is not None else None,
        "count": _counted(found.count),
        "answering_times": found.answering_times,
        "files": found.files,
        "verdicts": [{"ok": v.ok, "verdict": verdict_sentence(v)} for v in found.verdicts],
        "lengths": examples.lengths,
        "first_example": examples.first,
        "memory": memory,
        "simulation": simulation,
        "training": training,
        "teacher": teacher,
        "retriever": retriever,
        "answering": answering,
        "disk": disk,
        "problems": found.problems,
        "warnings": found.warnings,
        "estimated": found.estimated,
        "ok": not found.problems,
    }


def _row(name: str, key: str, at_hand: bool, command: str) -> AtHandRow:
    return {"name": name, "key": key, "at_hand": at_hand, "command": command}


def _counted(count: DryCount | None) -> CountFigures | None:
    if count is None:
        return None
    return {
        "examples": count.examples,
        "low": count.low,
        "high": count.high,
        "wanted": count.wanted,
        "tests": count.tests,
        "kinds": count.kinds,
        "rejected": count.rejected,
        "held_out": list(count.held_out),
        "how": count.how,
    }


def _examples(run: Run, found: StartChecks) -> ExamplesPlan:
    if run.recipe.ask_only:
        return ExamplesPlan(planned_lengths(run, None), None)
    try:
        rate = student_card(run).tokens_per_korean_char
        return plan_examples(run, found.count, rate, found.estimated)
    except UserError as error:
        found.problems.append(str(error))
        return ExamplesPlan(planned_lengths(run, found.count), None)


def _teacher(run: Run, machine: Machine, found: StartChecks) -> TeacherPlan | None:
    """Return the cost of the recipe's teacher; requests and hours once the acts are known."""
    settings = run.recipe.augment.teacher
    if settings is None:
        return None
    from kofinlaw.augment.heldout.holdout_choice import held_out_titles
    from kofinlaw.augment.reading.acts import read_laws
    from kofinlaw.augment.teacher.estimate import estimate_cost, teacher_memory

    gib = teacher_memory(settings, gpu=machine.gpu)
    plan: TeacherPlan = {
        "model": settings.model.id,
        "outputs": settings.items,
        "total_gib": round(gib, 2) if gib is not None else None,
        "requests": None,
        "hours": None,
    }
    articles = run.folder / "data" / "articles.jsonl"
    if articles.exists():
        rate = tokens_per_character(settings.model.id)
        corpus = read_laws(read_jsonl(articles, Article))
        held: set[str] = set()
        try:
            held = set(held_out_titles(run.recipe.augment, corpus))
        except UserError as error:
            found.problems.append(str(error))
        laws = [law for law in corpus.acts if law.title not in held]
        cost = estimate_cost(
            settings,
            laws,
            run.recipe.seed,
            lambda text: int(rate * len(text)) + 1,
            gpu=machine.gpu,
        )
        hours = [row.hours for row in cost.rows if row.hours is not None]
        plan["requests"] = sum(row.requests for row in cost.rows)
        plan["hours"] = round(sum(hours), 2) if hours else None
        found.estimated.append("teacher · as if every output passed the first filters")
    return plan


def _retriever(
    run: Run, machine: Machine, found: StartChecks, progress: Progress
) -> RetrieverFigures | None:
    """Return the plan of `fit-retriever` if the recipe has its section; a mistake is a problem."""
    recipe = run.recipe
    if "retriever" not in recipe.model_fields_set or recipe.data is None:
        return None
    try:
        return retriever_figures(run, machine, found.problems, progress)
    except UserError as error:
        found.problems.append(str(error))
        return None


def _teacher_line(teacher: TeacherPlan) -> str:
    """Return the teacher's figures in one line."""
    gib = "memory unknown" if teacher["total_gib"] is None else f"{teacher['total_gib']} GiB"
    line = f"teacher: {teacher['model']}, {teacher['outputs']} outputs, {gib}"
    if teacher["requests"] is None:
        return f"{line}; requests and hours after `kofinlaw data`"
    hours = "hours unknown" if teacher["hours"] is None else f"about {teacher['hours']} hours"
    return f"{line}, {teacher['requests']} requests, {hours}"


def plan_lines(plan: Plan, systems: int = 1) -> list[str]:
    """Return the plan as lines for the terminal; `systems` answer the test questions."""
    lines = [f"plan of {plan['recipe']} under policy {plan['policy']}", _machine_line(plan), ""]
    lines += [
        f"  {'allowed' if row['ok'] else 'REFUSED'}  {row['verdict']}" for row in plan["verdicts"]
    ]
    lines += ["", *_at_hand_lines(plan), *_document_lines(plan)]
    if plan["trains"]:
        lines += ["", *_training_lines(plan), *simulation_lines(plan)]
        if plan["trained"]:
            lines.append("the training is complete, and `run` does not repeat it")
    else:
        lines += ["", "nothing is trained: the base model answers (ask_only)"]
    if plan["teacher"] is not None:
        lines.append(_teacher_line(plan["teacher"]))
    if plan["retriever"] is not None:
        lines += ["", *retriever_lines(plan["retriever"])]
    lines += ["", *_answering_lines(plan, systems)]
    disk = plan["disk"]
    lines.append(f"disk: {disk['needed_gib']} GiB needed, {disk['free_gib']} GiB free")
    if plan["first_example"]:
        lines += ["", "first example", ""]
        lines += [f"  {line}" for line in plan["first_example"]["rendered"].splitlines()]
    if plan["estimated"]:
        lines += ["", *[f"estimated · {note}" for note in plan["estimated"]]]
    return [*lines, *_findings(plan)]


def _findings(plan: Plan) -> list[str]:
    """Return warnings and problems, last because they are what the user acts on."""
    lines: list[str] = []
    if plan["warnings"]:
        lines += ["", _counted_noun(len(plan["warnings"]), "warning") + ":"]
        lines += [f"  ! {warning}" for warning in plan["warnings"]]
    if plan["problems"]:
        lines += ["", _counted_noun(len(plan["problems"]), "problem") + ":"]
        return [*lines, *(f"  ✗ {problem}" for problem in plan["problems"])]
    return [*lines, "", "no problem found"]


def _counted_noun(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _machine_line(plan: Plan) -> str:
    machine = plan["machine"]
    kind = "card" if machine["gpu"] else "processor"
    return f"planned for a {kind} with {machine['gib']:.1f} GiB ({machine['origin']})"


def _at_hand_lines(plan: Plan) -> list[str]:
    """Return what is on this machine; what is missing follows with its command, at the end."""
    rows = [*plan["models"], *plan["packages"]]
    missing = [row["name"] for row in rows if not row["at_hand"]]
    names = [row["name"] for row in plan["models"] if row["at_hand"]]
    if all(row["at_hand"] for row in plan["packages"]):
        names.append("every package")
    lines = [f"at hand: {', '.join(names)}"] if names else []
    return [*lines, *([f"missing: {', '.join(missing)}"] if missing else [])]


def _document_lines(plan: Plan) -> list[str]:
    lines = []
    if plan["documents"] is not None:
        lines.append(f"documents: {plan['documents']}")
    count = plan["count"]
    if count is None:
        return lines
    number = f"{count['examples']:,}"
    if count["low"] != count["high"]:
        number = f"about {number} ({count['low']:,} to {count['high']:,})"
    what = "training examples" if plan["trains"] else "examples"
    lines.append(f"{what}: {number}, {count['wanted']:,} asked for; {count['how']}")
    lines.append(f"  {counted(count['kinds'], MOST_KINDS)}")
    if count["rejected"]:
        lines.append(f"  questions left out by the checks: {counted(count['rejected'])}")
    if count["tests"]:
        held = ", ".join(count["held_out"][:MOST_KINDS])
        more_titles = len(count["held_out"]) - MOST_KINDS
        held += f" and {more_titles} more" if more_titles > 0 else ""
        lines.append(f"test questions: {count['tests']}" + (f", from {held}" if held else ""))
    return lines


def _training_lines(plan: Plan) -> list[str]:
    memory, training, lengths = plan["memory"], plan["training"], plan["lengths"]
    return [
        f"memory to train (limit {memory['limit_gib']} GiB: {memory['limit_is']})",
        *(f"  {name:<28}{gib:>9.3f} GiB" for name, gib in memory["terms_gib"].items()),
        f"  {'total':<28}{memory['total_gib']:>9.2f} GiB",
        f"  micro-batch that fits: {memory['micro_batch']}; longest sequence that fits: "
        f"{memory['longest_sequence']} tokens",
        "",
        f"training: {training['steps']} steps of {training['effective_batch']} examples, about "
        f"{training['tokens']:,} tokens, about {_hours(training['hours'])} ({training['basis']})",
        f"examples: {lengths['examples']:,}, mean {lengths['mean_tokens']} tokens, longest "
        f"{lengths['longest_tokens'] or 'unknown'}",
    ]


def _hours(hours: float) -> str:
    """Return hours as a person says them: minutes below two hours, days above two."""
    if hours < 2:
        return f"{max(1, round(hours * 60))} minutes"
    if hours <= 48:
        return f"{hours:.1f} hours"
    return f"{hours:,.0f} hours ({hours / 24:.0f} days)"


def _answering_lines(plan: Plan, systems: int) -> list[str]:
    answering = plan["answering"]
    minutes = answering["budget_minutes"]
    limit = f"limit {minutes:g} minutes" if minutes else "no time limit"
    lines = [f"answering: {answering['total_gib']} GiB at {answering['bits']} bit, {limit}"]
    terms = sorted(answering["terms_gib"].items(), key=lambda row: -row[1])
    shown = [f"{name} {gib:.1f}" for name, gib in terms if gib >= 0.05]
    lines.append("  " + ", ".join(shown))
    for time in plan["answering_times"]:
        lines += [f"  {minutes_line(time, systems)}", f"    assumes {time['assumes']}"]
    return lines
