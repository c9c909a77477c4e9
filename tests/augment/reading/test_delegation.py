from kofinlaw.augment.reading.acts import read_laws
from kofinlaw.augment.reading.delegation import delegating_sentences, receivers

GIVERS = ["금융위원회", "증권선물위원회"]


def test_the_receiver_is_read_from_the_end_of_the_sentence():
    for sentence, expected in (
        ("금융위원회는 다음 각 호의 업무를 금융감독원장에게 위탁한다", "금융감독원장"),
        (
            '금융위원회는 감독원의 원장(이하 "감독원장"이라 한다)에게 업무를 위탁할 수 있다',
            "감독원장",
        ),
        ("증권선물위원회는 업무를 위원장, 감독원장 또는 거래소에 위탁할 수 있다", "거래소"),
        ("이 법에 따른 금융위원회의 권한은 그 일부를 협회에 위임할 수 있다", "협회"),
        ("금융위원회는 감독원장으로 하여금 이행 여부를 확인하게 할 수 있다", "감독원장"),
        ("금융위원회의 업무를 감독원장이 대행한다", "감독원장"),
    ):
        assert expected in receivers(sentence, GIVERS), sentence


def test_no_delegation_of_another_party_counts():
    assert receivers("금융위원회는 업무를 협회에 위탁한다", ["감독원장"]) == ""
    assert (
        receivers("금융위원회는 감독원장, 협회장 또는 거래소에 업무를 위탁한다", ["협회장"]) == ""
    )
    # A company is made to do its own work.
    assert receivers("금융위원회는 회사로 하여금 자료를 내게 할 수 있다", GIVERS) == ""


def test_a_delegation_to_a_list_comes_with_its_items(parse):
    articles = parse(
        "결제법",
        "##### 제1조 (위탁)\n\n**①** 감독위원회는 다음 각 호의 자에게 업무를 위탁할 수 있다.\n"
        "  1\\. 결제협회\n  2\\. 감독원장\n**②** 결제업자는 장부를 보존한다.\n",
    )
    (sentence,) = delegating_sentences(articles)
    assert "결제협회" in receivers(sentence, ["감독위원회"])
    assert "결제업자" not in sentence


def test_an_act_reads_the_delegations_of_its_decree_and_a_decree_those_of_its_act(parse):
    act = (
        "##### 제1조 (권고)\n\n**①** 감독위원회는 결제업자에게 기준의 변경을 권고할 수 있다.\n"
        "**②** 감독원장은 결제업자에게 자료를 요구할 수 있다.\n"
    )
    decree = (
        "##### 제1조 (공시)\n\n**①** 감독위원회는 매년 목록을 공시하여야 한다.\n"
        "**②** 감독원장은 결제업자에게 자료를 통지하여야 한다.\n\n"
        "##### 제9조 (업무의 위탁)\n\n감독위원회는 법 제1조에 따른 업무를 감독원장에게 위탁한다.\n"
    )
    rule = (
        "##### 제1조 (목적)\n\n이 규정은 「결제법」 및 「결제법 시행령」에서 정한 사항을 정한다.\n\n"
        "##### 제2조 (보고)\n\n**①** 감독위원회는 결과를 공고하여야 한다.\n"
        "**②** 감독원장은 결제업자에게 결과를 통지하여야 한다.\n"
    )
    ruled = [a.__class__(**{**_fields(a), "kind": "rule"}) for a in parse("결제업감독규정", rule)]
    laws = read_laws([*parse("결제법", act), *parse("결제법 시행령", decree), *ruled])
    for law in laws.acts:
        assert law.delegates_of("감독위원회") == {"감독원장"}, law.title
        assert not law.delegates_of("감독원장")
    alone = read_laws(parse("결제법", act)).acts[0]
    assert not alone.delegates_of("감독위원회")


def _fields(article):
    return {name: getattr(article, name) for name in article.__dataclass_fields__}
