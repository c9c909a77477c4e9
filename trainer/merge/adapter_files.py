"""A LoRA adapter as its files state it: config, record and tensor names, no data read."""

from __future__ import annotations

import hashlib
import json
import math
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from kofinlaw import UserError
from kofinlaw.files import sha256_file
from kofinlaw.trainer.merge.tensor_files import TensorInfo, list_tensors

PREFIX = "base_model.model."
PART = re.compile(
    r"^(?P<module>.+)\.(?P<part>lora_A|lora_B|lora_embedding_A|lora_embedding_B"
    r"|lora_magnitude_vector)(?P<end>\.weight|\.bias)?$"
)
# Keys of adapter_config.json that this reader accounts for, or that do not change the function.
UNDERSTOOD = frozenset(
    """
    task_type peft_type auto_mapping peft_version base_model_name_or_path revision inference_mode
    r target_modules exclude_modules lora_alpha lora_dropout fan_in_fan_out bias use_rslora
    modules_to_save init_lora_weights layers_to_transform layers_pattern rank_pattern
    alpha_pattern megatron_core loftq_config eva_config corda_config lora_ga_config use_dora
    runtime_config qalora_group_size lora_bias ensure_weight_tying velora_config
    """.split()  # noqa: SIM905 - a list of quoted words reads worse
)
# Initialisations that leave the base's weights alone. PiSSA, OLoRA, CorDA, LoftQ and LoRA-GA
# subtract the adapter's start from the base, so base + adapter is another model.
PLAIN_STARTS = (True, False, "gaussian", "eva", "orthogonal")


@dataclass(frozen=True)
class Adapter:
    """An adapter's folder, read but for its data. `record` is its kofinlaw.json ({} if none)."""

    folder: Path
    config: dict[str, Any]
    record: dict[str, Any]
    tensors: dict[str, TensorInfo]

    @property
    def quantization(self) -> dict[str, Any] | None:
        """How the base was quantised while training, None for a 16-bit base."""
        return self.record.get("quantization") or None

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
        """Weights saved whole (modules_to_save, resized embeddings, biases) by the base's name."""
        whole: dict[str, TensorInfo] = {}
        for name, info in self.tensors.items():
            plain = name.removeprefix(PREFIX)
            if PART.match(plain) is None:
                plain = plain.replace(".modules_to_save.", ".").replace(".base_layer.", ".")
                whole[plain] = info
        return whole

    def scaling(self, module: str) -> float:
        """What B·A is multiplied by: alpha/r, with rsLoRA alpha/√r; patterns as in peft."""
        rank = self.rank(module)
        alpha = _pattern(self.config.get("alpha_pattern") or {}, module, self.config["lora_alpha"])
        return alpha / math.sqrt(rank) if self.config.get("use_rslora") else alpha / rank

    def rank(self, module: str) -> int:
        """The module's rank by the config (not by the tensors)."""
        return int(_pattern(self.config.get("rank_pattern") or {}, module, self.config["r"]))

    @cached_property
    def sha256(self) -> str:
        """SHA-256 over the hashes of the adapter's weights and config."""
        total = hashlib.sha256()
        for name in ("adapter_model.safetensors", "adapter_config.json"):
            total.update(sha256_file(self.folder / name).encode())
        return total.hexdigest()


def _pattern(patterns: dict[str, Any], module: str, default: Any) -> Any:
    for key, value in patterns.items():
        if re.match(rf"(.*\.)?({key})$", module):
            return value
    return default


def read_adapter(folder: Path) -> Adapter:
    """Read an adapter's config, record and tensor headers.

    Raises UserError where files are missing or broken, for pickles (`adapter_model.bin`), and for
    a kind of adapter whose sum with the base is not base + scaling · B·A (or DoRA's form of it).
    """
    weights = folder / "adapter_model.safetensors"
    if not weights.exists():
        if (folder / "adapter_model.bin").exists():
            raise UserError(
                "adapter_model.bin is a pickle, which can run code when read: refused",
                where=str(folder),
                remedy="save the adapter as safetensors (save_pretrained does)",
            )
        raise UserError("no adapter_model.safetensors here", where=str(folder))
    config = read_object(folder / "adapter_config.json")
    record_path = folder / "kofinlaw.json"
    record = read_object(record_path) if record_path.exists() else {}
    _check_config(config, folder / "adapter_config.json")
    tensors = list_tensors([weights])
    if not tensors:
        raise UserError("the adapter holds no tensors", where=str(weights))
    strange = [n for n in tensors if not n.startswith(PREFIX) or "trainable_tokens_delta" in n]
    if strange:
        raise UserError(f"a tensor this merge does not know: {strange[0]}", where=str(weights))
    return Adapter(folder, config, record, tensors)


def _check_config(config: dict[str, Any], path: Path) -> None:
    if config.get("peft_type") != "LORA":
        raise UserError(f"peft_type is {config.get('peft_type')}, not LORA", where=str(path))
    for key in ("r", "lora_alpha"):
        if not isinstance(config.get(key), int | float) or config[key] <= 0:
            raise UserError(f"{key} must be a positive number", where=str(path))
    unknown = sorted(key for key, value in config.items() if value and key not in UNDERSTOOD)
    if unknown:
        raise UserError(
            f"this adapter uses {', '.join(unknown)}, which this merge cannot add up",
            where=str(path),
            remedy="merge it with the tool that made it",
        )
    if config.get("init_lora_weights", True) not in PLAIN_STARTS:
        raise UserError(
            f"init_lora_weights: {config['init_lora_weights']} changed the base's own weights when "
            "training began, so base + adapter is not the trained model",
            where=str(path),
            remedy="save it with path_initial_model_for_weight_conversion (see peft), then merge",
        )


def read_object(path: Path) -> dict[str, Any]:
    """A JSON file that holds one object; raises UserError."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError("no such file", where=str(path)) from error
    except (ValueError, OSError) as error:
        raise UserError(f"this file cannot be read: {error}", where=str(path)) from error
    if not isinstance(value, dict):
        raise UserError("this file must hold one JSON object", where=str(path))
    return value
