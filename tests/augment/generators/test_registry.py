import importlib.util
from pathlib import Path

import pytest

from kofinlaw.augment.generators.registry import (
    GROUNDED_GENERATORS,
    QuestionGenerator,
    draft_questions,
)
from kofinlaw.augment.hard.registry import HARD_GENERATORS
from kofinlaw.augment.reading.acts import Law, Laws, read_laws
from kofinlaw.augment.reading.clauses import clauses
from kofinlaw.augment.reading.names import normalize
from kofinlaw.augment.settings import WEIGHTS
from kofinlaw.records import Rejected

_spec = importlib.util.spec_from_file_location("faults", Path(__file__).with_name("faults.py"))
_faults = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_faults)
faults = _faults.faults

SHARED = Path(__file__).parents[3].parent / "shared" / "data" / "statutes" / "acts"
# Sentences of the forms that gave faulty questions on acts that nobody had read.
TRAPS = """
##### 제1조 (매각)

**①** 매각대금이 지급되면 법원은 배당기일을 정하여 채권자에게 통지하여야 한다.
**②** 매각허가에 관한 이의는 매각허가가 있을 때까지 신청하여야 한다.
**③** 이해관계인은 결정을 받은 날부터 7일 이내에 법원에 항고를 제기하여야 한다.
**④** 집행위원회는 재적위원 3분의 1 이상이 요구하는 때에는 회의를 소집하여야 한다.
**⑤** 집행위원장은 회의를 소집하려면 5일 이내에 그 일시를 위원에게 통지하여야 한다.
**⑥** 집행위원회는 9명 이상은 참석하도록 회의 절차를 마련하여야 한다.
**⑦** 감독원장은 집행위원회에 자료의 제출을 명할 수 있다.
**⑧** 심의위원회는 매년 결과를 감독원장에게 보고하여야 한다.
**⑨** 조정위원회는 매년 결과를 심의위원회에 보고하여야 한다.

##### 제2조 (열람의 제한)

**①** 금고는 회원의 신청이 있으면 장부를 열람하게 하여야 한다. 다만, 금고는 회원의 이용에 지장이 없는 범위에서 정관으로 정하는 경우에는 그러하지 아니하다.
**②** 은행은 고객의 요구가 있으면 거래내역을 알려야 한다. 다만, 천재지변으로 전산설비가 멈춘 경우에는 그러하지 아니하다.
**③** 회사는 주주의 요구가 있으면 명부를 보여야 한다. 다만, 영업비밀이 새어 나갈 우려가 뚜렷한 경우에는 그러하지 아니하다.
**④** 조합은 조합원의 요구가 있으면 회의록을 보여야 한다. 다만, 다른 조합원의 사생활이 드러나는 경우에는 그러하지 아니하다.
**⑤** 협회는 회원의 요구가 있으면 통계를 보여야 한다. 다만, 통계를 아직 집계하지 못한 경우에는 그러하지 아니하다.
**⑥** 진흥원은 정보보호를 위하여 노력하여야 한다. 이 경우 매년 1회 이상 교육을 하여야 한다.

##### 제3조 (선임)

**①** 자산총액이 큰 회사는 다음 각 호의 구분에 따라 사외이사를 추가로 두어야 한다.
  1\\. 자산총액이 50조원 이상이고 100조원 미만인 경우: 2명 이상
  2\\. 자산총액이 100조원 이상인 회사로서 상장된 회사의 경우: 4명 이상
**②** 집행위원회는 다음 각 호의 자료를 심의한다.
  1\\. 자산의 취득가액에 관한 정보
  2\\. 보유한 채권의 내역에 관한 정보
  3\\. 지난 3년간 거래한 상대방의 명단
**③** 집행위원회는 다음 각 호의 사람으로 구성한다.
  1\\. 감독원장이 추천하는 사람
  2\\. 소비자단체가 추천하는 사람
  3\\. 금융에 관한 학식이 있는 사람
**④** 심의위원회는 다음 각 호의 자료를 관리한다.
  1\\. 회원의 주소와 연락처에 관한 정보
  2\\. 거래의 날짜와 시각에 관한 정보
  3\\. 담보물의 감정 결과에 관한 정보

##### 제4조 (재산관리위원회)

**①** 감독원장은 재산을 관리하기 위하여 재산관리위원회(이하 이 조에서 "재산위원회"라 한다)를 둔다.
**②** 재산위원회는 위원장을 포함하여 7명의 위원으로 구성하여야 한다.
**③** 재산위원회는 회의록을 10년 이상 보존하여야 한다.
**④** 집행위원회는 자료의 제출을 요구할 수 있으며, 제출에 걸리는 기간은 심의 기간에 넣지 아니한다.
**⑤** 감독원장은 포상금을 한 사람에게 1년간 5천만원을 넘게 지급하여서는 아니 된다.

##### 제5조 (명부와 통지)

**①** 출자증권에는 다음 각 호의 사항을 적고 이사가 이름을 적어야 한다.
  1\\. 회사의 이름과 설립한 날짜
  2\\. 증권의 종류와 번호에 관한 내역
  3\\. 출자한 금액과 납입한 날짜
**②** 법원은 신청을 받은 경우에는 신청을 받은 날부터 20일 이내에 결과를 통지하여야 한다.
**③** 금고는 허가를 받은 날부터 30일 이내에 감독원장에게 영업의 개시를 보고하여야 한다.
**④** 법 제7조에서 "대통령령으로 정하는 사항"이란 다음 각 호의 어느 하나에 해당하는 사항을 말한다.
  1\\. 이익배당을 줄이거나 제한하는 사항
  2\\. 임원과 직원의 보수에 관한 사항
  3\\. 전산설비의 점검과 교체에 관한 사항

##### 제6조 (업무의 위탁)

**①** 심의위원회는 제1조제8항에 따른 업무를 다음 각 호의 자에게 위탁할 수 있다.
  1\\. 조정위원회
**②** 심의위원회는 보고에 관한 업무의 일부를 감독원장에게 위탁한다.

##### 제7조 (심의위원회의 구성)

**①** 심의위원회의 위원은 금융에 관한 학식이 풍부한 사람으로서 다음 각 호의 어느 하나에 해당하는 사람으로 한다.
  1\\. 금융기관에서 3년 이상 근무한 경력이 있는 사람
  2\\. 변호사로 5년 이상 근무한 경력이 있는 사람
  3\\. 대학에서 10년 이상 가르친 경력이 있는 사람
**②** 집행위원회는 다음 각 호의 사항을 협의ㆍ조정하여야 한다.
  1\\. 금고의 합병에 관한 사항
  2\\. 회원의 손실에 관한 사항
**③** 감독원장은 허가 신청을 받은 날부터 3개월(예비허가를 받은 경우에는 1개월) 이내에 허가 여부를 결정하고, 그 결과를 지체 없이 신청인에게 통지하여야 한다.
**④** 금고는 개선을 요구받은 날부터 1년 6개월 이내에 개선 계획의 이행을 마쳐야 한다.
**⑤** 금고의 설립등기는 인가를 받은 날부터 3주 이내에 주된 사무소의 소재지에서 하여야 한다.
**⑥** 협회가 회원에게 의견을 통보하는 경우에는 문서로 하여야 한다.
**⑦** 퇴직보험은 회원이 퇴직하는 경우 퇴직금을 한꺼번에 받을 수 있도록 하는 보험으로 법령의 요건을 갖추어야 한다.
**⑧** 감독원장은 금고가 다음 각 호의 어느 하나에 해당하는 경우에는 예탁금의 일부를 반환하여야 한다.
  1\\. 금고가 영업을 폐지한 경우
  2\\. 허가가 취소된 경우
  3\\. 해산이 공고된 경우
**⑨** 금고는 회원의 명부를 회원이 아닌 사람에게 보여서는 아니 된다. 다만, 회원의 동의가 확인된 경우에는 그러하지 아니하다.

##### 제8조 (이용의 정지)

**①** 감독원장, 경찰청장 또는 검찰총장은 금고에 전화번호의 이용 정지를 요청할 수 있다.
**②** 이용이 정지된 사람은 이용 정지를 요청한 기관(이하 이 조에서 "정지요청기관"이라 한다)에 이의를 신청할 수 있다.
**③** 정지요청기관은 이의가 이유 있다고 인정할 때에는 금고에 이용 정지의 해제를 명하여야 한다.
**④** 경찰청장은 사고의 원인을 조사한 결과를 정부에 보고하여야 한다.
**⑤** 수사기관은 금고에 거래 내역의 제출을 요구하여야 한다.
**⑥** 각급 관리위원회는 금고에 장부의 정리를 지시하여야 한다.
**⑦** 중앙관리위원회는 매년 금고의 업무를 평가하여야 한다.
**⑧** 검찰총장은 매년 사고의 통계를 공표하여야 한다.

##### 제9조 (명단)

**①** 감독원장은 다음 각호의 1에 해당하는 자에 대하여 그 인적사항을 기록하여야 한다.
  1\\. 등록이 취소된 금고의 임원
  2\\. 해임된 금고의 직원
**②** 중앙관리위원회는 회장이 추천하는 9명의 위원으로 성별을 고려하여 구성한다.
**③** 경찰청장은 사고를 곧 탐지하기[이하 "관제"라 한다] 위하여 전산망을 운영하여야 한다.
**④** 검찰총장은 거래의 금액[채권의 경우에는 취득금액을 말한다. 이하 같다]을 매달 공표하여야 한다. 다만, 거래가 하루에 모두 끝난 경우에는 그러하지 아니하다.
"""


