"""Tokenizers and models from a local folder: safetensors only, never remote code."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from kofinlaw import UserError
from kofinlaw.models.settings import Dtype, Quantization

# How much of a prompt's end decides how the text after it is cut: more than any token is long.
ANCHOR_CHARACTERS = 40


class Tokenizer:
    """A folder's `tokenizer.json` through `tokenizers` alone (0.7 s, where AutoTokenizer
    imports torch and takes ten times that). Never adds special tokens: rendered chat text has them.
    """

    def __init__(self, folder: Path) -> None:
        from tokenizers import Tokenizer as Fast

        file = folder / "tokenizer.json"
        if not file.exists():
            raise UserError(
                "the model folder has no tokenizer.json",
                where=str(folder),
                remedy="get the repository's fast tokenizer beside the weights",
            )
        try:
            self.fast = Fast.from_file(str(file))
        except Exception as error:
            raise UserError(f"broken tokenizer.json: {error}", where=str(file)) from error
        self.fast.no_padding()
        self.fast.no_truncation()
        self.folder = folder
        self._config = read_config(folder / "tokenizer_config.json")

    def encode(self, text: str) -> list[int]:
        """Token ids of the text as it stands."""
        return self.fast.encode(text, add_special_tokens=False).ids

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of several texts, in order."""
        return [e.ids for e in self.fast.encode_batch(list(texts), add_special_tokens=False)]

    def offsets(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """Token ids and each token's (start, end) in characters of the text."""
        encoding = self.fast.encode(text, add_special_tokens=False)
        return encoding.ids, encoding.offsets

    def decode(self, ids: Sequence[int], *, skip_special_tokens: bool = True) -> str:
        """The text of token ids."""
        return self.fast.decode(list(ids), skip_special_tokens=skip_special_tokens)

    def count(self, text: str) -> int:
        """How many tokens the text has."""
        return len(self.encode(text))

    def continuation(self, prompt: str, text: str) -> list[int]:
        """The tokens that `text` has right after `prompt`, as an answer has them in training.

        By the difference of the prompt's end with and without the text: a sentencepiece vocabulary
        (SOLAR) writes `1` after a line break otherwise than at a text's start. Where the two join
        into one token, the text's own tokens.
        """
        end = prompt[-ANCHOR_CHARACTERS:]
        before, after = self.encode_batch([end, end + text])
        joined = after[: len(before)] != before
        return self.encode(text) if joined else after[len(before) :]

    def id_of(self, token: str) -> int | None:
        """The id of one token by its text, None where the vocabulary lacks it."""
        return self.fast.token_to_id(token)

    def is_special(self, token: int) -> bool:
        """Whether a token is special: an end, a start, a turn's mark."""
        added = self.fast.get_added_tokens_decoder().get(token)
        return added is not None and added.special

    @property
    def vocabulary(self) -> int:
        """Entries of the vocabulary, added tokens included."""
        return self.fast.get_vocab_size(with_added_tokens=True)

    def special(self, name: str) -> int | None:
        """The id of `bos_token`, `eos_token`, `pad_token` or `unk_token` in the configuration."""
        value = self._config.get(name)
        if isinstance(value, dict):
            value = value.get("content")
        return self.id_of(value) if isinstance(value, str) else None


def load_tokenizer(folder: Path) -> Tokenizer:
    """The tokenizer of a local model folder; raises UserError where it is missing or broken."""
    return Tokenizer(Path(folder))


def read_config(path: Path) -> dict[str, Any]:
    """A JSON object from a file, empty where there is no file; raises UserError when broken."""
    if not path.exists():
        return {}
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"cannot be read: {error}", where=str(path)) from error
    if not isinstance(value, dict):
        raise UserError("must hold one JSON object", where=str(path))
    return value


