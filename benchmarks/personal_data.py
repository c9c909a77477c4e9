"""Measure the rules for personal data: recall on generated numbers, and findings in statutes.

    python benchmarks/personal_data.py [--shared ../shared/data] [--count 500]

The statutes contain no personal data, so the script lists every finding there as an error. The
generated numbers cover every form in which a kind is written. They are random: a number of a real
person can occur only by chance.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from development_data import DATA
from outcome import outcome

from kofinlaw.data.cleaning.personal import find_personal_data
from kofinlaw.data.frontmatter import split_front_matter

SURROUNDINGS = ("{}", "고객의 정보는 {}이다.", "신청인({}) 앞", "· {} ·", "다음을 본다: {}, 끝.")


def digits(rng: random.Random, count: int) -> str:
    """Return `count` random digits."""
    return "".join(str(rng.randrange(10)) for _ in range(count))


def registration(rng: random.Random, kinds: str) -> str:
    """Return a resident's (`1234`) or foreigner's (`5678`) registration number.

    Half of the numbers have a valid check digit.
    """
    day = f"{rng.randrange(100):02d}{rng.randrange(1, 13):02d}{rng.randrange(1, 29):02d}"
    head = day + rng.choice(kinds) + digits(rng, 5)
    weights = (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)
    total = sum(int(d) * w for d, w in zip(head, weights, strict=True))
    check = str(((13 if head[6] in "5678" else 11) - total % 11) % 10)
    number = head + check
    if rng.random() < 0.5:  # the form since October 2020: no check digit, with a dash
        return f"{head[:6]}{rng.choice(['-', ' - '])}{head[6:]}{rng.randrange(10)}"
    return rng.choice([number, f"{number[:6]}-{number[6:]}"])


def business(rng: random.Random) -> str:
    """Return a business registration number."""
    head = str(rng.randrange(100, 1000)) + digits(rng, 6)
    total = sum(int(d) * w for d, w in zip(head, (1, 3, 7, 1, 3, 7, 1, 3, 5), strict=True))
    number = head + str((10 - (total + int(head[8]) * 5 // 10) % 10) % 10)
    dashed = f"{number[:3]}-{number[3:5]}-{number[5:]}"
    return rng.choice([number, dashed, f"사업자등록번호 {dashed[:-1]}{rng.randrange(10)}"])


def card(rng: random.Random) -> str:
    """Return a card number of 15 or 16 digits with a valid check digit (Luhn)."""
    length = rng.choice([16, 16, 16, 15])
    head = rng.choice(["37", "34"] if length == 15 else ["4", "51", "53", "62", "9", "35"])
    head += digits(rng, length - 1 - len(head))
    total = 0
    for position, digit in enumerate(reversed(head)):
        value = int(digit) * (2 - position % 2)
        total += value - 9 if value > 9 else value
    number = head + str((10 - total % 10) % 10)
    cuts = (4, 10) if length == 15 else (4, 8, 12)
    mark = rng.choice(["-", " ", ""])
    return mark.join(number[a:b] for a, b in zip((0, *cuts), (*cuts, length), strict=True))


def account(rng: random.Random) -> str:
    """Return a bank account number after a word that names it."""
    word = rng.choice(
        ["계좌번호 ", "국민은행 ", "입금 계좌: ", "예금주 김가람 ", "카카오뱅크 ", "농협 "]
    )
    parts = rng.choice([(6, 2, 6), (3, 3, 6), (4, 3, 6), (3, 6, 5), (3, 4, 4, 2), (4, 2, 7), (14,)])
    return word + "-".join(str(rng.randrange(1, 10)) + digits(rng, n - 1) for n in parts)


def phone(rng: random.Random) -> str:
    """Return a mobile, area or service phone number."""
    end = digits(rng, 4)
    mobile = f"{rng.randrange(2, 10)}{digits(rng, 3)}"
    near = f"{rng.randrange(2, 10)}{digits(rng, rng.choice([2, 3]))}"
    area = rng.choice(["02", "031", "051", "064", "070"])
    return rng.choice(
        [
            *(f"010{mark}{mobile}{mark}{end}" for mark in ("-", " ", ".", "")),
            f"+82-10-{mobile}-{end}",
            f"+82 10 {mobile} {end}",
            f"{area}-{near}-{end}",
            f"{area}){near}-{end}",
            f"({area}) {near}-{end}",
            f"전화 {area} {near} {end}",
            f"{rng.choice(['1588', '1644', '1899'])}-{end}",
            f"080-{near}-{end}",
        ]
    )


def mail(rng: random.Random) -> str:
    """Return an e-mail address."""
    name = "".join(rng.choices("abcdefghijklmnop", k=6)) + rng.choice(["", ".kim", "_01", "+law"])
    return f"{name}@{rng.choice(['naver.com', 'bank.co.kr', 'mail.korea.ac.kr', 'a-b.org'])}"


def passport(rng: random.Random) -> str:
    """Return a passport number after a word that names it."""
    number = rng.choice(["M" + digits(rng, 8), f"M{digits(rng, 3)}A{digits(rng, 4)}"])
    return f"{rng.choice(['여권번호 ', '여권 ', 'Passport No. '])}{number}"


def licence(rng: random.Random) -> str:
    """Return a driving licence number after a word that names it."""
    head = rng.choice([str(rng.randrange(11, 27)) + "-", "서울 ", "경기 ", "제주"])
    number = f"{head}{digits(rng, 2)}-{digits(rng, 6)}-{digits(rng, 2)}"
    return f"{rng.choice(['운전면허 ', '면허번호: ', '운전면허번호 '])}{number}"


def address(rng: random.Random) -> str:
    """Return a postal address by street or by lot number."""
    town = rng.choice(
        [
            "서울특별시 중구",
            "서울 강남구",
            "서울시 마포구",
            "경기도 성남시 분당구",
            "부산광역시 해운대구",
            "전라남도 완도군 완도읍",
            "충북 청주시 상당구",
            "강원특별자치도 춘천시",
            "세종특별자치시",
        ]
    )
    street = rng.choice(["세종대로", "가람길", "판교역로", "한누리로", "중앙로 97번길", "새싹3로"])
    lot = rng.choice(["청운동 12-3", "풍덕천동 123번지", "군내리 산 12-1", "역삼동 7번지"])
    room = rng.choice(["", ", 101동 1203호", " 7층"])
    return f"{town} {rng.choice([f'{street} {rng.randint(1, 400)}', lot])}{room}"


KINDS: dict[str, Callable[[random.Random], str]] = {
    "주민등록번호": lambda rng: registration(rng, "1234"),
    "외국인등록번호": lambda rng: registration(rng, "5678"),
    "사업자등록번호": business,
    "카드번호": card,
    "계좌번호": account,
    "전화번호": phone,
    "전자우편": mail,
    "여권번호": passport,
    "운전면허번호": licence,
    "주소": address,
}


def missed(kind: str, count: int, seed: int = 1) -> list[str]:
    """Generate `count` texts of a kind and return those in which it is not found."""
    rng = random.Random(f"{kind} {seed}")
    out = []
    for _ in range(count):
        text = rng.choice(SURROUNDINGS).format(KINDS[kind](rng))
        if kind not in {found.kind for found in find_personal_data(text)}:
            out.append(text)
    return out


def claimed(shared: Path) -> tuple[int, list[str]]:
    """Return (characters read, findings of personal data in the statutes and rules)."""
    size, out = 0, []
    for path in sorted((shared / "statutes").glob("a*/*.md")):
        text = split_front_matter(path.read_text(encoding="utf-8"))[1]
        size += len(text)
        for found in find_personal_data(text):
            out.append(f"{path.stem}: {found.kind} {text[found.start : found.end]}")
    return size, out


def main() -> None:
    """Measure both parts and print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, default=DATA, help="folder with statutes/")
    parser.add_argument("--count", type=int, default=500, help="generated texts per kind")
    options = parser.parse_args()
    figures: dict[str, Any] = {"recall": {}, "missed": {}}
    for kind in KINDS:
        lost = missed(kind, options.count)
        figures["recall"][kind] = round(1 - len(lost) / options.count, 4)
        if lost:
            figures["missed"][kind] = lost[:5]
    if options.shared.is_dir():
        figures["characters"], figures["claimed_in_statutes"] = claimed(options.shared)
    claims = figures.get("claimed_in_statutes")
    print(
        outcome(
            figures,
            {
                "least recall": (min(figures["recall"].values()), (">=", 0.99)),
                "claimed in statutes": (None if claims is None else len(claims), ("==", 0)),
            },
        )
    )


if __name__ == "__main__":
    main()
