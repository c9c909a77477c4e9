"""`kofinlaw report serve`: the runs of a folder in a browser, on this machine alone, read-only.

Requests are answered only for a loopback name in `Host` (a page of another site that resolves to
127.0.0.1 carries its own), only for GET and HEAD, and only for names that the folder's listing
holds: no path of a request is ever joined to the folder.
"""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import asdict
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, unquote, urlsplit

from kofinlaw import UserError
from kofinlaw.files import dumps
from kofinlaw.offline import is_loopback
from kofinlaw.scoring.report.runs import list_runs, run_state
from kofinlaw.scoring.report.template import template

MOST_COMPARED = 8
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
# The files of a run that are shown, by the last part of the address.
FILES = {
    "report.html": ("report/report.html", "text/html"),
    "report.md": ("report/report.md", "text/markdown"),
    "report.json": ("report/report.json", "application/json"),
    "traces.html": ("report/traces.html", "text/html"),
    "scores.md": ("score/scores.md", "text/markdown"),
    "study.html": ("study/study.html", "text/html"),
    "verify.md": ("verify/verify.md", "text/markdown"),
}


def open_server(root: Path, *, host: str = "127.0.0.1", port: int = 8765) -> ThreadingHTTPServer:
    """A server of the runs in `root`; `serve_forever()` starts it, port 0 takes a free one.

    Raises UserError for a folder that is not there, an address that is not this machine's, or a
    port in use.
    """
    if not root.is_dir():
        raise UserError("no such folder", where=str(root), remedy="name the folder of the runs")
    if not host or not is_loopback(host):
        raise UserError(
            f"{host or 'every address'} is more than this machine",
            where="--host",
            remedy="reports hold documents and answers: serve on 127.0.0.1, and reach it by ssh -L",
        )
    kind = _Server6 if ":" in host else _Server
    try:
        return kind((host, port), partial(Handler, root=root.resolve()))
    except OSError as error:
        raise UserError(
            f"port {port} cannot be opened: {error.strerror}",
            where="--port",
            remedy="give another with --port",
        ) from error


class _Server(ThreadingHTTPServer):
    daemon_threads = True


class _Server6(_Server):
    address_family = socket.AF_INET6


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    server_version = "kofinlaw"
    sys_version = ""
    timeout = 20

    def __init__(self, *arguments: Any, root: Path) -> None:
        self.root = root
        super().__init__(*arguments)

    def do_GET(self) -> None:
        """Answer with a page."""
        self._answer()

    def do_HEAD(self) -> None:
        """Answer with the headers alone."""
        self._answer()

    def _answer(self) -> None:
        try:
            status, kind, body = self._found()
        except UserError as error:
            status, kind, body = HTTPStatus.NOT_FOUND, "text/plain", str(error.message)
        except OSError:
            status, kind, body = HTTPStatus.NOT_FOUND, "text/plain", "not found"
        raw = body.encode("utf-8")
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(raw)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.send_header("X-Frame-Options", "DENY")
        if not self._own_policy:
            self.send_header("Content-Security-Policy", POLICY)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(raw)

    _own_policy = False  # pages with a script name it by its hash in a policy of their own

    def _found(self) -> tuple[HTTPStatus, str, str]:
        server = cast("ThreadingHTTPServer", self.server)
        if not known_host(self.headers.get("Host", ""), server.server_port):
            return HTTPStatus.FORBIDDEN, "text/plain", "this server answers to loopback names only"
        address = urlsplit(self.path)
        parts = [unquote(part) for part in address.path.split("/") if part]
        names = list_runs(self.root)
        if not parts:
            return HTTPStatus.OK, "text/html", list_page(self.root, names)
        if parts == ["compare"]:
            chosen = [n for n in parse_qs(address.query).get("run", []) if n in names]
            self._own_policy = True
            return HTTPStatus.OK, "text/html", compared(self.root, chosen)
        if parts[0] != "runs" or len(parts) not in (2, 3) or parts[1] not in names:
            return HTTPStatus.NOT_FOUND, "text/plain", "not found"
        run = self.root / parts[1]
        if len(parts) == 2:
            return HTTPStatus.OK, "text/html", run_page(run)
        if parts[2] == "progress.json":
            return HTTPStatus.OK, "application/json", dumps(asdict(run_state(run)))
        if parts[2] not in FILES:
            return HTTPStatus.NOT_FOUND, "text/plain", "not found"
        place, kind = FILES[parts[2]]
        self._own_policy = kind == "text/html"
        return HTTPStatus.OK, kind, read_inside(run, place)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing: the person watches the page."""


def known_host(given: str, port: int) -> bool:
    """Whether a `Host` header names this machine by a loopback name and this port."""
    name, _, after = given.rpartition(":") if not given.endswith("]") else (given, "", "")
    if not name:
        name, after = given, ""
    if after and after != str(port):
        return False
    bare = name.strip("[]").lower()
    if bare == "localhost":
        return True
    try:
        return ipaddress.ip_address(bare).is_loopback
    except ValueError:
        return False


def read_inside(run: Path, place: str) -> str:
    """A file of a run; one that is a link out of the run's folder is not found."""
    path = (run / place).resolve()
    if not path.is_relative_to(run.resolve()):
        raise UserError("not found")
    return path.read_text(encoding="utf-8")


def compared(root: Path, names: list[str]) -> str:
    """The comparison of the chosen runs; raises UserError for fewer than two."""
    from kofinlaw.scoring.report.compare_runs_page import runs_page

    return runs_page([root / name for name in names[:MOST_COMPARED]])


def list_page(root: Path, names: list[str]) -> str:
    """Every run with its state, and a form that compares those that are ticked."""
    return template("runs.html")(runs=[run_state(root / name) for name in names])


def run_page(run: Path) -> str:
    """One run's stages; the page loads itself again while a stage is working."""
    files = [name for name, (place, _) in FILES.items() if (run / place).is_file()]
    return template("run.html")(run=run_state(run), files=files)