@pytest.fixture(scope="module")
def traps(parse):
    return read_laws(parse("집행 절차법", TRAPS))


def test_every_kind_has_one_generator_and_a_weight():
    kinds = [kind for generator in GROUNDED_GENERATORS for kind in generator.kinds]
    assert len(set(kinds)) == len(kinds)
    assert {k for g in HARD_GENERATORS for k in g.kinds}.isdisjoint(kinds)
    assert set(kinds) | {k for g in HARD_GENERATORS for k in g.kinds} == set(WEIGHTS)


def test_a_generator_yields_only_its_kinds(laws):
    for generator in GROUNDED_GENERATORS:
        found = {d.kind for law in laws.acts for d in generator.generate(law, laws, 0)}
        assert found <= set(generator.kinds)


def test_drafts_do_not_depend_on_the_other_acts(acts, laws):
    alone = read_laws([a for a in acts if a.title == "금융분쟁 조정법"])
    titles = frozenset(["금융분쟁 조정법"])
    with_others = [d for d in draft_questions(laws, 3, titles=titles) if d.kind != "which_act"]
    by_itself = [d for d in draft_questions(alone, 3) if d.kind != "which_act"]
    assert with_others == by_itself


def test_every_answer_differs_from_its_distractors(laws):
    for draft in draft_questions(laws, 1):
        keys = [normalize(text) for text in (draft.answer, *draft.distractors)]
        assert len(set(keys)) == len(keys), draft


