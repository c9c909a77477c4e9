import json

import pytest

from kofinlaw.augment.teacher.outputs import parse
from kofinlaw.augment.teacher.tasks import TASKS

REFERENCE = (
    "지급업자는 이용자의 요청을 받은 날부터 2주 이내에 이용자가 요청하는 서면을 교부하여야 한다."
)


FREE = {
    "reference": REFERENCE,
    "keywords": ["2주 이내", "서면"],
    "question": "지급업자는 거래내용을 서면으로 요청받으면 언제까지 교부하여야 하는가?",
}


def test_an_output_is_parsed_whatever_stands_around_it():
    text = f"네, 다음과 같습니다.\n{json.dumps(FREE, ensure_ascii=False)}\n조문: 다음"
    assert parse(text, TASKS["free_question"]) == {**FREE, "keywords": ("2주 이내", "서면")}


@pytest.mark.parametrize(
    "text",
    ["", "   ", "답만 있다", "{", '{"question": 1}', "[]", '{"question": "무엇인가?"}', "{" * 5000],
)
def test_garbage_is_not_parsed(text):
    assert parse(text, TASKS["free_question"]) is None
