"""Convert a LoRA adapter between EXAONE 3.x and the converted Llama, by the table in names.py."""

from __future__ import annotations

import shutil
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.files import atomic_folder, write_json
from kofinlaw.results import JsonValue
from kofinlaw.trainer.base_identity import base_sha256
from kofinlaw.trainer.convert import name_tables as names
from kofinlaw.trainer.convert.renamed_files import Converted, check_target, rename_shard
from kofinlaw.trainer.merge.adapter_files import CONFIG, PREFIX, RECORD, WEIGHTS, read_adapter
from kofinlaw.trainer.merge.json_objects import object_at, texts_at

__all__ = ["convert_adapter"]


def convert_adapter(source: Path, out: Path, side: names.Side, base: Path | None) -> Converted:
    """Rename the adapter's tensors, target modules and modules_to_save.

    Args:
        source: the adapter's folder.
        out: target folder, absent or empty.
        side: whose names the source has, `names.EXAONE` or `names.LLAMA`.
        base: the converted base whose hash the adapter will record; None records no hash.

    Raises UserError for a module that the table does not have, for rank or alpha patterns, and
    for a target that is not empty.
    """
    check_target(source, out)
    adapter = read_adapter(source)
    config = dict(adapter.config)
    if config.get("rank_pattern") or config.get("alpha_pattern"):
        raise UserError(
            "rank_pattern and alpha_pattern are regular expressions and are not translated",
            where=str(source / CONFIG),
        )
    modules = {pair[side]: pair[1 - side] for pair in names.MODULES}
    for key in ("target_modules", "modules_to_save", "exclude_modules"):
        listed = config.get(key)
        if listed:
            config[key] = _renamed_modules(listed, modules, key, source)
    rename = {name: _adapter_name(name, side, source) for name in adapter.tensors}
    with atomic_folder(out) as partial:
        rename_shard(source / WEIGHTS, partial / WEIGHTS, rename)
        write_json(partial / CONFIG, config)
        record = dict(adapter.record)
        if record:
            record.pop("base_sha256", None)
            if base is not None:
                record["base_sha256"] = base_sha256(base)
            quantization = object_at(record, "quantization")
            if quantization.get("modules"):
                paths = texts_at(quantization, "modules", source / RECORD)
                renamed: list[JsonValue] = [_module_path(name, side, source) for name in paths]
                record["quantization"] = {**quantization, "modules": renamed}
            write_json(partial / RECORD, record)
        for path in sorted(source.iterdir()):
            if path.is_file() and not (partial / path.name).exists() and path.suffix != ".bin":
                shutil.copyfile(path, partial / path.name)
    return Converted(tensors=len(rename), shards=1)


def _renamed_modules(
    value: JsonValue, modules: dict[str, str], key: str, source: Path
) -> str | list[JsonValue]:
    """Return the names of a list of modules (or of one module) on the other side."""
    listed = [value] if isinstance(value, str) else texts_at({key: value}, key, source / CONFIG)
    unknown = [name for name in listed if name.rsplit(".", 1)[-1] not in modules]
    if unknown:
        raise UserError(
            f"{key} names {', '.join(unknown)}, which this conversion does not know",
            where=str(source / CONFIG),
        )
    renamed = [modules[name.rsplit(".", 1)[-1]] for name in listed]
    return renamed[0] if isinstance(value, str) else list(renamed)


def _adapter_name(name: str, side: names.Side, source: Path) -> str:
    """Return an adapter tensor's name on the other side."""
    plain = name.removeprefix(PREFIX)
    for mark in (".lora_", ".base_layer.", ".weight"):
        if mark in plain:
            module, rest = plain.split(mark, 1)
            return f"{PREFIX}{_module_path(module, side, source)}{mark}{rest}"
    raise UserError(f"this conversion does not know the tensor {name}", where=str(source))


def _module_path(module: str, side: names.Side, source: Path) -> str:
    """Return a module's full path on the other side; the whole path must match the table."""
    for pair in (names.EMBEDDING, names.FINAL_NORM, names.HEAD):
        if f"{module}.weight" == pair[side]:
            return pair[1 - side].removesuffix(".weight")
    before, after = names.LAYER[side].split("{}")
    number, dot, inner = module.removeprefix(before).partition(after)
    layers = {row[side]: row[1 - side] for row in names.LAYER_TENSORS}
    if module.startswith(before) and number.isdigit() and dot and inner in layers:
        return f"{names.LAYER[1 - side].format(number)}{layers[inner]}"
    raise UserError(f"this conversion does not know the module {module}", where=str(source))
