import importlib.util
import random
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kofinlaw import UserError
from kofinlaw.data.cleaning import contamination, duplicates, personal
from kofinlaw.data.cleaning.quality import judge
from kofinlaw.data.settings import QualitySettings

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "personal_data.py"
spec = importlib.util.spec_from_file_location("personal_samples", BENCHMARK)
samples = importlib.util.module_from_spec(spec)
spec.loader.exec_module(samples)


@pytest.mark.parametrize(
    "text, kinds",
    [
        ("900101-1234568", ["주민등록번호"]),
        ("9001011234568", ["주민등록번호"]),
        ("9001011234567", []),
        ("주민번호 9001011234567", ["주민등록번호"]),
        ("901301-1234568", []),
        ("900101-5234561", ["외국인등록번호"]),
        ("220-81-62517", ["사업자등록번호"]),
        ("220-81-62518", []),
        ("사업자등록번호: 220-81-62518", ["사업자등록번호"]),
        ("4111-1111-1111-1111", ["카드번호"]),
        ("4111-1111-1111-1112", []),
        ("010-1234-5678", ["전화번호"]),
        ("02-2100-2536", ["전화번호"]),
        ("1588-1234로", ["전화번호"]),
        ("hong.gd@bank.co.kr로", ["전자우편"]),
        ("입금 계좌 110-123-456789", ["계좌번호"]),
        ("110-123-456789", []),
        ("여권 M12345678", ["여권번호"]),
        ("번호 M12345678", []),
        ("여권번호 M123A4567", ["여권번호"]),
        ("운전면허 11-19-123456-01", ["운전면허번호"]),
        ("서울특별시 중구 세종대로 110", ["주소"]),
        ("서울특별시장은 제3조제1항에 따라", []),
        ("2013. 12. 3., 2022. 11. 23. 제2100-2536호", []),
        ("1,234,567,890원과 100분의 10", []),
    ],
)
def test_personal_data_is_told_from_other_numbers(text, kinds):
    assert [f.kind for f in personal.find_personal_data(text)] == kinds


def test_what_is_found_is_masked_and_the_rest_stays():
    text = "홍길동(010-1234-5678)에게 hong@bank.kr로 알린다."
    assert personal.mask_personal_data(text) == (
        "홍길동([전화번호])에게 [전자우편]로 알린다.",
        ("전화번호", "전자우편"),
    )


@pytest.mark.parametrize("kind", sorted(samples.KINDS))
def test_generated_personal_data_of_every_form_is_found(kind):
    assert samples.missed(kind, 200, seed=2) == []


@pytest.mark.parametrize(
    "text",
    [
        "서울특별시 중구에 있는 은행 3개",
        "경기도 수원시 또는 성남시의 도로 12곳",
        "제3조제2항제1호 2024-01-02부터 100-200까지",
        "여권법 제2조, 운전면허 1종 100명",
        "은행은 2020. 5. 19.부터 1,000,000,000원을",
    ],
)
def test_words_that_look_like_personal_data_stay(text):
    assert personal.find_personal_data(text) == []


def resident_number(rng):
    digits = f"{rng.randrange(40, 100)}{rng.randrange(1, 13):02d}{rng.randrange(1, 29):02d}"
    digits += str(rng.choice([1, 2])) + "".join(str(rng.randrange(10)) for _ in range(5))
    weights = (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)
    total = sum(int(d) * w for d, w in zip(digits, weights, strict=True))
    return digits + str((11 - total % 11) % 10)


def test_every_resident_number_with_a_true_check_digit_is_found():
    rng = random.Random(7)
    for _ in range(500):
        number = resident_number(rng)
        assert personal.resident_number_holds(number)
        wrong = number[:-1] + str((int(number[-1]) + 1) % 10)
        assert not personal.resident_number_holds(wrong)
        assert personal.mask_personal_data(f"번호 {number} 끝")[0] == "번호 [주민등록번호] 끝"


@given(st.text(alphabet="0123456789-. @abc가계좌", max_size=60))
def test_masking_twice_is_masking_once(text):
    once, _ = personal.mask_personal_data(text)
    assert personal.mask_personal_data(once)[0] == once


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
    for place in range(0, 100, 2):
        copy = texts[place].split()
        copy[rng.randrange(60)] = "바꿈"
        texts[place + 1] = " ".join(copy)
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


QUESTION = "전자금융거래법상 이용자의 고의나 중대한 과실이 없는 경우 손해배상 책임을 지는 자는 누구인가?\n은행\n이용자"

