"""Define the commands that serve a run: `serve` (OpenAI interface and chat page) and `mcp`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kofinlaw import UserError
from kofinlaw.recipes.cli.binding import bound_run
from kofinlaw.recipes.cli.console import say
from kofinlaw.recipes.cli.options import Trust
from kofinlaw.texts import terminal_text

__all__ = ["mcp", "serve"]

_INTERRUPTED = 130  # exit code


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
    grace: Annotated[
        float, typer.Option(min=0, help="Seconds that running requests have after Ctrl+C.")
    ] = 8.0,
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
        grace=grace,
    )
    serve_run(bound_run(run).folder, settings, say)


def mcp(
    run: Annotated[Path | None, typer.Argument(help="The run; default: the newest one.")] = None,
    http: Annotated[
        bool, typer.Option("--http", help="Serve streamable HTTP instead of standard input.")
    ] = False,
    port: Annotated[int, typer.Option(help="Port of --http; 0 takes a free one.")] = 8765,
    host: Annotated[
        str, typer.Option(help="Address of --http; other than loopback needs KOFINLAW_TOKEN.")
    ] = "127.0.0.1",
    allow_host: Annotated[
        list[str] | None,
        typer.Option("--allow-host", help="A further name in Host, for a reverse proxy."),
    ] = None,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds a call may take.")] = 120.0,
    config: Annotated[
        bool, typer.Option("--config", help="Print the configuration of a desktop client and exit.")
    ] = False,
    trust: Trust = False,
) -> None:
    """Serve a run's law to assistants as MCP tools: search, articles, citations, versions."""
    bound = bound_run(run)
    if config:
        from kofinlaw.recipes.law_tools.client_config import client_config

        say(client_config(bound.folder))
        return
    import logging
    import os
    import signal
    import sys

    from kofinlaw.offline import guard

    # Standard output belongs to the protocol: log lines go to standard error.
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(name)s: %(message)s")
    try:
        from kofinlaw.recipes.law_tools.protocol import make_server, serve_stdio
    except ModuleNotFoundError as error:
        raise UserError(
            f"the package {error.name} is not installed",
            where="mcp",
            remedy="pip install 'kofinlaw[mcp]'",
        ) from error
    from kofinlaw.recipes.law_tools.tools import LawTools, run_tools

    law = LawTools(bound, trust=trust, say=_say_aside)
    server = make_server(law.name, run_tools(law), seconds=timeout)
    with guard(offline=bound.recipe.offline):
        if http:
            from kofinlaw.recipes.law_tools.http import HttpSettings, serve_http

            token, names = os.environ.get("KOFINLAW_TOKEN", ""), tuple(allow_host or ())
            if not serve_http(server, HttpSettings(host, port, token, names), say):
                sys.stdout.flush()
                os._exit(0)  # a call that was cut off still has its thread
            return
        import anyio

        if sys.stdin.isatty():
            _say_aside(
                "waiting for an MCP client on standard input (Ctrl+D ends it). Clients start this "
                "command themselves: `kofinlaw mcp RUN --config` prints their configuration."
            )
        # Ctrl+C: Python would wait for the thread that reads standard input.
        signal.signal(signal.SIGINT, lambda *_: os._exit(_INTERRUPTED))
        anyio.run(serve_stdio, server)


def _say_aside(line: str) -> None:
    """Print a line on standard error."""
    typer.echo(terminal_text(line), err=True)
