"""Fuzz the reader of references, and measure its speed and its growth with the text."""

from __future__ import annotations

import random
import time

from kofinlaw.data.law.verifying.known_law import KnownLaw
from kofinlaw.data.law.verifying.verify import verify_citations


def fuzz(law: KnownLaw, count: int, rng: random.Random) -> int:
    """Return the number of fuzzed texts that raise or whose offsets do not fit."""
    pieces = [
        "제",
        "第",
        "3",
        "12",
        "조",
        "條",
        "의2",
        " ",
        "항",
        "호",
        "가목",
        "「",
        "」",
        "은행법",
        "민법",
        "구 ",
        "(",
        ")",
        "“",
        "”",
        "별표 1",
        "부칙 ",
        "같은 법 ",
        "동법",
        "영 ",
        "시행령",
        "부터 ",
        "까지",
        "ㆍ",
        "는 ",
        "라고 정한다",
        "2019. 1. 1. 기준",
        "대법원 ",
        "2010도11015",
        "\u1112\u1161\u11ab",
        "\u200b",
        "３",
        "삼",
        "\n",
        "관한 법률",
        "전의 것",
        "이하 “법”이라 한다",
        "①",
        "②, ③",
        "§",
        "(가)",
        "‘나’목",
        "제1의2호",
        "제2-3조",
        "전항의 ",
        "에서 ",
        "\ud800",
        "\U0001f600",
        "<",
        "[",
        "법률",
        "제9999999999999999999조",
    ]
    bad = 0
    for _ in range(count):
        if rng.random() < 0.8:
            text = "".join(rng.choices(pieces, k=rng.randrange(1, 24)))
        else:
            text = "".join(
                chr(
                    rng.choice(
                        (
                            rng.randrange(1, 0x250),
                            rng.randrange(0x1100, 0x1200),
                            rng.randrange(0x3000, 0x3200),
                            rng.randrange(0xAC00, 0xD7A4),
                        )
                    )
                )
                for _ in range(rng.randrange(1, 40))
            )
        try:
            bad += any(
                text[o.start : o.end] != o.text or not o.text for o in verify_citations(text, law)
            )
        except Exception as error:
            bad += 1
            print("fuzz", type(error).__name__, error, ascii(text))
    return bad


def speed(texts: list[str], law: KnownLaw) -> float:
    """Return references in a second of processor time, the best of three."""
    best = 0.0
    for _ in range(3):
        start = time.process_time()
        count = sum(len(verify_citations(text, law)) for text in texts)
        best = max(best, count / (time.process_time() - start))
    return best


def growth(texts: list[str], law: KnownLaw) -> float:
    """Return the largest ratio of processor time for twice the text, over fillings of one kind."""
    worst = 0.0
    for filling in (
        "\n".join(texts[:60]),
        "제3조 ",
        "“제3조",
        "(",
        "은행법 제3조는 “가나다라”라고 정한다. ",
        "관한 법률 ",
        "가나다라 ",
        "구 ",
        "대법원 ",
        "및 ",
    ):
        times = []
        for size in (60_000, 120_000):
            text = (filling * (size // len(filling) + 1))[:size]
            rounds = []
            for _ in range(3):
                start = time.process_time()
                verify_citations(text, law)
                rounds.append(time.process_time() - start)
            times.append(sorted(rounds)[1])
        if times[0] > 0.02:
            worst = max(worst, times[1] / times[0])
    return worst
