"""Stem and options, split at the marks that people write."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kofinlaw.rag.questions.option_marks import split_options


@pytest.mark.parametrize(
    "text",
    [
        "옳은 것은?\n1 이용자\n2 금융회사\n3 가맹점",
        "옳은 것은?\n1. 이용자\n2. 금융회사\n3. 가맹점",
        "옳은 것은?\n1) 이용자\n2) 금융회사\n3) 가맹점",
        "옳은 것은?\n① 이용자\n② 금융회사\n③ 가맹점",
        "옳은 것은?\n(1) 이용자\n(2) 금융회사\n(3) 가맹점",
        "옳은 것은?\n가. 이용자\n나. 금융회사\n다. 가맹점",
        "옳은 것은?\n(가) 이용자\n(나) 금융회사\n(다) 가맹점",
        "옳은 것은?\nA. 이용자\nB. 금융회사\nC. 가맹점",
        "옳은 것은?\n\n  1 이용자\n\n  2 금융회사  \n  3 가맹점\n",
        "옳은 것은? ① 이용자 ② 금융회사 ③ 가맹점",
        "다음 중 옳은 것은?\n이용자\n금융회사\n가맹점",
        "옳은 것은?\r\n1 이용자\r\n2 금융회사\r\n3 가맹점",
    ],
)
def test_every_mark_is_recognised(text: str) -> None:
    assert split_options(text)[1] == ("이용자", "금융회사", "가맹점")


def test_numbers_that_open_an_option_stay_in_it() -> None:
    stem, options = split_options("기한은?\n1 10일 이내\n2 20일 이내\n3 1개월\n4 3 영업일")
    assert (stem, options) == ("기한은?", ("10일 이내", "20일 이내", "1개월", "3 영업일"))


def test_a_numbered_list_in_the_stem_is_not_the_options() -> None:
    stem, options = split_options(
        "다음 사례를 읽고 답하시오.\n1. 갑은 카드를 잃었다.\n2. 을이 그것을 썼다.\n옳은 것은?\n① 갑의 책임\n② 을의 책임"
    )
    assert options == ("갑의 책임", "을의 책임")
    assert stem.endswith("옳은 것은?")
    assert "1. 갑은 카드를 잃었다." in stem


def test_a_list_inside_an_option_belongs_to_it() -> None:
    _, options = split_options("옳은 것은?\n① 다음 각 호\n1. 카드\n2. 번호\n② 없음")
    assert options == ("다음 각 호 1. 카드 2. 번호", "없음")


def test_an_option_over_two_lines_is_joined() -> None:
    assert split_options("옳은 것은?\n1 금융회사는\n배상한다\n2 면책된다")[1] == (
        "금융회사는 배상한다",
        "면책된다",
    )


def test_a_sentence_that_cites_paragraphs_is_free_text() -> None:
    text = "제9조 ①항과 ②항의 차이를 설명하세요."
    assert split_options(text) == (text, ())


@given(
    st.lists(
        st.text(alphabet="가나다라마바사 ", min_size=1, max_size=8)
        .map(lambda t: " ".join(t.split()))
        .filter(bool),
        min_size=2,
        max_size=9,
    ),
    st.sampled_from(["{n} {t}", "{n}. {t}", "({n}) {t}", "{c} {t}"]),
)
def test_options_written_out_are_read_back(options: list[str], form: str) -> None:
    lines = [form.format(n=n, c="①②③④⑤⑥⑦⑧⑨"[n - 1], t=t) for n, t in enumerate(options, 1)]
    assert split_options("질문입니까?\n" + "\n".join(lines)) == ("질문입니까?", tuple(options))


def test_options_without_numbers_are_options_where_the_stem_asks_for_one() -> None:
    asked = "다음 중 전자금융업자가 아닌 것은?\n은행\n카드회사\n전자지급결제대행업자"
    assert split_options(asked)[1] == ("은행", "카드회사", "전자지급결제대행업자")
    story = "갑은 을에게 돈을 빌렸다.\n을은 갚으라고 했다.\n병은 보증을 섰다."
    assert split_options(story)[1] == ()
