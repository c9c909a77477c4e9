"""Convert EXAONE 3.x checkpoints to Llama and back by renaming tensors.

Only JSON and safetensors files are read; no code of the model runs. Each shard gets a header with
the new names and its data is copied unchanged, so converting there and back gives the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from kofinlaw import Progress, UserError, silent
from kofinlaw.files import atomic_folder, write_json, write_text
from kofinlaw.models.weight_headers import weight_files
from kofinlaw.trainer.convert import name_tables as names
from kofinlaw.trainer.convert.adapter_conversion import convert_adapter
from kofinlaw.trainer.convert.config_conversion import (
    exaone_to_llama_config,
    llama_to_exaone_config,
    sizes_of,
)
from kofinlaw.trainer.convert.renamed_files import (
    CONVERTED,
    Converted,
    check_space,
    check_target,
    copy_rest,
    rename_shard,
    write_index,
)
from kofinlaw.trainer.merge.adapter_files import CONFIG as ADAPTER_CONFIG
from kofinlaw.trainer.merge.json_objects import (
    JsonObject,
    integer_at,
    read_object,
    read_object_if_present,
)
from kofinlaw.trainer.merge.tensor_files import TensorInfo, checkpoint_tensors

__all__ = ["exaone_to_llama", "llama_to_exaone"]


def exaone_to_llama(
    source: Path, out: Path, *, base: Path | None = None, progress: Progress = silent
) -> Converted:
    """Write the EXAONE 3.0 or 3.5 checkpoint `source` as a Llama checkpoint under `out`.

    Tokenizer, generation config, template and licence are copied byte for byte; `auto_map` and
    the model's code are left out.

    Args:
        source: a folder with a checkpoint or with a LoRA adapter.
        out: target folder, absent or empty.
        base: for an adapter, the converted base whose hash it will record.
        progress: receives the number of shards written.

    Raises UserError for an unknown or missing config key, for a tensor that is missing, unknown
    or of another shape, for a target that is not empty, and for a full disk.
    """
    if (source / ADAPTER_CONFIG).exists():
        return convert_adapter(source, out, names.EXAONE, base)
    text = _config_text(source)
    config = exaone_to_llama_config(json.loads(text), source / "config.json")
    rename = _renamed_tensors(source, config, names.EXAONE)

    def write_config(folder: Path) -> None:
        write_json(folder / "config.json", config)
        write_json(folder / CONVERTED, {"from": "exaone", "config": text})

    return _convert(source, out, rename, write_config, progress)


def llama_to_exaone(
    source: Path, out: Path, *, base: Path | None = None, progress: Progress = silent
) -> Converted:
    """Write a Llama checkpoint that came from EXAONE 3.x as an EXAONE checkpoint under `out`.

    Arguments and errors are those of `exaone_to_llama`.
    """
    if (source / ADAPTER_CONFIG).exists():
        return convert_adapter(source, out, names.LLAMA, base)
    where = source / "config.json"
    config = read_object(where)
    text = read_object_if_present(source / CONVERTED).get("config")
    original = json.loads(str(text)) if text else None
    written = llama_to_exaone_config(config, where, original)
    if "head_dim" not in config:
        heads = integer_at(config, "num_attention_heads", where)
        config["head_dim"] = integer_at(config, "hidden_size", where) // heads
    rename = _renamed_tensors(source, config, names.LLAMA)

    def write_config(folder: Path) -> None:
        if text and written == original:
            write_text(folder / "config.json", str(text))
        else:
            write_json(folder / "config.json", written)

    return _convert(source, out, rename, write_config, progress)


def _config_text(source: Path) -> str:
    read_object(source / "config.json")  # raises UserError for a broken file
    return (source / "config.json").read_text(encoding="utf-8")


def _renamed_tensors(source: Path, llama: JsonObject, side: names.Side) -> dict[str, str]:
    """Return the other side's name of every tensor, after a check of names and shapes.

    `llama` is the model's config in Llama's form; `side` says whose names the source has.
    """
    tied = bool(llama["tie_word_embeddings"])
    layers = integer_at(llama, "num_hidden_layers", source / "config.json")
    pairs = names.tensor_names(layers, tied=tied)
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
    found: dict[str, TensorInfo], llama: JsonObject, side: names.Side, source: Path
) -> None:
    sizes = sizes_of(llama, source / "config.json")
    table = (sizes["vocabulary"], sizes["hidden"])
    expected: dict[str, tuple[int, ...]] = {
        names.EMBEDDING[side]: table,
        names.HEAD[side]: table,
        names.FINAL_NORM[side]: (sizes["hidden"],),
    }
    for layer in range(sizes["layers"]):
        for exaone, llama_name, rows, columns in names.LAYER_TENSORS:
            name = f"{names.LAYER[side].format(layer)}{(exaone, llama_name)[side]}.weight"
            shape = (sizes[rows],) if columns is None else (sizes[rows], sizes[columns])
            expected[name] = shape
    for name, info in found.items():
        if info.shape != expected[name]:
            raise UserError(
                f"{name} has shape {info.shape}, but by the config it must be {expected[name]}",
                where=str(source),
            )


def _convert(
    source: Path,
    out: Path,
    rename: dict[str, str],
    write_config: Callable[[Path], None],
    progress: Progress,
) -> Converted:
    """Write a temporary folder next to `out`, which takes its name when it is complete."""
    check_target(source, out)
    files = weight_files(source)
    with atomic_folder(out) as partial:
        check_space(files, partial)
        for done, path in enumerate(files):
            progress("convert", done, len(files), shard=path.name)
            rename_shard(path, partial / path.name, rename)
        progress("convert", len(files), len(files))
        write_index(source, partial, rename)
        copy_rest(source, partial)
        write_config(partial)
    return Converted(tensors=len(rename), shards=len(files))
