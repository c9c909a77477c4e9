"""The commands that work on files and runs: merge, verify, convert, export, ask, answer, score,
compare, report, models, doctor."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from kofinlaw import UserError
from kofinlaw.recipes.cli import AsJson, DefaultCommand, app, print_json, say, say_next

RunFolder = Annotated[
    Path | None, typer.Option("--run", help="A run's folder; default: the newest under runs/.")
]


def open_run(folder: Path | None) -> Any:
    """The run in `folder`, or the newest run under `runs/`, from its resolved recipe.

    Raises UserError where there is none.
    """
    from kofinlaw.models.offline import set_environment

    from kofinlaw.recipes.document import read_document
    from kofinlaw.recipes.schema import Recipe
    from kofinlaw.recipes.stages import Run, default_cache

    if folder is None:
        found = sorted(Path("runs").glob("*/recipe.yaml"), key=lambda p: p.stat().st_mtime)
        if not found:
            raise UserError(
                "there is no run yet", where="runs/", remedy="kofinlaw run quickstart makes one"
            )
        folder = found[-1].parent
    if not (folder / "recipe.yaml").is_file():
        raise UserError("this is no run's folder", where=str(folder), remedy="name runs/<recipe>")
    import time

    document = read_document((folder / "recipe.yaml").resolve())
    recipe = Recipe.model_validate(document.values)
    if recipe.offline:
        set_environment()
    return Run(recipe, document, folder.resolve(), time.monotonic(), default_cache())


def _offline(run: Any) -> Any:
    import contextlib

    from kofinlaw.models.offline import guard

    return guard() if run.recipe.offline else contextlib.nullcontext()


@app.command()
def merge(
    adapter: Annotated[Path, typer.Argument(help="The adapter's folder.")],
    out: Annotated[Path, typer.Option("--out", help="Where the merged checkpoint goes.")],
    base: Annotated[str, typer.Option("--base", help="dequantized or original.")] = "dequantized",
    model: Annotated[
        str, typer.Option("--model", help="Base: id or folder; default: as trained.")
    ] = "",
    dtype: Annotated[str, typer.Option(help="bfloat16 or float16.")] = "bfloat16",
) -> None:
    """Merge an adapter into its base, shard by shard, and write a checkpoint others can read."""
    from kofinlaw.recipes.progress import stage_progress
    from kofinlaw.trainer.merge import merge as merge_adapter

    if base not in ("dequantized", "original"):
        raise UserError(f"--base takes dequantized or original, not {base!r}", where="--base")
    if dtype not in ("bfloat16", "float16", "float32"):
        raise UserError(
            f"--dtype takes bfloat16, float16 or float32, not {dtype!r}", where="--dtype"
        )
    with stage_progress("merge") as progress:
        counts = merge_adapter(
            adapter, _base_folder(adapter, model), out, base=base, dtype=dtype, progress=progress
        )
    say(f"merged {counts.get('merged', counts)} weights into {out}")
    say_next(f"kofinlaw verify {out} --against {adapter}")


def _base_folder(adapter: Path, model: str) -> Path:
    """The base an adapter was trained on: named, or looked up in the adapter's record."""
    import json

    from kofinlaw.models.resolve import model_folder

    from kofinlaw.models.settings import ModelSettings
    from kofinlaw.recipes.stages import default_cache

    if not model:
        try:
            record = json.loads((adapter / "kofinlaw.json").read_text(encoding="utf-8"))
            model = str(record["base_id"])
        except (OSError, ValueError, KeyError) as error:
            raise UserError(
                "the adapter does not say which base it belongs to",
                where=str(adapter / "kofinlaw.json"),
                remedy="name it with --model ID_OR_FOLDER",
            ) from error
    settings = (
        ModelSettings(id=model, path=Path(model).resolve())
        if Path(model).is_dir()
        else ModelSettings(id=model)
    )
    return model_folder(settings, offline=True, cache=default_cache())


@app.command()
def verify(
    merged: Annotated[Path, typer.Argument(help="The merged checkpoint.")],
    against: Annotated[Path, typer.Option("--against", help="The adapter it was made from.")],
    model: Annotated[
        str, typer.Option("--model", help="Base: id or folder; default: as trained.")
    ] = "",
    questions: Annotated[Path | None, typer.Option(help="Questions to answer with both.")] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder for verify.json and its page.")] = Path(
        "verify"
    ),
) -> None:
    """Prove that a merged checkpoint behaves like base + adapter; exit code 1 if it does not."""
    from kofinlaw.scoring.verify import verify_stage

    from kofinlaw.models.templates import template_for
    from kofinlaw.recipes.progress import stage_progress
    from kofinlaw.trainer.merge_settings import VerifySettings

    base = _base_folder(against, model)
    with stage_progress("verify") as progress:
        result = verify_stage(
            VerifySettings(),
            merged=merged,
            adapter=against,
            base=base,
            questions=questions,
            template=template_for(base),
            out=out,
            progress=progress,
        )
    say(f"verdict: {result['verdict']}  ({out / 'verify.json'})")
    if result["verdict"] != "pass":
        raise typer.Exit(1)
    say_next(f"kofinlaw export {merged} --to gguf --out EXPORTED")


