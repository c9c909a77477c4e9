"""EXAONE 3.x to Llama and back by renaming: JSON and safetensors only, no code of the model runs.

Weights are not touched: each shard's header is rewritten with the other names and its data copied
as it stands, so the way there and back gives the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kofinlaw import Progress, UserError, silent
from kofinlaw.files import atomic_folder, write_json, write_text
from kofinlaw.trainer.base_identity import weight_files
from kofinlaw.trainer.convert import names
from kofinlaw.trainer.convert.adapter import convert_adapter
from kofinlaw.trainer.convert.config import (
    exaone_to_llama_config,
    llama_to_exaone_config,
    sizes_of,
)
from kofinlaw.trainer.convert.files import (
    RECORD,
    check_space,
    check_target,
    copy_rest,
    rename_shard,
    write_index,
)
from kofinlaw.trainer.merge.adapter_files import read_object
from kofinlaw.trainer.merge.tensor_files import TensorInfo, checkpoint_tensors


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
        return convert_adapter(source, out, 0, base)
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
        return convert_adapter(source, out, 1, base)
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
    return {"tensors": len(rename), "shards": len(files)}
