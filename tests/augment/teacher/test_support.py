import random
from pathlib import Path

import augment_faults
import pytest

from kofinlaw.augment.generators.falsity import alterations
from kofinlaw.augment.reading.acts import read_laws
from kofinlaw.augment.teacher.filters import first_failure
from kofinlaw.augment.teacher.support import plain_ending, support

PASSAGE = "지급업자는 이용자가 거래내용을 서면으로 요청하는 경우에는 그 요청을 받은 날부터 2주 이내에 서면을 교부하여야 한다."
CITATION = "「전자지급 안전법」 제4조제1항"
SHARED = Path(__file__).parents[3].parent / "shared" / "data" / "statutes"


def failed(answer, passage=PASSAGE, **options):
    return [v.check for v in support(answer, passage, citation=CITATION, **options) if not v.ok]


@pytest.mark.parametrize(
    ("answer", "check"),
    [
        ("지급업자는 3주 이내에 서면을 교부하여야 한다.", "figures"),
        ("지급업자는 2주 이후에 서면을 교부하여야 한다.", "bounds"),
        ("지급업자는 2주에 서면을 교부하여야 한다.", "bounds"),
        ("지급업자는 2주 이내에 서면을 교부할 수 있다.", "negation"),
        ("지급업자는 2주 이내에 서면을 교부하지 아니한다.", "negation"),
        ("이용자는 2주 이내에 서면을 교부하여야 한다.", "actor"),
        ("지급업자는 2주 이내에 영수증을 교부하여야 한다.", "terms"),
        ("지급업자는 이용자가 거래내용을 내용으로 요청하는 경우 교부하여야 한다.", "substitution"),
        ("지급업자는 제9조에 따라 2주 이내에 서면을 교부하여야 한다.", "articles"),
        ("지급업자는 2주 이내에 서면을 교부하여야 한다(제4조제2항).", "articles"),
        ("지급업자는 「은행법」에 따라 서면을 교부하여야 한다.", "articles"),
        ("지급업자는 감독위원회에게 2주 이내에 서면을 교부하여야 한다.", "towards"),
    ],
)
def test_a_planted_fault_is_found(answer, check):
    assert check in failed(answer)


@pytest.mark.parametrize(
    ("answer", "source"),
    [
        (
            "제5조제1항에 따라 등록한 자는 업무를 할 수 없다.",
            "제5조제1항에 따라 등록하지 아니한 자는 업무를 할 수 없다.",
        ),
        (
            "이용자의 동의 있으면 접속수단을 발급하여서는 아니 된다.",
            "이용자의 동의 없이 접속수단을 발급하여서는 아니 된다.",
        ),
    ],
)
def test_a_denial_that_is_dropped_inside_a_sentence_is_found(answer, source):
    assert "denial" in failed(answer, source)


@pytest.mark.parametrize(
    "answer",
    [
        "지급업자는 2주 이내에 서면을 교부하여야 한다.",
        "지급업자는 2주 이내에 서면을 교부하여야 합니다.",
        "지급업자는 2주 이내에 서면을 교부해야 해요.",
        "따라서 지급업자는 요청을 받은 날부터 2주 이내에 교부하여야 한다.",
        "지급업자는 2주 이내에 서면을 교부하여야 한다(제4조제1항).",
        "「전자지급 안전법」 제4조에 따라 지급업자는 서면을 교부하여야 한다.",
        PASSAGE,
    ],
)
def test_a_sound_answer_passes(answer):
    assert failed(answer) == []


def test_a_story_lends_its_words_but_not_its_figures():
    story = "김씨는 3일 전에 은행 창구를 찾았다."
    assert "terms" not in failed("지급업자는 김씨에 서면을 교부하여야 한다.", known=story)
    assert "figures" in failed("지급업자는 3일 이내에 서면을 교부하여야 한다.", known=story)


def test_polite_endings_are_read_as_plain_ones():
    assert plain_ending("교부하여야 합니다.") == "교부하여야 한다."
    assert plain_ending("요구할 수 있어요.") == "요구할 수 있다."
    assert plain_ending("교부하여야 합니다 (제4조).") == "교부하여야 한다. (제4조)."


def test_an_answer_that_loses_who_it_is_about_is_refused():
    passage = "개인정보처리자가 정보를 처리할 때 권리를 침해받은 사람은 위원회에 그 사실을 신고할 수 있다."
    answer = "개인정보처리자가 정보를 처리할 때 위원회에 그 사실을 신고할 수 있다."
    assert failed(answer, passage) == ["actor"]


def test_faults_planted_in_an_act_are_rejected(acts):
    rng = random.Random(0)
    laws = read_laws(acts)
    planted = [
        (text, clause.main)
        for law in laws.acts
        for clause in law.clauses
        for _, text in alterations(law, clause, rng)
    ]
    assert len(planted) > 15
    caught = sum(first_failure(support(text, source)) is not None for text, source in planted)
    assert caught / len(planted) >= 0.95


@pytest.mark.skipif(not SHARED.exists(), reason="needs the development data next to the repository")
def test_of_fifty_planted_outputs_of_real_acts_almost_all_are_rejected(parse):
    path = SHARED / "acts" / "전자금융거래법.md"
    text = path.read_text("utf-8").split("\n---\n", 1)[-1]
    result = augment_faults.measure(read_laws(parse("전자금융거래법", text)), 50, seed=3)
    assert result["faults"] >= 40
    assert result["faults_refused"] >= 0.95, result["wrong"]
    assert result["sound_refused"] <= 0.05, result["wrong"]