def test_known_forms_of_sentences_give_no_faulty_question(traps, laws):
    seen = set()
    for seed in range(4):
        for law in (*traps.acts, *laws.acts):
            mine = traps if law in traps.acts else laws
            for draft in draft_questions(mine, seed, extra=HARD_GENERATORS):
                if draft.document == law.title:
                    assert not faults(law, draft), draft
                    seen.add(draft.kind)
    wanted = {"actor", "addressee", "quantity", "exception", "enumeration", "statement_true"}
    assert wanted <= seen


def test_a_bound_that_is_swapped_takes_its_particle(traps):
    texts = {text for d in draft_questions(traps, 0) for text in (d.answer, *d.distractors)}
    assert any("3분의 1 이하가 요구" in text for text in texts)


@pytest.mark.shared
@pytest.mark.parametrize(
    "title",
    [
        "민사집행법",
        "신용협동조합법",
        "예금자보호법",
        "신용협동조합법_시행령",
        "자산유동화에_관한_법률",
        "수표법",
    ],
)
def test_acts_give_no_question_with_a_fault_of_form(title, parse):
    path = SHARED / f"{title}.md"
    if not path.is_file():
        pytest.skip("the development data next to the repository is absent")
    laws = read_laws(parse(title, path.read_text(encoding="utf-8").split("---", 2)[-1]))
    drafts = list(draft_questions(laws, 1, extra=HARD_GENERATORS))
    assert len(drafts) > 50
    bad = [(faults(laws.acts[0], draft), draft) for draft in drafts]
    assert not [pair for pair in bad if pair[0]]


def test_an_article_or_an_act_that_fails_is_one_rejection(laws, monkeypatch):
    bad = laws.acts[0]
    good = [d for d in draft_questions(laws, 1) if d.document != bad.title]

    def fails(article):
        if article.id == bad.articles[0].id:
            raise RecursionError
        return clauses(article)

    monkeypatch.setattr("kofinlaw.augment.reading.acts.clauses", fails)
    mine = Laws(tuple(Law(law.title, law.articles) for law in laws.acts))
    assert [unread.id for unread in mine.acts[0].unread] == [bad.articles[0].id]
    assert len(mine.acts[0].clauses) > 0
    rejected: list[Rejected] = []
    first = GROUNDED_GENERATORS[0]

    def stops(law, others, seed):
        if law.title == bad.title:
            raise ValueError("하나")
        yield from first.generate(law, others, seed)

    broken = (QuestionGenerator(first.kinds, stops), *GROUNDED_GENERATORS[1:])
    monkeypatch.setattr("kofinlaw.augment.generators.registry.GROUNDED_GENERATORS", broken)
    found = list(draft_questions(laws, 1, rejected=rejected))
    assert [d for d in found if d.document != bad.title] == good
    assert [(r.id, r.detail) for r in rejected] == [(bad.title, f"{bad.title}: ValueError: 하나")]
