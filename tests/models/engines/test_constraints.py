"""Constrained answers: which tokens are allowed, and which one is chosen."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kofinlaw import UserError
from kofinlaw.models.engines.base import Request
from kofinlaw.models.engines.constraints import ChoiceTrie, ConstraintFactory, bare_pattern
from kofinlaw.models.engines.transformers_engine import TransformersEngine, end_tokens
from kofinlaw.models.settings import EngineSettings
from kofinlaw.models.tokenizer import load_tokenizer

PROMPT = "<s>개인정보처리자는 정보주체의 동의를 받아"
END = frozenset({2})
SCHEMA = {
    "type": "object",
    "properties": {"답": {"enum": ["1", "2"]}, "까닭": {"type": "string", "maxLength": 8}},
    "required": ["답", "까닭"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module", params=["llama", "gemma"])
def engine(request):
    with TransformersEngine(
        EngineSettings(dtype="float32"), request.getfixturevalue(request.param)
    ) as engine:
        yield engine


def walked(engine, prompt, tails, ends):
    """Greedy choice by hand: at each step the likeliest token that continues a choice."""
    import torch

    ids, open_, depth = engine.tokenizer.encode(prompt), dict(enumerate(tails)), 0
    while len(open_) > 1:
        with torch.no_grad():
            logits = engine.decoder.model(torch.tensor([ids])).logits[0, -1].float()
        nexts = {i: (t[depth] if len(t) > depth else min(ends)) for i, t in open_.items()}
        best = max(set(nexts.values()), key=lambda token: float(logits[token]))
        open_ = {i: t for i, t in open_.items() if nexts[i] == best}
        ids, depth = [*ids, best], depth + 1
    return next(iter(open_))


CHOICES = (
    "동의를 받아야 한다",
    "동의를 받아야 하는 것은 아니다",
    "배상할 책임을 진다",
    "1",
    "12",
)


@pytest.mark.parametrize("prompt", [PROMPT, "<s>다음 중 옳은 것은?", "<s>제9조 금융회사는"])
def test_choices_are_written_token_by_token_and_not_ranked_by_their_sums(engine, prompt):
    tails = [engine.tokenizer.continuation(prompt, choice) for choice in CHOICES]
    best = walked(engine, prompt, tails, end_tokens(engine.decoder.model, engine.tokenizer))
    generation = engine.generate([Request(prompt, choices=CHOICES, max_tokens=1)])[0]
    assert generation.text == CHOICES[best]
    assert generation.finish == "stop"
    assert 0 < generation.tokens <= len(tails[best]) + 1


def test_a_choice_that_begins_another_may_end_or_go_on():
    trie = ChoiceTrie(["1", "12"], [[5], [5, 6]], END)
    assert trie.allowed_tokens() == [5]
    trie.advance(5)
    assert (trie.done, trie.allowed_tokens()) == (False, [2, 6])
    trie.advance(2)
    assert trie.text == "1"


TEXTS = st.lists(
    st.lists(st.integers(3, 6), min_size=1, max_size=5).map(tuple),
    min_size=1,
    max_size=6,
    unique=True,
)


@given(TEXTS, st.randoms(use_true_random=False))
def test_whatever_is_picked_among_the_allowed_tokens_one_choice_comes_out(tails, random):
    names = [str(tail) for tail in tails]
    trie = ChoiceTrie(names, tails, END)
    taken = []
    while not trie.done:
        taken.append(random.choice(trie.allowed_tokens()))
        trie.advance(taken[-1])
        assert len(taken) <= max(map(len, tails)) + 1
    chosen = tails[names.index(trie.text)]
    assert chosen[: len(taken)] == tuple(t for t in taken if t not in END)


@given(TEXTS)
def test_every_choice_can_be_reached(tails):
    names = [str(tail) for tail in tails]
    for name, tail in zip(names, tails, strict=True):
        trie = ChoiceTrie(names, tails, END)
        for token in [*tail, 2]:
            if not trie.done:
                assert token in trie.allowed_tokens()
                trie.advance(token)
        assert trie.text == name


def test_sampled_choices_follow_the_models_distribution_and_their_seed(engine):
    def texts(seeds):
        return [
            g.text
            for g in engine.generate(
                [Request(PROMPT, choices=CHOICES, temperature=3.0, seed=seed) for seed in seeds]
            )
        ]

    drawn = texts(range(12))
    assert set(drawn) <= set(CHOICES)
    assert len(set(drawn)) > 1
    assert texts([3]) == [drawn[3]]


@pytest.mark.parametrize(
    "pattern",
    [
        "[0-9]{4}년 [0-9]{1,2}월",
        "(옳다|그르다)",
        "제[1-9][0-9]{0,2}조(의[2-9])?",
        "[가-힣]{3,9}다\\.",
    ],
)
def test_an_answer_matches_its_pattern_whole(engine, pattern):
    pytest.importorskip("llguidance")
    for temperature in (0.0, 2.0):
        (answer,) = engine.generate(
            [Request(PROMPT, regex=f"^{pattern}$", max_tokens=60, temperature=temperature, seed=5)]
        )
        assert re.fullmatch(pattern, answer.text), answer
        assert answer.finish == "stop"


def test_an_answer_is_json_of_its_schema_with_hangul_in_bytes(engine):
    pytest.importorskip("llguidance")
    request = Request(PROMPT, json_schema=SCHEMA, max_tokens=120, temperature=1.0, seed=1)
    free = Request("<s>제9조", max_tokens=5)
    answer, other = engine.generate([request, free])
    value = json.loads(answer.text)
    assert value["답"] in ("1", "2")
    assert len(value["까닭"]) <= 8
    assert other.text == engine.generate([free])[0].text


def test_an_answer_cut_off_by_its_length_says_so_and_holds_no_half_character(engine):
    pytest.importorskip("llguidance")
    (answer,) = engine.generate([Request(PROMPT, regex="[가-힣]{40}", max_tokens=8)])
    assert (answer.finish, answer.tokens) == ("length", 8)
    assert re.fullmatch("[가-힣]*", answer.text)


@pytest.mark.parametrize("constraint", [{"regex": "([0-9"}, {"json_schema": {"type": "nothing"}}])
def test_what_cannot_be_followed_is_refused(engine, constraint):
    pytest.importorskip("llguidance")
    with pytest.raises(UserError, match="cannot be applied"):
        engine.generate([Request(PROMPT, **constraint)])


def test_without_llguidance_the_remedy_is_named(llama, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "llguidance", None)
    constraints = ConstraintFactory(load_tokenizer(llama), END)
    assert constraints.for_request(Request(PROMPT, choices=("1", "2"))) is not None
    with pytest.raises(UserError, match="pip install"):
        constraints.for_request(Request(PROMPT, regex="[0-9]"))


def test_anchors_at_the_ends_are_left_out_and_an_escaped_one_stays():
    assert bare_pattern("^[0-9]+$") == "[0-9]+"
    assert bare_pattern("가격은 [0-9]+\\$") == "가격은 [0-9]+\\$"
