"""One wrong letter in a name is corrected, and nothing else is touched."""

from __future__ import annotations

import random

from kofinlaw.rag.abstention.misspelling import correct_names, one_letter_apart

TITLES = ["침해사고 대응 규정", "고객정보 보호 규정", "전자금융업무 규정", "민원 응대 편람"]


def typo(text: str, draw: random.Random) -> str:
    """Change one letter (자모) of one syllable of the text."""
    place = draw.choice([at for at, one in enumerate(text) if "가" <= one <= "힣"])
    code = ord(text[place]) - ord("가")
    parts = [code // 588, code // 28 % 21, code % 28]
    part = draw.randrange(3)
    parts[part] = draw.choice([n for n in range((19, 21, 28)[part]) if n != parts[part]])
    wrong = chr(ord("가") + parts[0] * 588 + parts[1] * 28 + parts[2])
    return text[:place] + wrong + text[place + 1 :]


def test_any_single_wrong_letter_in_a_title_is_corrected() -> None:
    draw = random.Random(1)
    for _ in range(500):
        title = draw.choice(TITLES)
        written = typo(title if draw.random() < 0.5 else title.replace(" ", ""), draw)
        question = f"{written} 제{draw.randint(1, 30)}조는 무엇인가요?"
        assert title in correct_names(question, TITLES), question


def test_the_word_for_an_article_is_corrected_after_a_title() -> None:
    assert correct_names("침헤사고 대응 규정 제7죠", TITLES) == "침해사고 대응 규정 제7조"
    assert correct_names("침해사고 대응 규정 졔7조는?", TITLES) == "침해사고 대응 규정 제7조는?"
    for other in ("제3자에게", "제1종", "제2호", "제1차", "제2부"):
        question = f"민원 응대 편람 {other}"
        assert correct_names(question, TITLES) == question


def test_two_wrong_letters_and_other_texts_are_left() -> None:
    for question in ("침헤샤고 대응 규정 제7조", "이자는 얼마인가요?", "고객 보호는?", ""):
        assert correct_names(question, TITLES) == question
    assert not one_letter_apart("가", "가")
    assert not one_letter_apart("가", "나무"[1])
    assert not one_letter_apart("a", "b")
    assert one_letter_apart("조", "죠")
