import pytest

from kofinlaw.augment.hard.shares import generate
from kofinlaw.augment.reading.acts import read_laws
from kofinlaw.augment.reading.figures import parse_won

ACT = """
##### 제1조 (적립)

**①** 은행은 결산 순이익금의 100분의 10 이상을 준비금으로 적립하여야 한다.
**②** 은행은 자기자본의 100분의 25를 초과하는 신용공여를 할 수 없다.
**③** 은행의 위원은 재적위원의 100분의 30 이상이 출석하여야 한다.
"""


@pytest.fixture(scope="module")
def laws(parse):
    return read_laws(parse("은행법", ACT))


def test_the_answer_is_the_share_of_the_given_sum(laws):
    drafts = [d for seed in range(6) for d in generate(laws.acts[0], laws, seed)]
    # A share of people is no amount.
    assert len(drafts) == 12
    for draft in drafts:
        total = parse_won(draft.stem.split("이라면")[0].split()[-1])
        percent = 10 if "적립" in draft.stem else 25
        assert parse_won(draft.answer) == total * percent // 100
        assert "일정 비율" in draft.stem
        assert "100분의" not in draft.stem
        assert len(set(draft.distractors)) >= 3
