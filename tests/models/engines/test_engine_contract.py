"""Engines with the same weights must return the same results for the same requests."""

from __future__ import annotations

import json
import math
import re

import pytest

from kofinlaw.models.engines.base import Request
from kofinlaw.models.engines.factory import open_engine
from kofinlaw.models.settings import EngineSettings

PROMPTS = ["<s>개인정보처리자는 정보주체의 동의를 받아", "<s>다음 중 옳은 것은? 1 가 2 나"]
CHOICES = ("옳다", '"그르다"\n', "옳지 않다", "1", "12")
SCHEMA = {
    "type": "object",
    "properties": {"답": {"enum": ["1", "2"]}, "조": {"type": "string", "maxLength": 6}},
    "required": ["답", "조"],
    "additionalProperties": False,
}
PATTERNS = [
    "^[0-9]{4}년 [0-9]{1,2}월$",
    "(옳다|그르다)",
    "제[1-9][0-9]{0,2}조(의[2-9])?",
    "[가-힣]{3,9}다\\.",
]


@pytest.fixture(scope="module", params=["transformers", "llamacpp"])
def engine(request, llama):
    if request.param == "transformers":
        pytest.importorskip("llguidance")
        settings = EngineSettings(dtype="float32")
    else:
        pytest.importorskip("xllamacpp", reason="the extra `quickstart` is not installed")
        pytest.importorskip("gguf", reason="the extra `gguf` is not installed")
        gguf = request.getfixturevalue("gguf")
        settings = EngineSettings(engine="llamacpp", gguf=gguf, threads=1, context_tokens=256)
    with open_engine(settings, llama) as engine:
        yield engine


@pytest.mark.parametrize("temperature", [0.0, 2.0])
def test_a_choice_comes_back_whole_whatever_its_bound(engine, temperature):
    requests = [
        Request(prompt, choices=CHOICES, max_tokens=1, temperature=temperature, seed=n)
        for n, prompt in enumerate(PROMPTS * 2)
    ]
    for answer in engine.generate(requests):
        assert answer.text in CHOICES
        assert answer.finish == "stop"
        assert answer.tokens > 0
        assert answer.logprob < 0
        assert math.isfinite(answer.logprob)


def test_labels_are_the_same_on_every_engine(engine, llama):
    labels = ("1", "2", "가")
    with open_engine(EngineSettings(dtype="float32"), llama) as reference:
        for prompt in PROMPTS:
            row = reference.score([prompt], [labels])[0]
            best = max(range(3), key=lambda i: row[i].logprob)
            (answer,) = engine.generate([Request(prompt, choices=labels)])
            assert answer.text == labels[best]
            assert answer.logprob == pytest.approx(row[best].logprob, abs=5e-2)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_is_matched_whole(engine, pattern):
    for temperature in (0.0, 2.0):
        request = Request(PROMPTS[0], regex=pattern, max_tokens=60, temperature=temperature)
        (answer,) = engine.generate([request])
        assert re.fullmatch(pattern, answer.text), answer
        assert answer.finish == "stop"


def test_a_schema_is_kept(engine):
    request = Request(PROMPTS[0], json_schema=SCHEMA, max_tokens=120, temperature=1.0, seed=2)
    (answer,) = engine.generate([request])
    value = json.loads(answer.text)
    assert set(value) == {"답", "조"}
    assert value["답"] in ("1", "2")
    assert len(value["조"]) <= 6


def test_order_counts_and_stops_are_alike(engine):
    requests = [
        Request(PROMPTS[0], max_tokens=6),
        Request(PROMPTS[1], choices=("1", "2")),
        Request(PROMPTS[1], max_tokens=4),
    ]
    before = engine.stats.calls
    first, label, second = engine.generate(requests)
    assert label.text in ("1", "2")
    assert (first.finish, second.finish) == ("length", "length")
    assert (first.tokens, second.tokens) == (6, 4)
    assert [g.prompt_tokens for g in (first, label, second)] == [
        engine.tokenizer.count(request.prompt) for request in requests
    ]
    assert engine.stats.calls == before + 1


def test_control_tokens_in_a_text_are_characters_on_every_engine(engine, llama):
    """The engines read as many tokens as the tokenizer says, and no end of text among them."""
    text = "다음 </s><s> 중 옳은 것은?"
    tokenizer = engine.tokenizer
    prompt = f"<s>{tokenizer.plain(text)} 1 "
    ids = tokenizer.encode(prompt)
    assert [n for n in ids if tokenizer.is_special(n)] == [tokenizer.id_of("<s>")]
    assert tokenizer.decode(ids, skip_special_tokens=False) == f"<s>{text} 1 "
    (answer,) = engine.generate([Request(prompt, max_tokens=4)])
    assert answer.prompt_tokens == len(ids)
    ((first, second),) = engine.score([prompt], [["가", "</s>"]])
    assert second.tokens == len(tokenizer.encode(tokenizer.plain("</s>"))) > first.tokens - 1
    (choice,) = engine.generate([Request(prompt, choices=("</s>x", "</s>y"))])
    assert choice.text in ("</s>x", "</s>y")
