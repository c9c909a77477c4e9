import datetime as dt

import pytest

from kofinlaw.augment.hard.deadlines import generate, last_day
from kofinlaw.augment.reading.acts import read_laws

D = dt.date


@pytest.mark.parametrize(
    ("event", "number", "unit", "expected"),
    [
        # 초일불산입 (제157조)
        (D(2025, 3, 4), 7, "일", D(2025, 3, 11)),
        (D(2025, 3, 4), 2, "주", D(2025, 3, 18)),
        # The day before the corresponding day (제160조제2항)
        (D(2025, 3, 15), 3, "개월", D(2025, 6, 15)),
        # The first day is the first of a month: the whole month counts
        (D(2025, 2, 28), 1, "개월", D(2025, 3, 31)),
        # No corresponding day: the last day of the month (제160조제3항)
        (D(2025, 1, 30), 1, "개월", D(2025, 2, 28)),
        (D(2025, 12, 31), 1, "개월", D(2026, 1, 31)),
        (D(2024, 2, 28), 1, "년", D(2025, 2, 28)),
    ],
)
def test_a_period_ends_as_the_civil_act_counts_it(event, number, unit, expected):
    assert last_day(event, number, unit) == expected


def test_an_unknown_unit_is_refused():
    with pytest.raises(ValueError, match="영업일"):
        last_day(D(2025, 1, 1), 3, "영업일")


def test_the_answer_is_the_last_day_and_the_first_day_counted_is_a_slip(hard_law, hard_laws):
    drafts = [d for seed in range(5) for d in generate(hard_law, hard_laws, seed)]
    assert {d.units[0] for d in drafts} == {"결제업법 제1조", "결제업법 제3조"}
    for draft in drafts:
        number = 30 if draft.units[0].endswith("제1조") else 7
        year, month, day = (
            int(part) for part in draft.stem.split("이라면")[0].split()[-3:] for part in [part[:-1]]
        )
        right = D(year, month, day) + dt.timedelta(days=number)
        assert draft.answer == f"{right.year}년 {right.month}월 {right.day}일"
        assert "초일은 산입하지 않으며" in draft.stem
        assert draft.answer not in draft.distractors


def questions(parse, *sentences):
    body = "\n".join(f"**{mark}** {text}" for mark, text in zip("①②③④⑤", sentences, strict=False))
    laws = read_laws(parse("결제업법", f"##### 제1조 (보고)\n\n{body}\n"))
    return [d for d in generate(laws.acts[0], laws, 3)]


def test_the_topic_of_the_clause_before_the_last_day_is_its_subject(parse):
    (draft,) = questions(
        parse,
        "감독원장의 통지를 받은 결제업자는 그 통지를 받은 날부터 14일 이내에 감독위원회에 의견을 제출하여야 한다.",
    )
    said = draft.stem.partition("이라면 ")[2]
    assert "결제업자가 감독위원회에" in said
    assert "통지를 받은 날이" in draft.stem
    assert "그 통지를 받은 날이" not in draft.stem


@pytest.mark.parametrize(
    "sentence",
    [
        "감독원장은 이의신청을 받은 때에는 위원회 의결을 거쳐 이의신청을 받은 날부터 90일 이내에 통보하여야 한다.",
        "감독원장은 감독위원회 의결을 거쳐 이의신청을 받은 날부터 90일 이내에 결과를 통보하여야 한다.",
        "결제업자는 명령을 받으면 그 명령을 받은 날부터 6개월 이내에 점검을 실시하여야 한다.",
        "결제업자는 사고가 난 경우 그 사유가 생긴 날부터 7일 이내에 보고서를 제출하여야 한다.",
    ],
)
def test_a_condition_or_an_adverb_of_another_verb_gives_no_question(parse, sentence):
    assert questions(parse, sentence) == []
