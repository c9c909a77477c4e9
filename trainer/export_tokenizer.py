"""A SentencePiece `tokenizer.model` rebuilt from a GGUF's token table.

The quickstart model ships as GGUF, so its folder has no tokenizer.model, which llama.cpp's
converter wants for Gemma. The table holds all of it: texts, scores and types.
Formats: GGUF https://github.com/ggml-org/ggml/blob/master/docs/gguf.md; SentencePiece
https://github.com/google/sentencepiece/blob/master/src/sentencepiece_model.proto.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kofinlaw import UserError

UNKNOWN, CONTROL, USER_DEFINED = 2, 3, 4
SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?"}
SCALARS |= {10: "<Q", 11: "<q", 12: "<d"}
STRING, ARRAY = 8, 9
BPE = 2  # TrainerSpec.ModelType


@dataclass(frozen=True, slots=True)
class TokenTable:
    """A vocabulary in id order. `types` as in GGUF and SentencePiece alike: 1 normal, 2 unknown,
    3 control, 4 user defined, 5 unused, 6 byte."""

    tokens: tuple[str, ...]
    scores: tuple[float, ...]
    types: tuple[int, ...]
    bos: int
    eos: int
    unknown: int
    padding: int


def read_gguf_metadata(path: Path) -> dict[str, Any]:
    """The key-value part of a GGUF file; raises UserError where it is not one or is cut off."""
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
                    raise UserError(f"GGUF version {version} is not known", where=str(path))
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
    """The vocabulary of a GGUF file with a SentencePiece tokenizer; raises UserError for others."""
    found = read_gguf_metadata(gguf)
    if found.get("tokenizer.ggml.model") != "llama":
        raise UserError("its tokenizer is not a SentencePiece model", where=str(gguf))
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
        raise UserError(f"its vocabulary lacks {error}", where=str(gguf)) from error


def sentencepiece_model(table: TokenTable) -> bytes:
    """The bytes of tokenizer.model: a BPE model with byte fallback, no dummy prefix, and white
    space as it stands (Gemma's normaliser is the identity)."""
    out = bytearray()
    for number, (token, score, kind) in enumerate(
        zip(table.tokens, table.scores, table.types, strict=True)
    ):
        # GGUF shows the spaces of user-defined pieces, SentencePiece its own mark for them.
        text = token.replace(" ", "\u2581")
        piece = _bytes(1, text.encode("utf-8")) + _float(2, score)
        if number == table.unknown:
            kind = UNKNOWN
        out += _bytes(1, piece + (_number(3, kind) if kind != 1 else b""))
    ids = [(40, table.unknown), (41, table.bos), (42, table.eos), (43, table.padding)]
    trainer = _number(3, BPE) + _number(4, len(table.tokens)) + _number(35, 1)
    trainer += b"".join(_number(field, value) for field, value in ids)
    normalizer = _bytes(1, b"identity") + _number(3, 0) + _number(4, 0) + _number(5, 1)
    return bytes(out + _bytes(2, trainer) + _bytes(3, normalizer))


def added_tokens(table: TokenTable) -> dict[str, dict[str, Any]]:
    """`added_tokens_decoder` of tokenizer_config.json: what the converter reads types from."""
    return {
        str(number): {"content": token, "special": kind == CONTROL}
        for number, (token, kind) in enumerate(zip(table.tokens, table.types, strict=True))
        if kind in (CONTROL, USER_DEFINED)
    }


def differences(ours: TokenTable, theirs: TokenTable) -> list[int]:
    """Ids whose text, score or type is not the same (the unknown token's type aside)."""
    first, second = (
        list(zip(table.tokens, table.scores, table.types, strict=True)) for table in (ours, theirs)
    )
    width = max(len(first), len(second))
    return [
        number
        for number in range(width)
        if first[number : number + 1] != second[number : number + 1] and number != ours.unknown
    ]


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1  # negative numbers as protobuf writes int32: ten bytes
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _float(field: int, value: float) -> bytes:
    return _varint(field << 3 | 5) + struct.pack("<f", value)


def _bytes(field: int, value: Iterable[int]) -> bytes:
    raw = bytes(value)
    return _varint(field << 3 | 2) + _varint(len(raw)) + raw
