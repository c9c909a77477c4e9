"""Serve the runs of a folder to a browser on this machine, read-only (`kofinlaw report serve`).

Only GET and HEAD are answered, and only if `Host` is a loopback name: a request from another site
that resolves to 127.0.0.1 carries that site's name. Runs and files must be in fixed lists; a path
of a request is never joined to the folder.
"""

from __future__ import annotations

import socket
from dataclasses import asdict
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import BaseServer
from typing import cast
from urllib.parse import parse_qs, unquote, urlsplit

from kofinlaw import UserError
from kofinlaw.files import dumps
from kofinlaw.offline import is_loopback, known_host
from kofinlaw.scoring.report.compare_runs_page import runs_page
from kofinlaw.scoring.report.runs import list_runs, run_state
from kofinlaw.scoring.report.server.documents import DOCUMENTS, document_page
from kofinlaw.scoring.report.server.error_page import error_page
from kofinlaw.scoring.report.server.live import stage_views
from kofinlaw.scoring.report.server.proof_page import proof_page
from kofinlaw.scoring.report.server.run_rows import run_row
from kofinlaw.scoring.report.template import script_hashes, template
from kofinlaw.scoring.report.wording.machine_words import STATES
from kofinlaw.scoring.value_text import Words

__all__ = [
    "FILES",
    "MOST_COMPARED",
    "TITLES",
    "TOO_FEW",
    "Handler",
    "compared",
    "list_page",
    "markdown_page",
    "open_server",
    "read_inside",
    "run_page",
    "security_policy",
]

MOST_COMPARED = 8
TOO_FEW: Words = (
    "비교하려면 실행을 둘 이상 골라야 합니다.",
    "Select two or more runs to compare them.",
)
# The files of a run that are shown, by the last part of the address; Markdown has its own pages.
FILES = {
    "report.html": ("report/report.html", "text/html"),
    "report.md": ("report/report.md", "text/markdown"),
    "report.json": ("report/report.json", "application/json"),
    "traces.html": ("report/traces.html", "text/html"),
    "scores.md": ("score/scores.md", "text/markdown"),
    "study.html": ("study/study.html", "text/html"),
    "verify.md": ("verify/verify.md", "text/markdown"),
}
TITLES: dict[str, Words] = {
    "report.html": ("보고서", "Report"),
    "report.md": ("보고서(Markdown)", "Report (Markdown)"),
    "report.json": ("보고서(JSON)", "Report (JSON)"),
    "traces.html": ("호출 기록", "Traces"),
    "study.html": ("검색 비교", "Retrieval study"),
}


