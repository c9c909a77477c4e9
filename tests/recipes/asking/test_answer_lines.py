"""An answer on a terminal: its form, its evidence, its marks."""

import dataclasses

import pytest

from kofinlaw.rag.answer.single_question import AskedAnswer, Evidence
from kofinlaw.rag.retrieve.in_force import AbsentAct
from kofinlaw.recipes.asking.answer_lines import (
    LineStyle,
    answer_lines,
    evidence_lines,
    terminal_style,
)

PLAIN = LineStyle()
RULE = Evidence(
    chunk="보고/제7조",
    unit="사고 대응 규정 제7조",
    text="사고 대응 규정 제7조(보고)\n① 담당자는 다음 각 호의 시간 안에 보고한다.\n"
    "1. 1급 사고: 1시간\n2. 2급 사고: 3시간\n② 은행장은 조치한다.",
    score=0.9,
    by="bigram:stem",
    shown=True,
    source="rules/사고 대응.docx",
    kind="rule",
    day="2025-03-01",
)
MANUAL = dataclasses.replace(
    RULE,
    chunk="m",
    unit="창구 매뉴얼 > 분실",
    text="창구에서 접수한다.",
    kind="manual",
    shown=False,
)
CHOICE = AskedAnswer(
    answer="2",
    option="3시간",
    confidence=0.624,
    origin="model",
    evidence=(RULE, MANUAL),
    question="2급 사고는 몇 시간 안에 보고하는가?",
    decisive="담당자는 2급 사고: 3시간 안에 보고한다.",
    decisive_chunk="보고/제7조",
)
FREE = dataclasses.replace(
    CHOICE, answer="3시간 안에 보고한다.", option="", decisive="", decisive_chunk=""
)


def test_a_choice_has_its_text_number_confidence_and_deciding_sentence():
    assert answer_lines(CHOICE, PLAIN) == [
        "",
        "② 3시간 (확신 0.62)",
        "결정 문장 · 담당자는 2급 사고: 3시간 안에 보고한다. (사고 대응 규정 제7조)",
        "",
        "근거",
        "[1] 사고 대응 규정 제7조(보고) · 시행 2025-03-01 · 사고 대응.docx",
        "    ① 담당자는 다음 각 호의 시간 안에 보고한다.",
        "    2. 2급 사고: 3시간",
    ]
    without = dataclasses.replace(CHOICE, origin="fallback", confidence=0.0)
    assert "모델이 답하지 못해" in answer_lines(without, PLAIN)[1]
    assert "확신" not in answer_lines(without, PLAIN)[1]


def test_an_unusable_answer_is_a_quotation_and_says_so():
    quoted = dataclasses.replace(
        FREE, origin="fallback", replaced="loop", quoted=RULE.chunk, answer="은행장은 조치한다."
    )
    lines = answer_lines(quoted, PLAIN)
    assert lines[1] == "모델의 답을 쓸 수 없어 조문을 인용합니다: 은행장은 조치한다."
    assert lines[2] == "인용 · 사고 대응 규정 제7조"
    assert lines[-1] == "    ② 은행장은 조치한다."
    chosen = dataclasses.replace(quoted, origin="quotation", replaced="")
    assert answer_lines(chosen, PLAIN)[1] == "은행장은 조치한다."
    nothing = dataclasses.replace(
        FREE, origin="fallback", answer="주어진 조문에서 답을 찾을 수 없습니다.", evidence=()
    )
    assert answer_lines(nothing, PLAIN)[1:] == [nothing.answer, "", "근거 없음"]


def test_only_a_generated_value_that_no_source_has_is_to_be_checked():
    assert not [line for line in answer_lines(FREE, PLAIN) if "확인 필요" in line]
    wrong = dataclasses.replace(FREE, answer="제12조에 따라 5시간 안에 보고한다.")
    (line,) = [line for line in answer_lines(wrong, PLAIN) if "확인 필요" in line]
    assert line.endswith("제12조, 5시간")
    asked = dataclasses.replace(wrong, question="제12조가 정한 5시간이란?")
    assert not [line for line in answer_lines(asked, PLAIN) if "확인 필요" in line]


def test_an_unusable_answer_that_the_recipe_keeps_is_marked():
    assert not [line for line in answer_lines(FREE, PLAIN) if "주의" in line]
    kept = dataclasses.replace(FREE, answer="3시간 안에 보고한다. " * 2)
    (line,) = [line for line in answer_lines(kept, PLAIN) if "주의" in line]
    assert line == "주의 · 모델의 답이 같은 말을 되풀이합니다 (answer.free_replace: false)"


def test_the_evidence_is_that_which_was_read_with_its_days():
    lines = evidence_lines(FREE, PLAIN)
    assert not [line for line in lines if "창구" in line]
    unknown = dataclasses.replace(RULE, day="")
    coming = dataclasses.replace(RULE, version="시행 예정 2999-01-01")
    manual = dataclasses.replace(MANUAL, shown=True, pages="3-4", ocr="0.93")
    shown = dataclasses.replace(FREE, evidence=(unknown, coming, manual))
    sources = [line for line in evidence_lines(shown, PLAIN) if line.startswith("[")]
    assert ["시행일 모름" in sources[0], "시행 예정 2999-01-01" in sources[1]] == [True, True]
    assert (
        sources[2]
        == "[3] 창구 매뉴얼 > 분실 · 기준일 2025-03-01 · 사고 대응.docx 3-4쪽 · 문자 인식 0.93"
    )


def test_whole_passages_and_scores_are_shown_where_asked_for():
    assert "    ② 은행장은 조치한다." in evidence_lines(FREE, PLAIN, whole=True)
    debug = answer_lines(CHOICE, LineStyle(debug=True))
    assert "    [0.9000, bigram:stem, 보고/제7조]" in debug
    assert "[not read] 창구 매뉴얼 > 분실 [0.9000, bigram:stem, m]" in debug
    assert "[origin model, confidence 0.6240]" in debug
    assert not [line for line in answer_lines(CHOICE, PLAIN) if "bigram" in line]


def test_an_act_without_a_text_on_that_day_is_named():
    absent = dataclasses.replace(FREE, absent=(AbsentAct("가람법", "2022-06-10"),))
    assert "「가람법」: 그날 시행 중인 조문이 없습니다 (말뭉치의 첫 시행일 2022-06-10)" in (
        answer_lines(absent, PLAIN)
    )


def test_words_of_the_question_are_bold_on_a_terminal():
    lines = answer_lines(CHOICE, LineStyle(bold=True))
    assert lines[1] == "\x1b[1m② 3시간\x1b[0m (확신 0.62)"
    assert lines[-1] == "    2. \x1b[1m2급\x1b[0m \x1b[1m사고\x1b[0m: \x1b[1m3시간\x1b[0m"


@pytest.mark.parametrize(
    ("terminal", "variables", "bold"),
    [
        (True, {}, True),
        (False, {}, False),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"NO_COLOR": ""}, True),
        (True, {"TERM": "dumb"}, False),
    ],
)
def test_marks_are_for_terminals(monkeypatch, terminal, variables, bold):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.stdout.isatty", lambda: terminal)
    assert terminal_style().bold is bold