convert_app = typer.Typer(no_args_is_help=True, help="Rename a checkpoint's tensors, bit for bit.")
app.add_typer(convert_app, name="convert")


@convert_app.command("llama")
def convert_llama(
    source: Annotated[Path, typer.Argument(help="An EXAONE 3.x checkpoint.")],
    out: Annotated[Path, typer.Argument(help="Where the Llama checkpoint goes.")],
) -> None:
    """EXAONE 3.x to Llama: every tensor renamed, every config value read, nothing guessed."""
    from kofinlaw.trainer.convert import exaone_to_llama

    counts = exaone_to_llama(source, out)
    say(f"{counts.get('tensors', '')} tensors renamed into {out}")
    say_next(f"kofinlaw plan RECIPE --set model.path={out}")


@convert_app.command("exaone")
def convert_exaone(
    source: Annotated[Path, typer.Argument(help="A checkpoint made by `convert llama`.")],
    out: Annotated[Path, typer.Argument(help="Where the EXAONE checkpoint goes.")],
) -> None:
    """The way back: Llama names to EXAONE 3.x names."""
    from kofinlaw.trainer.convert import llama_to_exaone

    counts = llama_to_exaone(source, out)
    say(f"{counts.get('tensors', '')} tensors renamed into {out}")


@app.command()
def export(
    merged: Annotated[Path, typer.Argument(help="The merged checkpoint.")],
    to: Annotated[str, typer.Option("--to", help="gguf or bnb-4bit.")],
    out: Annotated[Path, typer.Option("--out", help="Folder of the export.")],
) -> None:
    """Write a merged checkpoint in another format."""
    from kofinlaw.trainer.export import export_stage

    from kofinlaw.recipes.progress import stage_progress
    from kofinlaw.recipes.stages import default_cache
    from kofinlaw.trainer.merge_settings import ExportSettings

    with stage_progress("export") as progress:
        settings = ExportSettings.model_validate({"formats": [to]})
        counts = export_stage(settings, merged, out, cache=default_cache(), progress=progress)
    for name, value in counts.items():
        say(f"  {name}: {value}")


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="질문. Options may follow on their own lines.")],
    run: RunFolder = None,
    as_json: AsJson = False,
) -> None:
    """Answer one question from a run's index, with its evidence."""
    from kofinlaw.rag.index import Index
    from kofinlaw.rag.retrieve import Retriever

    from kofinlaw.models.engines import open_engine
    from kofinlaw.models.templates import template_for
    from kofinlaw.rag.answer import ask as ask_one
    from kofinlaw.recipes.stages import model_folder

    bound = open_run(run)
    if not (bound.folder / "index").is_dir():
        raise UserError(
            "this run has no index", where=str(bound.folder), remedy="kofinlaw index RECIPE"
        )
    merged = bound.folder / "merge" / "model"
    folder = merged if merged.is_dir() else model_folder(bound)
    with _offline(bound):
        retriever = Retriever(
            Index.load(bound.folder / "index"), bound.recipe.rag, cache=bound.cache
        )
        with open_engine(bound.recipe.answer.engine, folder, seed=bound.recipe.seed) as engine:
            result = ask_one(
                question,
                engine=engine,
                template=template_for(folder),
                retriever=retriever,
                settings=bound.recipe.answer,
                seed=bound.recipe.seed,
            )
    if as_json:
        import dataclasses

        print_json(dataclasses.asdict(result))
        return
    say(f"\n{result.answer}\n")
    say("근거" if result.evidence else "근거 없음")
    for hit in result.evidence:
        say(f"  · {hit.unit}  ({hit.score:.2f}, {hit.by})")
        body = " ".join(hit.text.split())
        say(f"    {body[:160]}{'…' if len(body) > 160 else ''}")


