"""Options in every series of marks and every layout are read back; free text stays free text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kofinlaw import UserError
from kofinlaw.rag.questions.mark_series import series_of, shadow
from kofinlaw.rag.questions.option_marks import read_text, split_options

STEMS = (
    "옳은 것은?",
    "다음 중 전자금융업무가 아닌 것을 고르시오.",
    "기한으로 맞는 것은? (단, 예외는 없다)",
)
SIGNS = {
    "figure": "123456789",
    "wide": "１２３４５６７８９",
    "syllable": "가나다라마바사아자",
    "jamo": "ㄱㄴㄷㄹㅁㅂㅅㅇㅈ",
    "letter": "ABCDEFGHI",
    "small": "abcdefghi",
}
DRESSED = ("{}.", "{})", "({})", "[{}]", "{}．", "（{}）", "**{}.**", "{}:")
ALONE = ("①②③④⑤⑥⑦⑧⑨", "⑴⑵⑶⑷⑸⑹⑺⑻⑼", "❶❷❸❹❺❻❼❽❾", "㉠㉡㉢㉣㉤㉥㉦㉧㉨", "ⓐⓑⓒⓓⓔⓕⓖⓗⓘ", "ⅠⅡⅢⅣⅤⅥⅦⅧⅨ")
WORDS = ("보기 {}", "보기{}.", "선택지 {}:", "{}번", "{} ")
SERIES = [
    *(tuple(form.format(s) for s in signs) for signs in SIGNS.values() for form in DRESSED),
    *(tuple(signs) for signs in ALONE),
    *(tuple(form.format(s) for s in SIGNS["figure"]) for form in WORDS),
    ("i)", "ii)", "iii)", "iv)", "v)", "vi)", "vii)", "viii)", "ix)"),
]
LAYOUTS = {
    "lines": ("\n", "\n"),
    "inline": (" ", " "),
    "wide": (" ", "   "),
    "tabs": ("\n", "\t"),
    "bars": (" ", " | "),
    "commas": (" ", ", "),
    "br": ("<br>", "<br/>"),
    "windows": ("\r\n", "\r\n"),
    "bullets": ("\n- ", "\n- "),
    "escaped": ("\\n", "\\n"),
}
TEXTS = (
    "이용자", "금융회사", "제1조제2항의 자", "2024. 1. 2.까지", "연 3.5% 이하", "1천만원", "10일 이내",
    "가맹점의 책임이 있다", "제3호 및 제4호", "전자금융업자", "5년 이하의 징역",
)  # fmt: skip


@st.composite
def rendered(draw):
    """Return (text, stem, options) of a question in a drawn form."""
    stem = draw(st.sampled_from(STEMS))
    options = draw(st.lists(st.sampled_from(TEXTS), min_size=2, max_size=9, unique=True))
    marks = draw(st.sampled_from(SERIES))
    before, between = LAYOUTS[draw(st.sampled_from(sorted(LAYOUTS)))]
    if len(options) < 3 or marks[0] == "1 ":
        before, between = LAYOUTS["lines"]  # two figures within a line may be anything
    blank = draw(st.sampled_from([" ", "  ", "\u3000"]))
    parts = [f"{mark}{blank}{text}" for mark, text in zip(marks, options, strict=False)]
    return f"{stem}{before}{between.join(parts)}", stem, tuple(options)


@given(rendered())
@settings(max_examples=150, derandomize=True)
def test_every_series_of_marks_in_every_layout_is_read_back(case):
    text, stem, options = case
    found = read_text(text)
    assert (found.stem, found.options) == (stem, options)


@given(rendered(), st.sampled_from(["정답: 3", "[해설] ① 틀리다 ② 맞다", "※ 법제처 자료", "출처: 법제처",
                                    "답 ②", "(정답: ①)", "정답은 2번", "[정답] ③\n해설: ③이 맞다"]))  # fmt: skip
@settings(max_examples=100, derandomize=True)
def test_notes_behind_the_options_are_in_neither_stem_nor_options(case, note):
    text, stem, options = case
    found = read_text(f"{text}\n{note}" if "\\n" not in text else f"{text}\\n{note}")
    assert (found.stem, found.options) == (stem, options)
    assert found.notes


@given(rendered(), st.sampled_from(["설명하시오.", "서술하시오.", "기술하시오.", "논하시오.", "약술하시오.",
                                    "비교하여 설명해 주세요.", "각각 쓰시오.", "나열하시오.", "요약하라."]))  # fmt: skip
@settings(max_examples=60, derandomize=True)
def test_a_question_that_asks_to_explain_is_free_text(case, demand):
    text, stem, _ = case
    asked = text.replace(stem, f"다음 사항을 {demand}", 1)
    assert read_text(asked).options == ()


@given(st.text(alphabet="가①②1234567890.()) ㄱA:\n?제조항-|*", max_size=120))
@settings(max_examples=200, derandomize=True)
def test_any_text_is_read_or_refused_with_its_place(text):
    try:
        found = read_text(text, where="q.csv:2")
    except UserError as error:
        found = None
        said = error.where
    if found is None:
        assert said == "q.csv:2"
        return
    assert len(found.options) != 1
    assert all(found.options)


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("옳은 것은?\nㄱ. 갑\nㄴ. 을\n① ㄱ\n② ㄱ, ㄴ\n③ ㄴ", ("ㄱ", "ㄱ, ㄴ", "ㄴ")),
        ("고른 것은? ㄱ. 갑 ㄴ. 을 ㄷ. 병 ① ㄱ ② ㄱ, ㄴ ③ ㄱ, ㄴ, ㄷ", ("ㄱ", "ㄱ, ㄴ", "ㄱ, ㄴ, ㄷ")),
        ("고른 것은?\n(가) 갑\n(나) 을\n1) (가)\n2) (가), (나)", ("(가)", "(가), (나)")),
        ("순서대로 나열하시오.\nㄱ. 신고\nㄴ. 접수\n① ㄱ-ㄴ\n② ㄴ-ㄱ", ("ㄱ-ㄴ", "ㄴ-ㄱ")),
        ("옳은 것은?\n① 없음\n② 다음 각 호\n1. 카드\n2. 번호", ("없음", "다음 각 호 1. 카드 2. 번호")),
        ("옳은 것은? ① 제1조 ①항 ② 제2조", ("제1조 ①항", "제2조")),
        ("비율은?\n1.5%\n2.5%\n3.5%", ()),
        ("비율로 옳은 것은?\n1.5%\n2.5%\n3.5%", ("1.5%", "2.5%", "3.5%")),
        ("기한은?\n1.10일 이내\n2.20일 이내", ("10일 이내", "20일 이내")),
        ("기한으로 옳은 것은?\n1년 이내\n3년 이내", ("1년 이내", "3년 이내")),
        ("옳은 것은?\n1번 창구\n3번 창구", ("1번 창구", "3번 창구")),
        ("시행일은?\n1. 2024. 1. 2.\n2. 2024. 1. 3.", ("2024. 1. 2.", "2024. 1. 3.")),
        ("다음 중 옳은 것은? <ol><li>갑</li><li>을&nbsp;등</li></ol>", ("갑", "을\xa0등")),
        ("옳은 것은?\n| ① | 갑 |\n|---|---|\n| ② | 을 |", ("갑", "을")),
        ("옳은 것의 번호를 쓰시오.\n① 갑\n② 을", ("갑", "을")),
        ("설명으로 옳은 것은?\n① 갑\n② 을", ("갑", "을")),
        ("1. 다음 중 옳은 것은?\n1) 갑\n2) 을", ("갑", "을")),
        ("옳은 것은?①갑 ②을 ③병", ("갑", "을", "병")),
        ("옳은 것은?\n1)갑 2)을\n3)병 4)정", ("갑", "을", "병", "정")),
        ("옳은 것은?\n보기: 1) 갑 2) 을", ("갑", "을")),
        ("옳은 것은?\n1) 갑\n2) 을\n해설\n을이 옳다", ("갑", "을")),
        ("옳은 것은?\n1) 갑\n2) 을\n☞ 정답: 2", ("갑", "을")),
        ("옳은 것은?\n1) 갑\n2) 을 // 정답: 2", ("갑", "을")),
        ("옳은 것은?\n1) 갑\n2) 을\n정답률 45%", ("갑", "을")),
        ("빈칸에 알맞은 것은?\n( 가 )은 ( 나 )에 신고한다.\n① ( 가 ) 갑, ( 나 ) 을\n② ( 가 ) 병, ( 나 ) 정",
         ("( 가 ) 갑, ( 나 ) 을", "( 가 ) 병, ( 나 ) 정")),
        ("법 제3조 제1항 1. 2.에 해당하는가?", ()),
        ("의무는 (1) 보안 (2) 공시이다. 이를 요약하시오.", ()),
        ("다음 물음에 답하시오.\n1. 정의를 설명하시오.\n2. 요건은 무엇인가?", ()),
        ("1) 정의\n2) 요건\n위 사항을 설명하시오.", ()),
        ("C에서 \\n의 뜻은 무엇인가?", ()),
        ("정답을 고르시오.\n1) 갑\n2) 정답 없음", ("갑", "정답 없음")),
    ],
)  # fmt: skip
def test_lists_around_and_inside_options_are_not_taken_for_them(text, options):
    assert split_options(text)[1] == options


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("다음 중 옳은 것은?", "no options were found"),
        ("다음 중 옳은 것은?\n1) 갑\n2) 을\n4) 병", "after option 2 comes the mark of option 4"),
        ("옳은 것을 고르고 그 이유를 설명하시오.\n① 갑\n② 을", "to choose and to write"),
        ("옳은 것은?\n① 갑\n② 을\n② 병", "after option 2 comes the mark of option 2"),
        ("해킹과 피싱의 차이점은?\n1) 갑\n2) 을", "may ask for a text"),
        ("전자금융업의 등록 요건\n1. 자본금\n2. 인력", "does not ask for a choice"),
        ("옳은 것은?\n① 갑\n③ 을\n④ 병", "have a gap"),
        ("옳은 것은?\n2) 갑\n3) 을\n4) 병", "have a gap"),
        ("옳은 것은?\nA. 갑\nC. 을", "have a gap"),
        ("옳은 것은?\n① 갑\n② 갑", "the same text"),
        ("옳은 것을 모두 고르시오.\nㄱ. 갑\nㄴ. 을", "no options with combinations"),
    ],
)
def test_what_is_not_certain_is_said(text, said):
    assert said in read_text(text).doubt


@pytest.mark.parametrize(
    "text", ["옳은 것은?\n1) 갑\n2) 을", "해킹이란 무엇인가?", "의무를 설명하시오."]
)
def test_what_is_certain_is_not_doubtful(text):
    assert read_text(text).doubt == ""


def test_an_answer_inside_the_text_reaches_no_prompt_and_a_condition_stays():
    for text in ("[정답 3] 옳은 것은?\n1) 갑\n2) 을", "정답: 2\n옳은 것은?\n1) 갑\n2) 을"):
        assert read_text(text)[:2] == ("옳은 것은?", ("갑", "을"))
    assert read_text("의무를 설명하시오.\n정답: 보안").stem == "의무를 설명하시오."
    found = read_text("옳은 것은?\n1) 갑\n2) 을\n※ 단, 다툼이 있으면 판례에 따른다.")
    assert found.stem.endswith("판례에 따른다.")
    assert found.options == ("갑", "을")


def test_a_series_knows_its_opening_and_what_does_not_follow():
    (one,) = series_of(shadow("옳은 것은?\n１） 갑\n２） 을\n４） 병"))
    assert ([mark.number for mark in one.marks], one.opening, one.jump) == ([1, 2], 2, 4)
    assert series_of("가. 나") == []
