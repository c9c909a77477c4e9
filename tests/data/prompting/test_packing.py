"""Evidence packed into a token budget."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kofinlaw.data.prompting.claims import claims_of
from kofinlaw.data.prompting.packing import pack, pack_with_index
from kofinlaw.data.table_rows import is_separator

ARTICLE = (
    "은행법 제9조(책임)\n"
    "① 은행은 다음 각 호의 사고로 생긴 손해를 배상할 책임을 진다.\n"
    "1. 접근매체의 위조로 발생한 사고\n"
    "2. 전송 과정에서 발생한 사고\n"
    "② 은행은 이용자의 고의가 있는 경우에는 책임을 지지 아니한다.\n"
    "③ 은행은 보험에 가입하여야 한다."
)


def words(text: str) -> int:
    return len(text.split())


def test_passages_that_fit_are_shown_whole():
    assert pack([ARTICLE, "짧은 글"], "질문", 200, words) == [ARTICLE, "짧은 글"]


TABLE = (
    "여신 규정 제7조(사후관리)\n| 등급 | 기간 |\n| --- | :---: |\n| 1급 | 1년 |\n---\n| 2급 | 2년 |"
)


@pytest.mark.parametrize("budget", [2, 6, 8, 12, 100])
@pytest.mark.parametrize("query", ["1급의 기간", "---", "--- | :---:"])
def test_separators_of_tables_are_never_shown(budget, query):
    shown = pack([TABLE, ARTICLE], query, budget, words, keep=["---"])
    assert shown
    assert not [line for text in shown for line in text.split("\n") if is_separator(line)]


def test_the_rows_of_a_table_are_shown():
    (shown,) = pack([TABLE], "기간", 100, words)
    assert shown.split("\n") == [line for line in TABLE.split("\n") if "--" not in line]


def test_a_long_article_keeps_its_header_and_the_line_that_matches():
    (shown,) = pack([ARTICLE], "보험에 가입하여야 하는 자는", 12, words)
    assert shown == "은행법 제9조(책임)\n③ 은행은 보험에 가입하여야 한다."


def test_an_item_brings_the_paragraph_it_hangs_on():
    (shown,) = pack([ARTICLE], "접근매체의 위조", 24, words)
    assert shown.split("\n") == ARTICLE.split("\n")[:3]


def test_an_item_is_alone_if_its_paragraph_does_not_fit():
    (shown,) = pack([ARTICLE], "접근매체의 위조", 9, words)
    assert shown.split("\n") == [ARTICLE.split("\n")[0], ARTICLE.split("\n")[2]]


def test_a_phrase_to_keep_wins_over_a_better_match():
    (shown,) = pack([ARTICLE], "보험에 가입", 13, words, keep=["고의가 있는 경우"])
    assert "② 은행은 이용자의 고의가" in shown
    assert "보험" not in shown


def test_a_line_longer_than_the_budget_is_cut_to_its_best_sentence():
    long = (
        "은행법 제1조(목적)\n첫째 문장은 이것이다. 둘째 문장은 보험을 말한다. 셋째 문장은 저것이다."
    )
    (shown,) = pack([long], "보험", 9, words)
    assert shown == "은행법 제1조(목적)\n둘째 문장은 보험을 말한다."


def test_the_line_of_each_option_comes_before_lines_that_only_match_well():
    late = "은행법 제53조(제재)\n① 금융위원회는 허가를 취소할 수 있다.\n" + "② 다른 것이다. " * 30
    stem, options = (
        "은행에 관하여 옳은 것은?",
        ("보험에 가입하여야 한다.", "허가를 취소할 수 있다."),
    )
    query = " ".join([stem, *options])
    far = [
        ARTICLE,
        *[f"은행법 제{n}조(보험)\n① 은행은 보험에 가입하여야 한다. " for n in range(20, 26)],
    ]
    without = "\n".join(pack([*far, late], query, 24, words))
    shown = "\n".join(pack([*far, late], query, 24, words, claims=claims_of(stem, options)))
    assert "취소" not in without
    assert "허가를 취소할 수 있다." in shown
    assert "③ 은행은 보험에 가입하여야 한다." in shown


def test_a_deleted_provision_is_not_selected():
    article = ARTICLE + "\n④ 삭제\n5. 삭제 <2020. 1. 1.>\n⑤ 삭제된 자료는 복구한다."
    (shown,) = pack([article], "삭제된 자료", 34, words)
    assert "④" not in shown
    assert "5. 삭제" not in shown
    assert "⑤ 삭제된 자료는 복구한다." in shown
    assert pack(["은행법 제4조\n① 삭제\n② 삭제"], "삭제", 4, words)


def test_late_passages_give_way_when_there_is_no_room():
    many = [f"법 제{n}조(제목)\n" + "가나다 " * 100 for n in range(9)]
    assert 1 <= len(pack(many, "가나다", 100, words)) < 9


def test_each_text_has_the_index_of_its_passage_if_another_is_omitted():
    passages = [
        ARTICLE,
        "은행법 제8조(목적)\n" + "가나다 " * 50,
        ARTICLE.replace("제9조", "제10조"),
    ]
    found = pack_with_index(passages, "보험에 가입하여야 하는 자는", 24, words)
    assert [index for index, _ in found] == [0, 2]
    assert "제10조" in found[1][1]


def test_no_passages_give_no_evidence():
    assert pack([], "질문", 100, words) == []


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.lists(
            st.text(alphabet="가나다라 ", min_size=1, max_size=60), min_size=1, max_size=8
        ).map("\n".join),
        min_size=1,
        max_size=6,
    ),
    st.integers(min_value=10, max_value=300),
)
def test_what_is_shown_never_passes_the_budget_by_more_than_a_header(passages, budget):
    shown = pack(passages, "가나 다라", budget, words)
    headers = sum(words(p.strip().split("\n")[0]) if p.strip() else 0 for p in passages)
    assert sum(map(words, shown)) <= budget + headers + len(passages)


def test_a_line_that_repeats_the_title_is_left_out():
    text = "규정 [별표 9] 자체정상화계획 작성기준\n자체정상화계획 작성기준\n\n1. 계획을 작성한다."
    assert pack([text], "계획", 100, len) == [
        "규정 [별표 9] 자체정상화계획 작성기준\n1. 계획을 작성한다."
    ]
    alone = "규정 작성기준\n작성기준"
    assert pack([alone], "계획", 100, len) == [alone]
