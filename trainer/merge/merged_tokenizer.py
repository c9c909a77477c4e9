"""Write the merged model's tokenizer: the adapter's where training added tokens, else the base's.

Every id that the adapter's tokenizer adds must have a row in the embedding.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.files import sha256_file
from kofinlaw.models import templates
from kofinlaw.models.rendering.control_tokens import own_template, token_text
from kofinlaw.trainer.merge.adapter_files import Adapter
from kofinlaw.trainer.merge.json_objects import (
    JsonObject,
    object_at,
    read_object,
    read_object_if_present,
)
from kofinlaw.trainer.merge.plan_records import MergePlan

__all__ = [
    "TEMPLATE",
    "TOKENIZER_FILES",
    "chat_template",
    "check_special_ids",
    "own_special_ids",
    "own_vocabulary",
    "write_tokenizer",
]

TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
)
TEMPLATE = "chat_template.jinja"
_CONFIG = "tokenizer_config.json"
_READING = ("model", "added_tokens", "normalizer", "pre_tokenizer")  # keys of tokenizer.json
_SPECIAL = ("bos_token", "eos_token", "pad_token")


def own_vocabulary(adapter: Path, base: Path) -> bool:
    """Return whether the adapter's tokenizer reads a text differently than the base's: by other
    tokens, merges or normalisation."""
    own, theirs = adapter / "tokenizer.json", base / "tokenizer.json"
    if not own.exists() or not theirs.exists():
        return own.exists()
    if sha256_file(own) == sha256_file(theirs):
        return False
    mine, base_tokens = read_object(own), read_object(theirs)
    return any(mine.get(key) != base_tokens.get(key) for key in _READING)


def chat_template(adapter: Adapter, base_folder: Path) -> templates.ChatTemplate:
    """Return the template the adapter was trained with: its folder's own, else the base's.

    Raises UserError where the template found is not the recorded one.
    """
    folder = adapter.folder
    found = templates.template_for(base_folder)
    named = folder / TEMPLATE
    written = own_template(folder)
    if own_vocabulary(folder, base_folder) and (folder / _CONFIG).exists():
        own = templates.template_for(folder)
        found = replace(
            own, source=found.source if written is None else written, name="adapter's own"
        )
    elif written is not None and named.exists():
        found = replace(found, source=written, name="adapter's own")
    recorded = adapter.record.get("template_sha256")
    if recorded is not None and recorded != found.sha256:
        raise UserError(
            "the chat template is not the one the adapter was trained with",
            where=str(named if named.exists() else base_folder),
            remedy="put the training's chat_template.jinja into the adapter's folder",
        )
    return found


def write_tokenizer(plan: MergePlan, folder: Path) -> dict[str, str]:
    """Copy the tokenizer's files into `folder`; returns SHA-256 by file name.

    Raises UserError where there is no tokenizer, where the vocabulary was resized and the adapter
    brings no tokenizer, and where the adapter's tokenizer has ids without a row.
    """
    own, base = plan.adapter.folder, plan.base_folder
    if plan.vocab_size is not None and not (own / "tokenizer.json").exists():
        raise UserError(
            f"training resized the vocabulary to {plan.vocab_size} tokens, but the adapter has no "
            "tokenizer.json",
            where=str(own),
            remedy="save the training's tokenizer into the adapter's folder; if no token was "
            "added, copy the base's",
        )
    if not own_vocabulary(own, base):
        own = base
    else:
        _check_ids(plan)
    written: dict[str, str] = {}
    for name in TOKENIZER_FILES:
        source = own / name
        # The pieces that a SentencePiece model lists stay the base's when tokens are added.
        if name in (_CONFIG, "tokenizer.model") and not source.exists():
            source = base / name
        if source.exists():
            shutil.copyfile(source, folder / name)
            written[name] = sha256_file(folder / name)
    if "tokenizer.json" not in written and "tokenizer.model" not in written:
        raise UserError("the base has no tokenizer", where=str(base))
    return written


def _check_ids(plan: MergePlan) -> None:
    """Raise UserError where a token that training added has no row in the embedding."""
    own, theirs = plan.adapter.folder / "tokenizer.json", plan.base_folder / "tokenizer.json"
    base_rows = _text_config(plan.base_config).get("vocab_size")
    rows = plan.vocab_size or base_rows
    if not isinstance(rows, int) or not isinstance(base_rows, int):
        return
    known = _vocabulary(theirs) if theirs.exists() else {}
    lost = [
        (number, token)
        for token, number in _vocabulary(own).items()
        # A base may have tokens without a row (Gemma 3's pictures); training did not add those.
        if number >= rows and (known.get(token) != number or number < base_rows)
    ]
    if lost:
        number, token = min(lost)
        raise UserError(
            f"the adapter's tokenizer has {len(lost)} tokens without a row in the embedding of "
            f"{rows} rows, first {token!r} ({number})",
            where=str(own),
            remedy="save the resized embedding with the adapter: save_pretrained(..., "
            "save_embedding_layers=True)",
        )


@lru_cache(maxsize=4)
def _read_vocabulary(path: Path, modified: int) -> dict[str, int]:
    from tokenizers import Tokenizer

    del modified  # only part of the cache's key
    try:
        vocabulary: dict[str, int] = Tokenizer.from_file(str(path)).get_vocab()
    except Exception as error:  # tokenizers raises plain Exception
        raise UserError(f"this tokenizer cannot be read: {error}", where=str(path)) from error
    return vocabulary


def _vocabulary(path: Path) -> dict[str, int]:
    return _read_vocabulary(path.resolve(), path.stat().st_mtime_ns)


def _text_config(config: JsonObject) -> JsonObject:
    """Return the part of a config.json that describes the language model."""
    return config if "vocab_size" in config else object_at(config, "text_config")


def own_special_ids(plan: MergePlan, folder: Path) -> dict[str, int]:
    """Return the ids of the special tokens of the adapter's own tokenizer, such as `pad_token_id`.

    Empty where the base's tokenizer is used. `folder` holds the merged tokenizer.
    """
    if not own_vocabulary(plan.adapter.folder, plan.base_folder):
        return {}
    config = read_object_if_present(plan.adapter.folder / _CONFIG)
    vocabulary = _vocabulary(folder / "tokenizer.json")
    ids = {f"{key}_id": vocabulary.get(token_text(config.get(key))) for key in _SPECIAL}
    return {key: number for key, number in ids.items() if number is not None}


def check_special_ids(config: JsonObject, rows: int | None, where: Path) -> None:
    """Raise UserError for a special token's id that lies beyond the rows of the embedding."""
    for key in ("bos_token_id", "eos_token_id", "pad_token_id"):
        value = config.get(key)
        ids = [i for i in (value if isinstance(value, list) else [value]) if isinstance(i, int)]
        if rows is not None and any(i >= rows for i in ids):
            raise UserError(
                f"{key} {json.dumps(value)} lies beyond the {rows} rows of the embedding",
                where=str(where),
                remedy="training made the vocabulary smaller than the base's special tokens need; "
                "train without shrinking it",
            )