def load_model(
    folder: Path,
    *,
    quantization: Quantization = "none",
    dtype: Dtype = "bfloat16",
    device: str | None = None,
    adapter: Path | None = None,
    for_training: bool = False,
    attention: Literal["sdpa", "eager"] = "sdpa",
) -> Any:
    """A causal language model from a local folder, in evaluation mode unless `for_training`.

    `device` None takes the GPU where there is one. `adapter` is a peft folder, applied beside the
    weights and not merged; with `for_training` its weights are trainable. `attention` is
    transformers' implementation. Raises UserError for a folder without weights, remote code,
    pickled weights or a model transformers does not know.
    """
    import torch
    from safetensors import SafetensorError
    from transformers import AutoConfig, AutoModelForCausalLM, BitsAndBytesConfig

    folder = Path(folder)
    check_folder(folder)
    torch_dtype = getattr(torch, dtype)
    if device is None:
        device = "cuda" if torch.cuda.is_available() else "cpu"
    options: dict[str, Any] = {}
    if quantization == "nf4":
        options["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=torch_dtype,
        )
    elif quantization == "int8":
        options["quantization_config"] = BitsAndBytesConfig(load_in_8bit=True)
    safe: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    try:
        with quiet_bars():
            model, info = AutoModelForCausalLM.from_pretrained(
                folder,
                output_loading_info=True,
                config=AutoConfig.from_pretrained(folder, **safe),
                dtype=torch_dtype,
                device_map={"": device},
                use_safetensors=True,
                attn_implementation=attention,
                **safe,
                **options,
            )
    except (ValueError, OSError, KeyError, RuntimeError, SafetensorError) as error:
        raise UserError(f"the model does not load: {error}", where=str(folder)) from error
    if missing := sorted(info["missing_keys"]):
        # transformers would fill them with random numbers and go on.
        raise UserError(
            f"{len(missing)} tensors are missing from the weights: {', '.join(missing[:3])}",
            where=str(folder),
            remedy="get the model's files again",
        )
    repair_nf4(model)
    if device == "cpu":
        check_block_widths(model, folder)
    if adapter is not None:
        from peft import PeftModel

        if not (adapter / "adapter_config.json").exists():
            raise UserError("no adapter_config.json in this folder", where=str(adapter))
        model = PeftModel.from_pretrained(
            model, str(adapter), is_trainable=for_training, use_safetensors=True
        )
        repair_nf4(model)
    model.train(for_training)
    return model


@contextlib.contextmanager
def quiet_bars() -> Iterator[None]:
    """No progress bars of transformers inside: this project shows its own, or none."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def repair_nf4(model: Any) -> int:
    """Keep bitsandbytes from repacking 4-bit weights on CPUs with AVX512-BF16; returns the layers.

    The first pass without gradients would repack them in a form the backward pass misreads, and
    every later gradient is silently wrong (cosine down to 0.22 against the true one).
    """
    count = 0
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False
            count += 1
    return count


def check_block_widths(model: Any, folder: Path) -> None:
    """Refuse 4-bit layers that bitsandbytes reads wrongly on a CPU.

    Its kernel takes the blocks of one scale to end with each row: where the input width is no
    multiple of the block (64), the weights come back with an error of 0.25 of their norm, not NF4's
    own 0.09 (bitsandbytes 0.50, widths 32 to 1,056). Raises UserError with the layer, its width
    and the block.
    """
    for name, module in model.named_modules():
        state = getattr(getattr(module, "weight", None), "quant_state", None)
        width, block = getattr(module, "in_features", 0), getattr(state, "blocksize", 0)
        if block and width % block:
            raise UserError(
                f"layer {name} has {width} inputs, no multiple of NF4's block of {block}: "
                "bitsandbytes reads such weights wrongly on a CPU",
                where=str(folder),
                remedy="use quantization none or int8 here, or a GPU",
            )


def check_folder(folder: Path) -> None:
    """Refuse what must not be loaded: no weights, pickles alone, remote code.

    Raises UserError with what is wrong and what to do.
    """
    config = read_config(folder / "config.json")
    if not config:
        raise UserError(
            "no model here (config.json is missing)",
            where=str(folder),
            remedy="give the folder that holds config.json and *.safetensors",
        )
    if not any(folder.glob("*.safetensors")):
        pickled = any(folder.glob("*.bin")) or any(folder.glob("*.pt"))
        raise UserError(
            "the weights are pickled files, which can run code" if pickled else "no weights here",
            where=str(folder),
            remedy="get the *.safetensors files of the model",
        )
    if "auto_map" in config:
        remedy = "use a model transformers knows"
        if config.get("model_type") == "exaone":
            remedy = "run `kofinlaw convert llama` on it: EXAONE 3.x becomes a Llama by renaming"
        raise UserError(
            "this model brings its own code, which is never run", where=str(folder), remedy=remedy
        )
