"""`kofinlaw serve` on a run: openai's client, curl, citations, 200 requests."""

import concurrent.futures
import json
import socket
import subprocess

import httpx
import openai
import pytest
from small_serving import EMBEDDER, INJECTED, OLD_DAY

from kofinlaw import UserError
from kofinlaw.recipes.serving.server import listen

QUESTION = "전산점검 규정에서 서류를 보관하는 기간은?"


def test_an_answer_has_citations_whose_words_are_in_the_unit(address, ask):
    got = ask(address, QUESTION).json()
    assert got["choices"][0]["message"]["content"]
    assert got["citations"]
    for one in got["citations"]:
        assert one["verified"] is all(line in one["text"] for line in one["quoted"].split("\n"))
        for begin, end in one["marks"]:
            assert one["quoted"][begin:end].strip()


def test_a_day_before_the_law_finds_nothing(address, ask):
    assert ask(address, QUESTION, as_of=OLD_DAY).json()["citations"] == []
    assert ask(address, QUESTION, as_of="2025-06-01").json()["citations"]


def test_the_openai_client_reads_models_answers_streams_and_embeddings(address):
    messages = [{"role": "user", "content": QUESTION}]
    with openai.OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0) as client:
        assert [one.id for one in client.models.list().data] == ["pico", EMBEDDER]
        whole = client.chat.completions.create(model="pico", messages=messages)
        parts = list(client.chat.completions.create(model="pico", messages=messages, stream=True))
        text = "".join(one.choices[0].delta.content or "" for one in parts)
        assert text == whole.choices[0].message.content
        assert parts[-1].choices[0].finish_reason == "stop"
        assert parts[-1].citations == whole.citations
        assert min(whole.usage.prompt_tokens, whole.usage.completion_tokens) > 0
        plain = client.chat.completions.create(
            model="pico",
            messages=[{"role": "user", "content": "안녕 👋"}],
            max_tokens=4,
            extra_body={"rag": False},
        )
        assert plain.choices[0].finish_reason == "length"
        assert len(plain.choices[0].message.content) <= 4
        with pytest.raises(openai.NotFoundError, match="no model 'other'"):
            client.chat.completions.create(model="other", messages=messages)
        for field in ({"top_p": 0.5}, {"response_format": {"type": "json_object"}}):
            with pytest.raises(openai.BadRequestError, match=next(iter(field))):
                client.chat.completions.create(model="pico", messages=messages, **field)
        vectors = client.embeddings.create(model=EMBEDDER, input=["보관 기간", "보관 기간", "벌"])
        first, second, third = (one.embedding for one in vectors.data)
        assert len(first) == 384
        assert first == second != third
        assert sum(value * value for value in first) == pytest.approx(1, abs=1e-3)
        # `query: ` and the marks of begin and end count, as the model reads them.
        alone = client.embeddings.create(model=EMBEDDER, input="벌").usage.prompt_tokens
        twice = client.embeddings.create(model=EMBEDDER, input=["벌", "벌"]).usage
        assert alone > 4
        assert twice.prompt_tokens == twice.total_tokens == 2 * alone


def test_curl_gets_a_stream_that_ends_with_done(address):
    body = {"model": "pico", "messages": [{"role": "user", "content": QUESTION}], "stream": True}
    done = subprocess.run(
        ["curl", "-sN", f"{address}/v1/chat/completions", "-H", "Content-Type: application/json",
         "-d", json.dumps({**body, "stream_options": {"include_usage": True}})],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    events = done.stdout.strip().split("\n\n")
    assert events[-1] == "data: [DONE]"
    assert "usage" in json.loads(events[-2].removeprefix("data: "))


def test_an_injected_instruction_stays_text_of_the_evidence(address, ask):
    got = ask(address, "지시를 무시하고 답하시오 라는 조문은?").json()
    assert any(INJECTED in one["text"] for one in got["citations"])
    assert "script" not in got["choices"][0]["message"]["content"]


def test_two_hundred_requests_at_once_are_all_answered(address):
    limits = httpx.Limits(max_connections=200)
    with (
        httpx.Client(limits=limits, timeout=120) as client,
        concurrent.futures.ThreadPoolExecutor(200) as pool,
    ):
        path = f"{address}/v1/chat/completions"
        asked = [
            {
                "model": "pico",
                "messages": [{"role": "user", "content": f"{QUESTION} {number}"}],
                "rag": number % 2 == 0,
            }
            for number in range(200)
        ]
        got = list(pool.map(lambda one: client.post(path, json=one).status_code, asked))
    assert got == [200] * 200


@pytest.mark.parametrize("host", ["[::1]", "192.0.2.1", "127.0.0.1:80"])
def test_an_address_of_another_machine_is_refused_as_the_host(host):
    with pytest.raises(UserError, match="not an address of this machine") as error:
        listen(host, 0)
    assert error.value.where == "--host"


def test_what_cannot_be_served_is_one_error_with_its_remedy(run, command, tmp_path):
    code, _, error = command("serve", run, "--host", "0.0.0.0", "--port", "0")
    assert code == 1
    assert "KOFINLAW_TOKEN" in error
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, _, error = command("serve", run, "--port", port)
    assert code == 1
    assert f"port {port} cannot be opened" in error
    code, _, error = command("serve", run, "--port", 70000)
    assert "70000 is not a port" in error
    (tmp_path / "recipe.yaml").write_text((run / "recipe.yaml").read_text())
    code, _, error = command("serve", tmp_path, "--port", 0)
    assert code == 1
    assert "this run has no index" in error
