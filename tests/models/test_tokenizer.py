"""The light tokenizer against transformers, and its errors."""

from __future__ import annotations

import pytest

from kofinlaw import UserError
from kofinlaw.models.tokenizer import load_tokenizer

TEXT = "<s>전자금융거래법 제9조 ①항: 손해를 배상할 책임을 진다.</s>"


def test_the_light_tokenizer_agrees_with_transformers(llama):
    from transformers import AutoTokenizer

    ours = load_tokenizer(llama)
    theirs = AutoTokenizer.from_pretrained(llama, local_files_only=True)
    assert ours.encode(TEXT) == theirs.encode(TEXT, add_special_tokens=False)
    assert ours.encode_batch([TEXT, "가"]) == [ours.encode(TEXT), ours.encode("가")]
    assert ours.count(TEXT) == len(ours.encode(TEXT))
    assert ours.decode(ours.encode(TEXT), skip_special_tokens=False) == TEXT
    assert ours.decode(ours.encode(TEXT)) == TEXT[3:-4]
    assert (ours.special("bos_token"), ours.special("eos_token"), ours.id_of("없는 토큰")) == (
        1,
        2,
        None,
    )


def test_offsets_cover_the_text(llama):
    ids, offsets = load_tokenizer(llama).offsets("손해 배상 a1")
    assert len(ids) == len(offsets)
    assert offsets[-1][1] == len("손해 배상 a1")


def test_a_missing_or_broken_tokenizer_is_one_error(llama, tmp_path):
    with pytest.raises(UserError, match=r"no tokenizer\.json"):
        load_tokenizer(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{", encoding="utf-8")
    with pytest.raises(UserError, match=r"broken tokenizer\.json"):
        load_tokenizer(tmp_path)
