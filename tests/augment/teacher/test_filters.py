"""The filters of a teacher's output, one after another."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kofinlaw.augment.teacher.filters import agreement, citations, first_failure, verdicts
from kofinlaw.augment.teacher.prompt_files import read_prompt
from kofinlaw.augment.teacher.tasks import TASKS, Source, Written
from kofinlaw.data.law.verifying.known_law import ArticleText, KnownAct, KnownLaw

SOURCE = Source(
    "전자지급 안전법 제4조",
    "전자지급 안전법",
    "제4조제1항",
    "지급업자는 이용자가 거래내용을 서면으로 요청하는 경우에는 그 요청을 받은 날부터 2주 이내에 서면을 교부하여야 한다.",
)


REFERENCE = (
    "지급업자는 이용자의 요청을 받은 날부터 2주 이내에 이용자가 요청하는 서면을 교부하여야 한다."
)


FREE = {
    "reference": REFERENCE,
    "keywords": ["2주 이내", "서면"],
    "question": "지급업자는 거래내용을 서면으로 요청받으면 언제까지 교부하여야 하는가?",
}


def written(task, **fields):
    return Written(TASKS[task], SOURCE, fields)


def fault(output):
    return first_failure(verdicts(output, read_prompt(output.task.name)))


def free(**changed):
    fields = {**FREE, **changed}
    return written("free_question", **fields | {"keywords": tuple(fields["keywords"])})


def test_a_sound_output_passes_every_filter():
    assert fault(free()) is None


@pytest.mark.parametrize(
    ("changed", "check"),
    [
        ({"reference": "2주 이내에 교부하여야 한다."}, "length"),
        ({"keywords": ["서면"]}, "length"),
        ({"question": "When does the operator have to issue the document?"}, "korean"),
        ({"question": "당신은 지급업자가 거래내용을 언제까지 교부하여야 하는가?"}, "natural"),
        ({"question": "죄송하지만 지급업자는 언제까지 서면을 교부하여야 하는가?"}, "to_the_task"),
        ({"question": "지급업자는 거래내용을 서면으로 교부하여야 한다."}, "asks"),
        (
            {"question": "지점장은 사고를 알게 된 때에 누구에게 보고하여야 하는가?"},
            "not_the_prompt",
        ),
        (
            {"question": "지급업자는 사고를 알게 된 때에 누구에게 보고하여야 하는가?"},
            "not_the_prompt",
        ),
        ({"question": "오늘 점심에는 무엇을 먹는가?"}, "about_the_passage"),
        ({"question": REFERENCE[:-1] + "는가?"}, "not_an_echo"),
        (
            {"question": "지급업자는 거래내용에 대하여 수수료와 지연이자를 교부하여야 하는가?"},
            "question_from_the_passage",
        ),
        ({"keywords": ["영수증", "서면"]}, "keywords"),
        ({"question": "지급업자는 거래내용을 010-1234-5678 서면으로 교부하는가?"}, "personal_data"),
        ({"reference": REFERENCE.replace("2주", "3주"), "keywords": ["서면", "요청"]}, "figures"),
    ],
)
def test_each_filter_refuses_what_it_is_for(changed, check):
    found = fault(free(**changed))
    assert found is not None
    assert found.check == check


def test_a_wrong_article_is_refused_and_the_right_one_is_not():
    right = written("explanation", explanation=SOURCE.passage, article="제4조제1항")
    wrong = written("explanation", explanation=SOURCE.passage, article="제4조제2항")
    assert fault(right) is None
    assert fault(wrong).check == "article"


@pytest.mark.parametrize(
    ("again", "ok"),
    [
        ("2주 이내에 서면을 교부하여야 한다.", True),
        ("3주 이내에 서면을 교부하여야 한다.", False),
        ("서면을 교부할 수 있다.", False),
        ("주어진 조문에서 답을 찾을 수 없습니다.", False),
        ("모르겠다.", False),
    ],
)
def test_the_teacher_must_agree_with_itself(again, ok):
    assert agreement(REFERENCE, again).ok is ok


@given(
    st.text(alphabet="가나 ", max_size=12),
    st.text(alphabet="가나다 ", min_size=14, max_size=17),
    st.text(alphabet="가나 ", max_size=8),
)
def test_repeated_runs_are_those_of_the_pattern(before, run, between):
    """The pattern `(.{15,}).*\\1` finds the same, but its time grows with the cube of the length."""
    from kofinlaw.augment.teacher.filters import _repeated_run

    row = before + run + between + run
    match = re.search(r"(.{15,}).*\1", row)
    assert _repeated_run(row) == (match[1] if match else "")


def test_a_repeated_run_is_found_in_a_long_text():
    from kofinlaw.augment.teacher.filters import _repeated_run

    assert _repeated_run("가나다" * 20_000).startswith("가나다가나다")
    assert _repeated_run("".join(map(chr, range(0xAC00, 0xD000)))) == ""


def test_an_output_with_a_reference_that_the_corpus_refutes_is_refused():
    texts = {"제4조": [ArticleText("서면", SOURCE.passage, False)]}
    known = KnownLaw({SOURCE.title: KnownAct(SOURCE.title, articles=texts, whole=True)})
    assert citations(free(), known).ok
    assert citations(free(reference=f"{REFERENCE} 은행법 제999조에 따른다."), known).ok
    for wrong in (
        "제99조에 따른다.",
        "전자지급 안전법 제4조(수수료)에 따른다.",
        "이 법 제4조제2항",
    ):
        verdict = citations(free(reference=f"{REFERENCE} {wrong}"), known)
        assert not verdict.ok, wrong
        assert SOURCE.title in verdict.detail
