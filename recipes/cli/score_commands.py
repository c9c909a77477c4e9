"""The commands on what was answered: score, compare, report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kofinlaw import UserError
from kofinlaw.recipes.cli.answer_commands import open_run
from kofinlaw.recipes.cli.app import DefaultCommand, app, say


@app.command()
def score(
    answers: Annotated[
        Path,
        typer.Argument(help="An answer folder, a submission CSV; for --lm-eval a checkpoint."),
    ],
    key: Annotated[
        Path | None, typer.Option("--key", help="JSON Lines or CSV with the right answers.")
    ] = None,
    questions: Annotated[
        Path | None, typer.Option("--questions", help="JSON Lines or CSV; default: the key's.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder for the scores.")] = Path("scores"),
    chunks: Annotated[
        Path | None, typer.Option("--chunks", help="chunks.jsonl, for retrieval scores.")
    ] = None,
    lm_eval: Annotated[
        str | None,
        typer.Option("--lm-eval", help="Tasks of lm-evaluation-harness: kobest_copa,kobest_boolq"),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(help="With --lm-eval: documents asked of each task.")
    ] = None,
    online: Annotated[
        bool, typer.Option("--online", help="With --lm-eval: data sets may be fetched.")
    ] = False,
) -> None:
    """Score answers: multiple choice, free text (FSKU), retrieval, with intervals and baselines."""
    from kofinlaw.recipes.pipeline.progress import stage_progress
    from kofinlaw.recipes.pipeline.run import default_cache
    from kofinlaw.scoring.lm_eval_scores import run_lm_eval
    from kofinlaw.scoring.score import score_answers
    from kofinlaw.scoring.settings import ScoreSettings

    if lm_eval is not None:
        tasks = [name for name in lm_eval.split(",") if name]
        run_lm_eval(answers, tasks, out, limit=limit, offline=not online)
        say((out / "scores.md").read_text(encoding="utf-8"))
        return
    if key is None:
        raise UserError("there is nothing to score against", where="--key", remedy="name the key")
    with stage_progress("score") as progress:
        score_answers(
            questions or key,
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
    html: Annotated[Path | None, typer.Option("--html", help="Also write one HTML page.")] = None,
) -> None:
    """Put runs side by side, with paired tests and what changed between them."""
    from kofinlaw.files import write_text
    from kofinlaw.scoring.compare import compare_runs
    from kofinlaw.scoring.report.compare_runs_page import runs_page

    if len(runs) < 2:
        raise UserError(
            "compare takes two or more runs", where="compare", remedy="name runs/A runs/B"
        )
    say(compare_runs(runs))
    if html is not None:
        write_text(html, runs_page(runs))
        say(f"page: {html}")


report_app = typer.Typer(
    cls=DefaultCommand, no_args_is_help=True, help="Write a run's report again."
)
app.add_typer(report_app, name="report")


@report_app.command("write", hidden=True)
def report_write(run: Annotated[Path, typer.Argument(help="A run's folder.")]) -> None:
    """Write `report.html`, `.md` and `.json` of a run."""
    from kofinlaw.scoring.report.write import write_report

    bound = open_run(run)
    write_report(bound.folder, bound.folder / "report", recipe=bound.recipe.model_dump(mode="json"))
    say(f"report: {bound.folder / 'report' / 'report.html'}")


@report_app.command("serve")
def report_serve(
    folder: Annotated[Path, typer.Argument(help="Folder that holds the runs.")] = Path("runs"),
    port: Annotated[int, typer.Option(help="Port on this machine; 0 takes a free one.")] = 8765,
    host: Annotated[str, typer.Option(help="A loopback address.")] = "127.0.0.1",
) -> None:
    """Show all runs in a browser on this machine: list, progress, reports, comparison."""
    from kofinlaw.scoring.report.serve import open_server

    with open_server(folder, host=host, port=port) as server:
        name = f"[{host}]" if ":" in host else host
        say(f"http://{name}:{server.server_port}/   (Ctrl+C ends it)")
        server.serve_forever()
