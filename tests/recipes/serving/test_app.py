"""The interface over an engine's process that echoes: statuses, streams, limits, cancellation."""

import concurrent.futures
import contextlib
import json
import os
import signal
import socket

import httpx
import openai
import pytest
from small_serving import SlowlyLoaded, echo, until

from kofinlaw.recipes.serving.chat_request import MOST_QUESTION
from kofinlaw.recipes.serving.worker import Worker

TOKEN = "k" * 24


@pytest.fixture(scope="module")
def quick(small_server):
    return small_server()


def test_bad_bodies_wrong_names_and_other_sites_are_refused(quick, ask):
    path = f"{quick}/v1/chat/completions"
    bad = [
        (b"{", "application/json", 400),
        (b"", "application/json", 400),
        (b"[1]", "application/json", 400),
        (b"\xff", "application/json", 400),
        (b'{"model": "\xed\xa0\x80"}', "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"seed": ' + b"9" * 5000 + b"}", "application/json", 400),
        (b"{}", "text/plain", 415),
        (b'"' + b"x" * 2_000_000 + b'"', "application/json", 413),
    ]
    for content, kind, status in bad:
        got = httpx.post(path, content=content, headers={"Content-Type": kind})
        assert got.status_code == status, content[:20]
        assert got.json()["error"]["message"]
    for rag in (True, False):
        for name, value in {"n": 2, "top_p": 0.5, "tools": [{"type": "function"}]}.items():
            got = ask(quick, rag=rag, **{name: value})
            assert (got.status_code, got.json()["error"]["param"]) == (400, name)
            assert got.json()["error"]["type"] == "invalid_request_error"
    assert ask(quick, model="other").status_code == 404
    assert ask(quick, "refuse").status_code == 400
    got = httpx.get(path)
    assert (got.status_code, got.headers["allow"]) == (405, "POST")
    assert got.json()["error"]["code"] == "method_not_allowed"
    assert httpx.get(f"{quick}/etc/passwd").json()["error"]["code"] == "not_found"
    for headers in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}):
        assert ask(quick, headers=headers).status_code == 403
        assert httpx.get(quick, headers=headers).status_code == 403
    got = httpx.options(f"{quick}/v1/models", headers={"Access-Control-Request-Method": "GET"})
    assert not any(name.startswith("access-control") for name in got.headers)
    assert httpx.get(f"{quick}/health").json() == {"status": "ok"}


def test_a_model_is_found_by_its_name(quick):
    for name in ("pico", "embedder"):
        assert httpx.get(f"{quick}/v1/models/{name}").json()["id"] == name
    got = httpx.get(f"{quick}/v1/models/no/such")
    assert (got.status_code, got.json()["error"]["code"]) == (404, "model_not_found")


def test_a_question_that_is_too_long_does_not_reach_the_engine(quick, ask, worker):
    got = ask(quick, "가" * (MOST_QUESTION + 1))
    assert (got.status_code, got.json()["error"]["param"]) == (400, "messages")
    assert ask(quick, "가" * (MOST_QUESTION + 1), rag=False).status_code == 200


def test_a_body_that_does_not_arrive_is_given_up(small_server):
    host, port = small_server(seconds=0.3).removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as slow:
        slow.settimeout(20)
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: {host}:{port}\r\n"
        head += "Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
        slow.sendall(head.encode())
        assert slow.recv(4096).startswith(b"HTTP/1.1 408 ")


def test_a_stream_has_no_line_breaks_but_its_own(quick, ask):
    text = "가\u2028나\u2029다\u0085라"
    events = ask(quick, text, rag=False, stream=True).text
    parts = [json.loads(one.removeprefix("data: ")) for one in events.splitlines() if "{" in one]
    pieces = [part["choices"][0]["delta"].get("content", "") for part in parts]
    assert "".join(pieces) == ask(quick, text, rag=False).json()["choices"][0]["message"]["content"]


def test_fields_are_applied_and_notes_name_what_is_not(quick, ask):
    got = ask(quick, "질문", as_of="2025-07-31", temperature=1).json()
    assert got["choices"][0]["message"]["content"] == "질문 (2025-07-31)"
    assert got["notes"] == ["not applied with rag: temperature; the recipe decides"]
    got = ask(quick, "질문", user="me", store=True, seed=3).json()
    assert got["notes"] == [
        "not applied with rag: seed; the recipe decides",
        "accepted without effect: store, user",
    ]
    two = [{"role": "assistant", "content": "앞"}, {"role": "user", "content": "뒤 끝"}]
    got = ask(quick, messages=two, stop="끝").json()
    assert "earlier messages were not read" in got["notes"][0]
    assert got["choices"][0]["message"]["content"] == "뒤 "
    got = ask(quick, messages=two, rag=False).json()
    assert got["notes"] == []
    assert got["usage"]["total_tokens"] == 3


