"""Define the command `serve`: an OpenAI-compatible server with a chat page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kofinlaw.recipes.cli.binding import bound_run
from kofinlaw.recipes.cli.console import say
from kofinlaw.recipes.cli.options import Trust

__all__ = ["serve"]


def serve(
    run: Annotated[Path | None, typer.Argument(help="The run; default: the newest one.")] = None,
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.")] = 8000,
    host: Annotated[
        str, typer.Option(help="Address; other than loopback needs KOFINLAW_TOKEN.")
    ] = "127.0.0.1",
    allow_host: Annotated[
        list[str] | None,
        typer.Option("--allow-host", help="A further name in Host, for a reverse proxy."),
    ] = None,
    rag: Annotated[
        bool, typer.Option("--rag/--no-rag", help="Answer from the index, or continue the chat.")
    ] = True,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds a request may take.")] = 120.0,
    waiting: Annotated[int, typer.Option(min=1, help="Requests that may wait.")] = 256,
    batch: Annotated[int, typer.Option(min=1, help="Requests the engine gets at once.")] = 16,
    trust: Trust = False,
) -> None:
    """Serve a run: OpenAI-compatible interface and a chat page with citations."""
    import os

    from kofinlaw.recipes.serving.server import ServeSettings, serve_run

    settings = ServeSettings(
        host=host,
        port=port,
        token=os.environ.get("KOFINLAW_TOKEN", ""),
        names=tuple(allow_host or ()),
        rag=rag,
        trust=trust,
        seconds=timeout,
        waiting=waiting,
        batch=batch,
    )
    serve_run(bound_run(run).folder, settings, say)
