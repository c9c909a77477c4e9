"""What is sent to vLLM and how its answers are read; vLLM itself needs a GPU."""

from __future__ import annotations

import importlib.util
import json
import math
from types import SimpleNamespace

import pytest
from pydantic import ValidationError

from kofinlaw import UserError
from kofinlaw.models.engines import vllm_engine
from kofinlaw.models.engines.base import ChoiceScore, EngineStats, Request
from kofinlaw.models.engines.factory import open_engine
from kofinlaw.models.engines.shared_models import kill_engine, lease_engine
from kofinlaw.models.engines.vllm_engine import (
    SHUTDOWN_SECONDS,
    VllmEngine,
    check_quantization,
    engine_arguments,
    generation_of,
    lora_rank,
    sampling,
    scores_of,
    scoring_jobs,
)
from kofinlaw.models.settings import EngineSettings


@pytest.mark.skipif(importlib.util.find_spec("vllm") is not None, reason="vllm is installed")
def test_without_the_extra_its_name_is_said(tmp_path):
    with pytest.raises(UserError, match="needs vllm") as caught:
        open_engine(EngineSettings(engine="vllm"), tmp_path)
    assert "kofinlaw[vllm]" in str(caught.value)


def test_the_engine_is_set_up_offline_with_a_prefix_cache(tmp_path):
    settings = EngineSettings(engine="vllm", context_tokens=2048)
    arguments = engine_arguments(settings, tmp_path, None, 7)
    assert arguments["model"] == str(tmp_path)
    assert arguments["enable_prefix_caching"] is True
    assert arguments["trust_remote_code"] is False
    assert (arguments["max_model_len"], arguments["seed"]) == (2048, 7)
    assert arguments["load_format"] == "safetensors"
    assert "enable_lora" not in arguments
    four = EngineSettings(engine="vllm", quantization="nf4")
    assert engine_arguments(four, tmp_path, None, 0)["quantization"] == "bitsandbytes"
    eight = EngineSettings(engine="vllm", quantization="fp8")
    assert engine_arguments(eight, tmp_path, None, 0)["quantization"] == "fp8_per_tensor"
    given = engine_arguments(settings, tmp_path, None, 0, 0.61, 40)
    assert (given["gpu_memory_utilization"], given["max_num_seqs"]) == (0.61, 40)
    with pytest.raises(ValidationError, match="use fp8"):
        EngineSettings(engine="vllm", quantization="int8")
    with pytest.raises(ValidationError, match="fp8 is for engine vllm"):
        EngineSettings(engine="transformers", quantization="fp8")


def test_nf4_without_the_plugin_and_weights_that_are_quantised_are_refused(tmp_path, monkeypatch):
    config = tmp_path / "config.json"
    config.write_text("{}")
    monkeypatch.setattr(vllm_engine, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="vllm-bnb-plugin"):
        check_quantization(EngineSettings(engine="vllm", quantization="nf4"), tmp_path)
    monkeypatch.setattr(vllm_engine, "find_spec", lambda name: object())
    check_quantization(EngineSettings(engine="vllm", quantization="nf4"), tmp_path)
    config.write_text('{"quantization_config": {"quant_method": "compressed-tensors"}}')
    check_quantization(EngineSettings(engine="vllm"), tmp_path)  # what `export gptq` wrote
    with pytest.raises(UserError, match="quantised already"):
        check_quantization(EngineSettings(engine="vllm", quantization="fp8"), tmp_path)


class Core:
    """What the engine uses of vLLM's engine core; it records its end."""

    def __init__(self):
        self.ended = []

    def shutdown(self, timeout):
        self.ended.append(timeout)


def opened(core):
    engine = VllmEngine.__new__(VllmEngine)
    engine._llm = SimpleNamespace(llm_engine=SimpleNamespace(engine_core=core))
    return engine


def test_close_ends_the_engine_core_once_and_a_stall_ends_it_at_once():
    core = Core()
    engine = opened(core)
    engine.close()
    engine.close()
    assert core.ended == [SHUTDOWN_SECONDS]
    with pytest.raises(UserError, match="closed"):
        engine._run([], [])

    core = Core()
    lease = lease_engine("a hanging engine", lambda: hanging(core))
    kill_engine(lease)
    assert core.ended == [0.0]
    lease.close()
    kill_engine(SimpleNamespace(name="transformers"))  # nothing to end


