import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kofinlaw.augment.generators.registry import draft_questions
from kofinlaw.augment.reading.acts import read_laws
from kofinlaw.augment.surface import (
    CHANGES,
    dropped_particle,
    everyday,
    mistyped,
    politeness,
    protected_spans,
    spacing,
    typo,
    vary,
)

QUESTION = "「전자지급 안전법」에 따르면, 지급업자는 이용자의 신청을 받은 날부터 2주 이내에 서면을 교부하여야 하는가?"
DENIAL = re.compile("아니|아닌|않|없|못|금지|제외")


def test_each_change_does_what_it_says():
    rng = random.Random(0)
    assert spacing("옳은 설명을 고른 것은?", [], rng).count(" ") == 2
    assert dropped_particle("지급업자가 서면을 받는다", [], rng).replace(" ", "") in (
        "지급업자서면을받는다",
        "지급업자가서면받는다",
    )
    assert politeness("알맞은 것은?", [], rng) in ("알맞은 것은 무엇입니까?", "알맞은 것은 뭔가요?")
    assert everyday("익일까지 알린다", [], rng) == "다음 날까지 알린다"
    mistaken = typo("지급업자는", [], rng)
    assert len(mistaken) == 5
    assert sum(a != b for a, b in zip(mistaken, "지급업자는", strict=True)) == 1


def test_a_typo_changes_one_jamo():
    assert mistyped("게") == ["개"]
    assert set(mistyped("난")) == {"닌", "나"}
    assert all("가" <= c <= "힣" for c in mistyped("업"))


def test_nothing_changes_where_everything_is_kept():
    text = "「전자지급 안전법」 제4조제1항 2주"
    assert vary(text, [], random.Random(0)) == (text, ())
    spans = protected_spans(QUESTION, ["서면을 교부"])
    assert any(QUESTION[a:b] == "서면을" for a, b in spans)


@pytest.fixture(scope="module")
def asked(acts):
    laws = read_laws(acts)
    return [(d.stem, d.answer) for d in draft_questions(laws, 1)]


@settings(max_examples=150, deadline=None)
@given(index=st.integers(0, 10**6), seed=st.integers(0, 10**6), most=st.integers(1, 5))
def test_figures_citations_denials_and_the_answers_words_stay(asked, index, seed, most):
    stem, answer = asked[index % len(asked)]
    text, done = vary(stem, [answer], random.Random(seed), most=most)
    assert len(done) <= most
    assert set(done) <= set(CHANGES)
    assert (text != stem) == bool(done)
    assert re.findall(r"\d+", text) == re.findall(r"\d+", stem)
    assert re.findall("「[^」]*」", text) == re.findall("「[^」]*」", stem)
    assert re.findall('"[^"]*"', text) == re.findall('"[^"]*"', stem)
    assert DENIAL.findall(text) == DENIAL.findall(stem)
    for word in answer.split():
        word = word.strip(".,?()")
        if len(word) > 1:
            assert text.count(word) >= stem.count(word)


def test_the_same_seed_gives_the_same_question():
    first = vary(QUESTION, [], random.Random(4))
    assert first == vary(QUESTION, [], random.Random(4))
    assert first[0] != QUESTION
