"""Define the command `bench`: measure models on published evaluation sets."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kofinlaw import Progress, UserError
from kofinlaw.recipes.cli.binding import bind_recipe, bound_run
from kofinlaw.recipes.cli.console import command_line, say, say_next, short_path
from kofinlaw.recipes.cli.options import (
    DEFAULT_RUNS,
    Overrides,
    RunFolder,
    Runs,
    Trust,
    same_run,
)

if TYPE_CHECKING:
    from kofinlaw.rag.benches.bench_files import BenchFile
    from kofinlaw.rag.benches.corpora import BenchCorpus
    from kofinlaw.recipes.pipeline.evaluation.bench_fence import NearCopyRow
    from kofinlaw.recipes.pipeline.evaluation.bench_measure import BenchPlan
    from kofinlaw.recipes.pipeline.run import Run

__all__ = ["bench"]

SHOWN_COPIES = 5  # near-copies that the terminal names


def bench(
    name: Annotated[
        str | None, typer.Argument(help="The evaluation set; without a name they are listed.")
    ] = None,
    file: Annotated[
        list[Path] | None,
        typer.Option(
            "--file", help="A file of the set: CSV, JSON, JSON Lines, Parquet (repeatable)."
        ),
    ] = None,
    key: Annotated[
        Path | None, typer.Option("--key", help="The answers, if the set keeps them apart (FSKU).")
    ] = None,
    corpus: Annotated[
        Path | None,
        typer.Option(
            "--corpus", help="The set's corpus; default: its usual name next to the file."
        ),
    ] = None,
    compare: Annotated[
        list[Path] | None,
        typer.Option("--compare", help="List near-copies in this other file (repeatable)."),
    ] = None,
    run: RunFolder = None,
    recipe: Annotated[
        str | None,
        typer.Option("--recipe", help="A recipe instead of a run: its model and settings."),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option("--model", help="A checkpoint instead of the run's base and trained model."),
    ] = None,
    index: Annotated[
        Path | None,
        typer.Option(
            "--index", help="An index to search; default: the set's corpus, else the run's."
        ),
    ] = None,
    system: Annotated[
        list[str] | None,
        typer.Option(
            "--system", help="Only this system: base, trained-rag, base-gold (repeatable)."
        ),
    ] = None,
    sample: Annotated[
        int | None, typer.Option("--sample", min=1, help="A fixed sample of this many questions.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read and check the file; answer nothing.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder for the answers; default: RUN/bench/NAME/<file name>."),
    ] = None,
    overrides: Overrides = None,
    runs: Runs = DEFAULT_RUNS,
    trust: Trust = False,
) -> None:
    """Measure base and trained model on a published evaluation set that you have as a file."""
    from kofinlaw.rag.benches.bench_files import read_bench
    from kofinlaw.rag.benches.corpora import find_corpus
    from kofinlaw.rag.benches.sets import bench_set
    from kofinlaw.rag.questions.question_files import doubt_lines
    from kofinlaw.recipes.pipeline.evaluation.bench_fence import fence_texts, write_fence
    from kofinlaw.recipes.pipeline.evaluation.bench_measure import measure_bench, sampled
    from kofinlaw.recipes.pipeline.integrity.checks import require_path
    from kofinlaw.scoring.benches.bench_record import bench_markdown

    if name is None:
        _list_sets()
        return
    known = bench_set(name)
    if not file:
        raise UserError(
            "no file is named",
            where="--file",
            remedy=f"get {known.title} from its publisher, and name it: "
            f"kofinlaw bench {known.name} --file FILE",
        )
    say(f"{known.title}; licence: {known.license}")
    whole = read_bench(known, file, key)
    for one in whole.files:
        say(f"  {one.path}: {one.form}, {one.questions} questions, SHA-256 {one.sha256}")
    kind = "multiple choice" if whole.kind == "choice" else "free text"
    say(f"  {len(whole.exam.questions)} questions, {kind}")
    notes = _bench_notes(whole)
    for line in (*notes, *doubt_lines(file[0], whole.exam.doubts, len(whole.exam.questions))):
        say(f"  {line}")
    if recipe is None and overrides:
        raise UserError(
            "a finished run keeps its settings",
            where="--set",
            remedy="name the recipe: --recipe RECIPE --set KEY=VALUE",
        )
    copies = _near_copies(whole, file, compare or [])
    given = {
        "--file": file, "--key": key, "--corpus": corpus, "--compare": compare, "--run": run,
        "--recipe": recipe, "--model": model, "--index": index, "--system": system,
        "--sample": sample, "--out": out,
    }  # fmt: skip
    options = [word for name, value in given.items() for word in _named(name, value)]
    options += same_run(overrides, runs)
    again = command_line("bench", known.name, *options)
    if dry_run and recipe is None and run is None:
        say_next(again)
        return
    bound = bind_recipe(recipe, overrides, runs) if recipe is not None else bound_run(run)
    found = corpus or find_corpus(known, file[0])
    if index is None and found is None and (bound.folder / "index").is_dir():
        index = bound.folder / "index"
    merged = bound.folder / "merge"
    for used in (index, model or (merged if merged.is_dir() else None)):
        if used is not None:
            require_path(used, trust=trust, say=say)
    folder = bound.folder / "bench" / known.name / file[0].stem
    texts = fence_texts(whole.exam.questions, whole.exam.keys)
    if not dry_run:
        write_fence(folder, texts, [(one.path.name, one.sha256) for one in whole.files])
        say(f"  fenced off from the training of {short_path(bound.folder)}")
    asked = sampled(whole, sample)
    with _output_folder(bound, None if dry_run else out or folder) as (out, progress):
        opened = _opened_corpus(bound, asked, found, out / "corpus", progress)
        plan = _bench_plan(bound, asked, opened, model, index, system or [], texts, progress)
        if dry_run:
            say_next(again)
            return
        plan = replace(
            plan,
            sample=len(asked.exam.questions) if asked is not whole else 0,
            near_copies=len(copies),
            notes=(*notes, *plan.notes),
        )
        record = measure_bench(bound, plan, out, progress)
    say(bench_markdown(record))
    say(f"figures: {short_path(out / 'bench.json')}")
    _say_next(bound, asked, file, out, plan.systems[0])


@contextlib.contextmanager
def _output_folder(bound: Run, out: Path | None) -> Iterator[tuple[Path, Progress]]:
    """Hold the lock of `out` and show progress; without `out` yield a folder that is removed."""
    from kofinlaw.offline import guard
    from kofinlaw.recipes.pipeline.lock import run_lock
    from kofinlaw.recipes.pipeline.progress_display import stage_progress

    with (
        guard(offline=bound.recipe.offline),
        contextlib.ExitStack() as stack,
        stage_progress("bench") as progress,
    ):
        if out is None:
            out = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        else:
            stack.enter_context(run_lock(out, lambda line: say(f"  {line}"), option="--out DIR"))
        yield out, progress


def _opened_corpus(
    bound: Run, asked: BenchFile, found: Path | None, out: Path, progress: Progress
) -> BenchCorpus | None:
    """Read the set's corpus, if there is one, and print its size."""
    from kofinlaw.recipes.pipeline.evaluation.bench_search import open_corpus

    if found is None:
        return None
    opened = open_corpus(bound, asked.set, found, out, progress)
    left = f", {opened.empty} without text left out" if opened.empty else ""
    say(f"  corpus {short_path(found)}: {len(opened.chunks)} passages{left}")
    return opened


