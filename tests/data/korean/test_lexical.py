"""BM25: scores, ties, and the same result after saving."""

import math
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kofinlaw import UserError
from kofinlaw.data.korean import lexical
from kofinlaw.data.korean.lexical import LexicalIndex


def test_scores_are_lucene_bm25():
    index = LexicalIndex.build([["은행", "은행", "법"], ["법"], ["보험", "법"]])
    rows, scores = index.query(["은행"], 3)
    idf = math.log(1 + (3 - 1 + 0.5) / (1 + 0.5))
    tf = 2 / (2 + 1.5 * (1 - 0.75 + 0.75 * 3 / 2))
    assert rows.tolist() == [0]
    assert scores[0] == pytest.approx(idf * tf, rel=1e-5)


def test_ties_are_in_the_order_of_the_passages():
    index = LexicalIndex.build([["가"], ["나"], ["가"], ["가"]])
    rows, scores = index.query(["가"], 2)
    assert rows.tolist() == [0, 2]
    assert scores[0] == scores[1]


def test_nothing_is_found_for_unknown_words_and_in_empty_corpora():
    for tokens in ([], [[], []], [["가"]]):
        rows, scores = LexicalIndex.build(tokens).query(["없는말"], 5)
        assert rows.tolist() == []
        assert scores.tolist() == []


_SAVE = """
import sys
from pathlib import Path
from kofinlaw.data.korean.lexical import LexicalIndex
words = "은행 보험 증권 약관 법 시행령 규칙 신고 보고 공시".split()
LexicalIndex.build([words, [], words[3:], words[:5]]).save(Path(sys.argv[1]))
"""


def test_the_files_do_not_depend_on_the_hash_seed_of_the_process(tmp_path):
    found = []
    for seed in ("1", "2"):
        folder = tmp_path / seed
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        subprocess.run([sys.executable, "-c", _SAVE, str(folder)], check=True, env=environment)
        found.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert found[0] == found[1]
    assert len(found[0]) > 3


def test_a_saved_index_answers_as_before(tmp_path):
    index = LexicalIndex.build([["은행", "법"], [], ["법"]])
    index.save(tmp_path / "index")
    again = LexicalIndex.load(tmp_path / "index")
    assert again.documents == 3
    for query in (["은행"], ["법"], ["법", "법", "은행"], []):
        assert np.array_equal(index.scores(query), again.scores(query))
    LexicalIndex.build([]).save(tmp_path / "empty")
    assert LexicalIndex.load(tmp_path / "empty").documents == 0


def test_a_folder_without_an_index_is_an_error(tmp_path):
    with pytest.raises(UserError, match="no lexical index"):
        LexicalIndex.load(tmp_path)


def test_the_compiled_scorer_gives_the_same_bits(monkeypatch):
    tokens = [[str(n % 7), str(n % 5), "공통"] for n in range(200)]
    plain = LexicalIndex.build(tokens)
    monkeypatch.setattr(lexical, "NUMBA_FROM_POSTINGS", 0)
    compiled = LexicalIndex.build(tokens)
    query = ["3", "공통", "4", "3"]
    assert np.array_equal(plain.scores(query), compiled.scores(query))


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from("가나다라마"), max_size=6), min_size=1, max_size=12),
    st.lists(st.sampled_from("가나다바"), max_size=4),
    st.integers(0, 15),
)
def test_the_best_k_are_the_head_of_the_full_order(tokens, query, k):
    index = LexicalIndex.build(tokens)
    scores = index.scores(query)
    order = sorted((p for p in range(len(tokens)) if scores[p] > 0), key=lambda p: (-scores[p], p))
    assert index.query(query, k)[0].tolist() == order[:k]
