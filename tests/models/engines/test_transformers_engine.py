from __future__ import annotations

import math
from dataclasses import replace

import pytest

from kofinlaw import UserError
from kofinlaw.decoding import clean_text
from kofinlaw.models.engines.base import Generation, Request
from kofinlaw.models.engines.beam_choice import beam_values
from kofinlaw.models.engines.factory import open_engine
from kofinlaw.models.engines.transformers_engine import TransformersEngine
from kofinlaw.models.settings import EngineSettings

PROMPTS = [
    "<s>개인정보처리자는 정보주체의 동의를 받아",
    "<s>다음 중 옳은 것은? 1 가 2 나",
    "<s>전자금융거래법 제9조 금융회사는 이용자에게 손해를 배상할 책임을 진다. 다음 중 옳은 것은?",
]
EVIDENCE = "<s>" + "전자금융거래법 제9조 금융회사는 이용자에게 손해를 배상할 책임을 진다. " * 4
PERMUTED = [EVIDENCE + tail for tail in ("1 가 2 나 3 다", "1 나 2 가 3 다", "1 다라마 2 가 3 나")]


@pytest.fixture(scope="module", params=["llama", "gemma"])
def engine(request):
    folder = request.getfixturevalue(request.param)
    settings = EngineSettings(dtype="float32", max_batch_tokens=256)
    with TransformersEngine(settings, folder) as engine:
        yield engine


def expected_score(engine, prompt, choice):
    import torch

    prompt_ids, choice_ids = engine.tokenizer.encode(prompt), engine.tokenizer.encode(choice)
    with torch.no_grad():
        logits = engine.decoder.model(torch.tensor([prompt_ids + choice_ids])).logits[0].float()
    logprobs = logits.log_softmax(-1)
    start = len(prompt_ids) - 1
    return sum(float(logprobs[start + i, token]) for i, token in enumerate(choice_ids))


@pytest.mark.parametrize(
    "prompts,choices",
    [
        (PROMPTS, [["1", "2"], ["1", "2", "3"], ["1"]]),
        (PERMUTED, [["1", "2", "3"]] * 3),
        (PERMUTED + PROMPTS, [["1", "2"]] * 6),
        (
            PROMPTS,
            [["손해를 배상할 책임", "가"], ["1", "개인정보"], ["동의를 받아", "라", "이용자"]],
        ),
        ([PERMUTED[0], "가"], [["손해", "배상할 책임을 진다."], ["나", "동의"]]),
    ],
)
def test_scores_equal_the_plain_models_log_probabilities(engine, prompts, choices):
    for prompt, row, scores in zip(prompts, choices, engine.score(prompts, choices), strict=True):
        for choice, score in zip(row, scores, strict=True):
            assert score.logprob == pytest.approx(expected_score(engine, prompt, choice), abs=2e-4)
            assert score.tokens == len(engine.tokenizer.encode(choice))


def test_generation_is_the_models_own_greedy_text_whatever_its_batch(engine):
    import torch

    requests = [Request(prompt, max_tokens=12) for prompt in PROMPTS]
    for request, generation in zip(requests, engine.generate(requests), strict=True):
        ids = engine.tokenizer.encode(request.prompt)
        own = engine.decoder.model.generate(
            torch.tensor([ids]), max_new_tokens=12, do_sample=False, pad_token_id=0
        )
        written = own[0, len(ids) :].tolist()
        assert generation.text == clean_text(engine.tokenizer.decode(written))
        assert generation.tokens == len(written)
        assert generation.prompt_tokens == len(ids)


