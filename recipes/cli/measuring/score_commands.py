"""Define the commands on answers and scores: score, compare, report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kofinlaw import Progress, UserError
from kofinlaw.recipes.cli.binding import bound_run, output_folder, run_of
from kofinlaw.recipes.cli.console import command_line, print_json, say, short_path
from kofinlaw.recipes.cli.options import AsJson, RunFolder, Trust

if TYPE_CHECKING:
    from kofinlaw.recipes.pipeline.run import Run

__all__ = ["compare", "report_serve", "report_write", "score", "verify_citations"]


def score(
    answers: Annotated[
        Path | None,
        typer.Argument(
            help="A run, an answer folder or a submission CSV; for --lm-eval a checkpoint."
        ),
    ] = None,
    run: Annotated[
        Path | None,
        typer.Option(help="A run: score its systems; with ANSWERS: its settings and documents."),
    ] = None,
    key: Annotated[
        Path | None, typer.Option("--key", help="JSON Lines or CSV with the right answers.")
    ] = None,
    questions: Annotated[
        Path | None, typer.Option("--questions", help="JSON Lines or CSV; default: the key's.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder for the scores; default: in the run, or next to it."),
    ] = None,
    chunks: Annotated[
        Path | None,
        typer.Option("--chunks", help="chunks.jsonl, for retrieval scores; default: the run's."),
    ] = None,
    lm_eval: Annotated[
        str | None,
        typer.Option("--lm-eval", help="Tasks of lm-evaluation-harness: kobest_copa,kobest_boolq"),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(help="With --lm-eval: number of documents of each task.")
    ] = None,
    online: Annotated[
        bool, typer.Option("--online", help="With --lm-eval: allow data sets to be downloaded.")
    ] = False,
    trust: Trust = False,
) -> None:
    """Score answers: multiple choice, free text (FSKU), retrieval; intervals and baselines."""
    from kofinlaw.recipes.pipeline.integrity.checks import require_path, rerecord, stage_of
    from kofinlaw.recipes.pipeline.progress_display import stage_progress
    from kofinlaw.scoring.lm_eval_scores import run_lm_eval

    for given in (answers, key, questions, chunks):
        if given is not None:
            require_path(given, trust=trust, say=say)

    if lm_eval is not None:
        if answers is None:
            raise UserError("--lm-eval scores a checkpoint", remedy="name its folder")
        tasks = [name for name in lm_eval.split(",") if name]
        out = out or output_folder(answers, "lm-eval")
        run_lm_eval(answers, tasks, out, limit=limit, offline=not online)
    elif answers is None or (answers / "recipe.yaml").is_file():
        if key or questions or chunks:
            raise UserError(
                "a run knows its questions, key and chunks",
                where="score",
                remedy="leave out --key, --questions and --chunks, or name an answer file",
            )
        bound = bound_run(answers or run)
        out = out or bound.folder / "scores" / "run"
        with stage_progress("score") as progress:
            _score_run(bound, out, progress, trust=trust)
    else:
        out = out or output_folder(answers, "scores")
        with stage_progress("score") as progress:
            _score_file(answers, run or run_of(answers), questions, key, chunks, out, progress)
    stage = stage_of(out)
    if stage is not None:  # `--out RUN/score`
        rerecord(stage)
    say((out / "scores.md").read_text(encoding="utf-8"))
    say(f"page: {short_path(out / 'scores.md')}")


def _score_run(run: Run, out: Path, progress: Progress, *, trust: bool) -> None:
    """Score every system of a run that has answered. Raises UserError if one has not."""
    from kofinlaw.commands import stage_command
    from kofinlaw.recipes.pipeline.integrity.checks import require_stages
    from kofinlaw.recipes.pipeline.run import SYSTEM_STAGES
    from kofinlaw.recipes.pipeline.stage_functions import score_answers

    if not run.recipe.asks:
        raise UserError(
            "this run has no test questions",
            where=str(run.folder),
            remedy="answer a question file with `kofinlaw answer`, and score it with --key",
        )
    stages = ["questions", *(SYSTEM_STAGES[name] for name in run.recipe.evaluate.systems)]
    missing = [name for name in stages if not (run.folder / name).is_dir()]
    if missing:
        raise UserError(
            f"this run has not finished {', '.join(missing)}",
            where=str(run.folder),
            remedy=f"run `{stage_command('score', run.folder)}`",
        )
    read = ("data", "augment", "evidence", "twins", *stages)
    require_stages(run.folder, read, trust=trust, say=say)
    score_answers(run, out, progress)


def _score_file(
    answers: Path,
    run: Path | None,
    questions: Path | None,
    key: Path | None,
    chunks: Path | None,
    out: Path,
    progress: Progress,
) -> None:
    """Score one answer folder or file, with the settings and the documents of its run, if any."""
    from kofinlaw.files import cache_folder
    from kofinlaw.recipes.pipeline.run import (
        SYSTEM_STAGES,
        corpus_files,
        question_files,
    )
    from kofinlaw.scoring.score import score_answers
    from kofinlaw.scoring.settings import ScoreSettings

    bound = bound_run(run) if run is not None else None
    if bound is not None and chunks is None:
        chunks = corpus_files(bound).get("chunks")
    if key is None and bound is not None and answers.name in SYSTEM_STAGES.values():
        own = question_files(bound)
        key, questions = own.get("key"), questions or own.get("questions")
    if key is None:
        raise UserError(
            "the right answers are missing",
            where="--key",
            remedy="name the file with the right answers: --key KEY.jsonl",
        )
    score_answers(
        questions or key,
        key,
        {"answers": answers},
        chunks,
        out,
        settings=bound.recipe.score if bound is not None else ScoreSettings(),
        seed=bound.recipe.seed if bound is not None else 0,
        cache=cache_folder(),
        progress=progress,
    )


def compare(
    runs: Annotated[list[Path], typer.Argument(help="Two or more run folders.")],
    html: Annotated[Path | None, typer.Option("--html", help="Also write one HTML page.")] = None,
) -> None:
    """Compare runs: scores with paired tests, and the settings that differ."""
    from kofinlaw.files import write_text
    from kofinlaw.scoring.compare import compare_runs
    from kofinlaw.scoring.report.compare_runs_page import runs_page

    if len(runs) < 2:
        raise UserError(
            "there is only one run to compare",
            where="compare",
            remedy=f"name two or more run folders: {command_line('compare', 'runs/A', 'runs/B')}",
        )
    say(compare_runs(runs))
    if html is not None:
        write_text(html, runs_page(runs))
        say(f"page: {html}")


def report_write(run: Annotated[Path, typer.Argument(help="A run's folder.")]) -> None:
    """Write `report.html`, `.md` and `.json` of a run."""
    from kofinlaw.recipes.pipeline.integrity.checks import rerecord
    from kofinlaw.scoring.report.write import write_report

    bound = bound_run(run)
    out = bound.folder / "report"
    write_report(bound.folder, out, recipe=bound.recipe.model_dump(mode="json"))
    rerecord(out)
    say(f"report: {bound.folder / 'report' / 'report.html'}")


def report_serve(
    folder: Annotated[Path, typer.Argument(help="Folder that holds the runs.")] = Path("runs"),
    port: Annotated[int, typer.Option(help="Port on this machine; 0 takes a free one.")] = 8765,
    host: Annotated[str, typer.Option(help="A loopback address.")] = "127.0.0.1",
) -> None:
    """Serve the reports of all runs in a browser: list, progress, reports, comparison."""
    from kofinlaw.scoring.report.serve import open_server

    with open_server(folder, host=host, port=port) as server:
        name = f"[{host}]" if ":" in host else host
        say(f"http://{name}:{server.server_port}/   (Ctrl+C stops the server)")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            say("\nserver stopped")


def verify_citations(
    text: Annotated[
        str, typer.Argument(metavar="TEXT|FILE|-", help="A text, a text file, or - for a pipe.")
    ],
    run: RunFolder = None,
    data: Annotated[
        Path | None,
        typer.Option("--data", help="Documents, or a corpus, instead of a run's corpus."),
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of", help="The day whose law counts: 2026-01-01; default: the text's, or now."
        ),
    ] = None,
    act: Annotated[
        str, typer.Option("--act", help="The act that articles without an act belong to.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Check every reference of a text to law and decisions; exit code 1 if one does not hold."""
    from collections import Counter

    from kofinlaw.data.law.verifying.known_law import KnownLaw
    from kofinlaw.data.law.verifying.verify import verify_citations as check
    from kofinlaw.recipes.asking.days import typed_day
    from kofinlaw.recipes.asking.known_corpus import known_law
    from kofinlaw.recipes.asking.reference_lines import reference_lines, text_to_verify

    day = typed_day(as_of) if as_of is not None else None
    if run is not None and data is not None:
        raise UserError(
            "two corpora are named", where="--run, --data", remedy="leave one of them out"
        )
    words, where = text_to_verify(text)
    if data is not None:
        known = known_law(data, (lambda line: None) if as_json else say)
    else:
        known = KnownLaw.of_corpus(bound_run(run).folder / "data")
    title = ""
    if act:
        title = known.title_of(act)
        if not title:
            raise UserError(
                f"the corpus has no act {act!r}", where="--act", remedy="write its full title"
            )
    found = check(words, known, as_of=day, act=title)
    if as_json:
        print_json(
            {
                "source": where,
                "text": words if where == "TEXT" else "",
                "characters": len(words),
                "counts": dict(Counter(one.verdict for one in found)),
                "failed": sum(one.failed for one in found),
                "citations": [one.to_record() for one in found],
            }
        )
    else:
        for line in reference_lines(words, found):
            say(line)
    if any(one.failed for one in found):
        raise typer.Exit(1)
