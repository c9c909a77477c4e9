"""Hold a connection to a Weaviate server, on which every call has a deadline.

The client's asynchronous interface runs on an event loop in a thread of its own: a call that is
late is cancelled there, which its blocking interface cannot do (after a lost connection it waits
for more than a minute). Calls that can wait for each other are sent at the same time.
"""

from __future__ import annotations

import asyncio
import functools
import os
import threading
import weakref
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from kofinlaw import UserError
from kofinlaw.rag.index.stores.weaviate_server.failures import explain, is_unavailable
from kofinlaw.rag.weaviate_settings import WeaviateSettings

if TYPE_CHECKING:
    from weaviate import WeaviateAsyncClient

__all__ = ["Server", "server_url"]

T = TypeVar("T")
Make = Callable[["WeaviateAsyncClient"], Awaitable[T]]

_FIRST_PAUSE = 0.25  # seconds before the first repetition of a call; then twice as long each time
_LONGEST_PAUSE = 4.0
_GRACE = 1.0  # seconds that the loop has to cancel a call that is late
_NOTICE = 5.0  # seconds after which `waiting` is called
_LOCK = threading.Lock()


class Server:
    """A server, connected by the first call. It is closed with `close`, or when nobody holds it.

    Raises UserError where the extra is not installed or no server is named.
    """

    def __init__(self, settings: WeaviateSettings) -> None:
        if find_spec("weaviate") is None:
            raise UserError(
                "the Weaviate client is not installed", remedy="pip install 'kofinlaw[weaviate]'"
            )
        self.settings = settings
        self.url = server_url(settings)
        self._client = _new_client(self.url, settings)
        self._loop = _loop()
        self._opening = asyncio.Lock()
        self._slots = asyncio.Semaphore(settings.concurrent_calls)
        self.close = weakref.finalize(self, _close, self._client, self._loop)

    def call(
        self,
        make: Make[T],
        seconds: float | None = None,
        *,
        waiting: Callable[[], None] | None = None,
    ) -> T:
        """Return what one call returns, within `seconds` (None: `call_seconds`).

        A call is repeated after growing pauses while the server does not answer. `waiting` is
        called when that takes long. Raises ServerUnavailable where the server does not answer in
        time, and UserError where it refuses.
        """
        limit = self.settings.call_seconds if seconds is None else seconds
        return self._run(self._patient(make, limit), limit, limit, waiting)

    def call_all(self, makes: Sequence[Make[T]], seconds: float) -> list[T]:
        """Return what the calls return, in order; `concurrent_calls` run at the same time.

        Each has `call_seconds`, and all have `seconds`. Raises as `call` does, with the first call
        that fails, and cancels the others.
        """
        each = min(seconds, self.settings.call_seconds)
        rounds = -(-len(makes) // self.settings.concurrent_calls)
        longest = min(seconds, each * max(rounds, 1))
        return self._run(self._gather(makes, each), longest, each, None)

    async def _gather(self, makes: Sequence[Make[T]], each: float) -> list[T]:
        async def one(make: Make[T]) -> T:
            async with self._slots:
                return await self._patient(make, each)

        tasks = [asyncio.ensure_future(one(make)) for make in makes]
        try:
            return list(await asyncio.gather(*tasks))
        finally:
            for task in tasks:
                task.cancel()

    async def _patient(self, make: Make[T], seconds: float) -> T:
        """Make the call again and again until it succeeds, is refused, or the time is over."""
        loop = asyncio.get_running_loop()
        end, pause = loop.time() + seconds, _FIRST_PAUSE
        failed: Exception | None = None
        while True:
            try:
                return await asyncio.wait_for(self._once(make), max(0.0, end - loop.time()))
            except Exception as error:
                if not is_unavailable(error):
                    raise
                failed = error if failed is None or str(error) else failed
                if loop.time() + pause >= end:
                    raise failed from error
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _once(self, make: Make[T]) -> T:
        async with self._opening:
            if not self._client.is_connected():
                await self._client.connect()
        return await make(self._client)

    def _run(
        self,
        work: Coroutine[Any, Any, T],
        seconds: float,
        each: float,
        waiting: Callable[[], None] | None,
    ) -> T:
        """Run the coroutine on the loop and wait `seconds` for it; raises what `call` says.

        `each` is the time of one call, which the error names.
        """
        future = asyncio.run_coroutine_threadsafe(
            asyncio.wait_for(work, seconds + _GRACE / 2), self._loop
        )
        left = seconds + _GRACE
        try:
            while waiting is not None and left > _NOTICE:
                left -= _NOTICE
                try:
                    return future.result(_NOTICE)
                except TimeoutError:
                    if future.done():
                        raise
                    waiting()
            return future.result(left)
        except Exception as error:
            raise explain(error, self.settings, self.url, each) from error
        finally:
            future.cancel()


def server_url(settings: WeaviateSettings) -> str:
    """Return the server's address. Raises UserError where none is set."""
    url = settings.url or os.environ.get("WEAVIATE_URL", "")
    if not url:
        raise UserError(
            "no Weaviate server is named",
            where="rag.weaviate.url",
            remedy="docker compose up -d, then set WEAVIATE_URL=http://localhost:8080",
        )
    return url if "//" in url else f"http://{url}"


def _new_client(url: str, settings: WeaviateSettings) -> WeaviateAsyncClient:
    """Return a client that is not connected yet.

    The client's own checks at the start are left out: one of them asks a package index for a newer
    version.
    """
    import weaviate
    from weaviate.classes.init import AdditionalConfig, Auth, Timeout
    from weaviate.config import GrpcConfig

    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UserError(f"not an address: {url} ({error})", where="rag.weaviate.url") from error
    secure = parts.scheme == "https"
    key = os.environ.get(settings.api_key_variable)
    longest = max(settings.call_seconds, settings.import_seconds)
    reconnecting = [
        ("grpc.initial_reconnect_backoff_ms", 250),
        ("grpc.min_reconnect_backoff_ms", 250),
        ("grpc.max_reconnect_backoff_ms", 2000),
    ]
    return weaviate.use_async_with_custom(
        http_host=parts.hostname or "localhost",
        http_port=port or (443 if secure else 8080),
        http_secure=secure,
        grpc_host=parts.hostname or "localhost",
        grpc_port=settings.grpc_port,
        grpc_secure=secure,
        auth_credentials=Auth.api_key(key) if key else None,
        skip_init_checks=True,
        additional_config=AdditionalConfig(
            timeout=Timeout(query=longest, insert=longest, init=longest),
            grpc_config=GrpcConfig(channel_options=reconnecting),
        ),
    )


def _loop() -> asyncio.AbstractEventLoop:
    """Return this process's event loop for servers, which runs in a daemon thread."""
    with _LOCK:
        return _loop_of(os.getpid())


@functools.cache
def _loop_of(process: int) -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True, name=f"weaviate {process}").start()
    return loop


def _close(client: WeaviateAsyncClient, loop: asyncio.AbstractEventLoop) -> None:
    future = asyncio.run_coroutine_threadsafe(client.close(), loop)
    try:
        future.result(_GRACE)
    except Exception:  # the server may be gone
        future.cancel()
