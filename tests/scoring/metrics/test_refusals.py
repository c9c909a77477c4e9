from pathlib import Path

import pytest

from kofinlaw.data.prompting.wording import NO_EVIDENCE
from kofinlaw.files import read_json_lines
from kofinlaw.scoring.metrics.refusals import is_refusal

ARTICLES = Path(__file__).parents[3].parent / "shared" / "data" / "statutes" / "articles.jsonl"


@pytest.mark.parametrize(
    "text",
    [
        NO_EVIDENCE,
        NO_EVIDENCE.rstrip(".") + "!",
        "주어진 조문에서  답을 찾을 수 없습니다",
        "제시된 자료만으로는 보고 기한을 알 수 없습니다.",
        "참고 조문에는 그 기한이 규정되어 있지 않습니다.",
        "이 질문에는 답할 수 없습니다.",
        "제공된 근거에는 해당 내용이 없습니다.",
        "주어진 정보로는 판단하기에 부족합니다.",
        "모르겠습니다.",
        "알 수 없습니다",
    ],
)
def test_refusals(text):
    assert is_refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "10일 이내에 보고하여야 한다(제4조제5항).",
        "주소를 알 수 없는 경우에는 공시송달을 한다.",
        "개인을 알아볼 수 없도록 처리하여야 한다.",
        "은행은 계약의 체결을 거절할 수 없다.",
        "다른 법령에서 정한 경우 외에는 제공할 수 없다.",
        "이 법에 규정된 것 외에 필요한 사항은 대통령령으로 정한다.",
    ],
)
def test_answers(text):
    assert not is_refusal(text)


@pytest.mark.shared
def test_no_article_of_the_law_is_a_refusal():
    if not ARTICLES.is_file():
        pytest.skip("the development data is not next to the repository")
    found = [
        sentence
        for _, row in read_json_lines(ARTICLES)
        for sentence in str(row["text"]).split("다.")
        if is_refusal(sentence + "다.")
    ]
    assert found == []
