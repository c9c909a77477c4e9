"""The tokenizer.model that is rebuilt from a GGUF file's token table."""

from __future__ import annotations

import struct

import pytest

from kofinlaw import UserError
from kofinlaw.models.gguf_table import TokenTable, token_table
from kofinlaw.trainer.export import sentencepiece_table


def fields(data):
    """Protobuf as [(field, value)]: numbers, 4-byte floats and byte strings."""
    out, at = [], 0

    def varint(at):
        value = shift = 0
        while True:
            byte = data[at]
            value |= (byte & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if byte < 0x80:
                return value, at

    while at < len(data):
        key, at = varint(at)
        if key & 7 == 0:
            value, at = varint(at)
        elif key & 7 == 5:
            value, at = struct.unpack_from("<f", data, at)[0], at + 4
        else:
            size, at = varint(at)
            value, at = data[at : at + size], at + size
        out.append((key >> 3, value))
    return out


def test_the_token_table_of_a_gguf_is_read_whole(tmp_path, write_gguf, pico_vocabulary):
    table = token_table(write_gguf(tmp_path / "v.gguf"))
    assert (list(table.tokens), list(table.scores), list(table.types)) == pico_vocabulary
    assert (table.bos, table.eos, table.unknown, table.padding) == (1, 2, 0, -1)


def test_the_rebuilt_tokenizer_model_holds_every_piece(tmp_path, write_gguf):
    table = token_table(write_gguf(tmp_path / "v.gguf"))
    parts = fields(sentencepiece_table.sentencepiece_model(table))
    pieces = [dict(fields(value)) for field, value in parts if field == 1]
    assert len(pieces) == len(table.tokens)
    assert pieces[3] == {1: "\u2581\u2581".encode(), 2: -1000.0, 3: 4}
    assert pieces[0][3] == 2
    assert pieces[261 + 3] == {1: "은행".encode(), 2: -3.0}
    trainer = dict(fields(next(value for field, value in parts if field == 2)))
    assert (trainer[3], trainer[35], trainer[40], trainer[41], trainer[42]) == (2, 1, 0, 1, 2)
    assert trainer[43] == (1 << 64) - 1  # -1: no padding token
    normalizer = dict(fields(next(value for field, value in parts if field == 3)))
    assert (normalizer[1], normalizer[3]) == (b"identity", 0)


def test_differences_name_the_ids(tmp_path, write_gguf):
    table = token_table(write_gguf(tmp_path / "v.gguf"))
    other = TokenTable(
        (*table.tokens[:5], "x", *table.tokens[6:-1]),
        table.scores[:-1],
        table.types[:-1],
        1,
        2,
        0,
        -1,
    )
    assert sentencepiece_table.differences(table, other) == [5, len(table.tokens) - 1]
    assert sentencepiece_table.differences(table, table) == []


@pytest.mark.parametrize("damage", ["magic", "cut", "empty", "kind"])
def test_a_damaged_gguf_is_refused(tmp_path, damage, write_gguf):
    path = write_gguf(tmp_path / "v.gguf", model="gpt2" if damage == "kind" else "llama")
    data = path.read_bytes()
    path.write_bytes(
        {"magic": b"XXXX" + data[4:], "cut": data[:2000], "empty": b"", "kind": data}[damage]
    )
    with pytest.raises(UserError, match=r"not a GGUF|damaged|empty|not a SentencePiece"):
        token_table(path)
