"""The plan's activations against the tensors autograd really keeps."""

from __future__ import annotations

import pytest

from kofinlaw.models.catalogue import ModelCard, all_models, find_model
from kofinlaw.models.memory.counts import (
    adapter_parameters,
    bytes_per_token,
    embedding_parameters,
    linear_parameters,
    saved_scores,
    saved_tensors,
)

SHAPE = {
    "vocab_size": 512,
    "hidden_size": 256,
    "intermediate_size": 1024,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
}
LENGTH, ROWS, RANK = 192, 2, 4


def model_of(kind, layers):
    import transformers

    shape = SHAPE | {"num_hidden_layers": layers}
    if kind == "gemma3_text":
        config = transformers.Gemma3TextConfig(
            **shape,
            head_dim=32,
            layer_types=["full_attention"] * layers,
            query_pre_attn_scalar=32,
        )
        return transformers.Gemma3ForCausalLM(config)
    if kind == "qwen2":
        return transformers.Qwen2ForCausalLM(transformers.Qwen2Config(**shape))
    return transformers.LlamaForCausalLM(transformers.LlamaConfig(**shape))


def saved_bytes(kind, layers, attention):
    """Bytes of the distinct storages that a forward pass keeps, parameters and their
    copies left out."""
    import torch
    from peft import LoraConfig, get_peft_model

    from kofinlaw.trainer.lora_pass import patch_lora_forward

    base = model_of(kind, layers).to(torch.bfloat16)
    base.set_attn_implementation(attention)
    model = get_peft_model(base, LoraConfig(r=RANK, target_modules="all-linear"))
    patch_lora_forward(model)
    model.train()
    own = {w.untyped_storage().data_ptr() for w in (*model.parameters(), *model.buffers())}
    kept = {}

    def pack(tensor):
        storage = tensor.untyped_storage()
        # Copies of the adapter do not belong to a token: their sizes are not multiples of tokens.
        if storage.data_ptr() not in own and storage.nbytes() % (ROWS * LENGTH) == 0:
            kept[storage.data_ptr()] = (storage.nbytes(), tensor)
        return tensor

    ids = torch.randint(3, 500, (ROWS, LENGTH))
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        model.get_base_model().model(input_ids=ids, use_cache=False)
    return sum(size for size, _ in kept.values())


@pytest.mark.parametrize("kind", ["llama", "qwen2", "gemma3_text"])
@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_a_blocks_saved_tensors_are_what_the_plan_counts(kind, attention):
    difference = saved_bytes(kind, 4, attention) - saved_bytes(kind, 2, attention)
    per_token = difference / (2 * LENGTH * ROWS)
    card = ModelCard(
        id=kind,
        model_type=kind,
        layers=4,
        hidden=256,
        intermediate=1024,
        heads=8,
        kv_heads=2,
        head_dim=32,
        vocab=512,
    )
    planned = bytes_per_token(saved_tensors(card, RANK))
    if attention == "eager":
        planned += bytes_per_token(saved_scores(card, LENGTH))
    assert planned == pytest.approx(per_token, rel=0.02)


SIZED = [card for card in all_models() if card.role == "llm" and card.layers]


# OPT-350m embeds in 512 dimensions and projects them to its width; counted at full width here.
LLAMA_SHAPED = [card for card in SIZED if card.id != "facebook/opt-350m"]


@pytest.mark.parametrize(
    ("name", "millions"),
    [
        ("exaone-3.5-2.4b", 22.0),
        ("exaone-3.5-7.8b", 41.9),
        ("solar-10.7b", 62.9),
        ("qwen2.5-7b", 40.4),
        ("qwen2.5-14b", 68.8),
        ("exaone-3.5-32b", 133),
    ],
)
def test_an_adapter_has_the_published_number_of_parameters(name, millions):
    assert adapter_parameters(find_model(name), 16) / 1e6 == pytest.approx(millions, abs=0.5)


@pytest.mark.parametrize("card", LLAMA_SHAPED, ids=lambda card: card.id)
def test_linear_layers_and_embeddings_make_up_the_published_size(card):
    counted = linear_parameters(card) + embedding_parameters(card)
    assert counted == pytest.approx(card.parameters, rel=0.005)
