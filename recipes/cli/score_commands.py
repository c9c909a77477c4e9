"""Define the commands on answers and scores: score, compare, report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kofinlaw import UserError
from kofinlaw.recipes.cli.binding import bound_run
from kofinlaw.recipes.cli.console import say

__all__ = ["compare", "report_serve", "report_write", "score"]


def score(
    answers: Annotated[
        Path,
        typer.Argument(help="An answer folder or a submission CSV; for --lm-eval a checkpoint."),
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
        int | None, typer.Option(help="With --lm-eval: number of documents of each task.")
    ] = None,
    online: Annotated[
        bool, typer.Option("--online", help="With --lm-eval: allow data sets to be downloaded.")
    ] = False,
) -> None:
    """Score answers: multiple choice, free text (FSKU), retrieval; intervals and baselines."""
    from kofinlaw.recipes.pipeline.progress_display import stage_progress
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
        raise UserError(
            "the right answers are missing",
            where="--key",
            remedy="name the file with the right answers: --key KEY.jsonl",
        )
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
            remedy="name two or more run folders: kofinlaw compare runs/A runs/B",
        )
    say(compare_runs(runs))
    if html is not None:
        write_text(html, runs_page(runs))
        say(f"page: {html}")


def report_write(run: Annotated[Path, typer.Argument(help="A run's folder.")]) -> None:
    """Write `report.html`, `.md` and `.json` of a run."""
    from kofinlaw.scoring.report.write import write_report

    bound = bound_run(run)
    write_report(bound.folder, bound.folder / "report", recipe=bound.recipe.model_dump(mode="json"))
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
        server.serve_forever()
