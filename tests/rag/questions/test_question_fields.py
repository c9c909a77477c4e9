"""Options in columns, lists, mappings and texts; what is refused by name."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kofinlaw import UserError
from kofinlaw.rag.questions.question_fields import question_of

TEXTS = ("이용자", "금융회사", "가맹점", "전자금융업자")
COLUMNS = [
    list("ABCD"), list("abcd"), list("1234"), list("①②③④"), list("가나다라"),
    [f"보기{n}" for n in range(1, 5)], [f"보기 {n}" for n in range(1, 5)],
    [f"선택지{n}" for n in range(1, 5)], [f"choice_{n}" for n in range(1, 5)],
    [f"choice{n}" for n in range(4)], [f"option_{c}" for c in "abcd"], [f"Option {c}" for c in "ABCD"],
    [f"보기{c}" for c in "①②③④"], [f"({n})" for n in range(1, 5)], [f"{n}번" for n in range(1, 5)],
]  # fmt: skip
MAPPED = [list("1234"), list("ABCD"), list("가나다라"), list("①②③④"), list("0123")]


@given(st.sampled_from(COLUMNS), st.randoms(use_true_random=False))
@settings(max_examples=40, derandomize=True)
def test_columns_in_any_order_are_the_options(names, random):
    cells = list(zip(names, TEXTS, strict=True))
    random.shuffle(cells)
    found = question_of({"question": "옳은 것은?", **dict(cells)}, "")
    assert (found.stem, found.options) == ("옳은 것은?", TEXTS)


@given(st.sampled_from(MAPPED), st.sampled_from(["options", "보기", "choices"]))
@settings(max_examples=30, derandomize=True)
def test_lists_mappings_and_texts_are_the_options(signs, name):
    mapping = dict(zip(signs, TEXTS, strict=True))
    records = [{"label": sign, "text": text} for sign, text in mapping.items()]
    marked = [f"{n}) {text}" for n, text in enumerate(TEXTS, 1)]
    arc = {"label": signs, "text": list(TEXTS)}
    forms: list[object] = [mapping, records, arc, list(TEXTS), marked, "\n".join(marked)]
    forms += ["|".join(TEXTS), str(list(TEXTS)), dict(reversed(mapping.items()))]
    for form in forms:
        assert question_of({"질문": "옳은 것은?", name: form}, "").options == TEXTS, form


def test_options_of_a_row_come_before_those_inside_the_text_and_lose_notes():
    row = {"question": "옳은 것은?\n1) 갑\n2) 을", "options": ["갑", "을\n정답: 2"]}
    found = question_of(row, "")
    assert found[:2] == ("옳은 것은?", ("갑", "을"))
    leaked = question_of({"question": "옳은 것은? (정답: 2)", "options": ["갑", "을"]}, "")
    assert (leaked.stem, leaked.notes) == ("옳은 것은?", ("(정답: 2)",))


def test_figures_in_a_list_are_no_marks():
    options = ["1 영업일", "2 영업일", "3 영업일"]
    assert question_of({"question": "기한은?", "options": options}, "").options == tuple(options)
    assert question_of({"question": "몇 개인가?", "options": [1, 2, 3]}, "").options == (
        "1",
        "2",
        "3",
    )


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"A": "갑", "B": "을", "D": "정"}, "not a series"),
        ({"A": "갑", "B": "을", "보기1": "갑", "보기2": "을"}, "two groups of columns"),
        ({"options": {"1": "갑", "3": "을"}}, "not a series"),
        ({"options": [["갑"], ["을"]]}, "must be a list of texts"),
        ({"options": True}, "must be a list of texts"),
        ({"options": "[" * 100_000 + "]" * 100_000}, "must be a list of texts"),
        ({"options": ["갑"]}, "1 option"),
        ({"options": ["갑", ""]}, "option 2 is empty"),
        ({"distractors": ["갑", "을"]}, "`distractors` is not read"),
    ],
)
def test_unknown_shapes_are_refused_by_name(row, said):
    with pytest.raises(UserError, match=said) as caught:
        question_of({"question": "다음 중 옳은 것은?", **row}, "q.jsonl:3")
    assert caught.value.where == "q.jsonl:3"


def test_empty_option_columns_are_a_free_question():
    row = {"question": "의무를 설명하시오.", "A": "", "B": "", "options": ""}
    assert question_of(row, "").options == ()
