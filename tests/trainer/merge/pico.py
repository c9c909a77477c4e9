"""Make models and adapters of a few kilobytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] }}<|end|>"
    "{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
SYLLABLES = [chr(0xAC00 + 28 * n) for n in range(300)]
PUNCTUATION = list(" .,\n0123456789[]()번호만답하시오문제질은는을를의에과와이가고로도다한조항")
SPECIAL = ["<pad>", "<s>", "</s>", "<unk>", "<|user|>", "<|assistant|>", "<|system|>", "<|end|>"]
TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def write_tokenizer(folder: Path, template: str = TEMPLATE) -> int:
    """A character tokenizer with the marks of a chat; returns its size."""
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers

    tokens = list(dict.fromkeys(SPECIAL + PUNCTUATION + SYLLABLES))
    vocabulary = {token: number for number, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    tokenizer.add_special_tokens(SPECIAL)
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": "<s>",
        "eos_token": "</s>",
        "pad_token": "<pad>",
        "unk_token": "<unk>",
        "model_max_length": 512,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=1))
    (folder / "chat_template.jinja").write_text(template, encoding="utf-8")
    return len(tokens)


def write_llama(folder: Path, *, seed: int = 0, dtype: str = "bfloat16", **changes: Any) -> Path:
    """A Llama of two layers whose distributions are sharp enough to compare."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = write_tokenizer(folder)
    shape = {
        "vocab_size": vocabulary,
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 16,
        "max_position_embeddings": 512,
        "tie_word_embeddings": False,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": 0,
    }
    shard = changes.pop("max_shard_size", "5GB")
    torch.manual_seed(seed)
    model = LlamaForCausalLM(LlamaConfig(**{**shape, **changes}))
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.ndim == 2:
                spread = 1.0 if "embed" in name else weight.shape[1] ** -0.5
                weight.normal_(0, spread * (2.5 if "lm_head" in name else 1.0))
            else:
                weight.copy_(1 + 0.1 * torch.randn_like(weight))
    model.to(getattr(torch, dtype)).save_pretrained(folder, max_shard_size=shard)
    (folder / "LICENSE").write_text("Test licence\n")
    return folder


def write_adapter(
    folder: Path,
    base: Path,
    *,
    quantization: dict[str, Any] | None = None,
    seed: int = 1,
    size: float = 0.06,
    record: bool = True,
    **changes: Any,
) -> Path:
    """A LoRA adapter with random B (as if trained) and the record that training leaves."""
    import torch
    from peft import LoraConfig, get_peft_model

    from kofinlaw.models.loading import load_model
    from kofinlaw.models.templates import template_for
    from kofinlaw.trainer.base_identity import base_sha256

    options = {"r": 8, "lora_alpha": 16, "target_modules": TARGETS, "lora_dropout": 0.0}
    kind = quantization["type"] if quantization else "none"
    model = load_model(base, quantization=kind, dtype="bfloat16", for_training=True)
    torch.manual_seed(seed)
    adapted = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", **{**options, **changes}))
    with torch.no_grad():
        for name, weight in adapted.named_parameters():
            if "lora_B" in name or "lora_embedding_B" in name:
                weight.normal_(0, size)
            elif "lora_embedding_A" in name:
                weight.normal_(0, 1)
            elif "modules_to_save" in name:
                weight.add_(torch.randn_like(weight) * size)
            elif "magnitude" in name:
                weight.mul_(1 + size * torch.randn_like(weight))
    adapted.save_pretrained(folder)
    if record:
        kept = {
            "base_sha256": base_sha256(base),
            "base_id": "kofinlaw/pico-llama",
            "quantization": quantization,
            "template_sha256": template_for(base).sha256,
        }
        (folder / "kofinlaw.json").write_text(json.dumps(kept))
    return folder


def write_model(folder: Path, kind: str, *, tied: bool) -> Path:
    """A float32 model of two layers of the architecture `kind`, with a tokenizer."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = write_tokenizer(folder)
    shape = {
        "vocab_size": vocabulary,
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 16,
        "max_position_embeddings": 512,
        "pad_token_id": 0,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "tie_word_embeddings": tied,
    }
    torch.manual_seed(0)
    config = AutoConfig.for_model(kind, **shape)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.ndim == 2:
                weight.normal_(0, 1.0 if "embed" in name else weight.shape[1] ** -0.5)
            elif "bias" in name:
                weight.normal_(0, 0.1)
    model.save_pretrained(folder)
    return folder


ADDED = ["<금액>", "<날짜>"]


def write_trained(folder: Path, base: Path, *, resize: bool = False, **changes: Any) -> Any:
    """Save an adapter as peft and a tokenizer as transformers do; return the model in memory.

    All that the config trains is moved. With `resize` two tokens are added first.
    """
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    torch.manual_seed(3)
    before = model.config.vocab_size
    if resize:
        tokenizer = AutoTokenizer.from_pretrained(base)
        tokenizer.add_tokens(ADDED, special_tokens=True)
        model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
        with torch.no_grad():
            model.get_input_embeddings().weight[before:].normal_(0, 1)
            model.get_output_embeddings().weight[before:].normal_(0, 1)
        tokenizer.save_pretrained(folder)
    options = {"r": 4, "lora_alpha": 8, "target_modules": ["q_proj", "v_proj", "down_proj"]}
    adapted = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", **{**options, **changes}))
    whole = ("modules_to_save", "tokens_delta", "bias")
    with torch.no_grad():
        for name, weight in adapted.named_parameters():
            if "lora_B" in name or "lora_embedding_B" in name:
                weight.normal_(0, 0.08)
            elif "lora_embedding_A" in name:
                weight.normal_(0, 1)
            elif "magnitude" in name:
                weight.mul_(1 + 0.06 * torch.randn_like(weight))
            elif weight.requires_grad and any(part in name for part in whole):
                weight.add_(torch.randn_like(weight) * 0.3)
    adapted.save_pretrained(folder)
    return adapted.eval()


NF4 = {"type": "nf4", "block_size": 64, "double_quant": True, "compute_dtype": "bfloat16"}
