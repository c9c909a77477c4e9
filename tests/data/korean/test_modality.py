import pytest

from kofinlaw.data.korean.modality import INCOMPATIBLE, Modality, read_modalities
from kofinlaw.data.korean.words import tag_text


def senses(text: str) -> list[tuple[str, str]]:
    return [(m.head, m.sense) for m in read_modalities(tag_text(text))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("은행은 보고하여야 한다(제3조제1항).", ("보고", "duty")),
        ("보고해야 합니다.", ("보고", "duty")),
        ("며칠 이내에 보고하여야 하는가?", ("보고", "duty")),
        ("보고할 의무가 있다", ("보고", "duty")),
        ("갖추지 아니하면 아니 된다", ("갖추", "duty")),
        ("알려 주어야 한다", ("알리", "duty")),
        ("비밀로 해야 한다", ("비밀", "duty")),
        ("보고할 수 있습니다", ("보고", "may")),
        ("거절하여도 된다", ("거절", "may")),
        ("제공하여서는 아니 된다", ("제공", "not")),
        ("제공해서는 안 돼요", ("제공", "not")),
        ("이용하지 못한다", ("이용", "not")),
        ("열람하게 할 수 없다", ("열람", "not")),
        ("지정하지 아니하여야 한다", ("지정", "not")),
        ("제공은 금지된다", ("제공", "not")),
        ("내지 않아도 된다", ("내", "exempt")),
        ("신고할 필요가 없다", ("신고", "exempt")),
        ("적용하지 아니할 수 있다", ("적용", "exempt")),
        ("적용하지 아니한다", ("적용", "negated")),
    ],
)
def test_endings_in_any_style(text, expected):
    assert senses(text) == [expected]


def test_several_predicates_in_order_and_none():
    assert senses("공시하여야 하며, 제출할 수 있고 폐기할 수 없다") == [
        ("공시", "duty"),
        ("제출", "may"),
        ("폐기", "not"),
    ]
    assert senses("접근매체란 비밀번호를 말한다.") == []
    assert read_modalities([]) == []


def test_incompatible_senses_are_no_sense_of_themselves():
    assert all(sense not in others for sense, others in INCOMPATIBLE.items())
    assert Modality("보고", "duty") != Modality("보고", "may")
