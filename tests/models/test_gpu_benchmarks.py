"""The GPU benchmarks print `not_run` without CUDA, and their parts work on a CPU."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

import pytest

GPU = Path(__file__).parents[2] / "benchmarks" / "gpu"
SOLAR = "upstage/SOLAR-10.7B-v1.0"


@pytest.fixture
def shapes(monkeypatch):
    monkeypatch.setattr(sys, "path", [str(GPU), *sys.path])
    import shapes

    yield shapes
    del sys.modules["shapes"]


@pytest.mark.parametrize("script", ["engines.py", "answering.py", "memory.py"])
def test_without_a_card_it_says_not_run(script, shapes, monkeypatch, capsys):
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    monkeypatch.setattr(sys, "argv", [script])
    runpy.run_path(str(GPU / script), run_name="__main__")
    last = capsys.readouterr().out.strip().splitlines()[-1]
    assert json.loads(last) == {"not_run": "CUDA is not available: this benchmark needs a GPU"}


@pytest.mark.parametrize("name", [SOLAR, "Qwen/Qwen2.5-7B-Instruct", "exaone-3.5-7.8b"])
@pytest.mark.parametrize("quantization", ["none", "nf4"])
def test_a_random_model_has_the_catalogues_shape_and_runs(name, quantization, shapes):
    import torch

    from kofinlaw.models.catalogue import find_model

    card = find_model(name)
    config = shapes.config_of(card)
    assert (config.hidden_size, config.num_hidden_layers) == (card.hidden, card.layers)
    assert (config.vocab_size, config.num_key_value_heads) == (card.vocab, card.kv_heads)
    model = shapes.random_model(
        name,
        quantization=quantization,
        device="cpu",
        dtype="float32",
        num_hidden_layers=1,
        hidden_size=64,
        intermediate_size=128,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=16,
        vocab_size=300,
    )
    kind = type(model.model.layers[0].mlp.up_proj).__name__
    assert kind == ("Linear4bit" if quantization == "nf4" else "Linear")
    logits = model(input_ids=torch.tensor([[1, 2, 3]])).logits
    assert logits.shape == (1, 3, 300)
    assert torch.isfinite(logits).all()


def test_a_tokenizer_has_about_as_many_tokens_a_character_as_asked(shapes, tmp_path):
    from kofinlaw.models.tokenizer import load_tokenizer

    text = shapes.sample_texts()[0]
    shapes.save_tokenizer(tmp_path, [text], 1.2)
    assert load_tokenizer(tmp_path).count(text) / len(text) == pytest.approx(1.2, rel=0.1)


def test_prompts_of_the_answering_benchmark_begin_differently(shapes):
    from kofinlaw.rag.settings import RagSettings

    script = runpy.run_path(str(GPU / "answering.py"))
    asked = script["questions"](40)
    assert len({q.id for q in asked}) == 40
    assert sum(not q.options for q in asked) == 15
    searcher = script["Drawn"](shapes.sample_texts(), RagSettings())
    found = searcher.search(asked)
    assert {len(hits) for hits in found} == {RagSettings().k}
    assert len({hits[0].chunk.id for hits in found}) > 20
    assert searcher.chunks([found[0][0].chunk.id]) == [found[0][0].chunk]


def test_a_way_that_failed_meets_no_target(shapes):
    module = runpy.run_path(str(GPU / "engines.py"))
    ways = module["WAYS"]
    result = {
        ways[0]: {"tokens_per_second": 20.0},
        ways[1]: {"tokens_per_second": 90.0},
        ways[2]: {"tokens_per_second": 60.0},
        ways[3]: {"not_run": "vllm is not installed"},
    }
    times = [value for value, _ in module["targets_of"](result).values()]
    assert times == [4.5, 3.0, None]
