import math

import pytest

from kofinlaw.records import Answer, Key, Question
from kofinlaw.scoring.abstention.abstention_figures import (
    abstention_record,
    outcome,
    system_curve,
)
from kofinlaw.scoring.abstention.abstention_table import abstention_lines
from kofinlaw.scoring.answers import answer_sheet
from kofinlaw.scoring.settings import ScoreSettings
from kofinlaw.scoring.system_scores import score_system

SETTINGS = ScoreSettings(embedder=None, bootstrap_samples=200, confident_from=0.8)
REFUSED = "주어진 조문에서 답을 찾을 수 없습니다."
CHOICE = [Question(f"c{i}", "옳은 것은?", ("가", "나", REFUSED)) for i in range(20)]
FREE = Question("f", "은행은 며칠 이내에 보고하여야 하는가?")
KEYS = [Key(q.id, "1") for q in CHOICE] + [Key("f", reference="은행은 10일 이내에 보고한다.")]
ASKED = [*CHOICE, FREE]


def items(answers):
    sheet = answer_sheet(answers)
    return score_system(ASKED, KEYS, sheet, settings=SETTINGS, system="s").items


def choices(labels, confidences, free="10일"):
    rows = [
        Answer(q.id, label, (), confidence, 1)
        for q, label, confidence in zip(CHOICE, labels, confidences, strict=True)
    ]
    return items([*rows, Answer("f", free, (), 0.6, 1)])


def test_outcomes_of_right_wrong_refused_and_missing_answers():
    by_id = {q.id: q for q in ASKED}
    found = choices(["1", "2", "3", "", *["1"] * 16], [0.9] * 20, free=REFUSED)
    pairs = [outcome(item, by_id[item.id]) for item in found]
    assert pairs[0] == (0.9, 0)
    assert pairs[1] == (0.9, 1)
    assert all(math.isnan(pairs[i][0]) for i in (2, 3, 20))
    right = outcome(choices(["1"] * 20, [0.5] * 20)[20], FREE)
    assert right == (0.6, 0)


def test_a_refusing_option_that_is_the_key_is_an_answer():
    question = Question("q", "?", ("가", REFUSED))
    sheet = answer_sheet([Answer("q", "2", (), 0.7, 1)])
    (item,) = score_system([question], [Key("q", "2")], sheet, settings=SETTINGS).items
    assert outcome(item, question) == (0.7, 0)


def test_the_trained_model_must_not_be_worse_without_evidence():
    sure = [0.9] * 10 + [0.3] * 10
    half = ["1"] * 10 + ["2"] * 10
    worse = ["2"] * 10 + ["1"] * 10
    record = abstention_record(
        {q.id: q for q in ASKED},
        {
            "gold": {"base": choices(half, sure), "trained": choices(half, sure)},
            "none": {"base": choices(half, sure), "trained": choices(worse, sure)},
            "partial": {"base": choices(worse, sure), "trained": choices(half, sure)},
        },
        settings=SETTINGS,
        seed=1,
    )
    rows = {(row["evidence"], row["part"]): row for row in record["rows"]}
    assert rows["gold", "choice"]["meets"] is None
    none, partial = rows["none", "choice"], rows["partial", "choice"]
    assert none["meets"] is False
    assert none["difference"]["low"] > 0
    assert partial["meets"] is True
    assert partial["difference"]["high"] < 0
    assert none["systems"]["base"]["confident_wrong"] == 0
    assert none["systems"]["trained"]["confident_wrong"] == 0.5
    assert none["difference"]["risk_at"] == pytest.approx([1, 1, 1 / 3, 0])
    assert rows["none", "free"]["systems"]["base"]["n"] == 1
    text = "\n".join(abstention_lines(record))
    assert "does not meet" in text
    assert "+" in text


def test_a_model_alone_is_shown_without_a_comparison():
    record = abstention_record(
        {q.id: q for q in ASKED},
        {"none": {"base": choices(["1"] * 20, [0.5] * 20, free=REFUSED)}},
        settings=SETTINGS,
        seed=1,
    )
    assert [row["difference"] for row in record["rows"]] == [None, None]
    assert record["rows"][1]["systems"]["base"]["refused"] == 1
    assert "–" in abstention_lines(record)[-1]


def test_a_curve_is_short_and_ends_at_its_coverage():
    curve = system_curve([0.5] * 300 + [math.nan] * 100, [0.25] * 400, 0.5)
    assert len(curve["curve"]) <= 60
    assert curve["curve"][-1] == (0.75, 0.25)
    assert curve["risk_at"] == [0.25, 0.25, 0.25, None]
    assert curve["refused"] == 100
    empty = system_curve([], [], 0.5)
    assert empty["aurc"] is empty["risk"] is empty["confident_wrong"] is None
