import pytest

from kofinlaw.augment.reading.arguments import lacks_argument


@pytest.mark.parametrize(
    "case",
    [
        "심각한 영향을 줄 수 있다고 판단되는 경우",
        "정당한 사유 없이 제출하지 아니한 경우",
        "주주총회의 결의로 취소한 경우",
        "대통령령으로 정하는 기준 이상 소유하는 경우",
    ],
)
def test_a_condition_whose_verb_lost_its_object_is_found(case):
    assert lacks_argument(case)


@pytest.mark.parametrize(
    "case",
    [
        "국가안보에 심각한 영향을 줄 수 있다고 판단되는 경우",
        "정당한 사유 없이 보고서를 제출하지 아니한 경우",
        "등록을 취소한 경우",
        "천재지변으로 전산설비가 멈춘 경우",
        "다른 회원의 사생활이 드러나는 경우",
        "거래 상대방의 동의를 받은 경우",
    ],
)
def test_a_complete_condition_is_kept(case):
    assert not lacks_argument(case)
