import sys
from pathlib import Path

import pytest

from kofinlaw.augment.reading.acts import Laws, read_laws
from kofinlaw.data.law.statute import parse_statute
from kofinlaw.files import sha256_text, write_jsonl
from kofinlaw.records import Article, Chunk

# Benchmarks import `outcome.py` from their folder. Last in the path, so that they shadow nothing.
sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

ACTS = {
    "전자지급 안전법": """
##### 제1조 (목적)

이 법은 전자지급의 안전성과 신뢰성을 확보하여 이용자의 편의를 꾀함을 목적으로 한다.

##### 제2조 (정의)

이 법에서 사용하는 용어의 뜻은 다음과 같다.

  1\\. "전자지급"이란 지급인이 전자적 장치를 통하여 수취인에게 자금을 이동하게 하는 거래를 말한다.
  2\\. "접속수단"이란 거래의 진실성과 정확성을 확보하기 위하여 사용되는 비밀번호와 생체정보를 말한다.
  3\\. "결제대행"이란 재화의 구입에 따른 대가의 정산을 대행하거나 매개하는 것을 말한다.
  4\\. "침해행위"란 해킹이나 컴퓨터 바이러스로 전산설비를 공격하는 행위를 말한다.
  5\\. "이용자"란 지급업자와 체결한 계약에 따라 전자지급을 이용하는 자를 말한다.

##### 제3조 (접속수단의 관리)

**①** 지급업자는 접속수단을 발급할 때에는 이용자의 신청을 받아 본인임을 확인하여야 한다. 다만, 접속수단을 갱신하기 위하여 이용자의 동의를 얻은 경우에는 그러하지 아니하다.
**②** 누구든지 접속수단을 사용할 때 다음 각 호의 행위를 하여서는 아니 된다.
  1\\. 접속수단을 양도하거나 양수하는 행위
  2\\. 대가를 받고 접속수단을 대여하는 행위
  3\\. 접속수단을 질권의 목적으로 하는 행위
  4\\. 접속수단의 양도를 알선하거나 광고하는 행위
**③** 지급업자는 다음 각 호의 행위를 할 수 있다.
  1\\. 이용자에게 보안절차를 안내하는 행위
  2\\. 사고를 막기 위하여 거래를 잠시 멈추는 행위
  3\\. 신고된 번호를 다른 지급업자와 함께 쓰는 행위
**④** 지급업자는 접속수단을 받은 때에는 이용자에게 반환하여야 한다.

##### 제4조 (거래내용의 확인)

**①** 지급업자는 이용자가 거래내용을 서면으로 요청하는 경우에는 그 요청을 받은 날부터 2주 이내에 서면을 교부하여야 한다.
**②** 이용자는 거래에 오류가 있음을 안 때에는 지급업자에게 정정을 요구할 수 있다.
**③** 지급업자는 거래기록을 5년간 보존하여야 한다.
**④** 감독위원회는 지급업자에게 거래기록의 제출을 요구할 수 있다.
**⑤** 지급업자는 오류를 안 날부터 10일 이내에 감독위원회에 보고하여야 한다.

##### 제5조 (결제대행업의 요건)

**①** 결제대행을 하려는 자는 감독위원회에 등록하여야 한다.
**②** 감독위원회는 등록신청을 받은 날부터 30일 이내에 그 결과를 신청인에게 알려야 한다.
**③** 등록한 지급업자는 자본금 10억원 이상을 유지하여야 한다.

##### 제6조 (감독)

**①** 감독위원회는 제5조에 따라 등록한 지급업자의 업무를 감독한다.
**②** 감독원장은 지급업자의 업무를 검사할 수 있다.
**③** 감독원장은 검사를 마치면 그 결과를 감독위원회에 보고하여야 한다.
**④** 협회장은 감독원장에게 검사에 필요한 자료를 제출하여야 한다.

##### 제7조 (벌칙)

**①** 다음 각 호의 어느 하나에 해당하는 자는 5년 이하의 징역 또는 5천만원 이하의 벌금에 처한다.
  1\\. 제3조제2항제1호를 위반하여 접속수단을 다른 사람에게 양도하거나 양수한 자
  2\\. 제3조제2항제2호를 위반하여 대가를 받고 접속수단을 다른 사람에게 대여한 자
  3\\. 제3조제2항제4호를 위반하여 접속수단의 양도를 여러 사람에게 알선한 자
**②** 다음 각 호의 어느 하나에 해당하는 자는 1년 이하의 징역 또는 1천만원 이하의 벌금에 처한다.
  1\\. 제5조제1항을 위반하여 등록하지 아니하고 결제대행 업무를 한 자
  2\\. 제4조제3항을 위반하여 거래기록을 정해진 기간 동안 보존하지 아니한 자
""",
    "금융분쟁 조정법": """
##### 제1조 (목적)

이 법은 금융분쟁을 공정하게 조정함을 목적으로 한다.

##### 제2조 (조정위원회)

**①** 조정위원회는 위원장 1명을 포함한 9명 이내의 위원으로 구성한다.
**②** 위원의 임기는 2년으로 한다.
**③** 조정위원회는 조정신청을 받은 날부터 60일 이내에 조정안을 작성하여야 한다.
**④** 당사자는 조정안을 받은 날부터 20일 이내에 수락 여부를 알려야 한다.

##### 제3조 (조정의 거부)

**①** 조정위원회는 다음 각 호의 어느 하나에 해당하는 경우에는 조정을 거부할 수 있다.
  1\\. 이미 법원에 소가 제기된 경우
  2\\. 신청의 내용이 이치에 맞지 아니한 경우
  3\\. 신청인이 부당한 이익을 얻으려는 경우
  4\\. 같은 분쟁에 대하여 조정이 끝난 경우
**②** 조정위원회는 다음 각 호의 어느 하나에 해당하는 경우에는 조정을 중지하여야 한다.
  1\\. 당사자가 조정을 바라지 아니하는 경우
  2\\. 다른 법률에 따라 수사가 시작된 경우
""",
}


