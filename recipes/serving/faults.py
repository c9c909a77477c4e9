"""Define the errors that clients get, in the form of the OpenAI interface."""

from __future__ import annotations

from starlette.responses import JSONResponse

from kofinlaw.decoding import without_surrogates
from kofinlaw.recipes.serving.jobs import Refused
from kofinlaw.recipes.serving.worker import WorkerLostError
from kofinlaw.results import JsonValue

__all__ = ["FaultError", "lost_or_refused"]


class FaultError(Exception):
    """An HTTP status with a message, a code for programs and the field at fault."""

    def __init__(self, status: int, message: str, code: str, param: str | None = None) -> None:
        # JSON can name a field with half a surrogate pair, which no response can hold.
        super().__init__(without_surrogates(message))
        self.status, self.code = status, code
        self.param = None if param is None else without_surrogates(param)

    def body(self) -> dict[str, JsonValue]:
        """Return the error as the OpenAI interface writes it."""
        kind = "server_error" if self.status >= 500 else "invalid_request_error"
        return {
            "error": {"message": str(self), "type": kind, "param": self.param, "code": self.code}
        }

    def response(self) -> JSONResponse:
        """Return the whole response; it says when to try again."""
        later = {"Retry-After": "2"} if self.status in (429, 503) else {}
        return JSONResponse(self.body(), self.status, later)


def lost_or_refused(result: object) -> FaultError | None:
    """Return the error that a job's result is; None for an answer."""
    if isinstance(result, WorkerLostError):
        if not result.again:
            return FaultError(503, str(result), "server_stopping")
        status, code = (504, "timeout") if result.late else (503, "engine_lost")
        return FaultError(status, f"{result}; it is started again", code)
    if isinstance(result, Refused):
        status = 500 if result.fault else 400
        return FaultError(status, result.message, result.code, result.param)
    return None
