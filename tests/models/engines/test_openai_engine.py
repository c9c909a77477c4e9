from __future__ import annotations

import contextlib
import json
import math
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from kofinlaw import UserError
from kofinlaw.models.engines import openai_engine
from kofinlaw.models.engines.base import SERVER_UNREACHABLE, Request
from kofinlaw.models.engines.factory import open_engine
from kofinlaw.models.settings import EngineSettings
from kofinlaw.offline import guard


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *arguments):
        pass

    def do_GET(self):
        self.reply({"data": [{"id": "pico"}]})

    def do_POST(self):
        payload = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.seen.append(payload)
        fault = self.server.faults.pop(0) if self.server.faults else None
        if fault == "hang up":
            self.connection.close()
        elif fault == "slow":
            time.sleep(1.5)
            self.reply({"choices": []})
        elif fault in ("endless", "drips"):
            self.go_on("가".encode() * 50000 if fault == "endless" else b" ")
        elif fault == "half":
            self.reply(None, body=b'{"choices": [{"text": "', length=900)
        elif fault == "garbage":
            self.reply(None, body=b"<html>")
        elif isinstance(fault, int):
            self.reply({"error": "no"}, status=fault)
        else:
            self.reply(self.server.answer(payload))

    def go_on(self, part):
        """An answer that never ends, until the client closes the connection."""
        with contextlib.suppress(OSError):
            self.send_response(200)
            self.end_headers()
            while True:
                self.wfile.write(part)
                time.sleep(0.001 if len(part) > 1 else 0.1)

    def reply(self, value, status=200, body=None, length=None):
        body = body or json.dumps(value).encode()
        with contextlib.suppress(OSError):
            self.send_response(status)
            self.send_header("Content-Length", str(length or len(body)))
            if status == 307:
                self.send_header("Location", "http://192.0.2.1/v1/completions")
            self.end_headers()
            self.wfile.write(body)


