import ast
import random
from dataclasses import replace
from pathlib import Path

import pytest

from kofinlaw.augment.generators import actors
from kofinlaw.augment.generators.drafts import Draft
from kofinlaw.augment.generators.falsity import alterations, modality_is_decided, true_elsewhere
from kofinlaw.augment.option_choice import build_item
from kofinlaw.augment.reading.acts import read_laws
from kofinlaw.augment.reading.endings import forbids

RULES = ("falsity", "false_conditions", "false_figures", "false_parties")
DRAFT = Draft(
    "quantity", "며칠인가?", "10일", ("5일", "7일", "14일", "30일"), ("법 제1조",), ("10일",)
)


def test_a_false_statement_that_the_corpus_says_is_found():
    draft = replace(DRAFT, kind="statement_false", negative=True, answer="은행은 알려야 한다.")
    item = build_item(draft, 4, random.Random(0))
    known = frozenset(["은행은알려야한다"])
    assert true_elsewhere(draft, item.options, item.answer, known) == "은행은 알려야 한다."
    assert true_elsewhere(draft, item.options, item.answer, frozenset()) == ""


def test_a_ban_is_not_moved_to_another_and_a_leave_not_narrowed(parse):
    text = """
##### 제1조 (조정)

**①** 감독위원회는 영리를 목적으로 이용자의 정보를 넘겨서는 안 된다고 공고하여야 한다.
**②** 감독위원회는 20일 이내의 기간을 정하여 자료의 제출을 요청할 수 있다.
**③** 감독위원회는 부정한 목적으로 이용자의 정보를 처리하여서는 아니 된다.
**④** 조정위원회는 30일 이내에 그 결과를 당사자에게 알려야 한다.
**⑤** 협회장은 매년 자료를 모아 이용자에게 알려야 한다.
**⑥** 사무국장은 매년 자료를 모아 이용자에게 알려야 한다.
**⑦** 조정위원회는 분야별로 5명 이내의 위원으로 구성되는 조정부를 둘 수 있다.
"""
    law = read_laws(parse("조정법", text)).acts[0]
    hows = {
        clause.label: {how for how, _ in alterations(law, clause, random.Random(0))}
        for clause in law.clauses
    }
    assert "actor" in hows["제1항"]
    assert hows["제2항"] == set()  # 요청: others may ask too, and nobody has to
    assert hows["제3항"] == {"modality"}
    assert {"number", "bound"} <= hows["제4항"]
    assert not {"number", "bound"} & hows["제7항"]
    assert not any("처리하여서는" in draft.stem for draft in actors.generate(law, 0))
    assert forbids("누구든지 이용자의 정보를 넘겨서는 안 된다.")


def test_a_range_and_a_chair_keep_their_numbers_and_a_bound_its_particle(parse):
    text = """
##### 제1조 (구성)

**①** 감독위원회는 5명 이상 9명 이하의 위원을 두어야 한다.
**②** 감독위원회는 위원장 1명을 포함하여 위원을 두어야 한다.
**③** 감독위원회는 재적위원 3분의 1 이상이 요구하는 때에는 회의를 소집하여야 한다.
**④** 감독위원회는 10만원을 초과하는 비용을 이용자에게 돌려주어야 한다.
"""
    law = read_laws(parse("구성법", text)).acts[0]
    found = [dict(alterations(law, clause, random.Random(0))) for clause in law.clauses]
    assert "bound" not in found[0]
    assert "number" not in found[1]
    assert "3분의 1 이하가 요구" in found[2]["bound"]
    assert "bound" not in found[3]


def test_generators_take_their_wrong_options_from_falsity_only():
    prefix = "kofinlaw.augment.generators."
    checked = 0
    for path in Path(actors.__file__).parent.glob("*.py"):
        if path.stem in ("__init__", "registry", "similarity", *RULES):
            continue
        tree = ast.parse(path.read_text("utf-8"))
        modules = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        siblings = {name.removeprefix(prefix) for name in modules if name.startswith(prefix)}
        assert siblings <= {"drafts", "stems", *RULES}, path.name
        checked += bool(siblings)
    assert checked > 8


@pytest.mark.parametrize(
    ("sentence", "decided"),
    [
        ("결제업자는 장부를 보존하여야 한다.", True),
        ("결제업자는 등록을 하려는 경우 서류를 내야 하며, 이를 첨부하여야 한다.", False),
        ("보증의 표시는 증권에 하여야 한다.", False),
        ("증권은 제3자의 계산으로 발행할 수 있다.", False),
        ("신청을 받은 경우 감독위원회는 결과를 통지하여야 한다.", True),
    ],
)
def test_only_an_office_or_a_business_that_does_not_apply_has_a_decided_duty(sentence, decided):
    assert modality_is_decided(sentence, anywhere=True) == decided
