import random
from dataclasses import replace

from kofinlaw.augment.generators.drafts import Draft
from kofinlaw.augment.option_choice import build_item, find_problem
from kofinlaw.augment.shortcuts import shortcut_figures

DRAFT = Draft(
    "quantity", "며칠인가?", "10일", ("5일", "7일", "14일", "30일"), ("법 제1조",), ("10일",)
)


def test_an_item_has_the_answer_once_at_its_place():
    item = build_item(DRAFT, 5, random.Random(0))
    assert item is not None
    assert item.options[item.answer] == "10일"
    assert sorted(item.options) == sorted(["10일", *DRAFT.distractors])
    assert item.label == str(item.answer + 1)


def test_a_draft_with_two_distractors_gives_no_item():
    assert build_item(replace(DRAFT, distractors=("5일", "7일")), 4, random.Random(0)) is None


def test_the_longest_option_is_the_answer_about_as_often_as_chance():
    rng = random.Random(1)
    pool = ["가" * n for n in range(5, 45, 5)]
    rows = []
    for _ in range(2000):
        answer = rng.choice(pool)
        draft = replace(DRAFT, answer=answer, distractors=tuple(p for p in pool if p != answer))
        item = build_item(draft, 4, rng)
        rows.append((item.options, item.answer))
    assert abs(shortcut_figures(rows)["longest_gain"]) < 4


def test_an_option_without_letters_is_refused():
    item = build_item(replace(DRAFT, distractors=("…", "7일", "14일")), 4, random.Random(0))
    assert find_problem(item) == ("empty_option", "10일")


def test_equal_options_and_an_answer_in_the_stem_are_refused():
    item = build_item(replace(DRAFT, distractors=("10 일", "7일", "14일")), 4, random.Random(0))
    assert find_problem(item)[0] == "duplicate_option"
    given_away = replace(DRAFT, stem="개인정보처리자는 누구인가?", answer="개인정보처리자")
    assert find_problem(build_item(given_away, 4, random.Random(0)))[0] == "answer_in_stem"


def test_a_stem_read_with_the_wrong_polarity_is_refused():
    wrong = replace(DRAFT, stem="규정에 해당하지 않는 것은?")
    assert find_problem(build_item(wrong, 4, random.Random(0)))[0] == "polarity"
    asked = replace(wrong, negative=True)
    assert find_problem(build_item(asked, 4, random.Random(0))) is None


def test_a_right_option_that_alone_repeats_the_stem_is_refused():
    draft = Draft(
        "exception",
        "열람을 제한하거나 거절할 수 있다는 규정의 단서에서 정한 경우는?",
        "열람을 제한하거나 거절할 수 있는 경우",
        ("주소를 알 수 없어 보내지 못한 때", "통계를 집계하지 못한 때", "전산설비가 멈춘 때"),
        ("법 제1조",),
        ("열람",),
    )
    assert find_problem(build_item(draft, 4, random.Random(0)))[0] == "answer_like_stem"
    shared = replace(
        draft, distractors=("열람을 제한하거나 거절할 수 없는 때", *draft.distractors[:2])
    )
    assert find_problem(build_item(shared, 4, random.Random(0))) is None
