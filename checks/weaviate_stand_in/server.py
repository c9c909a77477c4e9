"""Serve the stand-in over HTTP and gRPC, with the ways in which servers fail."""

from __future__ import annotations

import argparse
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc
import numpy as np
from weaviate.proto.v1 import (
    aggregate_pb2,
    batch_pb2,
    properties_pb2,
    search_get_pb2,
    weaviate_pb2_grpc,
)

from checks.weaviate_stand_in.schema import complete
from checks.weaviate_stand_in.searching import Collection, StandInError, StoredObject, passes

__all__ = ["StandIn"]

MAX_RESULTS = 10_000
_HOST = "127.0.0.1"


class StandIn:
    """A server on loopback. What it holds survives `stop` and `start` on the same ports.

    Args:
        korean: Whether it has the Korean tokenizer.
        api_key: The key that it asks for; empty: none.
        latency: Seconds that each search takes.
        http_port: Port of HTTP; 0: a free one.
        grpc_port: Port of gRPC; 0: a free one.

    `silent` makes it accept calls and never answer. After `dies_after` more calls it stops, in the
    middle of a call. `rejects` is the number of objects that it will reject. `calls` holds the
    names of the calls so far, `at_once` the largest number of searches at the same time. With a
    `barrier`, searches wait for each other there.
    """

    def __init__(
        self,
        *,
        korean: bool = False,
        api_key: str = "",
        latency: float = 0.0,
        http_port: int = 0,
        grpc_port: int = 0,
    ) -> None:
        self.korean = korean
        self.api_key = api_key
        self.latency = latency
        self.http_port = http_port
        self.grpc_port = grpc_port
        self.collections: dict[str, Collection] = {}
        self.calls: list[str] = []
        self.silent = False
        self.dies_after: int | None = None
        self.rejects = 0
        self.barrier: threading.Barrier | None = None
        self.at_once = 0
        self._searching = 0
        self._lock = threading.Lock()
        self._turning = threading.RLock()
        self._ended = threading.Event()
        self._http: ThreadingHTTPServer | None = None
        self._grpc: Any = None

    def __enter__(self) -> StandIn:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.silent = False
        self.stop()

    @property
    def url(self) -> str:
        """The address of HTTP."""
        return f"http://{_HOST}:{self.http_port}"

    def start(self) -> None:
        """Listen on both ports; the first time they are chosen."""
        with self._turning:
            self._ended = threading.Event()
            self._http = _Http((_HOST, self.http_port), _handler(self))
            self.http_port = self._http.server_address[1]
            threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()
            self._grpc = grpc.server(ThreadPoolExecutor(64))
            weaviate_pb2_grpc.add_WeaviateServicer_to_server(_Servicer(self), self._grpc)
            self.grpc_port = self._grpc.add_insecure_port(f"{_HOST}:{self.grpc_port}")
            self._grpc.start()

    def stop(self) -> None:
        """Stop at once: running calls are cut off, and further ones are refused."""
        with self._turning:
            http, self._http = self._http, None
            server, self._grpc = self._grpc, None
            self._ended.set()
            if server is not None:
                server.stop(0).wait()
            if http is not None:
                http.shutdown()
                http.server_close()

    def enter(self, name: str) -> None:
        """Count a call; die or be silent where that was asked for."""
        with self._lock:
            ended = self._ended  # of this life: `start` makes another one
            self.calls.append(name)
            if self.dies_after is not None:
                self.dies_after -= 1
                if self.dies_after < 0:
                    self.dies_after = None
                    self.silent = True  # first: who waits for the end may set it back
                    threading.Thread(target=self.stop, daemon=True).start()
            silent = self.silent
        if silent:
            ended.wait()
            raise StandInError("stopped")

    def search(self) -> None:
        """Take as long as a search takes."""
        with self._lock:
            self._searching += 1
            self.at_once = max(self.at_once, self._searching)
        if self.barrier is not None:
            self.barrier.wait()
        time.sleep(self.latency)
        with self._lock:
            self._searching -= 1

    def route(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """Return the status and the body of the answer to a call over HTTP."""
        if path == "/meta":
            return 200, {"version": "1.38.0", "grpcMaxMessageSize": 104858000}
        if path == "/schema":
            if method == "POST":
                return self.create(body)
            return 200, {"classes": [one.schema for one in self.collections.values()]}
        name = path.removeprefix("/schema/")
        if method == "DELETE":
            self.collections.pop(name, None)
            return 200, None
        if name not in self.collections:
            return 404, None
        if method == "PUT":
            self.collections[name].schema = complete(body)
        return 200, self.collections[name].schema

    def create(self, given: dict[str, Any]) -> tuple[int, Any]:
        """Make a collection; returns the status and the body of the answer."""
        korean = any(one.get("tokenization") == "kagome_kr" for one in given["properties"])
        if korean and not self.korean:
            return 422, _error(
                "the Korean tokenizer is not enabled; set 'ENABLE_TOKENIZER_KAGOME_KR'"
            )
        if given["class"] in self.collections:
            return 422, _error(f"class name {given['class']} already exists")
        made = complete(given)
        self.collections[given["class"]] = Collection(made)
        return 200, made

    def collection(self, name: str) -> Collection:
        """Return a collection. Raises StandInError where there is none."""
        try:
            return self.collections[name]
        except KeyError:
            raise StandInError(f"could not find class {name} in schema") from None


def _error(text: str) -> dict[str, Any]:
    return {"error": [{"message": text}]}


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients go away in the tests."""


def _handler(stand_in: StandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:
            """Log nothing."""

        def do_GET(self) -> None:
            self._answer("GET")

        def do_POST(self) -> None:
            self._answer("POST")

        def do_PUT(self) -> None:
            self._answer("PUT")

        def do_DELETE(self) -> None:
            self._answer("DELETE")

        def _answer(self, method: str) -> None:
            length = int(self.headers.get("content-length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            try:
                stand_in.enter(f"{method} {self.path}")
            except StandInError:
                self.close_connection = True
                self.connection.close()
                return
            wanted = f"Bearer {stand_in.api_key}" if stand_in.api_key else None
            if wanted is not None and self.headers.get("authorization") != wanted:
                status, answer = 401, _error("invalid api key, please provide a valid api key")
            else:
                status, answer = stand_in.route(method, self.path.removeprefix("/v1"), body)
            text = json.dumps(answer).encode() if answer is not None else b""
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

    return Handler


class _Servicer(weaviate_pb2_grpc.WeaviateServicer):  # type: ignore[misc]
    def __init__(self, stand_in: StandIn) -> None:
        self._stand_in = stand_in

    def _enter(self, name: str, context: Any) -> None:
        try:
            self._stand_in.enter(name)
        except StandInError:
            context.abort(grpc.StatusCode.UNAVAILABLE, "stopped")
        key = self._stand_in.api_key
        given = dict(context.invocation_metadata()).get("authorization")
        if key and given != f"Bearer {key}":
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "unauthorized: invalid api key")

    def Search(self, request: Any, context: Any) -> Any:  # noqa: N802
        self._enter("Search", context)
        self._stand_in.search()
        try:
            return search_get_pb2.SearchReply(results=self._results(request))
        except StandInError as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))

    def _results(self, request: Any) -> list[Any]:
        held = self._stand_in.collection(request.collection)

        def allowed(one: StoredObject) -> bool:
            whole = request.HasField("filters")
            return passes(request.filters, held.schema, one) if whole else True

        limit = request.limit or 10
        if limit > MAX_RESULTS:
            raise StandInError("query maximum results exceeded")
        if request.HasField("bm25_search"):
            asked = request.bm25_search
            found = held.words(asked.query, asked.properties[0], allowed)
        elif request.HasField("near_vector"):
            found = held.nearest(_vector(request.near_vector), allowed)
        else:
            asked = request.hybrid_search
            by_words = []
            if asked.query.strip():
                by_words = held.words(asked.query, asked.properties[0], allowed)[:limit]
            by_vector = held.nearest(_vector(asked), allowed)[:limit]
            ranked = asked.fusion_type == asked.FUSION_TYPE_RANKED
            alpha = asked.alpha_param if asked.use_alpha_param else asked.alpha
            found = held.hybrid(by_words, by_vector, alpha, ranked)
        near = request.HasField("near_vector")
        return [_result(one, score, near) for one, score in found[:limit]]

    def BatchObjects(self, request: Any, context: Any) -> Any:  # noqa: N802
        self._enter("BatchObjects", context)
        errors = []
        for position, one in enumerate(request.objects):
            if self._stand_in.rejects > 0:
                self._stand_in.rejects -= 1
                text = "store is read-only"
                errors.append(batch_pb2.BatchObjectsReply.BatchError(index=position, error=text))
                continue
            held = self._stand_in.collection(one.collection)
            properties = _stored(held.schema, one.properties.non_ref_properties)
            vector = _vector(one) if one.vector_bytes or one.vectors else None
            held.objects[one.uuid] = StoredObject(one.uuid, properties, vector)
        return batch_pb2.BatchObjectsReply(errors=errors)

    def Aggregate(self, request: Any, context: Any) -> Any:  # noqa: N802
        self._enter("Aggregate", context)
        try:
            count = len(self._stand_in.collection(request.collection).objects)
        except StandInError as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))
        single = aggregate_pb2.AggregateReply.Single(objects_count=count)
        return aggregate_pb2.AggregateReply(single_result=single)


def _stored(schema: dict[str, Any], given: Any) -> dict[str, Any]:
    kinds = {one["name"]: one["dataType"][0] for one in schema["properties"]}
    return {
        name: int(value) if kinds.get(name) == "int" else value for name, value in given.items()
    }


def _vector(message: Any) -> Any:
    packed = message.vector_bytes or (message.vectors[0].vector_bytes if message.vectors else b"")
    if not packed and hasattr(message, "near_vector"):
        return _vector(message.near_vector)
    return np.frombuffer(packed, dtype="<f4")


def _result(one: StoredObject, score: float, near: bool) -> Any:
    fields = {"place": properties_pb2.Value(int_value=int(one.properties["place"]))}
    metadata: dict[str, Any] = {"id": one.id}
    metadata |= (
        {"distance": score, "distance_present": True}
        if near
        else {"score": score, "score_present": True}
    )
    return search_get_pb2.SearchResult(
        properties=search_get_pb2.PropertiesResult(
            non_ref_props=properties_pb2.Properties(fields=fields)
        ),
        metadata=search_get_pb2.MetadataResult(**metadata),
    )


def main() -> None:
    """Serve until the process is killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--http-port", type=int, required=True)
    parser.add_argument("--grpc-port", type=int, required=True)
    parser.add_argument("--latency", type=float, default=0.0)
    given = parser.parse_args()
    with StandIn(
        latency=given.latency, http_port=given.http_port, grpc_port=given.grpc_port
    ) as server:
        print(server.url, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