LONG = (
    "금융회사는 전자금융거래가 안전하게 처리될 수 있도록 선량한 관리자로서의 주의를 다하여야 하며, "
    "접근매체의 위조나 변조로 사고가 발생한 때에는 이용자에게 지체 없이 알리고 그 손해를 배상하여야 한다. "
    "이용자는 접근매체를 도난당한 사실을 안 때에는 즉시 그 사실을 신고하여야 한다."
)


def test_a_question_inside_another_text_is_found_despite_spacing():
    texts = [
        "은행은 이용자의 고의나 중대한 과실이 없는 경우 책임을 진다.",
        "기출: " + QUESTION.replace(" ", "").replace("\n", " / ") + " 정답은 1번",
        "",
    ]
    hits = contamination.overlap(texts, ["짧은 글", QUESTION])
    assert [(h.text, h.protected, h.share) for h in hits] == [(1, 1, 1.0)]


def test_a_near_duplicate_is_found_though_its_edits_break_many_long_runs():
    copy = LONG.replace("관리자로서", "관리자로써").replace("손해를", "손실을")
    hits = contamination.overlap([copy, LONG[:40], LONG * 3], [LONG])
    assert [(h.text, h.protected) for h in hits] == [(0, 0), (2, 0)]
    ours, theirs = contamination.normalise(copy), contamination.normalise(LONG)
    long_runs = {theirs[n : n + 13] for n in range(len(theirs) - 12)}
    assert sum(run in ours for run in long_runs) / len(long_runs) < 0.8
    first, second = ({text[n : n + 5] for n in range(len(text) - 4)} for text in (ours, theirs))
    assert hits[0].share == round(len(first & second) / len(first | second), 4)


@given(
    st.text(alphabet="가나다라마바사아자차카타파하", min_size=26, max_size=120),
    st.lists(st.tuples(st.integers(0, 119), st.sampled_from(["", "거", "너더"])), max_size=5),
)
@example("가가가가가가가가가가가가가가가가나가가가나가가가가가", [(16, "")])
def test_no_near_duplicate_is_passed_over(text, edits):
    copy = list(text)
    for place, new in edits:
        copy[place % len(copy)] = new
    ours = "".join(copy)
    first, second = ({t[n : n + 5] for n in range(len(t) - 4)} for t in (ours, text))
    similarity = len(first & second) / len(first | second) if first | second else 0
    hits = contamination.overlap([ours], [text])
    if similarity >= contamination.THRESHOLD:
        assert hits
        assert hits[0].share >= round(similarity, 4)


def test_a_short_protected_text_counts_only_where_it_is_the_whole():
    hits = contamination.overlap(["은행법은?", "은행법은 무엇인가? 은행법은?"], ["은행법은"])
    assert [(h.text, h.protected) for h in hits] == [(0, 0)]


def test_protected_files_are_read_by_question_and_options(tmp_path):
    (tmp_path / "q.jsonl").write_text(
        '{"id": "1", "question": "물음", "options": ["가", "나"]}\n', encoding="utf-8"
    )
    (tmp_path / "q.csv").write_bytes('ID,Question\nT1,"물음 둘\n1 가"\n'.encode("cp949"))
    (tmp_path / "q.txt").write_text("첫 문단\n\n둘째 문단\n", encoding="utf-8")
    assert contamination.read_protected(tmp_path / "q.jsonl") == ["물음\n가\n나"]
    assert contamination.read_protected(tmp_path / "q.csv") == ["물음 둘\n1 가"]
    assert contamination.read_protected(tmp_path / "q.txt") == ["첫 문단", "둘째 문단"]
    with pytest.raises(UserError, match="cannot be read"):
        contamination.read_protected(tmp_path / "none.jsonl")


@pytest.mark.parametrize(
    "body, reason",
    [
        ("은행은 이용자를 보호하여야 한다.", ""),
        ("짧다", "too_short"),
        ("은행\ufffd은 \ufffd이용자를 보호하여야 한다.", "broken_text"),
        ("This page is in English and holds no Korean at all.", "not_korean"),
        ("로그인 회원가입 사이트맵 이용약관 목록보기 이전글", "boilerplate"),
        ("| 100 | 200 | 300.5 | 400 |", ""),
    ],
)
def test_quality_names_its_reason(body, reason):
    assert judge(body, QualitySettings())[0] == reason
