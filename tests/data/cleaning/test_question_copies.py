"""Copies of questions: another order, other marks, long evidence, a few edits; and what is none."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kofinlaw.data.cleaning.question_copies import QuestionCopies

STEM = (
    "「전산점검 규정」에 따라 담당부서가 점검절차의 이상을 은행장에게 보고하는 기한으로 옳은 것은?"
)
OPTIONS = (
    "이상을 안 날부터 3일 이내에 서면으로 보고하여야 한다",
    "점검일이 속한 달의 말일까지 보고하여야 한다",
    "이상이 해소된 뒤에 점검표와 함께 보고하면 된다",
    "은행장이 요구하는 때에만 보고할 수 있다",
)
EVIDENCE = (
    "담당부서는 점검절차에 이상이 있으면 3일 이내에 은행장에게 보고하여야 한다. 은행장은 보고를 받으면 2주 "
    "이내에 조치하여야 한다. 다만, 긴급한 경우에는 즉시 조치하여야 한다. 점검표는 5년 동안 보관하여야 한다. "
)
MARKS = ("{}. ", "({}) ", "{}번 ", "- ")
COPIES = QuestionCopies(["다른 물음은 무엇인가?\n하나\n둘", "\n".join((STEM, *OPTIONS))])


def example(order, mark, stem=STEM, options=OPTIONS, evidence=EVIDENCE):
    listed = [mark.format(n) + options[i] for n, i in enumerate(order, 1)]
    return "\n".join((f"[참고 조문]\n{evidence}\n[문제] {stem}", *listed, "정답: 1"))


@given(st.permutations(range(4)), st.sampled_from(MARKS), st.integers(0, 12))
def test_a_copy_is_found_in_any_order_behind_any_marks_and_after_evidence(order, mark, repeats):
    found = COPIES.held_by(example(order, mark, evidence=EVIDENCE * repeats))
    assert found is not None
    assert found[0] == 1
    assert found[1] > 0.99


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1))
def test_a_copy_with_a_few_edited_letters_is_found(seed):
    rng = random.Random(seed)
    letters = list("\n".join((STEM, *OPTIONS)))
    for place in rng.sample(range(len(letters)), 3):
        letters[place] = rng.choice("가나다라마바사아자차")
    stem, *options = "".join(letters).replace("\n\n", "\n").split("\n")
    assert COPIES.held_by(f"{EVIDENCE}\n[문제] {stem}\n" + "\n".join(options)) is not None


@given(st.permutations(range(4)), st.sampled_from(MARKS))
def test_another_question_on_the_same_article_is_no_copy(order, mark):
    stem = "「전산점검 규정」에 따라 점검표를 보관하는 기간으로 옳은 것은?"
    options = ("5년 동안", "3년 동안", "10년 동안", "영구히")
    assert COPIES.held_by(example(order, mark, stem, options)) is None
    assert COPIES.held_by(EVIDENCE * 5) is None


def test_words_of_a_question_all_over_a_long_text_are_no_copy():
    filler = (
        "그 밖에 은행이 정하는 사항은 따로 정하는 바에 따르며 이 규정의 시행에 필요한 사항을 정한다. "
        * 8
    )
    assert COPIES.held_by(filler.join((STEM, *OPTIONS))) is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("한도는? 1억원 2억원 3억원 5억원", True),
        ("한도는? 5억원 / 3억원 / 2억원 / 1억원 정답 5억원", True),
        ("한도는? 1억원 2억원 3억원 4억원", False),
        ("1억원과 2억원과 3억원과 5억원", False),
    ],
)
def test_of_a_short_question_every_part_must_be_there(text, found):
    copies = QuestionCopies(["한도는?\n1억원\n2억원\n3억원\n5억원"])
    assert (copies.held_by(text) is not None) == found


def test_without_questions_or_text_nothing_is_found():
    assert QuestionCopies([]).held_by(STEM) is None
    assert QuestionCopies(["", "\n"]).held_by(STEM) is None
    assert COPIES.held_by("") is None
