"""A teacher on a real local HTTP server that fails in every possible way."""

import importlib.util
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from kofinlaw import UserError
from kofinlaw.augment.stage import generate_examples
from kofinlaw.augment.teacher.ledger import read_ledger
from kofinlaw.files import read_jsonl
from kofinlaw.models.engines import openai_engine
from kofinlaw.records import Example, Rejected


def _scripted():
    path = Path(__file__).parent / "scripted.py"
    spec = importlib.util.spec_from_file_location("scripted", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


scripted = _scripted()
CHAT = {"id": "Qwen/Qwen2.5-7B-Instruct"}
WAYS = ("answers", "fails", "hangs up", "is slow", "talks rubbish", "refuses")


class Server:
    """Serves completions; `ways` gives the failure for a request's passage."""

    def __init__(self):
        self.ways = {}
        self.seen = []
        self.dies_after = None
        server = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                self._send(200, {"data": [{"id": "small"}]})

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                passage = scripted.shown(body["prompt"])[0]
                way = server.way(passage)
                if way == "fails":
                    self._send(500, {"error": "out of memory"})
                elif way == "refuses":
                    self._send(400, {"error": "prompt refused"})
                elif way == "hangs up":
                    self.connection.close()
                elif way == "is slow":
                    time.sleep(1.0)
                elif way == "talks rubbish":
                    self._raw(200, b"<html>not json")
                else:
                    text = scripted.sound(body["prompt"])
                    choice = {"text": text, "finish_reason": "stop"}
                    self._send(200, {"choices": [choice], "usage": {"completion_tokens": 9}})

            def _send(self, status, value):
                self._raw(status, json.dumps(value).encode())

            def _raw(self, status, data):
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass

        self.http = Quiet(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.http.server_port}/v1"
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()

    def way(self, passage):
        """Choose how this request fails; it is the last one if the server must die."""
        way = self.ways.setdefault(passage, WAYS[len(self.ways) % len(WAYS)])
        self.seen.append((passage, way))
        if len(self.seen) == self.dies_after:
            self.stop()
        return way

    def stop(self):
        """Nothing listens at the address any more."""
        self.http.shutdown()
        self.http.server_close()


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(openai_engine, "FIRST_PAUSE_SECONDS", 0.01)
    running = Server()
    yield running
    running.stop()


def run(server, corpus, out, **more):
    engine = {"engine": "openai", "servers": [server.address], "timeout_seconds": 0.2, "slots": 4}
    settings = scripted.settings_of(12, engine=engine, tasks={"summary": 1}, **more)
    generate_examples(settings, corpus, out, seed=1, ledger=out.parent / "ledger.jsonl")
    taught = [
        e for e in read_jsonl(out / "examples.jsonl", Example) if e.task.startswith("teacher_")
    ]
    rejected = [
        r for r in read_jsonl(out / "rejected.jsonl", Rejected) if r.id.startswith("teacher-")
    ]
    return taught, rejected


def test_a_failing_server_costs_its_requests_and_the_run_goes_on(server, corpus, tmp_path):
    taught, rejected = run(server, corpus, tmp_path / "out")
    assert len(taught) + len(rejected) == len(server.ways) > len(WAYS)
    passages = {json.loads(r.record)["passage"] for r in rejected if r.reason == "answered"}
    assert passages == {p for p, way in server.ways.items() if way != "answers"}
    assert taught
    asked = len(server.seen)
    assert run(server, corpus, tmp_path / "again") == (taught, rejected)
    assert len(server.seen) == asked


def test_errors_are_asked_again_where_one_wants_it(server, corpus, tmp_path):
    taught, rejected = run(server, corpus, tmp_path / "out")
    server.ways = dict.fromkeys(server.ways, "answers")
    asked = len(server.seen)
    repaired, left = run(server, corpus, tmp_path / "again", retry_errors=True)
    failed = sum(r.reason == "answered" for r in rejected)
    assert len(server.seen) - asked == failed > 0
    assert len(repaired) > len(taught)
    assert not any(r.reason == "answered" for r in left)


def test_a_server_that_is_not_there_is_said_so(server, corpus, tmp_path):
    server.stop()
    with pytest.raises(UserError, match=r"127\.0\.0\.1"):
        run(server, corpus, tmp_path / "out")


def test_a_server_that_dies_in_the_middle_stops_the_run_which_then_goes_on(
    server, corpus, tmp_path
):
    dying = Server()
    dying.dies_after = 7
    for each in (server, dying):
        each.ways = Everything()
    with pytest.raises(UserError, match=r"no server can be reached.*refused") as stopped:
        run(dying, corpus, tmp_path / "out")
    kept = read_ledger(tmp_path / "ledger.jsonl")[0]
    assert f"the {len(kept)} answers" in str(stopped.value)
    assert {entry.finish for entry in kept.values()} == {"stop"}
    assert 4 <= len(kept) < 12
    taught, rejected = run(server, corpus, tmp_path / "out")
    whole = read_ledger(tmp_path / "ledger.jsonl")[0]
    assert len(server.seen) == len(whole) - len(kept) > 0
    assert not any(r.reason == "answered" for r in rejected)
    (tmp_path / "other").mkdir()
    assert run(server, corpus, tmp_path / "other" / "out") == (taught, rejected)


def test_the_reason_of_a_failed_request_stands_in_its_reject(server, corpus, tmp_path):
    _, rejected = run(server, corpus, tmp_path / "out")
    details = {}
    for reject in rejected:
        details[server.ways[json.loads(reject.record)["passage"]]] = reject.detail
    assert "500" in details["fails"]
    assert "400" in details["refuses"]
    assert "timed out" in details["is slow"]


class Everything(dict):
    """Every passage is answered."""

    def setdefault(self, passage, _):
        return super().setdefault(passage, "answers")


@pytest.mark.parametrize("prompting", ["auto", "chat"])
def test_a_served_chat_model_without_its_template_is_refused(server, corpus, tmp_path, prompting):
    with pytest.raises(UserError, match="needs its template"):
        run(server, corpus, tmp_path / "out", model=CHAT, prompting=prompting)
    assert server.seen == []
    run(server, corpus, tmp_path / "asked", model=CHAT, prompting="completion")
    assert server.seen
