"""The static embedder's tokenizer splits the training texts as the whole vocabulary does."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer
from tokenizers.models import Unigram, WordLevel

from kofinlaw.trainer.retriever.static import keep_pieces

PIECES = [
    ("<unk>", 0.0),
    *((piece, -4.0) for piece in "가나다라"),
    *((piece, -2.0) for piece in ("가나", "다라", "나다", "가나다", "라라")),
]


@given(st.lists(st.text("가나다라마", min_size=1, max_size=12), min_size=1, max_size=5))
@settings(max_examples=50, deadline=None)
def test_texts_are_split_as_before(texts: list[str]) -> None:
    whole = Tokenizer(Unigram(PIECES, unk_id=0, byte_fallback=False))
    used = {token for text in texts for token in whole.encode(text).ids}
    small, kept = keep_pieces(whole, used)
    assert small.get_vocab_size() == len(kept)
    for text in texts:
        assert [kept[token] for token in small.encode(text).ids] == whole.encode(text).ids


def test_a_vocabulary_of_another_kind_stays_whole() -> None:
    words = Tokenizer(WordLevel({"<unk>": 0, "가": 1, "나": 2}, unk_token="<unk>"))
    small, kept = keep_pieces(words, [1])
    assert small is words
    assert kept == [0, 1, 2]
