"""Particles, morphemes, bigrams and sentences of Korean text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kofinlaw.data.korean import words as korean


@pytest.mark.parametrize(
    "word, pair, wanted",
    [
        ("은행", "은/는", "은행은"),
        ("금고", "와/과", "금고와"),
        ("서울", "으로/로", "서울로"),
        ("법원", "으로/로", "법원으로"),
        ("임원(任員)", "이/가", "임원(任員)이"),
        ("제3호", "을/를", "제3호를"),
        ("10", "이/가", "10이"),
        ("CISO", "은/는", "CISO는"),
        ("ATM", "을/를", "ATM을"),
        ("「은행법」", "은/는", "「은행법」은"),
        ("5%", "을/를", "5%를"),
        ("공자", "이라/라", "공자라"),
        ("", "은/는", "는"),
    ],
)
def test_the_particle_agrees_with_the_sound_before_it(word, pair, wanted):
    assert korean.josa(word, pair) == wanted


def test_an_unknown_particle_is_an_error():
    with pytest.raises(ValueError, match="unknown particle"):
        korean.josa("은행", "에서/서")


@pytest.mark.parametrize(
    "particle, pair",
    [("는", "은/는"), ("으로", "으로/로"), ("란", "이란/란"), ("에서", ""), ("", "")],
)
def test_a_particle_has_its_pair(particle, pair):
    assert korean.particle_pair(particle) == pair


@given(st.text(alphabet="가각간갈힣나", min_size=1, max_size=5))
def test_josa_looks_at_the_last_syllable_only(word):
    closed = (ord(word[-1]) - ord("가")) % 28 != 0
    assert korean.josa(word, "이/가") == word + ("이" if closed else "가")


def test_content_morphemes_drop_particles_and_endings():
    tokens = korean.content_morphemes(["금융회사는 과태료를 납부하여야 한다.", ""])
    assert tokens == [["금융", "회사", "과태료", "납부"], []]


def test_morphemes_do_not_depend_on_the_workers_or_on_the_neighbours():
    texts = [
        "전자금융거래의 안전성을 확보한다.",
        "이용자의 동의를 받아야 한다." * 400,
        "",
        "ISMS-P 인증",
    ]
    one = korean.content_morphemes(texts, workers=1)
    assert korean.content_morphemes(texts, workers=2) == one
    assert [korean.content_morphemes([t])[0] for t in texts] == one


def test_decomposed_korean_equals_composed():
    import unicodedata

    text = "금융회사"
    assert korean.bigrams(unicodedata.normalize("NFD", text)) == korean.bigrams(text)


def test_bigrams_stay_inside_words():
    assert korean.bigrams("전자금융 제9조 CISO 법") == [
        "전자",
        "자금",
        "금융",
        "제",
        "9",
        "조",
        "ciso",
        "법",
    ]


def test_korean_sentence_endings_are_found():
    text = "이 법은 목적으로 한다. 다만, 2020. 5. 6. 시행한다.\n끝이 아니다"
    assert korean.sentences(text) == [
        "이 법은 목적으로 한다.",
        "다만, 2020. 5. 6. 시행한다.",
        "끝이 아니다",
    ]


@given(st.text(max_size=200))
def test_sentences_lose_only_blanks(text):
    assert "".join("".join(korean.sentences(text)).split()) == "".join(text.split())


def test_seams_of_wrapped_lines_get_a_blank_only_between_words():
    seams = [
        ("신뢰성을 확보함과 아울러 전", "자금융업의 건전한 발전"),
        ("사업자로서 대통령령이", "정하는 자"),
        ("분기마다", "1회 실시한다"),
        ("제공(이하", "“전자금융업무”"),
        ("", "가"),
    ]
    assert korean.blanks_between(seams) == [False, True, True, True, False]


def test_the_share_of_hangul_counts_letters_only():
    assert korean.hangul_share("가나 ab 12") == 0.5
    assert korean.hangul_share("12 !?") == 0.0


def test_morphemes_keep_particles_and_endings():
    assert korean.morphemes(["은행은 이용자에게 알린다.", ""]) == [
        ["은행", "은", "이용자", "에게", "알리", "ᆫ다", "."],
        [],
    ]


def test_kiwi_ends_sentences_without_marks():
    text = "먼저 말씀을 들어요 그리고 서류를 받습니다"
    assert [text[:end] for end in korean.sentence_ends(text)] == ["먼저 말씀을 들어요", text]
