"""Rebuild a SentencePiece `tokenizer.model` from the token table of a GGUF file.

The quickstart model comes as GGUF, so its folder has no tokenizer.model, but llama.cpp's converter
needs one for Gemma. The table holds everything in it: texts, scores and types.
Format: https://github.com/google/sentencepiece/blob/master/src/sentencepiece_model.proto.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

from kofinlaw.models.gguf_table import CONTROL, UNKNOWN, USER_DEFINED, TokenTable
from kofinlaw.results import JsonValue

__all__ = ["BPE", "added_tokens", "differences", "sentencepiece_model"]

BPE = 2  # TrainerSpec.ModelType


def sentencepiece_model(table: TokenTable) -> bytes:
    """Return the bytes of tokenizer.model: a BPE model with byte fallback,
    without a dummy prefix, and with unchanged white space (Gemma's normaliser is the identity)."""
    out = bytearray()
    for number, (token, score, kind) in enumerate(
        zip(table.tokens, table.scores, table.types, strict=True)
    ):
        # GGUF writes user-defined pieces with spaces, SentencePiece with its own mark for them.
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


def added_tokens(table: TokenTable) -> dict[str, dict[str, JsonValue]]:
    """Return `added_tokens_decoder` of tokenizer_config.json,
    from which the converter reads types.
    """
    return {
        str(number): {"content": token, "special": kind == CONTROL}
        for number, (token, kind) in enumerate(zip(table.tokens, table.types, strict=True))
        if kind in (CONTROL, USER_DEFINED)
    }


def differences(ours: TokenTable, theirs: TokenTable) -> list[int]:
    """Return the ids whose text, score or type differs, except the unknown token's."""
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
