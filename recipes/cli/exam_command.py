"""Define the commands `exam` and `bench`: measure models on exams and on evaluation sets."""

from __future__ import annotations

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
    from kofinlaw.recipes.pipeline.evaluation.bench_fence import NearCopyRow
    from kofinlaw.recipes.pipeline.run import Run

__all__ = ["bench", "exam", "measure_exam"]

SHOWN_COPIES = 5  # near-copies that the terminal names


def exam(
    file: Annotated[
        Path, typer.Argument(help="CSV with question, answer, A-D; JSON Lines, JSON or Parquet.")
    ],
    run: RunFolder = None,
    recipe: Annotated[
        str | None,
        typer.Option("--recipe", help="A recipe instead of a run: its model and settings."),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option("--model", help="A checkpoint; default: the run's merged model, else base."),
    ] = None,
    index: Annotated[
        Path | None, typer.Option("--index", help="An index; default: the run's, if it has one.")
    ] = None,
    key: Annotated[
        Path | None, typer.Option("--key", help="Key records, if the exam has no answers.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder for the answers; default: RUN/exam/<file name>."),
    ] = None,
    overrides: Overrides = None,
    runs: Runs = DEFAULT_RUNS,
    trust: Trust = False,
) -> None:
    """Measure a model on an exam next to trivial solvers; nothing is trained."""
    from kofinlaw.offline import guard
    from kofinlaw.recipes.pipeline.integrity.checks import require_path
    from kofinlaw.recipes.pipeline.lock import run_lock
    from kofinlaw.recipes.pipeline.progress_display import stage_progress

    bound = bind_recipe(recipe, overrides, runs) if recipe is not None else bound_run(run)
    if recipe is None and overrides:
        raise UserError(
            "a finished run keeps its settings",
            where="--set",
            remedy="name the recipe: --recipe RECIPE --set KEY=VALUE",
        )
    out = out or bound.folder / "exam" / file.stem
    searched = index or (bound.folder / "index" if (bound.folder / "index").is_dir() else None)
    for used in (searched, model or bound.folder / "merge"):
        if used is not None:
            require_path(used, trust=trust, say=say)
    lock = run_lock(out, lambda line: say(f"  {line}"))
    with guard(offline=bound.recipe.offline), lock, stage_progress("exam") as progress:
        page = measure_exam(bound, file, key, out, model, searched, progress)
    say(page)
    say(f"figures: {short_path(out / 'exams.json')}")


def measure_exam(
    run: Run,
    file: Path,
    key: Path | None,
    out: Path,
    model: Path | None,
    index: Path | None,
    progress: Progress,
) -> str:
    """Answer an exam as `model`, and with an index as `model-rag`; return the scores as Markdown.

    A measurement that was interrupted continues in the same folder.

    Args:
        run: The recipe whose settings are used.
        file: The exam.
        key: Its Key records, if the exam has no answers.
        out: Folder for questions, answers and scores.
        model: The weights; None: the run's merged model, else its base model.
        index: The index to search; None: only without evidence.
        progress: Called with the questions done.
    """
    from kofinlaw.files import write_json, write_jsonl, write_text
    from kofinlaw.rag.questions.exam_files import read_exam
    from kofinlaw.rag.questions.question_files import doubt_lines
    from kofinlaw.recipes.pipeline.evaluation.answering import answer_with
    from kofinlaw.recipes.pipeline.fitting.voter_fitting import serving_settings
    from kofinlaw.recipes.pipeline.run import serving_folder
    from kofinlaw.scoring.exams.exam_figures import exams_record
    from kofinlaw.scoring.exams.exam_table import exams_markdown
    from kofinlaw.scoring.exams.rate_exam import rate_exam

    found = read_exam(file, key)
    for line in doubt_lines(file, found.doubts, len(found.questions)):
        say(f"  {line}")
    questions = out / "questions.jsonl"
    write_jsonl(questions, found.questions)
    settings = serving_settings(run) if model is None else run.recipe.answer
    settings = settings.model_copy(update={"budget_minutes": None})
    folders = {"model": out / "model", "model-rag": out / "model-rag"}
    if index is None:
        del folders["model-rag"]
    for name, folder in folders.items():
        answer_with(
            run,
            model or serving_folder(run),
            index if name == "model-rag" else None,
            questions,
            folder,
            settings,
            progress,
        )
    rated = rate_exam(file.stem, found.questions, found.keys, folders)
    record = exams_record([rated], run.recipe.score, run.recipe.seed)
    page = exams_markdown(record)
    write_json(out / "exams.json", record)
    write_text(out / "exams.md", page)
    return page


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
    from kofinlaw.rag.benches.sets import bench_set
    from kofinlaw.rag.questions.question_files import doubt_lines
    from kofinlaw.recipes.pipeline.evaluation.bench_fence import fence_texts, write_fence
    from kofinlaw.recipes.pipeline.evaluation.bench_measure import sampled

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
    folder = bound.folder / "bench" / known.name / file[0].stem
    out = out or folder
    texts = fence_texts(whole.exam.questions, whole.exam.keys)
    if not dry_run:
        write_fence(folder, texts, [(one.path.name, one.sha256) for one in whole.files])
        say(f"  fenced off from the training of {short_path(bound.folder)}")
    asked = sampled(whole, sample)
    _run_bench(
        bound, asked, len(asked.exam.questions) if asked is not whole else 0, out, file, corpus,
        model, index, system or [], texts, copies, notes, again if dry_run else "", trust=trust,
    )  # fmt: skip