def _bench_plan(
    bound: Run,
    asked: BenchFile,
    opened: BenchCorpus | None,
    model: Path | None,
    index: Path | None,
    wanted: list[str],
    texts: list[str],
    progress: Progress,
) -> BenchPlan:
    """Return the models and systems that are measured, and print what is missing.

    Raises UserError if a question is in the training examples of a measured model.
    """
    from kofinlaw.rag.benches.corpora import gold_chunks
    from kofinlaw.recipes.pipeline.evaluation.bench_measure import (
        BenchPlan,
        bench_models,
        refuse_trained_questions,
        systems_of,
    )

    gold, absent = gold_chunks(asked, opened)
    notes = []
    if absent and opened is not None:
        names = "; ".join(absent[:3])
        notes.append(f"{len(absent)} gold passages are not in the corpus: {names}")
    elif absent:
        notes.append("the set names gold passages; --corpus gives their texts")
    for line in notes:
        say(f"  {line}")
    models = bench_models(bound, model, progress)
    search = opened is not None or index is not None
    systems = systems_of(tuple(models), wanted, gold=bool(gold), search=search)
    say(f"  systems: {', '.join(systems)}")
    if any(not one.startswith("base") for one in systems):
        refuse_trained_questions(bound, texts)
    return BenchPlan(
        bench=asked,
        sample=0,
        models=models,
        systems=systems,
        corpus=opened,
        index=index,
        gold=gold,
        absent=len(absent),
        near_copies=0,
        notes=tuple(notes),
    )


