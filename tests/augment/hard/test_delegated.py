from kofinlaw.augment.hard.delegated import delegated_facts
from kofinlaw.augment.reading.acts import read_laws

ACT = """
##### 제5조 (자본금)

**①** 등록한 결제업자는 대통령령으로 정하는 금액 이상의 자본금을 갖추어야 한다.
"""
DECREE = """
##### 제3조 (자본금의 기준)

**①** 법 제5조제1항에서 "대통령령으로 정하는 금액"이란 20억원을 말한다.
**②** 법 제5조제1항에서 "대통령령으로 정하는 자"란 다음 각 호의 자를 말한다.
"""


def test_the_rule_of_the_act_gets_the_figure_of_its_decree(parse):
    laws = read_laws([*parse("결제업법", ACT), *parse("결제업법 시행령", DECREE)])
    decree = laws.acts[1]
    (fact,) = delegated_facts(decree, laws)
    assert fact.text == "등록한 결제업자는 20억원 이상의 자본금을 갖추어야 한다"
    assert fact.clause.article.id == "결제업법 시행령 제3조"
    assert fact.also[0][0] == "결제업법 제5조"
    assert delegated_facts(laws.acts[0], laws) == []
