"""Batches of an encoder: every text once, in order, under the limits and as few as possible."""

import pytest
from hypothesis import given
from hypothesis import strategies as st


@given(
    st.lists(st.integers(1, 50), max_size=40).map(sorted),
    st.integers(1, 8),
    st.none() | st.integers(1, 200),
)
def test_batches_hold_every_text_once_under_both_limits_and_are_as_long_as_they_can(
    lengths, texts, tokens
):
    from kofinlaw.models.embedding.batches import cut_batches

    bounds = cut_batches(lengths, texts=texts, tokens=tokens)
    assert [i for start, end in bounds for i in range(start, end)] == list(range(len(lengths)))

    def fits(start, end):
        count = end - start
        padded = lengths[end - 1] * count
        return count == 1 or (count <= texts and (tokens is None or padded <= tokens))

    for start, end in bounds:
        assert fits(start, end)
        assert end == len(lengths) or not fits(start, end + 1)


def test_without_a_limit_of_tokens_batches_have_a_fixed_number_of_texts():
    from kofinlaw.models.embedding.batches import cut_batches

    assert cut_batches([9] * 70, texts=32) == [(0, 32), (32, 64), (64, 70)]
    assert cut_batches([], texts=32) == []


def test_vectors_do_not_depend_on_the_batches(tmp_path):
    import numpy as np

    from kofinlaw.models.embedders import CachedEmbedder

    seen = []

    def encode(texts, query):
        seen.append(len(texts))
        rows = [[len(text), text.count("제") + 1] for text in texts]
        return np.array(rows, np.float32)

    texts = ["제1조 " * n for n in range(1, 80)]
    few = CachedEmbedder("표본", 2, encode)
    many = CachedEmbedder("표본", 2, encode, card_tokens=600)
    assert np.array_equal(few.encode_passages(texts), many.encode_passages(texts))
    assert seen[:3] == [32, 32, 15]
    assert sum(seen[3:]) == len(texts)
    longest = max(map(len, texts))
    assert seen[-1] == 600 // (longest + 2) == 1
    assert seen[3] > 5


@pytest.mark.parametrize("tokens", [None, 64])
def test_a_cross_encoder_scores_the_same_with_batches_of_tokens(tokens, tmp_path):
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    from kofinlaw.rag.retrieve.cross_encoder import CrossEncoder

    words = ["[PAD]", "[UNK]", "기한", "보고", "금융", "회사", "신고", "[SEP]"]
    inner = Tokenizer(models.WordLevel({w: n for n, w in enumerate(words)}, "[UNK]"))
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=inner, pad_token="[PAD]", unk_token="[UNK]", model_max_length=64
    )
    torch.manual_seed(0)
    shape = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = BertConfig(
        vocab_size=8, intermediate_size=32, max_position_embeddings=64, num_labels=1, **shape
    )
    model = BertForSequenceClassification(config).eval()
    with torch.no_grad():  # scores that are not all near one half
        model.bert.embeddings.word_embeddings.weight.mul_(50)
        model.classifier.weight.mul_(50)
    pairs = [("기한 보고", "금융 회사 " * n) for n in range(1, 40)]
    expected = [CrossEncoder(model, tokenizer).score([pair])[0] for pair in pairs]
    found = CrossEncoder(model, tokenizer, card_tokens=tokens).score(pairs)
    assert found == pytest.approx(expected, abs=1e-6)
    assert len({round(score, 6) for score in expected}) > 10
