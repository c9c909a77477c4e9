"""Read a LoRA adapter's config, record and tensor names, without its tensor data."""

from __future__ import annotations

import hashlib
import math
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypedDict, cast

from kofinlaw import UserError
from kofinlaw.files import sha256_file
from kofinlaw.trainer.merge.json_objects import (
    JsonObject,
    object_at,
    read_object,
    read_object_if_present,
)
from kofinlaw.trainer.merge.tensor_files import TensorInfo, list_tensors

__all__ = [
    "BASE_KEEPING_STARTS",
    "CONFIG",
    "PART",
    "PREFIX",
    "RECORD",
    "SUPPORTED_KEYS",
    "TOKEN_ROWS",
    "WEIGHTS",
    "Adapter",
    "Quantization",
    "read_adapter",
]

WEIGHTS = "adapter_model.safetensors"
CONFIG = "adapter_config.json"
RECORD = "kofinlaw.json"
PREFIX = "base_model.model."
PART = re.compile(
    r"^(?P<module>.+)\.(?P<part>lora_A|lora_B|lora_embedding_A|lora_embedding_B"
    r"|lora_magnitude_vector)(?P<end>\.weight|\.bias)?$"
)
TOKEN_ROWS = re.compile(r"^(?P<module>.+?)(\.token_adapter)?\.trainable_tokens_delta$")
# Keys of adapter_config.json that this reader applies, or that do not change the function.
SUPPORTED_KEYS = frozenset(
    """
    task_type peft_type auto_mapping peft_version base_model_name_or_path revision inference_mode
    r target_modules exclude_modules lora_alpha lora_dropout fan_in_fan_out bias use_rslora
    modules_to_save init_lora_weights layers_to_transform layers_pattern rank_pattern
    alpha_pattern megatron_core loftq_config eva_config corda_config lora_ga_config use_dora
    runtime_config qalora_group_size lora_bias ensure_weight_tying velora_config
    trainable_token_indices
    """.split()  # noqa: SIM905 - a list of quoted words is harder to read
)
# Initialisations that leave the base's weights unchanged. PiSSA, OLoRA, CorDA, LoftQ and LoRA-GA
# subtract the adapter's start from the base, so base + adapter is not the trained model.
BASE_KEEPING_STARTS = (True, False, "gaussian", "eva", "orthogonal")
# Kinds that add virtual tokens or layers instead of changing weights.
_PROMPT_KINDS = {"PROMPT_TUNING", "MULTITASK_PROMPT_TUNING", "P_TUNING", "PREFIX_TUNING", "CPT"}
_PROMPT_KINDS |= {"ADAPTION_PROMPT", "CARTRIDGE"}
_OTHER_HEADS = {"SEQ_CLS", "TOKEN_CLS", "QUESTION_ANS", "SEQ_2_SEQ_LM"}  # not a language model's


class Quantization(TypedDict, total=False):
    """How training held the base, as `kofinlaw.json` records it under `quantization`.

    `type` is nf4, fp4 or int8; the formats are torch's names (`bfloat16`); `block_size` counts
    weights. `modules` lists the quantised modules; without it they are all linear layers but the
    head.
    """

    type: str
    block_size: int
    double_quant: bool
    compute_dtype: str
    storage_dtype: str | None
    modules: list[str]


