"""Texts are reported while they grow, and a generation can be interrupted."""

import itertools

import pytest

from kofinlaw.models.engines import following
from kofinlaw.models.engines.base import Request
from kofinlaw.models.engines.factory import open_engine
from kofinlaw.models.engines.following import (
    Follower,
    InterruptedGenerationError,
    current_follower,
    followed_by,
)
from kofinlaw.models.settings import EngineSettings

PROMPTS = ["<s>개인정보처리자는 정보주체의 동의를 받아", "<s>은행은"]


@pytest.fixture(scope="module", params=["transformers", "llamacpp"])
def engine(llama, gguf, request):
    settings = EngineSettings(dtype="float32", threads=1, context_tokens=256)
    if request.param == "llamacpp":
        pytest.importorskip("xllamacpp", reason="the extra `quickstart` is not installed")
        settings = EngineSettings(engine="llamacpp", gguf=gguf, threads=1, context_tokens=256)
    with open_engine(settings, llama) as engine:
        yield engine


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    monkeypatch.setattr(following, "PAUSE", 0.0)


def test_texts_grow_to_the_generation_which_is_the_same_unfollowed(engine):
    requests = [Request(prompt, max_tokens=12, logprob=False) for prompt in PROMPTS]
    seen = {0: [""], 1: [""]}
    follower = Follower(stopped=lambda: False, text=lambda number, text: seen[number].append(text))
    with followed_by(follower):
        got = engine.generate(requests)
    for number, (one, alone) in enumerate(zip(got, engine.generate(requests), strict=True)):
        assert one.text.rstrip("\ufffd") == alone.text.rstrip("\ufffd")
        assert len(seen[number]) > 3
        for before, after in itertools.pairwise([*seen[number], one.text]):
            assert after.startswith(before.rstrip("\ufffd"))


def test_an_interrupted_generation_ends_and_the_next_one_works(engine):
    looks = iter([False, False, True])
    requests = [Request(PROMPTS[0], max_tokens=100, logprob=False)]
    with (
        followed_by(Follower(stopped=lambda: next(looks), text=lambda *_: None)),
        pytest.raises(InterruptedGenerationError),
    ):
        engine.generate(requests)
    assert current_follower() is None
    assert engine.generate([Request(PROMPTS[0], max_tokens=3)])[0].tokens == 3