@app.command()
def answer(
    questions: Annotated[Path, typer.Argument(help="ID,Question CSV, or JSON Lines.")],
    run: RunFolder = None,
    out: Annotated[Path, typer.Option("--out", help="Folder for answers and submission.")] = Path(
        "answers"
    ),
    budget_minutes: Annotated[
        float | None, typer.Option(help="Minutes in all, loading included.")
    ] = None,
    check_budget: Annotated[
        bool,
        typer.Option("--check-budget", help="Time a sample; exit 1 if the whole will not fit."),
    ] = False,
) -> None:
    """Answer a file of questions before the deadline; the submission is whole at every moment."""
    import time

    from kofinlaw.rag.index import Index
    from kofinlaw.rag.retrieve import Retriever

    from kofinlaw.models.engines import open_engine
    from kofinlaw.models.templates import template_for
    from kofinlaw.rag.answer import answer_questions
    from kofinlaw.recipes.lock import run_lock
    from kofinlaw.recipes.progress import stage_progress
    from kofinlaw.recipes.stages import model_folder

    started = time.monotonic() - time.process_time()
    bound = open_run(run)
    settings = bound.recipe.answer
    if budget_minutes is not None:
        settings = settings.model_copy(update={"budget_minutes": budget_minutes})
    merged = bound.folder / "merge" / "model"
    folder = merged if merged.is_dir() else model_folder(bound)
    with _offline(bound), run_lock(out, lambda line: say(f"  {line}")):
        retriever = Retriever(
            Index.load(bound.folder / "index"), bound.recipe.rag, cache=bound.cache
        )
        given = {
            "open_engine": lambda: open_engine(settings.engine, folder, seed=bound.recipe.seed),
            "template": template_for(folder),
            "retriever": retriever,
            "settings": settings,
            "seed": bound.recipe.seed,
        }
        if check_budget:
            _check_budget(questions, given)
            return
        with stage_progress("answer") as progress:
            counts = answer_questions(questions, out, started=started, progress=progress, **given)
    say(
        f"{counts.get('questions', '')} answers, {counts.get('fallback', 0)} of them not the model's own"
    )
    say(f"submission: {out / 'submission.csv'}")
    say_next(f"kofinlaw score {out} --key KEY.jsonl --questions {questions}")


def _check_budget(questions: Path, given: dict[str, Any]) -> None:
    from kofinlaw.rag.budget import check_budget

    result = check_budget(questions, **given)
    for line in result.lines():
        say(line)
    if not result.fits:
        raise typer.Exit(1)


@app.command()
def score(
    answers: Annotated[Path, typer.Argument(help="An answer folder, or a submission CSV.")],
    key: Annotated[Path, typer.Option("--key", help="JSON Lines of keys.")],
    questions: Annotated[Path, typer.Option("--questions", help="The questions.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the scores.")] = Path("scores"),
    chunks: Annotated[
        Path | None, typer.Option("--chunks", help="chunks.jsonl, for retrieval scores.")
    ] = None,
) -> None:
    """Score answers: multiple choice, free text (FSKU), retrieval, with intervals and baselines."""
    from kofinlaw.recipes.progress import stage_progress
    from kofinlaw.recipes.stages import default_cache
    from kofinlaw.scoring.score import score_systems
    from kofinlaw.scoring.settings import ScoreSettings

    with stage_progress("score") as progress:
        score_systems(
            questions,
            key,
            {"answers": answers},
            chunks,
            out,
            settings=ScoreSettings(),
            cache=default_cache(),
            progress=progress,
        )
    say((out / "scores.md").read_text(encoding="utf-8"))


@app.command()
def compare(
    runs: Annotated[list[Path], typer.Argument(help="Two or more run folders.")],
) -> None:
    """Put runs side by side, with paired tests and what changed between them."""
    from kofinlaw.scoring.compare import compare_runs

    if len(runs) < 2:
        raise UserError(
            "compare takes two or more runs", where="compare", remedy="name runs/A runs/B"
        )
    say(compare_runs(runs))


report_app = typer.Typer(
    cls=DefaultCommand, no_args_is_help=True, help="Write a run's report again."
)
app.add_typer(report_app, name="report")


@report_app.command("write", hidden=True)
def report_write(run: Annotated[Path, typer.Argument(help="A run's folder.")]) -> None:
    """Write `report.html`, `.md` and `.json` of a run."""
    from kofinlaw.scoring.report import write_report

    bound = open_run(run)
    write_report(bound.folder, bound.folder / "report", recipe=bound.recipe.model_dump(mode="json"))
    say(f"report: {bound.folder / 'report' / 'report.html'}")


@app.command()
def models(
    fits: Annotated[float, typer.Option("--fits", help="GiB of the card.")] = 24.0,
    policy: Annotated[
        str, typer.Option("--policy", help="open, research, commercial or contest-2025.")
    ] = "open",
    as_json: AsJson = False,
) -> None:
    """List the catalogue: what fits the card in 4, 8 and 16 bit, and what the policy allows."""
    from kofinlaw.models.listing import listing_lines, listing_rows

    rows = listing_rows(fits, policy)
    if as_json:
        print_json(rows)
        return
    for line in listing_lines(rows, fits, policy):
        say(line)


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Check this machine: Python, torch, GPU, memory, disk, extras, versions; print remedies."""
    import dataclasses

    from kofinlaw.models.doctor import doctor as examine

    findings = examine()
    bad = [finding for finding in findings if not finding.ok]
    if as_json:
        print_json({"ok": not bad, "findings": [dataclasses.asdict(f) for f in findings]})
    else:
        for finding in findings:
            mark = "ok  " if finding.ok else "mend"
            wanted = f" (wanted: {finding.wanted})" if finding.wanted and not finding.ok else ""
            say(f"{mark}  {finding.name:<24}{finding.found}{wanted}")
            if finding.remedy and not finding.ok:
                say(f"      → {finding.remedy}")
    if bad:
        raise typer.Exit(1)