def security_policy() -> str:
    """Return the content security policy of the server's own pages."""
    return (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src {script_hashes()}; "
        "img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


def open_server(root: Path, *, host: str = "127.0.0.1", port: int = 8765) -> ThreadingHTTPServer:
    """Return a server of the runs in `root`; `serve_forever()` starts it.

    Port 0 takes a free port. Raises UserError for a missing folder, an address that is not a
    loopback address, or a port that does not exist or is in use.
    """
    if not root.is_dir():
        raise UserError("no such folder", where=str(root), remedy="name the folder of the runs")
    if not host or not is_loopback(host):
        raise UserError(
            f"{host or 'every address'} can be reached from other machines",
            where="--host",
            remedy="reports hold documents and answers: serve on 127.0.0.1 and use ssh -L",
        )
    if not 0 <= port <= 65535:
        raise UserError(
            f"{port} is not a port", where="--port", remedy="use 1 to 65535, or 0 for a free port"
        )
    kind = _Server6 if ":" in host else _Server
    try:
        return kind((host, port), partial(Handler, root=root.resolve()))
    except OSError as error:
        raise UserError(
            f"port {port} cannot be opened: {error.strerror}",
            where="--port",
            remedy="choose another port with --port",
        ) from error


class _Server(ThreadingHTTPServer):
    daemon_threads = True


class _Server6(_Server):
    address_family = socket.AF_INET6


class Handler(BaseHTTPRequestHandler):
    """Answers one request for a page or a file of a run."""

    server_version = "kofinlaw"
    sys_version = ""
    timeout = 20

    def __init__(
        self,
        request: socket.socket,
        client_address: tuple[str, int],
        server: BaseServer,
        *,
        root: Path,
    ) -> None:
        self.root = root
        super().__init__(request, client_address, server)

    def do_GET(self) -> None:
        """Answer with a page."""
        self._answer()

    def do_HEAD(self) -> None:
        """Answer with the headers alone."""
        self._answer()

    def _answer(self) -> None:
        self._own_policy = False
        try:
            status, kind, body = self._found()
        except UserError as error:
            message = str(error.message)
            words = (f"요청한 페이지를 만들 수 없습니다: {message}", message)
            status, kind, body = HTTPStatus.NOT_FOUND, "text/html", error_page(404, words)
        except OSError:
            status, kind, body = HTTPStatus.NOT_FOUND, "text/html", error_page(404)
        self._send(status, kind, body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer with the page of an error that the base class found."""
        self._own_policy = False
        self._send(code, "text/html", error_page(code))

    def _send(self, status: int, kind: str, body: str) -> None:
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
            self.send_header("Content-Security-Policy", security_policy())
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(raw)

    _own_policy = (
        False  # pages with a script have their own policy, which names the hash of the script
    )

    def _found(self) -> tuple[HTTPStatus, str, str]:
        server = cast("ThreadingHTTPServer", self.server)
        if not known_host(self.headers.get("Host", ""), server.server_port):
            return HTTPStatus.FORBIDDEN, "text/html", error_page(403)
        address = urlsplit(self.path)
        parts = [unquote(part) for part in address.path.split("/") if part]
        names = list_runs(self.root)
        if not parts:
            return HTTPStatus.OK, "text/html", list_page(self.root, names)
        if parts == ["compare"]:
            chosen = [n for n in parse_qs(address.query).get("run", []) if n in names]
            if len(chosen) < 2:
                return HTTPStatus.BAD_REQUEST, "text/html", error_page(400, TOO_FEW)
            return HTTPStatus.OK, "text/html", compared(self.root, chosen)
        if parts[0] != "runs" or len(parts) not in (2, 3) or parts[1] not in names:
            return HTTPStatus.NOT_FOUND, "text/html", error_page(404)
        run = self.root / parts[1]
        if len(parts) == 2:
            return HTTPStatus.OK, "text/html", run_page(run)
        if parts[2] == "progress.json":
            return HTTPStatus.OK, "application/json", dumps(asdict(run_state(run)))
        if parts[2] in DOCUMENTS:
            return HTTPStatus.OK, "text/html", markdown_page(run, parts[2])
        if parts[2] not in FILES:
            return HTTPStatus.NOT_FOUND, "text/html", error_page(404)
        name, kind = FILES[parts[2]]
        self._own_policy = kind == "text/html"
        return HTTPStatus.OK, kind, read_inside(run, name)

    def log_message(self, format: str, *arguments: object) -> None:
        """Log nothing."""


def read_inside(run: Path, name: str) -> str:
    """Return the text of a file of a run; raises UserError for a link out of the run's folder."""
    path = (run / name).resolve()
    if not path.is_relative_to(run.resolve()):
        raise UserError("not found")
    return path.read_text(encoding="utf-8")


def compared(root: Path, names: list[str]) -> str:
    """Return the comparison of the chosen runs; raises UserError for fewer than two."""
    return runs_page([root / name for name in names[:MOST_COMPARED]])


def markdown_page(run: Path, name: str) -> str:
    """Return a Markdown file of a run as a page; the proof is said in both languages.

    Raises UserError for a link out of the run's folder, and OSError for a file that is absent.
    """
    document = DOCUMENTS[name]
    text = read_inside(run, document.path)
    in_words = proof_page(run) if name == "verify.html" else None
    return in_words or document_page(run.name, document, text)


def list_page(root: Path, names: list[str]) -> str:
    """Return the page of all runs with their scores, and a form to compare the selected ones."""
    return template("runs.html")(runs=[run_row(root / name) for name in names], states=STATES)


def run_page(run: Path) -> str:
    """Return the page of one run's stages; it reloads itself while the run is working."""
    state = run_state(run)
    files = [(name, title) for name, title in TITLES.items() if (run / FILES[name][0]).is_file()]
    files += [
        (name, document.title)
        for name, document in DOCUMENTS.items()
        if (run / document.path).is_file()
    ]
    return template("run.html")(run=state, stages=stage_views(state, run), files=files)