def articles_of(title: str, text: str) -> list[Article]:
    out = []
    for node in parse_statute(text).articles:
        unit = f"{title} {node.number}"
        out.append(
            Article(
                unit,
                title,
                title,
                "statute",
                node.number,
                node.heading,
                "",
                node.lead,
                node.text,
                node.provisions,
                node.deleted,
                "2025-01-01",
                "test",
                "test",
                (f"{title}/{node.number}",),
            )
        )
    return out


def chunk_of(article: Article) -> Chunk:
    text = f"{article.title} {article.number}({article.heading})\n{article.text}"
    return Chunk(
        article.chunk_ids[0],
        article.document_id,
        article.title,
        "statute",
        "",
        article.id,
        text,
        "2025-01-01",
        "test",
        "test",
        sha256_text(text),
    )


@pytest.fixture(scope="session")
def parse():
    return articles_of


@pytest.fixture(scope="session")
def acts() -> list[Article]:
    return [a for title, text in ACTS.items() for a in articles_of(title, text)]


@pytest.fixture(scope="session")
def corpus(acts: list[Article], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    write_jsonl(folder / "articles.jsonl", acts)
    write_jsonl(folder / "chunks.jsonl", [chunk_of(a) for a in acts])
    return folder


@pytest.fixture(scope="module")
def laws(acts) -> Laws:
    return read_laws(acts)


@pytest.fixture(scope="module")
def law(laws):
    return laws.acts[0]


HARD_ACT = """
## 제1장 등록과 보고

##### 제1조 (등록)

**①** 결제업을 하려는 자는 감독위원회에 등록하여야 한다.
**②** 감독위원회는 등록신청을 받은 날부터 30일 이내에 신청인에게 결과를 통지하여야 한다.
**③** 감독위원회는 등록에 조건을 붙일 수 있다.

##### 제2조 (기록)

**①** 결제업자는 거래기록을 5년간 보존하여야 한다.
**②** 이용자는 거래기록의 열람을 청구할 수 있다.
**③** 결제업자는 거래기록을 3년이 지나기 전에 폐기하여서는 아니 된다.
**④** 감독원장은 결제업자에게 기록을 제출하게 할 수 있다.

##### 제3조 (보고)

**①** 결제업자는 사고가 발생한 날부터 7일 이내에 감독위원회에 경위를 보고하여야 한다.
**②** 감독원장은 검사를 마치면 그 결과를 감독위원회에 보고하여야 한다.
**③** 결제업자는 3개월마다 업무보고서를 감독원장에게 제출하여야 한다.

##### 제4조 (업무)

**①** 감독위원회는 다음 각 호의 어느 하나에 해당하는 경우에는 등록을 취소할 수 있다.
  1\\. 속임수로 등록을 받은 경우
  2\\. 한 해 넘게 영업을 쉰 경우
  3\\. 이용자의 돈을 빼돌린 경우
**②** 감독위원회는 다음 각 호의 어느 하나에 해당하는 경우에는 경고를 하여야 한다.
  1\\. 공시를 게을리한 경우
  2\\. 표준약관과 다른 약관을 쓴 경우
  3\\. 민원을 제때 처리하지 못한 경우
"""


@pytest.fixture(scope="module")
def hard_laws(parse) -> Laws:
    return read_laws(parse("결제업법", HARD_ACT))


@pytest.fixture(scope="module")
def hard_law(hard_laws):
    return hard_laws.acts[0]
