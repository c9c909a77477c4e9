"""Pico models built on the fly: a few KB, with a tokenizer trained on a few Korean lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

TEXTS = [
    "전자금융거래법 제9조 금융회사는 이용자에게 손해를 배상할 책임을 진다.",
    "개인정보 보호법 제15조 개인정보처리자는 정보주체의 동의를 받아 개인정보를 수집할 수 있다.",
    "다음 중 옳은 것은? 1 가 2 나 3 다 4 라 5 마",
]


def save_tokenizer(folder: Path, *, template: str | None = None) -> int:
    """A byte-level BPE tokenizer with `<pad>`, `<s>`, `</s>`; returns its vocabulary size."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<pad>", "<s>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXTS * 4, trainer)
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    config: dict[str, Any] = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": "<s>",
        "eos_token": "</s>",
        "pad_token": "<pad>",
    }
    if template is not None:
        config["chat_template"] = template
    (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    return tokenizer.get_vocab_size()


def save_llama(folder: Path, *, seed: int = 0, template: str | None = None) -> Path:
    """A two-layer Llama with random weights, large enough to have preferences."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    vocabulary = save_tokenizer(folder, template=template)
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
        initializer_range=0.4,
    )
    torch.manual_seed(seed)
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def save_gemma(folder: Path, *, seed: int = 0) -> Path:
    """A three-layer Gemma 3 whose attention window (16 tokens) is shorter than any prompt here."""
    import torch
    from transformers import Gemma3ForCausalLM, Gemma3TextConfig

    vocabulary = save_tokenizer(folder)
    config = Gemma3TextConfig(
        vocab_size=vocabulary,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
        sliding_window=16,
        layer_types=["sliding_attention", "full_attention", "sliding_attention"],
        query_pre_attn_scalar=8,
        final_logit_softcapping=30.0,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
        initializer_range=0.4,
    )
    torch.manual_seed(seed)
    Gemma3ForCausalLM(config).save_pretrained(folder)
    return folder
