"""The filters of multiple-choice outputs, one fault at a time."""

import pytest

from kofinlaw.augment.teacher.choice_filters import choice_verdicts, twin_verdicts
from kofinlaw.augment.teacher.filters import first_failure
from kofinlaw.augment.teacher.tasks import TASKS, Source, Written

PASSAGE = "감독위원회는 등록신청을 받은 날부터 30일 이내에 그 결과를 신청인에게 알려야 한다."
AMOUNTS = Source(
    *("전자지급 안전법 제5조", "전자지급 안전법", "제5조제2항", PASSAGE),
    *("감독위원회는 등록신청을 받은 날부터 며칠 이내에 그 결과를 알려야 하는가?", "30일"),
    *(("15일", "30일", "40일", "60일"), 1),
)
TRUE = (
    "감독위원회는 등록신청을 받은 날부터 30일 이내에 그 결과를 신청인에게 알려야 한다.",
    "감독위원회는 등록신청을 받은 날부터 60일 이내에 그 결과를 신청인에게 알려야 한다.",
    "감독위원회는 등록신청을 받은 날부터 30일 이내에 그 결과를 신청인에게 알릴 수 있다.",
    "협회장은 등록신청을 받은 날부터 30일 이내에 그 결과를 신청인에게 알려야 한다.",
)
STATEMENTS = Source(
    *("전자지급 안전법 제5조", "전자지급 안전법", "제5조제2항", PASSAGE),
    *("등록신청의 결과에 관한 설명으로 옳은 것은?", TRUE[0], TRUE, 0),
)
REWORDED = tuple(
    text.replace("등록신청을 받은 날부터 ", "").replace("그 결과", "등록신청의 결과")
    for text in TRUE
)
PAIR = Source(
    *(
        "가 제1조",
        "가",
        "제1조",
        "당사자는 조정안을 받은 날부터 20일 이내에 수락 여부를 알려야 한다.",
    ),
    *("", "20일"),
    (
        "(가) 20일, (나) 30일",
        "(가) 30일, (나) 20일",
        "(가) 20일, (나) 20일",
        "(가) 30일, (나) 30일",
    ),
    0,
    second=Source("나 제2조", "나", "제2조", PASSAGE, "", "30일"),
)


def scenario(**changed):
    fields = {
        "scenario": "박씨는 어제 감독위원회에 등록을 신청하였다.",
        "question": "감독위원회가 박씨에게 결과를 알려야 하는 기한은 며칠인가?",
    }
    return Written(TASKS["choice_scenario"], AMOUNTS, {**fields, **changed})


def paraphrase(question="등록신청의 결과를 바르게 설명한 것은?", options=REWORDED):
    fields = {"question": question, "options": tuple(options)}
    return Written(TASKS["choice_paraphrase"], STATEMENTS, fields)


def comparison(**changed):
    fields = {
        "case_a": "당사자가 조정안을 받은 경우",
        "case_b": "감독위원회가 등록신청을 받은 경우",
        "question": "(가)와 (나)에서 각각 며칠 이내에 알려야 하는가?",
    }
    return Written(TASKS["comparison"], PAIR, {**fields, **changed})


def fault(written):
    return first_failure([*choice_verdicts(written), *twin_verdicts(written)])


@pytest.mark.parametrize(
    "written", [scenario(), paraphrase(), comparison()], ids=lambda w: w.task.name
)
def test_a_sound_output_passes(written):
    assert fault(written) is None


@pytest.mark.parametrize(
    ("written", "check"),
    [
        (scenario(scenario="박씨는 등록을 신청하고 30일을 기다렸다. 결과가 없었다."), "no_leak"),
        (scenario(scenario="박씨는 등록을 신청하고 40일을 기다렸다. 결과가 없었다."), "no_leak"),
        (scenario(question=AMOUNTS.question), "reworded"),
        (paraphrase(options=REWORDED[:3]), "options_kept"),
        (paraphrase(options=(*REWORDED[:3], REWORDED[0])), "options_kept"),
        (
            paraphrase(options=(REWORDED[0] + " 그 밖에 다른 것은 없다.", *REWORDED[1:])),
            "length_rank",
        ),
        (paraphrase(options=TRUE[:2] + REWORDED[2:]), "reworded"),
        (paraphrase(question="등록신청의 결과를 잘못 설명한 것은?"), "same_polarity"),
        (
            paraphrase(options=(REWORDED[0], REWORDED[1].replace("60", "50"), *REWORDED[2:])),
            "same_figures",
        ),
        (
            paraphrase(options=(*REWORDED[:3], REWORDED[3].replace("협회장은", "감독원장은"))),
            "same_parties",
        ),
        (comparison(case_a="당사자가 20일 안에 조정안을 받은 경우"), "no_leak"),
        (comparison(case_b="당사자가 조정안을 받은 경우"), "case_terms"),
        (comparison(case_a="당사자가 조정안 3개를 받은 경우"), "case_figures"),
    ],
)
def test_a_fault_is_found(written, check):
    found = fault(written)
    assert found is not None
    assert found.check == check


def test_values_are_copied_and_not_rewritten():
    fields = {
        "question": "결과를 알려야 하는 기한은?",
        "options": ("15일", "한 달", "40일", "60일"),
    }
    assert fault(Written(TASKS["choice_paraphrase"], AMOUNTS, fields)).check == "options_kept"


def test_other_tasks_have_no_such_checks():
    fields = {"summary": PASSAGE}
    assert choice_verdicts(Written(TASKS["summary"], AMOUNTS, fields)) == []
