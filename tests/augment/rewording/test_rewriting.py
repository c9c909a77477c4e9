import random
import re

import pytest

from kofinlaw.augment.hard.facts import clause_facts
from kofinlaw.augment.reading.figures import find_figures
from kofinlaw.augment.reading.names import subject
from kofinlaw.augment.rewording.rewriting import Style, draw_style, rewrite
from kofinlaw.data.korean.words import final_consonant

PLAIN = Style(front=False)
# A final consonant before 가 or 를, or a vowel before 이나 and 과.
_WRONG_PARTICLE = re.compile(r"(?P<noun>[가-힣]+)(?P<particle>을|를|과|와|이나)(?= )")
_DENIES = re.compile(r"아니|않|없|못|금지")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("은행은 자료를 제출하여야 한다", "은행은 자료를 내야 한다"),
        ("주소 또는 이름을 적는다", "주소나 이름을 적는다"),
        ("법인 및 단체를 등록한다", "법인과 단체를 등록한다"),
        ("수집 및 이용할 정보", "수집 및 이용할 정보"),
        ("100분의 5를 넘는 주식", "5퍼센트를 넘는 주식"),
        ("100분의 10을 넘는 주식", "10퍼센트를 넘는 주식"),
        ("100분의 10과 100분의 30이 같은 주식", "10퍼센트와 30퍼센트가 같은 주식"),
        ("100분의 10으로 계산한 금액", "10퍼센트로 계산한 금액"),
        ("3천만원 이하의 벌금", "3,000만원 이하의 벌금"),
        ("법령에 위반한 행위", "법령에 위반한 행위"),
        ("법령을 위반한 행위", "법령을 어긴 행위"),
        ("보고하지 아니한 자", "보고하지 않은 자"),
        ("증서를 양도하여서는 아니 된다", "증서를 양도하는 것이 금지된다"),
        ("「금융에 관한 법률」에 관한 설명", "「금융에 관한 법률」에 대한 설명"),
    ],
)
def test_a_rule_writes_the_same_in_other_words(text, expected):
    assert rewrite(text, Style(front=False, forms={"duty": 1, "possibility": 1})) == expected


def test_a_condition_moves_before_its_subject():
    text = "지급업자는 고객이 요청한 경우에는 서면을 주어야 한다"
    assert rewrite(text, Style(front=True, forms={"case": 0})).startswith(
        "고객이 요청한 경우에 지급업자는"
    )


def test_every_style_keeps_figures_parties_and_polarity(hard_law):
    facts = [f for a in hard_law.articles for f in clause_facts(hard_law, a.id)]
    assert len(facts) >= 8
    for fact in facts:
        for number in range(20):
            new = rewrite(fact.text, draw_style(random.Random(number)))
            assert [f.value for f in find_figures(new)] == [
                f.value for f in find_figures(fact.text)
            ], new
            who = subject(fact.text)
            assert who in new
            assert bool(_DENIES.search(new)) == bool(_DENIES.search(fact.text)), new


def test_every_style_writes_the_particle_that_the_noun_needs(hard_law):
    for article in hard_law.articles:
        for fact in clause_facts(hard_law, article.id):
            for number in range(10):
                new = rewrite(fact.text, draw_style(random.Random(number)))
                for match in _WRONG_PARTICLE.finditer(new):
                    closed = final_consonant(match.group("noun")) != 0
                    assert closed == (match.group("particle") in ("을", "과", "이나")), new


def test_a_thing_has_no_duty():
    style = Style(front=False, forms={"duty": 0})
    assert rewrite("수표는 제3자의 계산으로 발행하여야 한다", style).endswith("해야 한다")
    assert rewrite("결제업자는 장부를 보존하여야 한다", style).endswith("할 의무가 있다")
