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
# Keys of adapter_config.json that this reader applies, or that do not change the function.
SUPPORTED_KEYS = frozenset(
    """
    task_type peft_type auto_mapping peft_version base_model_name_or_path revision inference_mode
    r target_modules exclude_modules lora_alpha lora_dropout fan_in_fan_out bias use_rslora
    modules_to_save init_lora_weights layers_to_transform layers_pattern rank_pattern
    alpha_pattern megatron_core loftq_config eva_config corda_config lora_ga_config use_dora
    runtime_config qalora_group_size lora_bias ensure_weight_tying velora_config
    """.split()  # noqa: SIM905 - a list of quoted words is harder to read
)
# Initialisations that leave the base's weights unchanged. PiSSA, OLoRA, CorDA, LoftQ and LoRA-GA
# subtract the adapter's start from the base, so base + adapter is not the trained model.
BASE_KEEPING_STARTS = (True, False, "gaussian", "eva", "orthogonal")


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
        biases."""
        replaced: dict[str, TensorInfo] = {}
        for name, info in self.tensors.items():
            plain = name.removeprefix(PREFIX)
            if PART.match(plain) is None:
                plain = plain.replace(".modules_to_save.", ".").replace(".base_layer.", ".")
                replaced[plain] = info
        return replaced

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
    unknown = [n for n in tensors if not n.startswith(PREFIX) or "trainable_tokens_delta" in n]
    if unknown:
        raise UserError(f"this merge does not support the tensor {unknown[0]}", where=str(weights))
    return Adapter(folder, config, record, tensors)


def _check_config(config: JsonObject, path: Path) -> None:
    if config.get("peft_type") != "LORA":
        raise UserError(f"peft_type is {config.get('peft_type')}, not LORA", where=str(path))
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
