"""The memory of answering: the batch, the embedder and the reranker count."""

import pytest

from kofinlaw.models.catalogue import find_model
from kofinlaw.models.machines import planned_card
from kofinlaw.recipes.pipeline.planning.serving import answering_bits, prompt_tokens, serving_memory
from kofinlaw.recipes.pipeline.schema import load_recipe

CARD = planned_card(24, "test")
QWEN = find_model("Qwen/Qwen2.5-7B-Instruct")


@pytest.fixture(scope="module")
def recipe():
    return lambda *overrides: load_recipe("qwen2.5-7b", overrides)[0]


def test_embedder_and_reranker_are_terms_of_their_own(recipe):
    plain = serving_memory(recipe("rag.embedder=null"), QWEN, CARD)
    assert "embedder" not in plain
    found = serving_memory(recipe("rag.reranker=BAAI/bge-reranker-v2-m3"), QWEN, CARD)
    assert 1.0 < found["embedder"] < 1.5  # 568 M weights in half precision on a card
    assert 1.0 < found["reranker"] < 1.5
    asked = serving_memory(recipe("rag.reranker=llm"), QWEN, CARD)
    assert "reranker" not in asked


def test_solar_in_16_bit_does_not_fit_a_4090_with_an_embedder_and_its_recipe_does():
    solar = find_model("upstage/SOLAR-10.7B-v1.0")
    card = planned_card(23.5, "test")
    shipped, _ = load_recipe("solar-10.7b", [])
    assert sum(serving_memory(shipped, solar, card).values()) < 23.5
    whole, _ = load_recipe("solar-10.7b", ["answer.engine.quantization=none"])
    assert sum(serving_memory(whole, solar, card).values()) > 23.5


def test_vllm_leaves_its_reserve_free_and_fp8_counts_as_8_bit(recipe):
    served = recipe("answer.engine={engine: vllm, quantization: fp8}")
    assert answering_bits(served.answer.engine, QWEN) == 8
    assert serving_memory(served, QWEN, CARD)["left free next to vllm"] == 1.5


def test_a_larger_batch_has_a_larger_cache(recipe):
    caches = [
        serving_memory(recipe(f"answer.engine.max_batch_tokens={n}"), QWEN, CARD)["key-value cache"]
        for n in (4096, 8192, 32768)
    ]
    assert caches == sorted(caches)
    assert caches[2] > 3 * caches[0]
    # 28 layers · 4 heads · 128 · keys and values · 2 bytes = 56 KiB a token
    assert caches[1] == pytest.approx((8192 + 4 * 128) * 57344 / 2**30, rel=0.02)


def test_a_gguf_file_counts_by_its_size_and_a_server_takes_no_memory(recipe, tmp_path):
    file = tmp_path / "q4.gguf"
    with file.open("wb") as sparse:
        sparse.truncate(int(QWEN.parameters * 4.5 / 8))
    packed = recipe(f"answer.engine={{engine: llamacpp, gguf: {file}}}")
    assert answering_bits(packed.answer.engine, QWEN) == 4
    whole = recipe("answer.engine={engine: transformers}")
    weights = serving_memory(whole, QWEN, CARD)["weights"]
    assert serving_memory(packed, QWEN, CARD)["weights"] < 0.4 * weights
    served = recipe("answer.engine={engine: openai, servers: ['http://127.0.0.1:8000/v1']}")
    assert list(serving_memory(served, QWEN, CARD)) == ["embedder"]


def test_the_prompt_is_within_the_context(recipe):
    assert prompt_tokens(recipe()) == recipe().rag.evidence_tokens + 200
    assert prompt_tokens(recipe("answer.context_tokens=1024")) == 1024
