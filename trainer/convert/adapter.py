"""A LoRA adapter of EXAONE 3.x to one of the converted Llama and back, by the same table."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from kofinlaw import UserError
from kofinlaw.files import atomic_folder, write_json
from kofinlaw.trainer.base_identity import base_sha256
from kofinlaw.trainer.convert import names
from kofinlaw.trainer.convert.files import check_target, rename_shard
from kofinlaw.trainer.merge.adapter_files import PREFIX, read_adapter


def convert_adapter(source: Path, out: Path, side: int, base: Path | None) -> dict[str, Any]:
    """Rename tensors, target modules and modules trained whole; returns counts.

    `side` is 0 where the source has EXAONE's names, 1 where it has Llama's; `base` is the converted
    base whose hash the adapter will name. Raises UserError for a module the table does not have.
    """
    check_target(source, out)
    adapter = read_adapter(source)
    config = dict(adapter.config)
    if config.get("rank_pattern") or config.get("alpha_pattern"):
        raise UserError(
            "rank_pattern and alpha_pattern are regular expressions and are not translated",
            where=str(source / "adapter_config.json"),
        )
    modules = {pair[side]: pair[1 - side] for pair in names.MODULES}
    for key in ("target_modules", "modules_to_save", "exclude_modules"):
        if config.get(key):
            config[key] = _modules(config[key], modules, key, source)
    rename = {name: _adapter_name(name, side, source) for name in adapter.tensors}
    with atomic_folder(out) as partial:
        weights = "adapter_model.safetensors"
        rename_shard(source / weights, partial / weights, rename)
        write_json(partial / "adapter_config.json", config)
        record = dict(adapter.record)
        if record:
            record.pop("base_sha256", None)
            if base is not None:
                record["base_sha256"] = base_sha256(base)
            quantization = record.get("quantization")
            if quantization and quantization.get("modules"):
                listed = [_module_path(name, side, source) for name in quantization["modules"]]
                record["quantization"] = {**quantization, "modules": listed}
            write_json(partial / "kofinlaw.json", record)
        for path in sorted(source.iterdir()):
            if path.is_file() and not (partial / path.name).exists() and path.suffix != ".bin":
                shutil.copyfile(path, partial / path.name)
    return {"tensors": len(rename), "shards": 1}


def _modules(value: Any, modules: dict[str, str], key: str, source: Path) -> Any:
    listed = [value] if isinstance(value, str) else list(value)
    unknown = [name for name in listed if name.rsplit(".", 1)[-1] not in modules]
    if unknown:
        raise UserError(
            f"{key} names {', '.join(unknown)}, which the table does not have",
            where=str(source / "adapter_config.json"),
        )
    renamed = [modules[name.rsplit(".", 1)[-1]] for name in listed]
    return renamed[0] if isinstance(value, str) else renamed


def _adapter_name(name: str, side: int, source: Path) -> str:
    plain = name.removeprefix(PREFIX)
    for mark in (".lora_", ".base_layer.", ".weight"):
        if mark in plain:
            module, rest = plain.split(mark, 1)
            return f"{PREFIX}{_module_path(module, side, source)}{mark}{rest}"
    raise UserError(f"{name} is not in the table", where=str(source))


def _module_path(module: str, side: int, source: Path) -> str:
    """A module's full name on the other side, matched whole, layer by layer."""
    whole = [names.EMBEDDING, names.FINAL_NORM, names.HEAD]
    for pair in whole:
        if f"{module}.weight" == pair[side]:
            return pair[1 - side].removesuffix(".weight")
    before, after = names.LAYER[side].split("{}")
    number, dot, inner = module.removeprefix(before).partition(after)
    layers = {row[side]: row[1 - side] for row in names.LAYER_TENSORS}
    if module.startswith(before) and number.isdigit() and dot and inner in layers:
        return f"{names.LAYER[1 - side].format(number)}{layers[inner]}"
    raise UserError(f"{module} is not in the table", where=str(source))
