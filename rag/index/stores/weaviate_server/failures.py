"""Turn what the Weaviate client raises into one error that names the cause and the remedy."""

from __future__ import annotations

from collections.abc import Iterator

from kofinlaw import UserError
from kofinlaw.rag.weaviate_settings import WeaviateSettings

__all__ = ["ServerUnavailable", "explain", "is_unavailable"]

_REFUSED_KEY = ("UNAUTHENTICATED", "PERMISSION_DENIED")
_AWAY = ("UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED")
_AWAY_STATUS = (502, 503, 504)
_CLIENT_AWAY = (
    "WeaviateConnectionError",
    "WeaviateTimeoutError",
    "WeaviateStartUpError",
    "WeaviateGRPCUnavailableError",
    "WeaviateRetryError",
)
_LONGEST = 300  # characters of the server's own words


class ServerUnavailable(UserError):  # noqa: N818 - a state of the server
    """The server does not answer, or not in time."""


def is_unavailable(error: BaseException) -> bool:
    """Return whether the server did not answer, so that the same call may succeed later."""
    return _cause(error) == "away"


def explain(
    error: BaseException, settings: WeaviateSettings, url: str, seconds: float
) -> UserError:
    """Return the error that the user sees; `seconds` is how long the call was given.

    A UserError among the causes (the offline guard's) is returned unchanged.
    """
    for one in _chain(error):
        if isinstance(one, UserError):
            return one
    detail = _detail(error)
    cause = _cause(error)
    if cause == "away":
        return ServerUnavailable(
            f"the Weaviate server did not answer within {seconds:.3g} s ({detail})",
            where=f"rag.weaviate.url ({url})",
            remedy="docker compose up -d starts one; rag.store: local needs none",
        )
    if cause == "key":
        variable = settings.api_key_variable
        return UserError(
            f"the Weaviate server refuses the API key ({detail})",
            where=f"rag.weaviate.api_key_variable: {variable}",
            remedy=f"set the variable {variable} to a key that may read and write on {url}",
        )
    return UserError(
        f"the Weaviate server refused a call, or is not a Weaviate server ({detail})",
        where=f"rag.weaviate.url ({url})",
        remedy="the server's log says more; docker-compose.yml has a version that works",
    )


def _cause(error: BaseException) -> str:
    """Return `away`, `key` or `other`."""
    found = "other"
    for one in _chain(error):
        code = _grpc_code(one)
        status = getattr(one, "status_code", None)
        response = getattr(one, "response", None)
        status = getattr(response, "status_code", status)
        if code in _REFUSED_KEY or type(one).__name__ == "InsufficientPermissionsError":
            return "key"
        if code is None and status in (401, 403):
            return "key"
        away = code in _AWAY or status in _AWAY_STATUS or type(one).__name__ in _CLIENT_AWAY
        if away or isinstance(one, (TimeoutError, OSError)) or _is_transport(one):
            found = "away"
    return found


def _is_transport(error: BaseException) -> bool:
    """Return whether this is an error of httpx below the level of HTTP: refused, cut off, slow."""
    return any(one.__name__ == "TransportError" for one in type(error).__mro__)


def _grpc_code(error: BaseException) -> str | None:
    code = getattr(error, "code", None)
    try:
        return str(code().name) if callable(code) else None
    except (AttributeError, TypeError):
        return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield one
        one = one.__cause__ or one.__context__


def _detail(error: BaseException) -> str:
    words = " ".join(str(error).split()) or "no answer"
    return words if len(words) <= _LONGEST else words[:_LONGEST] + " …"
