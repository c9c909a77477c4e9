"""Search a server, or the index folder while the server does not answer."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

from kofinlaw import UserError
from kofinlaw.rag.arrays import Found, Vectors
from kofinlaw.rag.index.admission import Admission
from kofinlaw.rag.index.stores.base import Store
from kofinlaw.rag.index.stores.weaviate_server.failures import ServerUnavailable
from kofinlaw.rag.search_limits import SearchLimits, current_limits
from kofinlaw.rag.settings import Fusion

__all__ = ["REST_SECONDS", "ServerOrLocal"]

REST_SECONDS = 30.0  # after a failure the server is not asked for so long

_LOG = logging.getLogger("kofinlaw")


class ServerOrLocal:
    """The store of a server that may go away.

    Where questions are being answered (`SearchLimits` are set), the files of the index answer for a
    server that does not, and a warning says so. Everywhere else, as in measurements, the error is
    raised.

    Args:
        connect: Opens the server's store; called by the first search.
        local: Opens the store of the index's files.
        instead: Whether the files may answer at all.
        clock: Seconds from any origin.
    """

    fuses = True

    def __init__(
        self,
        connect: Callable[[], Store],
        local: Callable[[], Store],
        *,
        instead: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connect = connect
        self._open_local = local
        self._instead = instead
        self._clock = clock
        self._server: Store | None = None
        self._local: Store | None = None
        self._rests_until: float | None = None

    def lexical(
        self, kind: str, queries: Sequence[str], k: int, allowed: Sequence[Admission]
    ) -> list[Found]:
        """See `Store`."""
        return self._search(lambda store: store.lexical(kind, queries, k, allowed))

    def dense(self, vectors: Vectors, k: int, allowed: Sequence[Admission]) -> list[Found]:
        """See `Store`."""
        return self._search(lambda store: store.dense(vectors, k, allowed))

    def hybrid(
        self,
        kind: str,
        queries: Sequence[str],
        vectors: Vectors,
        k: int,
        *,
        alpha: float,
        fusion: Fusion,
        allowed: Sequence[Admission],
    ) -> list[Found]:
        """See `Store`."""
        return self._search(
            lambda store: store.hybrid(
                kind, queries, vectors, k, alpha=alpha, fusion=fusion, allowed=allowed
            )
        )

    def _search(self, search: Callable[[Store], list[Found]]) -> list[Found]:
        limits = current_limits()
        if limits is None or not self._instead:
            return search(self._opened())
        if self._rests_until is not None and self._clock() < self._rests_until:
            return self._search_local(search, limits, None)
        try:
            found = search(self._opened())
        except ServerUnavailable as error:
            _LOG.warning(
                "%s; the index folder is searched instead. The server is asked again in %d s",
                f"{error.where}: {error.message}",
                REST_SECONDS,
            )
            self._rests_until = self._clock() + REST_SECONDS
            return self._search_local(search, limits, error)
        if self._rests_until is not None:
            self._rests_until = None
            _LOG.warning("the Weaviate server answers again and is searched")
        return found

    def _opened(self) -> Store:
        if self._server is None:
            self._server = self._connect()
        return self._server

    def _search_local(
        self,
        search: Callable[[Store], list[Found]],
        limits: SearchLimits,
        failed: ServerUnavailable | None,
    ) -> list[Found]:
        if self._local is None:
            self._local = self._open_local()
        try:
            found = search(self._local)
        except UserError:
            if failed is not None:
                raise failed from None
            raise
        limits.searched_locally = True
        return found
