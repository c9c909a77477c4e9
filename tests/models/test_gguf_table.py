"""The BPE of a GGUF's token table, on a table small enough to split by hand."""

from __future__ import annotations

import pytest
from tokenizers import Tokenizer

from kofinlaw.files import read_jsonl
from kofinlaw.models import quickstart
from kofinlaw.models.gguf_table import TokenTable, bpe_model
from kofinlaw.records import Chunk

PIECES = [
    ("<unk>", 2, 0.0),
    ("a", 1, -10.0),
    ("b", 1, -11.0),
    ("c", 1, -12.0),
    ("ab", 1, -2.0),
    ("bc", 1, -1.0),
    ("abc", 1, -3.0),
    (" ", 1, -13.0),
    (" a", 1, -4.0),
    *((f"<0x{byte:02X}>", 6, 0.0) for byte in range(256)),
]


@pytest.fixture
def tokenizer() -> Tokenizer:
    import json

    tokens, types, scores = zip(*PIECES, strict=True)
    table = TokenTable(tokens, scores, types, bos=0, eos=0, unknown=0, padding=-1)
    whole = json.loads(Tokenizer.from_str(json.dumps({"model": bpe_model(table)})).to_str())
    whole["normalizer"] = {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"}
    return Tokenizer.from_str(json.dumps(whole))


def test_the_best_scored_join_comes_first(tokenizer):
    # bc (-1) is joined before ab (-2); then a + bc gives abc.
    assert tokenizer.encode("abc").tokens == ["abc"]
    assert tokenizer.encode("abb").tokens == ["ab", "b"]
    assert tokenizer.encode("bca").tokens == ["bc", "a"]


def test_a_space_joins_what_follows(tokenizer):
    # a + b (-2) is better than space + a (-4), so the space stays alone before "ab".
    assert tokenizer.encode("c a").tokens == ["c", "\u2581a"]
    assert tokenizer.encode("c ab").tokens == ["c", "\u2581", "ab"]


def test_what_no_piece_covers_falls_back_to_bytes(tokenizer):
    assert tokenizer.encode("가").tokens == ["<0xEA>", "<0xB0>", "<0x80>"]


@pytest.mark.skipif(
    quickstart.converted_folder() is None,
    reason="the quickstart model is not converted yet on this machine",
)
def test_the_quickstart_tokenizer_splits_as_llama_cpp_does(tmp_path):
    from pathlib import Path

    from kofinlaw.data.corpus import build_corpus
    from kofinlaw.data.settings import DataSettings
    from kofinlaw.models.quickstart import quickstart_gguf, quickstart_model
    from kofinlaw.models.tokenizer import load_tokenizer
    from kofinlaw.trainer.proof.gguf_measure import GgufModel

    sample = Path(quickstart.__file__).resolve().parent.parent / "data" / "sample" / "corpus"
    build_corpus(DataSettings(sources=[{"path": str(sample)}]), tmp_path, base=tmp_path)
    ours = load_tokenizer(quickstart_model())
    theirs = GgufModel(quickstart_gguf(), context=64, threads=1)
    texts = [chunk.text for chunk in read_jsonl(tmp_path / "chunks.jsonl", Chunk)]
    texts += ["표  안의   빈칸\n\n\n줄", "<table><tr>값</tr>", "a\tb", "😀 한글 ㄱㄴㄷ ﷽"]
    assert len(texts) > 50
    assert [ours.encode(text) for text in texts] == [theirs.tokenize(text) for text in texts]
