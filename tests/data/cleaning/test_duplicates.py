"""Near duplicates: compared with brute force."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from kofinlaw.data.cleaning import duplicates


def brute(codes, threshold, width=5):
    shingles = [duplicates.shingles(c, width) for c in codes]
    return [
        (i, j)
        for i in range(len(shingles))
        for j in range(i + 1, len(shingles))
        if duplicates.jaccard(shingles[i], shingles[j]) >= threshold
    ]


def test_planted_copies_are_found_and_others_are_not():
    rng = random.Random(3)
    words = [f"{a}{b}" for a in "은행전자금융거래이용자정보" for b in "법규정조항호목의무금지책임"]
    texts = [" ".join(rng.choices(words, k=60)) for _ in range(300)]
    for row in range(0, 100, 2):
        copy = texts[row].split()
        copy[rng.randrange(60)] = "바꿈"
        texts[row + 1] = " ".join(copy)
    codes = [duplicates.character_codes(t) for t in texts]
    pairs = duplicates.near_duplicates(codes, 0.8)
    assert [(p.first, p.second) for p in pairs] == brute(codes, 0.8)
    assert {(n, n + 1) for n in range(0, 100, 2)} <= {(p.first, p.second) for p in pairs}


def test_equal_texts_meet_and_empty_ones_do_not():
    codes = [duplicates.character_codes(t) for t in ("은행법", "은 행 법", "", "", "가")]
    assert [(p.first, p.second, p.similarity) for p in duplicates.near_duplicates(codes, 0.9)] == [
        (0, 1, 1.0)
    ]


def test_a_run_does_not_reach_into_the_next_text():
    texts = ["가나다라마바사아", "자차카타파하거너", "가나다라마바사아"]
    codes = [duplicates.character_codes(t) for t in texts]
    rows = duplicates.signatures(codes, 5)
    alone = [duplicates.signatures([c], 5)[0] for c in codes]
    assert all((row == one).all() for row, one in zip(rows, alone, strict=True))


def test_a_crowd_of_copies_is_one_cluster():
    codes = [duplicates.character_codes("같은 글이 여러 번 나온다")] * 200
    pairs = duplicates.near_duplicates(codes, 0.9)
    assert duplicates.clusters(pairs, 200) == [0] * 200


def test_morphemes_make_shingles_that_depend_on_their_order():
    one = duplicates.shingles(duplicates.morpheme_codes(["은행", "이용자", "보호", "의무"]), 3)
    two = duplicates.shingles(duplicates.morpheme_codes(["의무", "보호", "이용자", "은행"]), 3)
    assert len(one) == 2
    assert duplicates.jaccard(one, two) == 0.0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(alphabet="가나다", max_size=20), min_size=2, max_size=8))
def test_claimed_similarities_are_true(texts):
    codes = [duplicates.character_codes(t) for t in texts]
    for pair in duplicates.near_duplicates(codes, 0.5):
        first, second = (
            {t[n : n + 5] for n in range(max(1, len(t) - 4))}
            for t in (texts[pair.first], texts[pair.second])
        )
        assert pair.similarity == round(len(first & second) / len(first | second), 4)


@given(cuts=st.lists(st.integers(1, 40), max_size=6))
@settings(max_examples=20, deadline=None)
def test_candidates_do_not_depend_on_how_many_texts_come_at_a_time(cuts):
    words = [
        "은행",
        "이용자",
        "금융",
        "거래",
        "정보",
        "보호",
        "의무",
        "책임",
        "손해",
        "배상",
        "신고",
        "접수",
    ]
    texts = [" ".join(words[(n * k) % 12] for k in range(1, 30)) for n in range(40)]
    codes = [duplicates.character_codes(text) for text in texts]
    whole, pieces = duplicates.BandTable(0.85), duplicates.BandTable(0.85)
    whole.add(codes)
    start = 0
    for size in [*cuts, len(codes)]:
        pieces.add(codes[start : start + size])
        start += size
    assert list(pieces.candidates()) == list(whole.candidates())
    assert any(True for _ in whole.candidates())