@dataclass(frozen=True)
class Adapter:
    """An adapter's folder without its tensor data.

    `record` is its kofinlaw.json, empty where there is none.
    """

    folder: Path
    config: JsonObject
    record: JsonObject
    tensors: dict[str, TensorInfo]

    @property
    def quantization(self) -> Quantization | None:
        """How training quantised the base; None for a 16-bit base."""
        found = object_at(self.record, "quantization")
        return cast(Quantization, found) if found else None  # `_check_record` saw its type

    @cached_property
    def parts(self) -> dict[str, dict[str, TensorInfo]]:
        """LoRA tensors by module: {module: {"lora_A.weight": …, "lora_B.weight": …}}."""
        found: dict[str, dict[str, TensorInfo]] = {}
        for name, info in self.tensors.items():
            match = PART.match(name.removeprefix(PREFIX))
            if match:
                key = match["part"] + (match["end"] or "")
                key = key.removesuffix(".weight") if "magnitude" in key or "emb" in key else key
                found.setdefault(match["module"], {})[key] = info
        return found

    @cached_property
    def replacements(self) -> dict[str, TensorInfo]:
        """Whole weights of the adapter by the base's name: modules_to_save, resized embeddings,
        biases.

        Of a trained module, peft may save the weights before training too (`original_module`);
        these are left out.
        """
        replaced: dict[str, TensorInfo] = {}
        for name, info in self.tensors.items():
            plain = name.removeprefix(PREFIX)
            if PART.match(plain) or TOKEN_ROWS.match(plain) or ".original_module." in plain:
                continue
            for mark in (".modules_to_save.", ".token_adapter.base_layer.", ".base_layer."):
                plain = plain.replace(mark, ".")
            if plain not in replaced or plain == name.removeprefix(PREFIX):
                replaced[plain] = info
        return replaced

    @cached_property
    def originals(self) -> dict[str, TensorInfo]:
        """Weights before training that peft saved with a resized and trained module."""
        marked = ((n.removeprefix(PREFIX), info) for n, info in self.tensors.items())
        mark = ".original_module."
        return {name.replace(mark, "."): info for name, info in marked if mark in name}

    @cached_property
    def token_rows(self) -> dict[str, TensorInfo]:
        """Rows trained for single tokens (`trainable_token_indices`) by module, such as
        `model.embed_tokens`."""
        matches = ((TOKEN_ROWS.match(n.removeprefix(PREFIX)), i) for n, i in self.tensors.items())
        return {match["module"]: info for match, info in matches if match}

    def token_ids(self, module: str) -> tuple[int, ...]:
        """Return the ids of a module's trained rows, in the order of the rows.

        A list in the config belongs to the input embedding, so to every module that has rows.
        Raises UserError where the config does not name ids for the module.
        """
        listed = self.config.get("trainable_token_indices")
        if isinstance(listed, dict):
            names = [n for n in listed if module == n or module.endswith(f".{n}")]
            if not names and module.rsplit(".", 1)[-1] == "lm_head" and len(listed) == 1:
                names = list(listed)  # a tied head follows the embedding
            listed = listed[names[0]] if names else None
        ids = [i for i in listed if isinstance(i, int)] if isinstance(listed, list) else []
        if not isinstance(listed, list) or len(ids) != len(listed) or len(set(ids)) != len(ids):
            raise UserError(
                f"trainable_token_indices must list the token ids of {module}, each once",
                where=str(self.folder / CONFIG),
            )
        return tuple(ids)

    def scaling(self, module: str) -> float:
        """Return the factor of B·A: alpha/r, or alpha/√r with rsLoRA; patterns apply as in peft."""
        rank = self.rank(module)
        alpha = self._module_value("alpha_pattern", module, "lora_alpha")
        return alpha / math.sqrt(rank) if self.config.get("use_rslora") else alpha / rank

    def rank(self, module: str) -> int:
        """Return the module's rank by the config (not by the tensors)."""
        return int(self._module_value("rank_pattern", module, "r"))

    def _module_value(self, patterns: str, module: str, default: str) -> float:
        value = self.config[default]
        for pattern, found in object_at(self.config, patterns).items():
            if re.match(rf"(.*\.)?({pattern})$", module):
                value = found
                break
        if not isinstance(value, int | float):
            raise UserError(
                f"{patterns} of {module} must be a number, not {value!r}",
                where=str(self.folder / CONFIG),
            )
        return value

    @cached_property
    def sha256(self) -> str:
        """SHA-256 over the hashes of the adapter's weights and config."""
        total = hashlib.sha256()
        for name in (WEIGHTS, CONFIG):
            total.update(sha256_file(self.folder / name).encode())
        return total.hexdigest()


def read_adapter(folder: Path) -> Adapter:
    """Read an adapter's config, record and tensor headers.

    Raises UserError where files are missing or broken, for pickles (`adapter_model.bin`), and for
    a kind of adapter whose sum with the base is not base + scaling · B·A (or DoRA's form of it).
    """
    weights = folder / WEIGHTS
    if not weights.exists():
        if (folder / "adapter_model.bin").exists():
            raise UserError(
                "adapter_model.bin is a pickle, which can run code when it is read",
                where=str(folder),
                remedy="save the adapter as safetensors (save_pretrained does)",
            )
        raise UserError(f"no {WEIGHTS} in this folder", where=str(folder))
    config = read_object(folder / CONFIG)
    record = read_object_if_present(folder / RECORD)
    _check_config(config, folder / CONFIG)
    _check_record(record, folder / RECORD)
    tensors = list_tensors([weights])
    if not tensors:
        raise UserError("the adapter holds no tensors", where=str(weights))
    unknown = [n for n in tensors if not n.startswith(PREFIX) or ".default." in f"{n}."]
    if unknown:
        raise UserError(
            f"the tensor {unknown[0]} has not a name that peft writes",
            where=str(weights),
            remedy="save the adapter with the peft model's save_pretrained, which names tensors "
            f"{PREFIX}… without the adapter's own name (default)",
        )
    return Adapter(folder, config, record, tensors)


def _check_config(config: JsonObject, path: Path) -> None:
    kind = config.get("peft_type")
    if kind != "LORA":
        mergeable = str(kind) not in _PROMPT_KINDS
        raise UserError(
            f"peft_type is {kind}, not LORA"
            + ("" if mergeable else ": it adds virtual tokens or layers, not changes of weights"),
            where=str(path),
            remedy="merge it with peft (merge_and_unload, then save_pretrained)"
            if mergeable
            else "it cannot be merged into weights; train a LoRA adapter",
        )
    if config.get("task_type") in _OTHER_HEADS:
        raise UserError(
            f"task_type is {config['task_type']}: the adapter was trained with another head than "
            "that of a causal language model",
            where=str(path),
            remedy="train with task_type CAUSAL_LM",
        )
    for key in ("r", "lora_alpha"):
        value = config.get(key)
        if not isinstance(value, int | float) or value <= 0:
            raise UserError(f"{key} must be a positive number", where=str(path))
    unknown = sorted(key for key, value in config.items() if value and key not in SUPPORTED_KEYS)
    if unknown:
        raise UserError(
            f"this adapter uses {', '.join(unknown)}, which this merge does not support",
            where=str(path),
            remedy="merge it with the tool that made it",
        )
    if config.get("init_lora_weights", True) not in BASE_KEEPING_STARTS:
        raise UserError(
            f"init_lora_weights: {config['init_lora_weights']} changed the base's own weights when "
            "training began, so base + adapter is not the trained model",
            where=str(path),
            remedy="save it with path_initial_model_for_weight_conversion (see peft), then merge",
        )


def _check_record(record: JsonObject, path: Path) -> None:
    quantization = record.get("quantization")
    if quantization and not isinstance(quantization, dict):
        raise UserError("quantization must be an object or null", where=str(path))