def test_a_stream_holds_the_same_text_and_ends_with_done(quick, ask):
    text = "가👋" * 40
    whole = ask(quick, text, rag=False).json()
    events = ask(quick, text, rag=False, stream=True, stream_options={"include_usage": True})
    assert events.headers["content-type"].startswith("text/event-stream")
    lines = events.text.strip().split("\n\n")
    assert lines[-1] == "data: [DONE]"
    parts = [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]
    pieces = [part["choices"][0]["delta"].get("content", "") for part in parts if part["choices"]]
    assert "".join(pieces) == whole["choices"][0]["message"]["content"]
    assert parts[-1]["usage"] == whole["usage"]
    assert [p["choices"][0]["finish_reason"] for p in parts[:-1]][-1] == "stop"


@pytest.mark.parametrize(
    ("path", "fields", "param"),
    [
        ("chat/completions", {"\ud800x": 1}, "\ufffdx"),
        ("chat/completions", {"n": "\ud800"}, "n"),
        ("chat/completions", {"stream_options": {"\ud83d": 1}}, "stream_options.\ufffd"),
        ("chat/completions", {"messages": [{"role": "user", "\udc00": 1}]}, "messages[0].\ufffd"),
        ("embeddings", {"\udc00": 1}, "\ufffd"),
    ],
)
def test_half_a_surrogate_pair_in_a_request_is_refused_by_name(quick, path, fields, param):
    asked = {"chat/completions": {"messages": [{"role": "user", "content": "글"}]}}
    body = json.dumps({"model": "pico", **asked.get(path, {"input": "글"}), **fields})
    headers = {"Content-Type": "application/json"}
    got = httpx.post(f"{quick}/v1/{path}", content=body, headers=headers)
    assert (got.status_code, got.json()["error"]["param"]) == (400, param)


def test_embeddings_come_as_numbers_or_as_base64(quick, ask):
    got = ask(quick, path="/v1/embeddings", messages=None)
    assert got.status_code == 400
    for form in ("float", "base64"):
        body = {"model": "embedder", "input": ["글", "글글"], "encoding_format": form}
        got = httpx.post(f"{quick}/v1/embeddings", json=body).json()
        rows = got["data"]
        assert got["usage"] == {"prompt_tokens": 3, "total_tokens": 3}
        assert [row["index"] for row in rows] == [0, 1]
        assert rows[1]["embedding"] == {"float": [2.0, 0.0], "base64": "AAAAQAAAAAA="}[form]
    body = {"model": "other", "input": "글"}
    assert httpx.post(f"{quick}/v1/embeddings", json=body).status_code == 404


