"""The bytes of tokens, and tokens after a prompt, for both kinds of vocabularies."""

from __future__ import annotations

import pytest

from kofinlaw.models.engines.token_bytes import token_bytes
from kofinlaw.models.tokenizer import load_tokenizer


def sentencepiece(folder):
    """A vocabulary as SOLAR's: ▁ before a text's first word, bytes for what it does not know."""
    from tokenizers import Tokenizer, decoders, models, normalizers

    pieces = ["<pad>", "<s>", "</s>", *(f"<0x{n:02X}>" for n in range(256))]
    pieces += ["▁", "\n", "1", "▁1", "가", "나", "▁가"]
    tokenizer = Tokenizer(
        models.BPE(
            vocab={piece: n for n, piece in enumerate(pieces)},
            merges=[("▁", "1"), ("▁", "가")],
            byte_fallback=True,
            unk_token="<pad>",
        )
    )
    tokenizer.add_special_tokens(["<pad>", "<s>", "</s>"])
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    folder.mkdir()
    tokenizer.save(str(folder / "tokenizer.json"))
    return load_tokenizer(folder)


def test_a_label_after_a_line_break_is_the_token_that_training_saw(tmp_path):
    tokenizer = sentencepiece(tmp_path / "solar")
    (alone,) = tokenizer.encode("1")
    assert tokenizer.decode([alone]) == " 1"
    whole = tokenizer.encode("가나\n1")
    assert tokenizer.continuation("가나\n", "1") == whole[-1:] != [alone]


@pytest.mark.parametrize("kind", ["byte-level", "sentencepiece"])
def test_the_bytes_of_a_texts_tokens_are_the_texts_bytes(kind, llama, tmp_path):
    tokenizer = sentencepiece(tmp_path / "sp") if kind == "sentencepiece" else load_tokenizer(llama)
    pieces, special = token_bytes(tokenizer)
    text = "가나다 힣 1\n제9조"
    joined = b"".join(pieces[token] for token in tokenizer.encode(text)).decode("utf-8")
    assert joined.lstrip(" ") == text
    assert [pieces[token] for token in special] == [b""] * len(special)
    assert len(special) >= 3
