from __future__ import annotations

import math

import httpx
import pytest

from kofinlaw import UserError
from kofinlaw.models.engines.base import Request
from kofinlaw.models.engines.factory import open_engine
from kofinlaw.models.engines.llamacpp_server import start_server
from kofinlaw.models.settings import EngineSettings

xllamacpp = pytest.importorskip("xllamacpp", reason="the extra `quickstart` is not installed")
pytest.importorskip("gguf", reason="the extra `gguf` is not installed")

PROMPTS = ["<s>개인정보처리자는 정보주체의 동의를 받아", "<s>다음 중 옳은 것은? 1 가 2 나"]


@pytest.fixture(scope="module")
def engine(llama, gguf):
    settings = EngineSettings(engine="llamacpp", gguf=gguf, threads=1, context_tokens=256)
    with open_engine(settings, llama) as engine:
        yield engine


@pytest.fixture(scope="module")
def reference(llama):
    with open_engine(EngineSettings(dtype="float32"), llama) as engine:
        yield engine


def test_scores_and_texts_agree_with_transformers_on_the_same_weights(engine, reference):
    choices = [["1", "손해를 배상할"], ["1", "2", "가"]]
    ours, theirs = engine.score(PROMPTS, choices), reference.score(PROMPTS, choices)
    for mine, other in zip(ours, theirs, strict=True):
        for left, right in zip(mine, other, strict=True):
            assert left.tokens == right.tokens
            assert left.logprob == pytest.approx(right.logprob, abs=2e-2)
    requests = [Request(prompt, max_tokens=10) for prompt in PROMPTS]
    texts = [generation.text for generation in engine.generate(requests)]
    assert texts == [generation.text for generation in reference.generate(requests)]


def test_the_port_of_llama_cpp_answers_nobody_else(gguf):
    parameters = xllamacpp.CommonParams()
    parameters.model.path, parameters.n_ctx, parameters.verbosity = str(gguf), 64, -1
    server, own = start_server(parameters)
    address = server.listening_address
    page = {"Origin": "http://evil.example"}
    for key in ({}, {"Authorization": "Bearer guessed"}):
        for path in ("/v1/models", "/props", "/slots"):
            assert httpx.get(address + path, headers={**page, **key}).status_code == 401
        body = {"prompt": "a", "n_predict": 1}
        assert httpx.post(f"{address}/completion", json=body, headers=key).status_code == 401
    ours = {"Authorization": f"Bearer {own}"}
    assert httpx.get(f"{address}/props", headers=ours).status_code == 200
    allowed = httpx.get(f"{address}/health", headers=page).headers["access-control-allow-origin"]
    assert allowed == "http://127.0.0.1"


def test_a_text_is_the_same_without_its_log_probability(engine):
    asked, bare = (
        engine.generate([Request(PROMPTS[0], max_tokens=8, logprob=logprob)])[0]
        for logprob in (True, False)
    )
    assert math.isfinite(asked.logprob)
    assert math.isnan(bare.logprob)
    assert (bare.text, bare.tokens, bare.finish) == (asked.text, asked.tokens, asked.finish)


def test_slots_and_a_kept_prefix_are_declared_not_deterministic(llama, gguf, engine):
    assert engine.deterministic
    for change in ({"slots": 2}, {"prefix_cache": True}):
        settings = EngineSettings(
            engine="llamacpp", gguf=gguf, threads=1, context_tokens=128, **change
        )
        with open_engine(settings, llama) as other:
            assert not other.deterministic
            assert len(other.generate([Request(p, max_tokens=3) for p in PROMPTS])) == 2


def test_a_prompt_longer_than_the_context_is_refused(engine):
    with pytest.raises(UserError, match="prompt 1 has"):
        engine.generate([Request(PROMPTS[0], max_tokens=4), Request("<s>" + "가나다 " * 200)])


def test_a_folder_without_gguf_says_how_to_make_one(llama):
    with pytest.raises(UserError, match="kofinlaw export"):
        open_engine(EngineSettings(engine="llamacpp"), llama)


def test_a_broken_file_is_one_error(llama, tmp_path):
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF but not really")
    with pytest.raises(UserError, match="cannot load"):
        open_engine(EngineSettings(engine="llamacpp", gguf=broken), llama)


def test_a_pattern_that_no_grammar_can_say_is_refused(engine):
    with pytest.raises(UserError, match="cannot apply this pattern"):
        engine.generate([Request(PROMPTS[0], regex="(?=가)나")])