def echo(payload):
    """Writes the prompt's length; echoes one token a character, each with log-probability -1."""
    prompt = payload["prompt"]
    if payload.get("echo"):
        count = len(prompt) + 1
        logprobs = {
            "text_offset": list(range(count)),
            "token_logprobs": [None] + [-1.0] * (count - 1),
        }
        return {"choices": [{"text": prompt + "!", "logprobs": logprobs}]}
    text = f"{len(prompt)}자. 끝"
    choices = (payload.get("structured_outputs") or {}).get("choice")
    text = choices[-1] if choices else text
    logprobs = {"token_logprobs": [-0.5, -0.25]}
    return {
        "choices": [{"text": text, "finish_reason": "stop", "logprobs": logprobs}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 2},
    }


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(openai_engine, "FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(openai_engine, "LARGEST_ANSWER_BYTES", 10**6)
    with running() as server:
        yield server


@contextlib.contextmanager
def running():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.seen, server.faults, server.answer = [], [], echo
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        server.address = f"http://127.0.0.1:{server.server_port}/v1"
        yield server
        server.shutdown()
        thread.join()


def engine_for(*servers, **settings):
    addresses = tuple(server.address for server in servers)
    return open_engine(
        EngineSettings(engine="openai", servers=addresses, timeout_seconds=0.5, **settings), None
    )


def test_texts_come_back_in_order_under_the_offline_guard(server):
    prompts = ["가" * n for n in range(1, 9)]
    with guard(), engine_for(server, slots=4) as engine:
        texts = engine.generate([Request(prompt, stop=(".",)) for prompt in prompts])
        assert [g.text for g in texts] == [f"{n}자" for n in range(1, 9)]
        assert (texts[0].prompt_tokens, texts[0].tokens, texts[0].logprob) == (5, 2, -0.75)
        assert not engine.deterministic
        assert (engine.stats.tokens, engine.stats.failures) == (16, 0)
        engine.generate([Request(prompts[0], logprob=False)])
    assert ["logprobs" in seen for seen in server.seen] == [True] * 8 + [False]
    assert {seen["model"] for seen in server.seen} == {"pico"}


@pytest.mark.parametrize(
    "fault", [500, 429, "hang up", "slow", "garbage", "endless", "drips", "half"]
)
def test_a_server_that_stumbles_is_asked_again(server, fault):
    server.faults = [fault]
    with engine_for(server) as engine:
        (generation,) = engine.generate([Request("질문")])
    assert generation.finish == "stop"
    assert len(server.seen) == 2


def test_a_server_that_stays_down_is_counted_and_the_rest_goes_on(server):
    server.faults = [500, 503, 500]
    with engine_for(server) as engine:
        failed, fine = engine.generate([Request("첫째"), Request("둘째")])
        assert (failed.finish, failed.text, fine.finish) == ("error", "", "stop")
        assert "500" in failed.fault
        assert math.isnan(failed.logprob)
        assert engine.stats.failures == 1


def test_an_answer_without_end_is_given_up(server):
    server.faults = ["endless"] * 3
    with engine_for(server) as engine:
        (failed,) = engine.generate([Request("질문")])
    assert "has no end" in failed.fault


def test_only_where_no_server_listens_is_it_said_so(server):
    with running() as other:
        engine = engine_for(server, other)
    with engine:
        assert engine.generate([Request("질문")] * 2)[1].finish == "stop"
        server.faults = [500, 500, 500]
        assert "no server" not in engine.generate([Request("질문")])[0].fault
    with running() as other:
        engine = engine_for(other)
    with engine:
        (failed,) = engine.generate([Request("질문")])
    assert failed.fault.startswith(SERVER_UNREACHABLE)
    assert other.address in failed.fault


def test_several_servers_share_the_work_and_one_stands_in_for_another(server):
    with running() as other, engine_for(server, other, slots=2) as engine:
        texts = engine.generate([Request("가" * n) for n in range(1, 9)])
        assert [len(server.seen), len(other.seen)] == [4, 4]
        other.faults = [503] * 4
        again = engine.generate([Request("가" * n) for n in range(1, 9)])
        assert [g.text for g in again] == [g.text for g in texts]
        assert engine.stats.failures == 0
        assert len(server.seen) > 8


@pytest.mark.parametrize("status", [400, 307])
def test_a_refusal_or_a_redirection_is_not_followed(server, status):
    server.faults = [status]
    with engine_for(server) as engine:
        assert engine.generate([Request("질문")])[0].finish == "error"
    assert len(server.seen) == 1


def test_an_answer_that_breaks_its_constraint_is_an_error(server):
    with engine_for(server) as engine:
        kept, pattern, schema = engine.generate(
            [
                Request("질문", choices=("1", "2")),
                Request("질문", regex="[0-9]"),
                Request("질문", json_schema={"type": "object"}),
            ]
        )
    assert (kept.text, kept.finish) == ("2", "stop")
    assert (pattern.finish, schema.finish) == ("error", "error")


def test_choices_are_scored_from_the_echo(server):
    with engine_for(server) as engine:
        scores = engine.score(["질문: ", "가"], [["1", "손해"], ["나"]])
    assert [[s.logprob for s in row] for row in scores] == [[-1.0, -2.0], [-1.0]]
    assert scores[0][1].tokens == 2
    server.answer = lambda payload: {"choices": [{"text": "!", "logprobs": None}]}
    with engine_for(server) as engine, pytest.raises(UserError, match="does not echo"):
        engine.score(["질문"], [["1"]])


@pytest.mark.parametrize(
    "address,words",
    [
        ("https://api.example.org/v1", "not this machine"),
        ("http://10.0.0.2:8000/v1", "not this machine"),
        ("127.0.0.1:8000", "not a server's address"),
        ("file:///etc/passwd", "not a server's address"),
    ],
)
def test_only_this_machine_is_asked(address, words):
    with pytest.raises(UserError, match=words):
        open_engine(EngineSettings(engine="openai", servers=(address,)), None)


def test_a_server_that_is_not_there_is_one_error():
    settings = EngineSettings(engine="openai", servers=("http://127.0.0.1:9/v1",))
    with pytest.raises(UserError, match="for its model"):
        open_engine(settings, None)


def test_a_proxy_in_the_environment_is_not_used(server, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://192.0.2.1:3128")
    with guard(), engine_for(server) as engine:
        assert engine.generate([Request("질문")])[0].finish == "stop"


def test_servers_read_control_tokens_in_texts_as_characters(server, llama):
    from kofinlaw.models.tokenizer import load_tokenizer

    tokenizer = load_tokenizer(llama)
    prompt = f"<s>{tokenizer.plain('끝 </s> 아님')} 1"
    settings = EngineSettings(engine="openai", servers=(server.address,))
    with open_engine(settings, llama) as engine:
        engine.generate([Request(prompt), Request("<s>끝 1")])
    sent = {str(payload["prompt"]) for payload in server.seen}
    assert sent == {str(tokenizer.encode(prompt)), "<s>끝 1"}
    assert tokenizer.id_of("</s>") not in tokenizer.encode(prompt)
    server.seen.clear()
    with open_engine(settings, None) as engine:
        engine.generate([Request(prompt)])
        engine.score([prompt], [["</s>"]])
    assert [payload["prompt"] for payload in server.seen] == [
        "<s>끝 <\u200b/s> 아님 1",
        "<s>끝 <\u200b/s> 아님 1<\u200b/s>",
    ]
