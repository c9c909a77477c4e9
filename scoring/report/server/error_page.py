"""Render the page of an error of the report server."""

from __future__ import annotations

from http import HTTPStatus

from kofinlaw.scoring.report.template import template
from kofinlaw.scoring.value_text import Words

__all__ = ["ERRORS", "error_page"]

ERRORS: dict[int, Words] = {
    HTTPStatus.FORBIDDEN: (
        "이 서버는 이 컴퓨터의 이름(localhost, 127.0.0.1)으로만 열립니다.",
        "This server answers only to names of this machine (localhost, 127.0.0.1).",
    ),
    HTTPStatus.NOT_FOUND: ("그런 페이지가 없습니다.", "There is no such page."),
    HTTPStatus.NOT_IMPLEMENTED: (
        "이 서버는 읽기만 합니다. 아무것도 바꾸거나 보낼 수 없습니다.",
        "This server is read-only: nothing can be changed or sent.",
    ),
    HTTPStatus.BAD_REQUEST: ("요청을 읽을 수 없습니다.", "The request cannot be read."),
}


def error_page(status: int, detail: Words | None = None) -> str:
    """Return the page of an HTTP status; `detail` replaces its usual sentence."""
    words = detail or ERRORS.get(status) or ERRORS[HTTPStatus.NOT_FOUND]
    return template("error.html")(status=int(status), words=words)
