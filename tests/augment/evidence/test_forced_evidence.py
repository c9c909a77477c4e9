import random
from dataclasses import replace

import pytest

from kofinlaw.augment.evidence.forced_evidence import (
    contradicting_evidence,
    deciding_lines,
    deciding_texts,
    partial_evidence,
    party_names,
)
from kofinlaw.augment.reading.figures import find_figures
from kofinlaw.records import Chunk, Key, Question

TEXT = (
    "전자지급 안전법 제4조(거래내용의 확인)\n"
    "① 지급업자는 요청을 받은 날부터 2주 이내에 서면을 교부하여야 한다.\n"
    "② 이용자는 오류가 있음을 안 때에는 정정을 요구할 수 있다.\n"
    "③ 지급업자는 거래기록을 5년간 보존하여야 한다.\n"
    "④ 감독위원회는 지급업자에게 거래기록의 제출을 요구할 수 있다."
)
GOLD = Chunk("법/제4조", "법", "전자지급 안전법", "statute", "", "법 제4조", TEXT, "", "", "", "")
FIGURE = Question(
    "q1", "지급업자는 거래기록을 몇 년간 보존하여야 하는가?", ("3년", "5년", "7년", "10년")
)
FIGURE_KEY = Key("q1", "2", units=("법 제4조",))
PARTY = Question(
    "q2",
    "거래기록의 제출을 요구할 수 있는 자는?",
    ("이용자", "감독위원회", "수취인"),
)
PARTY_KEY = Key("q2", "2", units=("법 제4조",))


def lines(chunk: Chunk) -> list[str]:
    return chunk.text.split("\n")


def test_the_deciding_line_goes_and_everything_else_stays():
    (changed,) = partial_evidence([GOLD], FIGURE, FIGURE_KEY)
    assert lines(changed) == [line for line in lines(GOLD) if "5년간" not in line]
    (by_focus,) = partial_evidence([GOLD], FIGURE, FIGURE_KEY, ["정정을 요구할 수 있다"])
    assert lines(by_focus) == [line for line in lines(GOLD) if "정정을" not in line]


def test_a_negative_stem_loses_the_line_of_every_option():
    question = Question(
        "q3",
        "다음 중 옳지 않은 것은?",
        ("지급업자는 거래기록을 5년간 보존한다", "이용자는 정정을 요구할 수 있다"),
    )
    assert deciding_texts(question, Key("q3", "1")) == question.options
    assert deciding_lines(lines(GOLD)[1:], question, Key("q3", "1")) == [1, 2]


def test_nothing_decides_without_a_shared_word():
    question = Question("q4", "ㅡㅡ?", ("갑", "을"))
    assert partial_evidence([GOLD], question, Key("q4", "1")) is None
    free = Question("q5", "몇 년간 보존하는가?")
    assert deciding_texts(free, Key("q5", reference="5년간 보존한다")) == ("5년간 보존한다",)


@pytest.mark.parametrize("seed", range(8))
def test_a_contradicting_figure_is_in_no_option(seed):
    changed = contradicting_evidence([GOLD], FIGURE, FIGURE_KEY, [], random.Random(seed))
    assert changed is not None
    before, after = lines(GOLD), lines(changed[0])
    assert [b for b, a in zip(before, after, strict=True) if b != a] == [before[3]]
    (figure,) = find_figures(after[3])
    assert figure.dimension == "days"
    assert f"{figure.text}" not in FIGURE.options


@pytest.mark.parametrize("seed", range(8))
def test_a_contradicting_party_is_in_no_option_and_has_its_particle(seed):
    names = party_names([GOLD])
    assert set(names) == {"지급업자", "이용자", "감독위원회"}
    assert contradicting_evidence([GOLD], PARTY, PARTY_KEY, names, random.Random(seed)) is None
    more = [*names, "대통령", "은행장"]
    changed = contradicting_evidence([GOLD], PARTY, PARTY_KEY, more, random.Random(seed))
    assert changed is not None
    line = lines(changed[0])[4]
    assert line.startswith(("④ 대통령은 지급업자에게", "④ 은행장은 지급업자에게"))
    assert lines(changed[0])[:4] == lines(GOLD)[:4]


def test_what_cannot_be_contradicted():
    negative = replace(FIGURE, question="지급업자에 관한 설명으로 옳지 않은 것은?")
    rng = random.Random(1)
    assert contradicting_evidence([GOLD], negative, FIGURE_KEY, [], rng) is None
    other = replace(FIGURE, options=("3년", "9년", "7년", "10년"))
    assert contradicting_evidence([GOLD], other, FIGURE_KEY, [], rng) is None
