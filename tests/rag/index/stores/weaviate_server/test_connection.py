"""Calls have an end: dead, silent and slow servers, and servers that come back."""

from __future__ import annotations

import gc
import random
import signal
import socket
import subprocess
import sys
import threading
import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kofinlaw import UserError
from kofinlaw.rag.index.admission import EVERYTHING
from kofinlaw.rag.index.stores.weaviate_server.connection import Server
from kofinlaw.rag.index.stores.weaviate_server.failures import ServerUnavailable
from kofinlaw.rag.index.stores.weaviate_server.store import WeaviateStore
from kofinlaw.rag.search_limits import SearchLimits, limit_search

QUERY = ["접근매체를 빌려줄 수 있는가"]


def opened(built: Any, seconds: float, **values: Any) -> WeaviateStore:
    """A store that was connected at leisure; its searches have so many seconds."""
    store = WeaviateStore.connect(built.index, built.changed(**values))
    hurried = store._server.settings.model_copy(update={"call_seconds": seconds})
    store._server.settings = hurried
    return store


def found(store: WeaviateStore, times: int = 1) -> list[list[int]]:
    got = store.lexical("bigram", QUERY * times, 3, [EVERYTHING] * times)
    return [rows.tolist() for rows, _ in got]


def test_a_server_that_was_stopped_is_one_error(built: Any) -> None:
    store = opened(built, 0.6)
    built.stand_in.stop()
    with pytest.raises(ServerUnavailable, match=r"did not answer within 0\.6 s"):
        found(store)
    with pytest.raises(ServerUnavailable, match="did not answer"):
        WeaviateStore.connect(built.index, built.changed(call_seconds=0.6))


def test_a_server_that_accepts_and_never_answers_is_one_error(built: Any) -> None:
    store = opened(built, 0.6)
    built.stand_in.silent = True
    with pytest.raises(ServerUnavailable, match="no answer"):
        found(store, times=40)
    with pytest.raises(ServerUnavailable, match="did not answer"):
        WeaviateStore.connect(built.index, built.changed(call_seconds=0.6))


def test_a_socket_that_only_listens_is_one_error(built: Any) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as http,
        socket.create_server(("127.0.0.1", 0)) as rpc,
    ):
        url = f"http://127.0.0.1:{http.getsockname()[1]}"
        port = rpc.getsockname()[1]
        there = built.changed(url=url, grpc_port=port, call_seconds=0.6)
        with pytest.raises(ServerUnavailable, match="did not answer"):
            WeaviateStore.connect(built.index, there)


def test_another_program_behind_the_address_is_named_as_that(built: Any) -> None:
    from http.server import BaseHTTPRequestHandler, HTTPServer

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>")

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Page) as page:
        threading.Thread(target=page.serve_forever, args=(0.02,), daemon=True).start()
        there = built.changed(url=f"http://127.0.0.1:{page.server_address[1]}")
        with pytest.raises(UserError, match="or is not a Weaviate server"):
            WeaviateStore.connect(built.index, there)
        page.shutdown()


def test_a_server_that_comes_back_within_the_time_answers_the_same_call(built: Any) -> None:
    store = WeaviateStore.connect(built.index, built.changed(call_seconds=30.0))
    expected = found(store)
    built.stand_in.stop()
    threading.Timer(0.3, built.stand_in.start).start()
    assert found(store) == expected


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(dies_after=st.integers(0, 12), silent=st.booleans())
def test_whenever_a_server_dies_a_search_ends_with_its_result_or_one_error(
    built: Any, dies_after: int, silent: bool
) -> None:
    server = built.stand_in
    recipe = built.changed(call_seconds=0.5, concurrent_calls=3)
    server.dies_after = dies_after
    try:
        store = WeaviateStore.connect(built.index, recipe)
        assert found(store, times=6) == [found(store)[0]] * 6
    except ServerUnavailable:
        pass
    server.dies_after, server.silent = None, False
    server.stop()
    server.start()
    assert len(found(WeaviateStore.connect(built.index, built.settings))[0]) == 3


def test_answering_shortens_a_call_to_the_time_that_it_has_left(built: Any) -> None:
    store = WeaviateStore.connect(built.index, built.changed(call_seconds=300.0))
    built.stand_in.silent = True
    with limit_search(SearchLimits(lambda: 0.2)), pytest.raises(ServerUnavailable, match=r"0\.2 s"):
        found(store)
    with limit_search(SearchLimits(lambda: -5.0)), pytest.raises(ServerUnavailable, match="0 s"):
        WeaviateStore.connect(built.index, built.settings)


def test_a_wrong_and_a_missing_key_are_named(built: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    built.stand_in.api_key = "right"
    mine = built.changed(api_key_variable="MY_KEY")
    for key in ("wrong", ""):
        monkeypatch.setenv("MY_KEY", key)
        with pytest.raises(UserError, match="refuses the API key") as error:
            WeaviateStore.connect(built.index, mine)
        assert error.value.where == "rag.weaviate.api_key_variable: MY_KEY"
    monkeypatch.setenv("MY_KEY", "right")
    store = WeaviateStore.connect(built.index, mine)
    assert len(found(store)[0]) == 3
    built.stand_in.api_key = "changed"
    with pytest.raises(UserError, match="refuses the API key"):
        found(store)


def test_connections_are_closed_with_the_store_and_where_opening_fails(built: Any) -> None:
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        store = WeaviateStore.connect(built.index, built.settings)
        found(store)
        store.close()
        again = WeaviateStore.connect(built.index, built.settings)
        found(again)
        del store, again
        built.stand_in.stop()
        with pytest.raises(ServerUnavailable):
            WeaviateStore.connect(built.index, built.changed(call_seconds=0.2))
        gc.collect()
    assert [str(one.message) for one in shown if issubclass(one.category, ResourceWarning)] == []


def test_a_process_that_was_killed_is_one_error(built: Any, tmp_path: Path) -> None:
    """A server in another process, which the kernel ends in the middle of searches."""
    ports = []
    for _ in range(2):
        with socket.create_server(("127.0.0.1", 0)) as free:
            ports.append(free.getsockname()[1])
    root = str(Path(__file__).parents[5])
    words = ["--http-port", str(ports[0]), "--grpc-port", str(ports[1]), "--latency", "0.2"]
    child = subprocess.Popen(
        [sys.executable, "-m", "checks.weaviate_stand_in.server", *words],
        cwd=root, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert child.stdout is not None
        url = child.stdout.readline().strip()
        from kofinlaw.rag.index.stores.weaviate_server.importing import import_index

        import_index(built.index, built.changed(url=url, grpc_port=ports[1]))
        store = opened(built, 1.5, url=url, grpc_port=ports[1], concurrent_calls=2)
        threading.Timer(0.3, child.send_signal, [signal.SIGKILL]).start()
        with pytest.raises(ServerUnavailable, match="did not answer"):
            found(store, times=random.Random(1).randint(30, 40))
    finally:
        child.kill()
        child.wait()


def test_an_address_that_is_none_and_no_address_are_refused(
    built: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WEAVIATE_URL", raising=False)
    with pytest.raises(UserError, match="no Weaviate server is named"):
        Server(built.settings.weaviate.model_copy(update={"url": None}))
    with pytest.raises(UserError, match="not an address"):
        Server(built.settings.weaviate.model_copy(update={"url": "http://localhost:many"}))
