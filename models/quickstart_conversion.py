"""Convert the quickstart model from GGUF to a Hugging Face folder (bf16 safetensors)."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from kofinlaw.models.gguf_table import added_tokens, bpe_model, token_table
from kofinlaw.models.loading import quiet_bars
from kofinlaw.models.templates import built_in_template

__all__ = ["convert_gguf"]


def convert_gguf(gguf: Path, folder: Path, *, model_id: str) -> None:
    """Write weights, configuration, tokenizer and chat template of a Gemma 3 GGUF file.

    `model_id` is the catalogue id that the written configuration names.
    """
    with quiet_bars():
        model = AutoModelForCausalLM.from_pretrained(
            gguf.parent, dtype=torch.bfloat16, gguf_file=gguf.name, local_files_only=True
        )
        # With its GGUF quantiser, the model refuses to be saved and marks its config as quantised.
        model.hf_quantizer = None
        if hasattr(model.config, "quantization_config"):
            del model.config.quantization_config
        for name in ("is_quantized", "quantization_method"):
            if hasattr(model, name):
                delattr(model, name)
        template = built_in_template("gemma", bos="<bos>", eos="<eos>")
        tokenizer = AutoTokenizer.from_pretrained(
            gguf.parent, gguf_file=gguf.name, local_files_only=True
        )
        tokenizer.chat_template = template.source
        turn_end = tokenizer.convert_tokens_to_ids(template.stop)
        model.generation_config.eos_token_id = [tokenizer.eos_token_id, turn_end]
        model.save_pretrained(folder, safe_serialization=True)
        tokenizer.save_pretrained(folder)
    _replace_tokenizer_model(folder / "tokenizer.json", gguf)
    _complete_config(folder / "config.json", model_id)


def _replace_tokenizer_model(path: Path, gguf: Path) -> None:
    """Replace the unigram model that transformers derives from the GGUF table by Gemma's BPE.

    The unigram model splits Korean text differently from the model's training. On statutes it
    agrees with llama.cpp for one text in seven, the BPE for every text.
    """
    settings = json.loads(path.read_text(encoding="utf-8"))
    table = token_table(gguf)
    settings.update(model=bpe_model(table), added_tokens=added_tokens(table))
    path.write_text(json.dumps(settings, ensure_ascii=False), encoding="utf-8")


def _complete_config(path: Path, model_id: str) -> None:
    """Name the model, and repeat the rotary bases under the names that transformers 4 reads."""
    config = json.loads(path.read_text(encoding="utf-8"))
    config.pop("_name_or_path", None)
    config["_model_name_or_path"] = model_id
    rope = config["rope_parameters"]
    config["rope_theta"] = rope["full_attention"]["rope_theta"]
    config["rope_local_base_freq"] = rope["sliding_attention"]["rope_theta"]
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
