"""Tokens of texts, each text tokenised once."""

from kofinlaw.data.solvers.tokens import TokenSets, bigram_tokens, morpheme_tokens


def test_a_text_is_tokenised_once():
    calls = []

    def tokenize(texts):
        calls.append(list(texts))
        return [list(text) for text in texts]

    tokens = TokenSets(tokenize)
    tokens.add(["가나", "다", "가나"])
    assert tokens.of(["다", "가나", "라라"]) == [
        frozenset("다"),
        frozenset("가나"),
        frozenset("라"),
    ]
    assert calls == [["가나", "다"], ["라라"]]


def test_bigrams_and_morphemes_split_words_differently():
    assert bigram_tokens(["금융회사는"]) == [["금융", "융회", "회사", "사는"]]
    assert "는" not in morpheme_tokens(["금융회사는"])[0]