def _say_next(bound: Run, asked: BenchFile, files: list[Path], out: Path, system: str) -> None:
    """Print how to repeat the measurement in the run's report, or how to score one system."""
    if asked.kind == "choice" and len(files) == 1 and (bound.folder / "recipe.yaml").is_file():
        value = f"evaluate.exam={{path: '{files[0].resolve()}', bench: {asked.set.name}}}"
        recipe = short_path(bound.folder / "recipe.yaml")
        folder = short_path(bound.folder)
        say_next(
            command_line(
                *("run", recipe, "--folder", folder, "--set", value),
                comment="in the run's report",
            )
        )
    else:
        answers = short_path(out / system)
        options = [f"--{n}={short_path(out / n)}.jsonl" for n in ("questions", "key")]
        say_next(command_line("score", answers, *options))


def _list_sets() -> None:
    """Print every set with its kind, licence and columns."""
    from kofinlaw.rag.benches.sets import BENCH_SETS

    for one in BENCH_SETS.values():
        say(f"{one.name}: {one.title}; licence: {one.license}")
        for form in one.forms:
            columns = ", ".join(form.columns)
            say(f"  {form.name} ({form.kind}): {columns}" if not form.unusable else
                f"  {form.name}: not measured, {form.unusable}")  # fmt: skip
        for corpus in one.corpora:
            shown = "a folder of documents" if corpus.pages else ", ".join(corpus.columns)
            say(f"  corpus: {shown}")
    say_next(command_line("bench", "kmmlu", "--file", "Law-test.csv", "--dry-run"))


def _named(option: str, value: object) -> list[str]:
    """Return the words of an option that was given: none for None, one pair for each of a list."""
    values = value if isinstance(value, list) else [] if value is None else [value]
    return [word for one in values for word in (option, str(one))]


def _bench_notes(whole: BenchFile) -> list[str]:
    """Return what a reader of the figures must know of the file."""
    notes = []
    if whole.left_out:
        wanted = ", ".join(f"{name} {value}" for name, value in whole.set.only)
        notes.append(f"{whole.left_out} rows of another kind than {wanted} are left out")
    if whole.more_references:
        notes.append(
            f"{whole.more_references} questions have further references; the first one is scored"
        )
    return notes


def _near_copies(whole: BenchFile, files: list[Path], others: list[Path]) -> list[NearCopyRow]:
    """Print and return the near-copies of the file's questions in other files, and those between
    several files of the set.
    """
    from kofinlaw.rag.benches.rows import bench_rows, row_text
    from kofinlaw.recipes.pipeline.evaluation.bench_fence import copies_between

    ids = [question.id for question in whole.exam.questions]
    texts = whole.texts()
    found: list[NearCopyRow] = []
    for other in others:
        rows = [(str(other), line, row_text(row)) for line, row in bench_rows(other)]
        found += copies_between(ids, texts, rows)
    asked = [one for one in whole.files if one.questions]
    for number, path in enumerate(files[1:], 1):
        start = sum(one.questions for one in asked[:number])
        end = start + asked[number].questions
        rows = [(str(path), whole.exam.rows[i], texts[i]) for i in range(start, end)]
        found += copies_between(ids[:start], texts[:start], rows)
    if others or len(files) > 1:
        say(f"  near-copies: {len(found)}")
    for one in found[:SHOWN_COPIES]:
        say(f"    {one['question']}: {100 * one['share']:.0f} % in {one['file']}:{one['line']}")
    return found