def test_generation_ends_before_the_stop_string(engine):
    request = Request(PROMPTS[0], max_tokens=60, temperature=2.0, seed=3)
    whole = engine.generate([request])[0].text
    stop = next(c for c in whole[len(whole) // 2 :] if c != "\ufffd")
    cut = engine.generate([replace(request, stop=(stop,))])[0]
    assert cut.text == whole[: whole.index(stop)]
    assert cut.finish == "stop"
    assert cut.tokens < 60


def test_sampling_follows_its_own_seed_in_any_company(engine):
    one = Request(PROMPTS[0], max_tokens=8, temperature=1.0, seed=7)
    alone = engine.generate([one])[0].text
    among = engine.generate([Request(PROMPTS[2], max_tokens=8), one])[1].text
    other = engine.generate([Request(PROMPTS[0], max_tokens=8, temperature=1.0, seed=8)])[0].text
    assert alone == among
    assert alone != other


def test_a_request_with_choices_gets_the_likeliest(engine):
    choices = ("1", "2", "3")
    scores = engine.score([PROMPTS[1]], [choices])[0]
    best = max(range(3), key=lambda i: scores[i].logprob)
    generation = engine.generate([Request(PROMPTS[1], choices=choices)])[0]
    assert (generation.text, generation.tokens) == (choices[best], 1)
    assert generation.logprob == scores[best].logprob


def test_equal_prompts_of_votes_are_read_once(engine, monkeypatch):
    votes = [Request(PROMPTS[2], max_tokens=6, temperature=1.0, seed=n) for n in range(4)]
    alone = [engine.generate([vote])[0].text for vote in votes]
    read = []
    own = engine.decoder.read
    monkeypatch.setattr(engine.decoder, "read", lambda rows: read.extend(rows) or own(rows))
    assert [vote.text for vote in engine.generate(votes)] == alone
    assert len(read) == 1
    assert len(set(alone)) > 1


def test_an_empty_prompt_is_refused(engine):
    with pytest.raises(UserError, match="prompt 1 is empty"):
        engine.score(["<s>", ""], [["1"], ["1"]])


def test_the_adapter_changes_the_scores(llama, tmp_path):
    import torch
    from peft import LoraConfig, get_peft_model

    from kofinlaw.models.loading import load_model

    model = get_peft_model(
        load_model(llama, dtype="float32"), LoraConfig(r=2, target_modules=["q_proj", "down_proj"])
    )
    torch.manual_seed(1)
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.5)
    model.save_pretrained(tmp_path / "adapter")
    settings = EngineSettings(dtype="float32")
    with open_engine(settings, llama) as plain:
        before = plain.score(PROMPTS, [["1", "2"]] * 3)
    with open_engine(settings, llama, adapter=tmp_path / "adapter") as adapted:
        after = adapted.score(PROMPTS, [["1", "2"]] * 3)
        ids = torch.tensor([adapted.tokenizer.encode(PROMPTS[0])])
        with torch.no_grad():
            logprobs = model(ids).logits[0, -1].log_softmax(-1)
        wanted = [float(logprobs[adapted.tokenizer.encode(c)[0]]) for c in ("1", "2")]
    assert [score.logprob for score in after[0]] == pytest.approx(wanted, abs=1e-4)
    assert after[0][0].logprob != pytest.approx(before[0][0].logprob, abs=1e-3)


def test_stats_count_calls_tokens_and_failures(llama):
    with open_engine(EngineSettings(dtype="float32"), llama) as engine:
        generation = engine.generate([Request(PROMPTS[0], max_tokens=3)])[0]
        with pytest.raises(UserError):
            engine.score([""], [["1"]])
        assert engine.stats.calls == 2
        assert engine.stats.failures == 1
        assert engine.stats.tokens == generation.tokens
        assert engine.stats.prompt_tokens == generation.prompt_tokens
        assert math.isfinite(generation.logprob)


def test_a_text_that_cannot_be_finished_counts_as_a_failure(llama, monkeypatch):
    failed = Generation("", 3, 0, "error", 0.0)
    monkeypatch.setattr(
        "kofinlaw.models.engines.transformers_engine.generate_batch", lambda *_: [failed]
    )
    with open_engine(EngineSettings(dtype="float32"), llama) as engine:
        assert engine.generate([Request(PROMPTS[0], max_tokens=3)]) == [failed]
        assert engine.stats.failures == 1


REFERENCE = "<s>정답: 받아"
OPTIONS = ("동의를 받아야 한다", "동의를 받지 않아도", "동의", "배상할 책임을 진다", "배상", "가")
CONTRASTED = [
    Request(p, choices=some, reference=REFERENCE, reference_weight=w, max_tokens=1)
    for p in PROMPTS
    for some, w in ((OPTIONS, 0.3), (OPTIONS, 1.0), (OPTIONS[:3], 0.8), (OPTIONS[2:4], 1.0))
]


def searched(engine, request):
    """Choose by hand, with plain forward passes over whole texts."""
    import torch

    def total(prompt, tail):
        ids = [*engine.tokenizer.encode(prompt), *tail]
        with torch.no_grad():
            rows = engine.decoder.model(torch.tensor([ids])).logits[0].float().log_softmax(-1)
        first = len(ids) - len(tail)
        return sum(float(rows[first + n - 1, token]) for n, token in enumerate(tail))

    tails = {c: engine.tokenizer.continuation(request.prompt, c) for c in request.choices}
    values = {
        c: (total(request.prompt, t) - request.reference_weight * total(request.reference, t))
        / len(t)
        for c, t in tails.items()
    }
    return max(values, key=lambda c: values[c])


def test_a_reference_is_subtracted_from_whole_texts_in_any_company(engine):
    together = engine.generate([*CONTRASTED, Request(PROMPTS[0], max_tokens=6)])
    for request, generation in zip(CONTRASTED, together, strict=False):
        assert generation.text == searched(engine, request)
        assert (generation.finish, generation.fault) == ("stop", "")
        own = engine.score([request.prompt], [[generation.text]])[0][0]
        assert generation.tokens == own.tokens
        assert generation.logprob == pytest.approx(own.logprob, abs=1e-3)
        (alone,) = engine.generate([request])
        assert (alone.text, alone.tokens) == (generation.text, generation.tokens)
        assert alone.logprob == pytest.approx(generation.logprob, abs=1e-3)
    assert len({generation.text for generation in together}) > 2


def test_prompts_that_change_places_with_the_inverse_weight_find_the_smallest_value(engine):
    for request in CONTRASTED:
        own, other = engine.score([request.prompt, REFERENCE], [request.choices] * 2)
        values = beam_values(own, other, request.reference_weight)
        swapped = replace(
            request,
            prompt=REFERENCE,
            reference=request.prompt,
            reference_weight=1 / request.reference_weight,
        )
        (generation,) = engine.generate([swapped])
        assert generation.text == request.choices[values.index(min(values))]


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_weight_zero_is_generation_without_a_reference(engine, temperature):
    plain = [Request(p, choices=OPTIONS, temperature=temperature, seed=5) for p in PROMPTS]
    zero = [replace(request, reference=REFERENCE) for request in plain]
    assert engine.generate(zero) == engine.generate(plain)


def test_weight_one_takes_a_prior_away_that_the_model_has_everywhere(llama):
    import torch

    prompts, choices = [*PROMPTS, *PERMUTED], ("1", "2", "3")

    def texts(engine, weight):
        requests = [
            Request(p, choices=choices, reference=REFERENCE, reference_weight=weight)
            for p in prompts
        ]
        return [generation.text for generation in engine.generate(requests)]

    with TransformersEngine(EngineSettings(dtype="float32"), llama) as engine:
        before = texts(engine, 1.0)
        planted = next(choice for choice in choices if choice != before[0])
        firsts = {engine.tokenizer.continuation(p, planted)[0] for p in prompts}
        head = torch.nn.Linear(*reversed(engine.decoder.head.weight.shape))
        with torch.no_grad():
            head.weight.copy_(engine.decoder.head.weight)
            head.bias.zero_()
            head.bias[sorted(firsts)] = 100.0  # the model now begins with them after any text
        engine.decoder.head = head
        assert set(texts(engine, 0.0)) == {planted}
        assert texts(engine, 1.0) == before


def test_votes_from_two_prompts_follow_their_seeds_and_read_each_prompt_once(engine, monkeypatch):
    votes = [replace(CONTRASTED[0], temperature=4.0, seed=n) for n in range(8)]
    read = []
    own = engine.decoder.read_prefix
    monkeypatch.setattr(engine.decoder, "read_prefix", lambda ids: read.append(ids) or own(ids))
    written = [vote.text for vote in engine.generate(votes)]
    assert len(read) == 2
    assert [engine.generate([vote])[0].text for vote in votes] == written
    assert len(set(written)) > 1
    assert set(written) <= set(OPTIONS)


def test_single_tokens_are_contrasted_too(engine):
    request = replace(CONTRASTED[1], choices=("1", "2", "3"))
    (generation,) = engine.generate([request])
    own, other = engine.score([request.prompt, REFERENCE], [request.choices] * 2)
    best = max(range(3), key=lambda i: own[i].logprob - other[i].logprob)
    assert generation.text == request.choices[best]
