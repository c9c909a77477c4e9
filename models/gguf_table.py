"""Read the token table of a GGUF file and build the BPE tokenizer that it describes.

The GGUF format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. SentencePiece's BPE
repeatedly merges the neighbouring pair whose merged piece has the best score
(https://github.com/google/sentencepiece/blob/master/src/bpe_model.cc).
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kofinlaw import UserError

__all__ = [
    "ARRAY",
    "CONTROL",
    "NORMAL",
    "SCALARS",
    "STRING",
    "UNKNOWN",
    "USER_DEFINED",
    "TokenTable",
    "added_tokens",
    "bpe_model",
    "read_gguf_metadata",
    "token_table",
]

NORMAL, UNKNOWN, CONTROL, USER_DEFINED = 1, 2, 3, 4
SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?"}
SCALARS |= {10: "<Q", 11: "<q", 12: "<d"}
STRING, ARRAY = 8, 9


@dataclass(frozen=True, slots=True)
class TokenTable:
    """A vocabulary in the order of its ids.

    `types` are those of GGUF and SentencePiece: 1 normal, 2 unknown, 3 control, 4 user defined,
    5 unused, 6 byte. `bos`, `eos`, `unknown` and `padding` are ids; `padding` -1 means none.
    """

    tokens: tuple[str, ...]
    scores: tuple[float, ...]
    types: tuple[int, ...]
    bos: int
    eos: int
    unknown: int
    padding: int


def read_gguf_metadata(path: Path) -> dict[str, Any]:
    """Return the metadata of a GGUF file by key.

    Raises: UserError if the file is not GGUF, is damaged or has an unknown version.
    """
    with open(path, "rb") as handle:
        try:
            data = mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError as error:
            raise UserError("this file is empty", where=str(path)) from error
        with data:
            if data[:4] != b"GGUF":
                raise UserError("this is not a GGUF file", where=str(path))
            try:
                version, _, count = struct.unpack_from("<IQQ", data, 4)
                if version not in (2, 3):
                    raise UserError(f"GGUF version {version} is not supported", where=str(path))
                position, found = 24, {}
                for _ in range(count):
                    key, position = _string(data, position)
                    (kind,) = struct.unpack_from("<I", data, position)
                    found[key], position = _value(data, position + 4, kind)
            except (struct.error, KeyError, UnicodeDecodeError) as error:
                raise UserError("this GGUF file is damaged", where=str(path)) from error
    return found


def _string(data: mmap.mmap, position: int) -> tuple[str, int]:
    (length,) = struct.unpack_from("<Q", data, position)
    end = position + 8 + length
    if end > len(data):
        raise struct.error("string runs past the end")
    return data[position + 8 : end].decode("utf-8"), end


def _value(data: mmap.mmap, position: int, kind: int) -> tuple[Any, int]:
    if kind == STRING:
        return _string(data, position)
    if kind != ARRAY:
        form = SCALARS[kind]
        return struct.unpack_from(form, data, position)[0], position + struct.calcsize(form)
    inner, count = struct.unpack_from("<IQ", data, position)
    position += 12
    if inner in SCALARS:
        form = f"<{count}{SCALARS[inner][1]}"
        values = struct.unpack_from(form, data, position)
        return list(values), position + struct.calcsize(form)
    items = []
    for _ in range(count):
        item, position = _value(data, position, inner)
        items.append(item)
    return items, position


def token_table(gguf: Path) -> TokenTable:
    """Return the vocabulary of a GGUF file.

    Raises: UserError if its tokenizer is not a SentencePiece model, or if a field is missing.
    """
    found = read_gguf_metadata(gguf)
    if found.get("tokenizer.ggml.model") != "llama":
        raise UserError("the tokenizer of this file is not a SentencePiece model", where=str(gguf))
    stem = "tokenizer.ggml"
    try:
        return TokenTable(
            tokens=tuple(found[f"{stem}.tokens"]),
            scores=tuple(found[f"{stem}.scores"]),
            types=tuple(found[f"{stem}.token_type"]),
            bos=found[f"{stem}.bos_token_id"],
            eos=found[f"{stem}.eos_token_id"],
            unknown=found[f"{stem}.unknown_token_id"],
            padding=found.get(f"{stem}.padding_token_id", -1),
        )
    except KeyError as error:
        raise UserError(f"the vocabulary of this file has no {error}", where=str(gguf)) from error


def bpe_model(table: TokenTable) -> dict[str, object]:
    """Return the `model` part of a tokenizer.json that splits text as the table's BPE does.

    There is one merge for every way to split a normal piece into two pieces of the vocabulary.
    Merges are ordered by the score of the merged piece, best first, and ties by the ids of the
    parts. White space is written as U+2581, except in the pieces of `added_tokens`, which are
    searched in the unchanged text. Text that no piece covers falls back to bytes.
    """
    ids: dict[str, int] = {}
    for number, token in enumerate(table.tokens):
        is_added = table.types[number] in (CONTROL, USER_DEFINED)
        ids.setdefault(token if is_added else token.replace(" ", "\u2581"), number)
    ranked: list[tuple[float, int, int, str, str]] = []
    for piece, number in ids.items():
        if table.types[number] != NORMAL:
            continue
        for cut in range(1, len(piece)):
            left, right = piece[:cut], piece[cut:]
            if left in ids and right in ids:
                ranked.append((-table.scores[number], ids[left], ids[right], left, right))
    ranked.sort(key=lambda merge: merge[:3])
    return {
        "type": "BPE",
        "dropout": None,
        "unk_token": table.tokens[table.unknown],
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
        "fuse_unk": True,
        "byte_fallback": True,
        "ignore_merges": False,
        "vocab": ids,
        "merges": [[left, right] for _, _, _, left, right in ranked],
    }


def added_tokens(table: TokenTable) -> list[dict[str, object]]:
    """Return the `added_tokens` part of a tokenizer.json: pieces that are never split.

    Control pieces are special, so that decoding can skip them.
    """
    return [
        {
            "id": number,
            "content": token,
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
            "special": table.types[number] != USER_DEFINED,
        }
        for number, token in enumerate(table.tokens)
        if table.types[number] in (UNKNOWN, CONTROL, USER_DEFINED)
    ]
