"""Run the server until SIGTERM or Ctrl+C, and let running requests end."""

from __future__ import annotations

import errno
import functools
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.recipes.serving.access import open_access
from kofinlaw.recipes.serving.jobs import Answering

__all__ = ["ServeSettings", "listen", "serve", "serve_run"]


@dataclass(frozen=True)
class ServeSettings:
    """How a run is served.

    `seconds` is the longest wait of a request, `waiting` how many may wait, `batch` how many the
    engine gets at once, `most_bytes` the largest body. `names` are more names allowed in `Host`.
    `grace` are the seconds that requests under way have after the server was asked to stop.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    token: str = ""
    names: tuple[str, ...] = ()
    rag: bool = True
    trust: bool = False
    seconds: float = 120.0
    waiting: int = 256
    batch: int = 16
    most_bytes: int = 1_048_576
    grace: float = 8.0


def serve_run(folder: Path, settings: ServeSettings, say: Callable[[str], None]) -> None:
    """Serve a run; returns when the server was stopped.

    Raises UserError for a missing extra, an address without a token, a port that cannot be opened,
    and a run that cannot answer.
    """
    from kofinlaw.recipes.api import open_run
    from kofinlaw.recipes.serving.jobs import load_run

    open_access(settings.host, settings.port, settings.token, settings.names)
    recipe = open_run(folder, trust=settings.trust).recipe
    load = functools.partial(load_run, folder.resolve(), trust=settings.trust)
    serve(load, recipe.name, recipe.rag.embedder, settings, say)


def serve(
    load: Callable[[], Answering],
    model: str,
    embedder: str | None,
    settings: ServeSettings,
    say: Callable[[str], None],
) -> None:
    """Serve what `load` loads in the engine's process, under the names of a model and an embedder.

    Raises UserError as `serve_run` does.
    """
    try:
        from kofinlaw.recipes.serving.app import Served, make_app
        from kofinlaw.recipes.serving.stopping import StoppableServer, quiet_config
    except ImportError as error:
        raise UserError(
            f"the package {error.name} is not installed",
            where="serve",
            remedy="pip install 'kofinlaw[serve]'",
        ) from error
    from kofinlaw.recipes.serving.dispatch import Dispatcher
    from kofinlaw.recipes.serving.worker import Worker, WorkerLostError

    with listen(settings.host, settings.port) as listener:
        port = listener.getsockname()[1]
        access = open_access(settings.host, port, settings.token, settings.names)
        worker = Worker(load, batch_seconds=settings.seconds)
        served = Served(
            model=model,
            embedder=embedder,
            rag=settings.rag,
            most_bytes=settings.most_bytes,
            seconds=settings.seconds,
        )
        dispatcher = Dispatcher(worker, most=settings.waiting, batch=settings.batch)
        name = f"[{settings.host}]" if ":" in settings.host else settings.host

        def ready() -> None:
            say(f"http://{name}:{port}/   chat page (Ctrl+C stops the server)")
            say(f"http://{name}:{port}/v1   OpenAI interface, model {model}")

        server = StoppableServer(
            quiet_config(make_app(served, dispatcher, access)),
            grace=settings.grace,
            interrupt=worker.interrupt,
            ready=ready,
        )
        with server.signals():
            say(f"loading index and model of {model} …")
            try:
                worker.start()
                server.run(sockets=[listener])
            except WorkerLostError as error:
                if not server.should_exit:
                    raise UserError(str(error), where=model) from error
            finally:
                worker.stop()
        say("server stopped")


def listen(host: str, port: int) -> socket.socket:
    """Return a socket bound to an address; 0 is a free port.

    Raises UserError for a number that is not a port, an address of another machine, and a port that
    cannot be opened.
    """
    if not 0 <= port <= 65535:
        raise UserError(
            f"{port} is not a port", where="--port", remedy="use 1 to 65535, or 0 for a free port"
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
            raise UserError(
                f"{host} is not an address of this machine",
                where="--host",
                remedy="write an address without a port and brackets, as 127.0.0.1 or ::1",
            ) from error
        raise UserError(
            f"port {port} cannot be opened: {error.strerror or error}",
            where="--port",
            remedy="choose another port with --port",
        ) from error
    return listener