def test_the_token_opens_the_interface_and_not_the_page(small_server, ask):
    address = small_server(token=TOKEN)
    for header in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}):
        assert ask(address, headers=header).status_code == 401
        got = httpx.get(f"{address}/v1/models", headers=header)
        assert (got.status_code, got.headers["www-authenticate"]) == (401, "Bearer")
    assert ask(address, headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
    assert httpx.get(address).status_code == 200


@contextlib.contextmanager
def busy_engine(address, ask, worker, free):
    """Keep the engine busy with a request inside the block."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        first = pool.submit(ask, address, f"hold {free}", rag=False)
        until(lambda: str(free) in worker.log.read_text())
        try:
            yield
        finally:
            free.touch()
        assert first.result().status_code == 200


def test_more_requests_than_may_wait_get_429(small_server, ask, worker, tmp_path):
    address = small_server(waiting=1, batch=1)
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        with busy_engine(address, ask, worker, tmp_path / "free"):
            asked = [pool.submit(ask, address, rag=False) for _ in range(6)]
            ended = concurrent.futures.as_completed(asked, 60)
            refused = [next(ended).result() for _ in range(5)]
            assert [one.status_code for one in refused] == [429] * 5
            assert all(one.headers["retry-after"] for one in refused)
        assert next(ended).result().status_code == 200


def test_a_late_or_lost_engine_ends_only_the_requests_that_it_had(small_server, ask):
    own = Worker(echo, batch_seconds=0.6)
    own.start()
    address = small_server(own=own, seconds=0.3, rag=False)
    first = own.pid
    late = ask(address, "hang")
    assert (late.status_code, late.json()["error"]["code"]) == (504, "timeout")
    second = started_again(address, ask, own)
    os.kill(second, signal.SIGKILL)
    lost = ask(address, "die")  # the process is started again for it
    assert lost.status_code in (503, 504)
    third = started_again(address, ask, own)
    assert len({first, second, third}) == 3
    own.stop()


def test_a_killed_engine_is_started_again_before_the_next_request(small_server, ask, tmp_path):
    ready = tmp_path / "ready"
    ready.touch()
    own = Worker(SlowlyLoaded(tmp_path / "log", ready))
    own.start()
    ready.unlink()
    address = small_server(own=own, seconds=0.5, rag=False)
    os.kill(own.pid, signal.SIGKILL)
    until(lambda: (tmp_path / "log").read_text().count("loading") == 2)  # no request waits
    early = ask(address, "too early")
    assert (early.status_code, early.json()["error"]["code"]) == (503, "engine_starting")
    assert early.headers["retry-after"]
    ready.touch()
    until(lambda: not own.loading)
    assert ask(address, "again").status_code == 200
    own.stop()


def test_a_request_waits_for_the_engine_that_is_started_again(small_server, ask, tmp_path):
    ready = tmp_path / "ready"
    ready.touch()
    own = Worker(SlowlyLoaded(tmp_path / "log", ready))
    own.start()
    ready.unlink()
    address = small_server(own=own, seconds=60, rag=False)
    os.kill(own.pid, signal.SIGKILL)
    until(lambda: (tmp_path / "log").read_text().count("loading") == 2)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(ask, address, "early")
        until(lambda: small_server.dispatchers[address].waiting == 1)
        ready.touch()
        assert waiting.result().status_code == 200
    own.stop()


def started_again(address, ask, worker):
    """Ask until there is an answer; the process's id."""
    until(lambda: ask(address).status_code == 200)
    return worker.pid


def test_a_request_whose_client_left_is_not_answered(small_server, ask, worker, tmp_path):
    address = small_server(batch=1, rag=False)
    dispatcher = small_server.dispatchers[address]
    with busy_engine(address, ask, worker, tmp_path / "free"):
        with open_request(address, "client left"):
            until(lambda: dispatcher.waiting == 1)
        until(lambda: dispatcher.waiting == 0)
    assert ask(address, "after it").status_code == 200
    lines = worker.log.read_text().split("\n")
    assert "after it" in lines
    assert "client left" not in lines


def open_request(address, content):
    """A connection that sent a request and reads no answer."""
    host, port = address.removeprefix("http://").split(":")
    body = {"model": "pico", "messages": [{"role": "user", "content": content}]}
    data = json.dumps(body).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: {host}:{port}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
    client = socket.create_connection((host, int(port)))
    client.sendall(head.encode() + data)
    return client


def open_stream(address, content):
    body = {"model": "pico", "messages": [{"role": "user", "content": content}], "stream": True}
    return httpx.stream("POST", f"{address}/v1/chat/completions", json=body, timeout=60)


def test_a_plain_answer_is_streamed_while_it_is_generated(small_server):
    with open_stream(small_server(rag=False), "count 60") as stream:
        parts = [
            json.loads(line.removeprefix("data: "))["choices"][0]
            for line in stream.iter_lines()
            if line.startswith("data: {")
        ]
    # The echo ends with another text than it reported: nothing that was sent is taken back.
    texts = [part["delta"].get("content", "") for part in parts]
    assert len([text for text in texts if text]) > 3
    assert set("".join(texts)) == {"말"}
    assert parts[-1]["finish_reason"] == "stop"


def test_a_client_that_leaves_in_the_middle_of_a_stream_interrupts_it(small_server, ask, worker):
    address = small_server(rag=False)
    with open_stream(address, "count 900") as stream:
        for line in stream.iter_lines():
            if "말" in line:
                break
    assert ask(address, "next").status_code == 200
    assert worker.log.read_text().split("\n")[-4:-1] == ["count 900", "interrupted", "next"]


def test_a_late_engine_ends_a_stream_with_an_error(small_server):
    with open_stream(small_server(rag=False, seconds=0.5), "count 900") as stream:
        lines = [line for line in stream.iter_lines() if line]
    assert stream.status_code == 200
    assert json.loads(lines[-2].removeprefix("data: "))["error"]["code"] == "timeout"
    assert lines[-1] == "data: [DONE]"


def test_a_stream_without_news_sends_comments_that_clients_skip(
    small_server, ask, worker, tmp_path
):
    address = small_server(quiet=0.05)
    free = tmp_path / "free"
    lines = []
    with open_stream(address, f"hold {free}") as stream:
        assert stream.headers["x-accel-buffering"] == "no"
        for line in stream.iter_lines():
            lines.append(line)
            if lines.count(": no answer yet") == 2:
                free.touch()
    events = [line for line in lines if line.startswith("data: ")]
    assert json.loads(events[-2].removeprefix("data: "))["citations"] == []
    assert events[-1] == "data: [DONE]"
    free.unlink()
    messages = [{"role": "user", "content": f"hold {free}"}]
    with openai.OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0) as client:
        parts = iter(client.chat.completions.create(model="pico", messages=messages, stream=True))
        first = next(parts)  # the role comes before the first comment
        free.touch()
        rest = list(parts)
    assert first.choices[0].delta.role == "assistant"
    text = "".join(one.choices[0].delta.content or "" for one in rest)
    assert text == f"hold {free} (None)"


def test_slow_and_silent_clients_do_not_hold_up_the_others(quick, ask):
    host, port = quick.removeprefix("http://").split(":")
    with contextlib.ExitStack() as stack:
        for sent in (b"", b"POST /v1/chat/completions HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: x"):
            slow = stack.enter_context(socket.create_connection((host, int(port))))
            slow.sendall(sent)
        got = ask(quick)
        assert got.status_code == 200, got.text


def test_the_page_loads_nothing_from_elsewhere(quick):
    page = httpx.get(quick)
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    text = "".join(httpx.get(quick + path).text for path in ("/", "/chat.js", "/chat.css"))
    assert "http" not in text.replace("httpx", "")
    assert "innerHTML" not in text
    assert os.environ.get("HOME", "-") not in text
