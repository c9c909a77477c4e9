"""One normaliser for answers and keys: every way to name an option, and what names none."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kofinlaw.rag.questions.answer_labels import key_labels, option_label
from kofinlaw.scoring.metrics.fsku import label_of

OPTIONS = ("이용자", "금융회사", "가맹점", "전자금융업자", "통신과금업자")
SIGNS = (
    "12345",
    "１２３４５",
    "①②③④⑤",
    "⑴⑵⑶⑷⑸",
    "❶❷❸❹❺",
    "ABCDE",
    "abcde",
    "가나다라마",
    "ㄱㄴㄷㄹㅁ",
    "ⅠⅡⅢⅣⅤ",
    "㉠㉡㉢㉣㉤",
)
FORMS = ("{}", "{}번", "({})", "[{}]", "{})", "{}.", "정답: {}", "정답은 {}번입니다.", "답 {}", "**{}**", " {}\n", "Answer: {}",
         "보기 {}", "'{}'", "{}번 보기", "[정답] {}", "{}번이 정답입니다")  # fmt: skip


@given(st.integers(0, 4), st.sampled_from(SIGNS), st.sampled_from(FORMS))
@settings(max_examples=150, derandomize=True)
def test_every_form_of_a_label_is_read_with_and_without_the_texts(number, signs, form):
    written = form.format(signs[number])
    assert option_label(written, OPTIONS) == str(number + 1)
    assert label_of(written, 5) == str(number + 1)
    assert key_labels(written, OPTIONS) == (str(number + 1),)


@given(st.integers(2, 9), st.data())
def test_every_way_to_name_an_option_gives_its_label(count, data):
    number = data.draw(st.integers(1, count))
    options = tuple(f"보기 내용 {n}" for n in range(1, count + 1))
    ways = (
        str(number),
        f"{number}.0",
        f"{number}번",
        f"{number})",
        "①②③④⑤⑥⑦⑧⑨"[number - 1],
        "ABCDEFGHI"[number - 1],
        "abcdefghi"[number - 1],
        options[number - 1],
    )
    assert {option_label(way, options) for way in ways} == {str(number)}
    assert option_label(str(count + 1), options) == ""
    assert option_label("", options) == ""


@given(st.integers(0, 4), st.sampled_from(["{}", "③ {}", " {}. ", "정답: ③ {}", "3. {}"]))
@settings(max_examples=40, derandomize=True)
def test_the_text_of_an_option_names_it_and_a_contradicting_mark_does_not(number, form):
    found = option_label(form.format(OPTIONS[number]), OPTIONS)
    assert found == (str(number + 1) if number == 2 or "3" not in form.replace("③", "3") else "")


@pytest.mark.parametrize(
    "written",
    [
        "",
        None,
        True,
        "10일",
        "3년",
        "3.5",
        "-3",
        "0",
        "6",
        "제3조",
        "1,3",
        "13",
        "모름",
        float("nan"),
    ],
)
def test_what_names_no_option_is_empty(written):
    assert option_label(written, OPTIONS) == ""


def test_numbers_of_json_and_figures_that_are_option_texts():
    assert option_label(3, OPTIONS) == option_label(3.0, OPTIONS) == option_label("3.0", 5) == "3"
    assert option_label("2", ("3", "2", "1")) == "2"
    assert option_label("나", ("나", "가")) == "1"


@given(
    st.lists(st.integers(1, 5), min_size=2, max_size=5, unique=True).map(sorted),
    st.sampled_from([",", ", ", "/", " 또는 ", "·", ";", " 혹은 ", "、", " or ", "번, "]),
)
@settings(max_examples=60, derandomize=True)
def test_several_right_answers_are_read(numbers, between):
    right = tuple(map(str, numbers))
    assert key_labels(between.join(right), OPTIONS) == right
    assert key_labels(numbers, OPTIONS) == right
    assert key_labels("".join("①②③④⑤"[n - 1] for n in numbers), OPTIONS) == right
    assert key_labels(f"복수정답: {between.join(right)}", OPTIONS) == right


def test_every_option_is_right_and_unreadable_keys_are_empty():
    for written in ("전항정답", "모두 정답", "전원 정답 처리"):
        assert key_labels(written, OPTIONS) == ("1", "2", "3", "4", "5")
    for written in ("1,7", "없음", "", "13", [1, 9], []):
        assert key_labels(written, OPTIONS) == ()