def _run_bench(
    bound: Run,
    asked: BenchFile,
    sample: int,
    out: Path,
    files: list[Path],
    corpus: Path | None,
    model: Path | None,
    index: Path | None,
    wanted: list[str],
    texts: list[str],
    copies: list[NearCopyRow],
    notes: list[str],
    dry_run: str,
    *,
    trust: bool,
) -> None:
    """Prepare corpus, models and systems, and measure.

    With `dry_run`, the command that measures, this command is printed and nothing is answered.
    """
    from kofinlaw.offline import guard
    from kofinlaw.rag.benches.corpora import find_corpus, gold_chunks
    from kofinlaw.recipes.pipeline.evaluation.bench_measure import (
        BenchPlan,
        bench_models,
        measure_bench,
        refuse_trained_questions,
        systems_of,
    )
    from kofinlaw.recipes.pipeline.evaluation.bench_search import open_corpus
    from kofinlaw.recipes.pipeline.integrity.checks import require_path
    from kofinlaw.recipes.pipeline.lock import run_lock
    from kofinlaw.recipes.pipeline.progress_display import stage_progress
    from kofinlaw.scoring.benches.bench_record import bench_markdown

    known = asked.set
    found = corpus or find_corpus(known, files[0])
    if index is None and found is None and (bound.folder / "index").is_dir():
        index = bound.folder / "index"
    merged = bound.folder / "merge"
    for used in (index, model or (merged if merged.is_dir() else None)):
        if used is not None:
            require_path(used, trust=trust, say=say)
    lock = run_lock(out, lambda line: say(f"  {line}"))
    with guard(offline=bound.recipe.offline), lock, stage_progress("bench") as progress:
        opened = None
        if found is not None:
            opened = open_corpus(bound, known, found, out / "corpus", progress)
            left = f", {opened.empty} without text left out" if opened.empty else ""
            say(f"  corpus {short_path(found)}: {len(opened.chunks)} passages{left}")
        gold, absent = gold_chunks(asked, opened)
        names = "; ".join(absent[:3])
        if absent and opened is not None:
            notes.append(f"{len(absent)} gold passages are not in the corpus: {names}")
        elif absent:
            notes.append("the set names gold passages; --corpus gives their texts")
        for line in notes[-1:] if absent else ():
            say(f"  {line}")
        models = bench_models(bound, model, progress)
        systems = systems_of(
            tuple(models), wanted, gold=bool(gold), search=opened is not None or index is not None
        )
        say(f"  systems: {', '.join(systems)}")
        if any(not one.startswith("base") for one in systems):
            refuse_trained_questions(bound, texts)
        if dry_run:
            say_next(dry_run)
            return
        plan = BenchPlan(
            asked, sample, models, systems, opened, index, gold, len(absent), len(copies),
            tuple(notes),
        )  # fmt: skip
        record = measure_bench(bound, plan, out, progress)
    say(bench_markdown(record))
    say(f"figures: {short_path(out / 'bench.json')}")
    if asked.kind == "choice" and len(files) == 1 and (bound.folder / "recipe.yaml").is_file():
        value = f"evaluate.exam={{path: '{files[0].resolve()}', bench: {known.name}}}"
        recipe = short_path(bound.folder / "recipe.yaml")
        folder = short_path(bound.folder)
        say_next(
            command_line(
                *("run", recipe, "--folder", folder, "--set", value),
                comment="in the run's report",
            )
        )
    else:
        answers = short_path(out / systems[0])
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