def hanging(core):
    engine = opened(core)
    engine.stats, engine._tokenizer = EngineStats(), None
    return engine


@pytest.mark.parametrize(("rank", "room"), [(4, 8), (16, 16), (48, 64), (512, 512)])
def test_an_adapter_gets_the_next_rank_vllm_has(tmp_path, rank, room):
    (tmp_path / "adapter_config.json").write_text(json.dumps({"r": rank}))
    settings = EngineSettings(engine="vllm")
    assert engine_arguments(settings, tmp_path, tmp_path, 0)["max_lora_rank"] == room


def test_an_adapter_that_cannot_be_served_is_refused(tmp_path):
    with pytest.raises(UserError, match="adapter is not readable"):
        lora_rank(tmp_path)
    (tmp_path / "adapter_config.json").write_text(json.dumps({"r": 1024}))
    with pytest.raises(UserError, match="merge the adapter"):
        lora_rank(tmp_path)


def test_a_request_becomes_sampling_arguments():
    assert sampling(Request("p", max_tokens=9, stop=("끝",))) == {
        "temperature": 0.0,
        "max_tokens": 9,
        "logprobs": 0,
        "stop": ["끝"],
    }
    assert "logprobs" not in sampling(Request("p", logprob=False))
    assert sampling(Request("p", temperature=0.7, seed=3))["seed"] == 3
    chosen = sampling(Request("p", choices=("1", "옳다"), max_tokens=1))
    assert chosen["structured_outputs"] == {"choice": ["1", "옳다"]}
    assert chosen["max_tokens"] == 7
    assert sampling(Request("p", regex="^[0-9]$"))["structured_outputs"] == {"regex": "[0-9]"}
    schema = {"type": "object"}
    assert sampling(Request("p", json_schema=schema))["structured_outputs"] == {"json": schema}


def output(text="1", reason="stop", **named):
    written = SimpleNamespace(
        text=text, finish_reason=reason, token_ids=[5, 6], cumulative_logprob=-0.5, logprobs=None
    )
    for key, value in named.items():
        setattr(written, key, value)
    return SimpleNamespace(outputs=[written], prompt_token_ids=[1, 2, 3], prompt_logprobs=None)


def test_an_output_becomes_a_generation():
    done = generation_of(output("답. 끝"), Request("p", stop=(" 끝",)))
    assert (done.text, done.prompt_tokens, done.tokens, done.finish) == ("답.", 3, 2, "stop")
    assert done.logprob == -0.5
    assert generation_of(output(reason="length"), Request("p")).finish == "length"
    assert generation_of(output("9"), Request("p", choices=("1",))).finish == "error"
    assert math.isnan(generation_of(output(cumulative_logprob=None), Request("p")).logprob)


def test_labels_are_one_request_and_longer_choices_one_each():
    (job,) = scoring_jobs([1, 2], [[9], [7]])
    assert job[0] == [1, 2]
    assert (job[1]["max_tokens"], job[1]["logprob_token_ids"]) == (1, [7, 9])
    first = {7: SimpleNamespace(logprob=-2.0), 9: SimpleNamespace(logprob=-1.0)}
    assert scores_of(output(logprobs=[first]), job[2]) == [
        ChoiceScore(-1.0, 1),
        ChoiceScore(-2.0, 1),
    ]

    jobs = scoring_jobs([1, 2], [[9], [7, 8]])
    assert [job[0] for job in jobs] == [[1, 2, 9], [1, 2, 7, 8]]
    assert jobs[1][1]["prompt_logprobs"] == 0
    result = output()
    result.prompt_logprobs = [None, {2: SimpleNamespace(logprob=-9.0)}] + [
        {token: SimpleNamespace(logprob=-0.25)} for token in (7, 8)
    ]
    assert scores_of(result, jobs[1][2]) == [ChoiceScore(-0.5, 2)]
    with pytest.raises(UserError, match="empty"):
        scoring_jobs([1], [[]])
