"""EXAONE 3.x to Llama and back by renaming: JSON and safetensors only, no code of the model runs.

Weights are not touched: each shard's header is rewritten with the other names and its data copied
as it stands, so the way there and back gives the same bytes.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kofinlaw import Progress, UserError, silent
from kofinlaw.data.files import disk_error, write_json, write_text
from kofinlaw.trainer import convert_names as names
from kofinlaw.trainer.base_identity import INDEX_NAME, base_sha256, weight_files
from kofinlaw.trainer.convert_config import (
    exaone_to_llama_config,
    llama_to_exaone_config,
    sizes_of,
)
from kofinlaw.trainer.merge_adapter import PREFIX, read_adapter, read_object
from kofinlaw.trainer.merge_files import TensorInfo, checkpoint_tensors

RECORD = "kofinlaw-convert.json"
SKIPPED = (".py", ".safetensors", ".bin", ".pt", ".pth")
COPY_BYTES = 16 * 2**20


def exaone_to_llama(
    source: Path, out: Path, *, base: Path | None = None, progress: Progress = silent
) -> dict[str, Any]:
    """Write EXAONE 3.0/3.5 `source` as a Llama checkpoint under `out`; an adapter likewise.

    Tokenizer, generation config, template and licence go over byte for byte; `auto_map` and the
    model's code do not. For an adapter, `base` is the converted base whose hash it will name.
    Returns counts. Raises UserError for an unknown or missing config key, a tensor too many, too
    few or of another shape, a target that is not empty, and a full disk.
    """
    if (source / "adapter_config.json").exists():
        return _convert_adapter(source, out, 0, base)
    text = _config_text(source)
    config = exaone_to_llama_config(json.loads(text), source / "config.json")
    rename = _renamer(source, config, 0)

    def write_config(folder: Path) -> None:
        write_json(folder / "config.json", config)
        write_json(folder / RECORD, {"from": "exaone", "config": text})

    return _convert(source, out, rename, write_config, progress)


def llama_to_exaone(
    source: Path, out: Path, *, base: Path | None = None, progress: Progress = silent
) -> dict[str, Any]:
    """The way back, for a Llama that came from EXAONE 3.x. Raises as `exaone_to_llama`."""
    if (source / "adapter_config.json").exists():
        return _convert_adapter(source, out, 1, base)
    config = json.loads(_config_text(source))
    record = read_object(source / RECORD) if (source / RECORD).exists() else {}
    text = record.get("config")
    original = json.loads(text) if text else None
    written = llama_to_exaone_config(config, source / "config.json", original)
    config.setdefault("head_dim", config["hidden_size"] // config["num_attention_heads"])
    rename = _renamer(source, config, 1)

    def write_config(folder: Path) -> None:
        if text and written == original:
            write_text(folder / "config.json", str(text))
        else:
            write_json(folder / "config.json", written)

    return _convert(source, out, rename, write_config, progress)


def _config_text(source: Path) -> str:
    read_object(source / "config.json")
    return (source / "config.json").read_text(encoding="utf-8")


def _renamer(source: Path, llama: dict[str, Any], side: int) -> dict[str, str]:
    """{name: other name} of every tensor, after comparing names and shapes with the config.

    `side` is 0 where the source has EXAONE's names, 1 where it has Llama's.
    """
    tied = bool(llama["tie_word_embeddings"])
    pairs = names.tensor_names(llama["num_hidden_layers"], tied=tied)
    rename = {pair[side]: pair[1 - side] for pair in pairs}
    found = {
        name: info
        for name, info in checkpoint_tensors(source).items()
        if not name.endswith(names.COMPUTED)
    }
    missing, extra = sorted(set(rename) - set(found)), sorted(set(found) - set(rename))
    if missing or extra:
        raise UserError(
            f"{len(missing)} tensors missing, {len(extra)} too many, first {(missing + extra)[0]}",
            where=str(source),
            remedy="the weights do not belong to this config",
        )
    _check_shapes(found, llama, side, source)
    return rename


def _check_shapes(
    found: dict[str, TensorInfo], llama: dict[str, Any], side: int, source: Path
) -> None:
    sizes = sizes_of(llama)
    table = (llama["vocab_size"], sizes["hidden"])
    expected: dict[str, tuple[int, ...]] = {
        names.EMBEDDING[side]: table,
        names.HEAD[side]: table,
        names.FINAL_NORM[side]: (sizes["hidden"],),
    }
    for layer in range(llama["num_hidden_layers"]):
        for *pair, rows, columns in names.LAYER_TENSORS:
            name = f"{names.LAYER[side].format(layer)}{pair[side]}.weight"
            shape = (sizes[rows],) if columns is None else (sizes[rows], sizes[columns])
            expected[name] = shape
    for name, info in found.items():
        if info.shape != expected[name]:
            raise UserError(
                f"{name} is {info.shape}, by the config it must be {expected[name]}",
                where=str(source),
            )


def _convert(
    source: Path,
    out: Path,
    rename: dict[str, str],
    write_config: Callable[[Path], None],
    progress: Progress,
) -> dict[str, Any]:
    """Write everything into a folder beside `out` and give it the name when it is whole."""
    _check_target(source, out)
    partial = out.with_name(f".{out.name}.partial")
    files = weight_files(source)
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        _check_space(files, partial)
        for done, path in enumerate(files):
            progress("convert", done, len(files), shard=path.name)
            rename_shard(path, partial / path.name, rename)
        progress("convert", len(files), len(files))
        _write_index(source, partial, rename)
        _copy_rest(source, partial)
        write_config(partial)
        if out.exists():
            out.rmdir()
        partial.rename(out)
    except OSError as error:
        raise disk_error(error, out) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return {"tensors": len(rename), "shards": len(files)}


def _check_target(source: Path, out: Path) -> None:
    first, second = source.resolve(), out.resolve()
    if first == second or first in second.parents or second in first.parents:
        raise UserError("the target lies inside the source, or the other way", where=str(out))
    if out.exists() and any(out.iterdir()):
        raise UserError("the target folder is not empty", where=str(out))


def _check_space(files: list[Path], folder: Path) -> None:
    needed = sum(path.stat().st_size for path in files)
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise UserError(
            f"the copy needs {needed / 2**30:.1f} GiB, {free / 2**30:.1f} GiB are free",
            where=str(folder.parent),
        )


def rename_shard(source: Path, target: Path, rename: dict[str, str]) -> None:
    """Copy a safetensors file with its tensors renamed; order, metadata and data stay."""
    with open(source, "rb") as reader, open(target, "wb") as writer:
        length = int.from_bytes(reader.read(8), "little")
        header = json.loads(reader.read(length))
        renamed = {
            rename.get(name, name): value
            for name, value in header.items()
            if not name.endswith(names.COMPUTED)
        }
        if len(renamed) != len(header):
            _without_computed(source, target, rename)
            return
        text = json.dumps(renamed, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
        text += b" " * (-len(text) % 8)
        writer.write(len(text).to_bytes(8, "little") + text)
        shutil.copyfileobj(reader, writer, COPY_BYTES)


def _without_computed(source: Path, target: Path, rename: dict[str, str]) -> None:
    """Where buffers are dropped the data moves, so the shard is written anew."""
    from kofinlaw.trainer.merge_files import ShardWriter, list_tensors, read_tensor

    kept = {
        rename.get(name, name): info
        for name, info in list_tensors([source]).items()
        if not name.endswith(names.COMPUTED)
    }
    writer = ShardWriter(target, [(name, info.shape, info.dtype) for name, info in kept.items()])
    for name in writer.order:
        writer.write(name, read_tensor(kept[name]))
    writer.close()


def _write_index(source: Path, target: Path, rename: dict[str, str]) -> None:
    path = source / INDEX_NAME
    if not path.exists():
        return
    index = json.loads(path.read_text(encoding="utf-8"))
    index["weight_map"] = {
        rename[name]: file for name, file in index["weight_map"].items() if name in rename
    }
    write_json(target / INDEX_NAME, index)


def _copy_rest(source: Path, target: Path) -> None:
    """Tokenizer, generation config, template, licence: byte for byte; code stays behind."""
    tokenizer = source / "tokenizer_config.json"
    if tokenizer.exists() and "auto_map" in read_object(tokenizer):
        raise UserError("the tokenizer brings its own code", where=str(tokenizer))
    for path in sorted(source.iterdir()):
        named = path.name in ("config.json", INDEX_NAME, RECORD)
        if path.is_file() and not named and path.suffix not in SKIPPED:
            shutil.copyfile(path, target / path.name)


def _convert_adapter(source: Path, out: Path, side: int, base: Path | None) -> dict[str, Any]:
    """An adapter by the same table: tensor names, target modules and modules trained whole."""
    _check_target(source, out)
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
    partial = out.with_name(f".{out.name}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
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
        if out.exists():
            out.rmdir()
        partial.rename(out)
    except OSError as error:
        raise disk_error(error, out) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
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
