"""Personal data: found, and masked."""

from __future__ import annotations

import importlib.util
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kofinlaw.data.cleaning import personal

BENCHMARK = Path(__file__).parents[3] / "benchmarks" / "personal_data.py"


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
def test_personal_data_is_distinguished_from_other_numbers(text, kinds):
    assert [f.kind for f in personal.find_personal_data(text)] == kinds


def test_personal_data_is_masked_and_other_text_is_kept():
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
def test_masking_is_idempotent(text):
    once, _ = personal.mask_personal_data(text)
    assert personal.mask_personal_data(once)[0] == once
