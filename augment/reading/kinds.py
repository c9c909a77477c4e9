"""Say of what class a noun phrase or a party is: person, body, act, document, place, amount …

Wrong options of another class than the right one are found without reading the law: a person in a
list of data, a body in a list of factors.
"""

from __future__ import annotations

import re

__all__ = ["noun_class", "party_class"]

# Read from the end of the phrase; the first class that fits counts.
_CLASSES: tuple[tuple[str, str], ...] = (
    ("case", r"경우|때"),
    ("requirement", r"것"),
    (
        "body",
        r"기관|회사|법인|단체|은행|금고|조합|협회|중앙회|연합회|공사|공단|진흥원|감독원|연구원|연구소|학교|대학"
        r"|센터|위원회|법원|부처|정부|소비자원|보증기금|지방자치단체|국가|재단|거래소|예탁원|업자|사업자|회사등|기구|본부",
    ),
    (
        "person",
        r"사람|(?<![하이투출융전문숫일적])자|회원|조합원|사원|대의원|발기인|증인|보증인|위원|임원|직원|임직원|종사자|대표|교수|의사|변호사|회계사|세무사"
        r"|공무원|법관|검사|감사|이사|위원장|원장|장관|차관|청장|소유자|대리인|관리인|신청인|청구인|채권자|채무자"
        r"|\d명|\d인|배우자|친족|혈족|주주|가족",
    ),
    (
        "document",
        r"서류|서면|증명서|계획서|보고서|신청서|명세서|확인서|설명서|계약서|정관|사본|등본|초본|증서|도면|대장"
        r"|장부|목록|조서|규약|약관|증표|문서|재무제표|대차대조표|의사록|자료|서식|허가증|등록증|인가증|이력서",
    ),
    (
        "place",
        r"장소|지역|소재지|사무소|영업소|건물|시설|구역|주소지|지점|토지",
    ),
    (
        "amount",
        r"금액|비용|수수료|이자|자본금|총액|가액|[가-힣]금|비율|이율|\d원|배|수량|합계액|잔액|보험료|출연금|기금|재산|자산"
        r"|채권|채무|수입금|수익금|회비|보조금|차입금|예금|적금|증권|주식|채무증권",
    ),
    (
        "data",
        r"사항|정보|번호|성명|이름|명칭|상호|주소|연락처|내용|일자|날짜|일시|기록|내역|사유|목적|방법|절차|기준|요건|조건"
        r"|기간|기한|시기|시간|연월일|생년월일|구성|현황|실적|범위|종류|항목|결과|계획|근거|전화번호|지위|자격|종목"
        r"|명단|사실|의견|취지|여부|정도|수준|규모|횟수|요지|표시|이유|상황|상태|관계|특성|특성ㆍ|필요성|가능성|영향"
        r"|능력|적정성|안전성|타당성|건전성|효율성|개요|직업|국적|서명|양|수",
    ),
    (
        "act",
        r"행위|업무|조치|사업|활동|사무|일|거래|수립|지원|조사|연구|개발|관리|운영|보호|감독|검사|평가|인증|교육"
        r"|홍보|처리|제공|공개|협력|육성|촉진|보급|구축|설정|변경|취소|폐지|해지|양도|매각|취득|발행|대여|대출"
        r"|알선|중개|대행|위탁|지급|징수|보관|보존|보고|통지|신고|등록|허가|인가|승인|심사|심의|의결|조정|선임"
        r"|해임|임명|제정|개정|합병|분할|해산|청산|정지|제한|금지|지정|고발|명령|요구|요청|주의|경고|견책|감봉"
        r"|문책|파면|면직|출자|투자|융자|매입|매매|교환|차입|보증|담보|인수|배상|보상|상담|자문|훈련|구성|설치"
        r"|마련|작성|제출|확인|점검|분석|측정|수집|이용|파기|삭제|정정|이전|전송|반환|환급|정산|청구|신청|제기"
        r"|행사|포기|면제|유예|감면|소송|화해|기여|참여|교류|홍보물|도입|강화|개선|확보|유지|사용|판매|광고"
        r"|권유|체결|해제|지도|감면|대리|주선|수납|예방|대응|복구|통보|결정|선고|정비|확대|활용|제작|전시|조성",
    ),
)
_PATTERNS = tuple((name, re.compile(rf"(?:{words})등?$")) for name, words in _CLASSES)

_PARTIES: tuple[tuple[str, str], ...] = (
    (
        "state",
        r"장관|청장|처장|위원회|위원장|법원|재판장|검사|검찰총장|대통령|국무총리|정부|국가"
        r"|지방자치단체|감독원|원장|시장|도지사|총재|한국은행|예금보험공사|공사|진흥원|심의회"
        r"|법원사무관등|집행관|관청|기관의 장|행정기관",
    ),
    (
        "officer",
        r"임원|이사|감사|감사인|이사회|총회|대표이사|이사장|조합장|회장|위원|직원|임직원|책임자|담당자|청산인|관재인"
        r"|설계사|부서장|본부장|사무국장|은행장|부서|관리인|대리인|보험계리사|발기인|감사위원회|관리위원회",
    ),
    (
        "body",
        r"회사|업자|은행|법인|조합|금고|협회|중앙회|기관|센터|제공자|처리자|사업자|운영자|발행자|가맹점|단체|기구|부",
    ),
    (
        "private",
        r"이용자|주체|가입자|소비자|채무자|채권자|주주|고객|차주|계약자|수익자|위탁자|수탁자|지급인|수취인|조합원|회원"
        r"|신청인|당사자|매수인|임차인|임대인|사원|투자자|예금자",
    ),
)
_PARTY_PATTERNS = tuple((name, re.compile(rf"(?:{words})등?$")) for name, words in _PARTIES)
# 감사위원회 belongs to a company, 금융위원회 to the state.
_COMPANY_ORGAN = re.compile(r"(?:감사위원회|관리위원회|이사회|총회|이사회의 의장)$")


def noun_class(text: str) -> str:
    """Return the class of the noun that ends a list item.

    `case`, `requirement`, `body`, `person`, `document`, `place`, `amount`, `data` or `act`; for any
    other noun its last two letters, so that two such nouns are of one class only if they are the
    same.
    """
    bare = re.sub(
        r"(?:(?<!\s)\s++|(?<![\s\d]))\d++(?:명|인)(?: 이[상하내])?$", "", text.rstrip(". ")
    )
    for name, pattern in _PATTERNS:
        if pattern.search(bare):
            return name
    return bare[-2:]


def party_class(name: str) -> str:
    """Return the class of a party: `state`, `officer`, `body`, `private`, or empty for others."""
    if _COMPANY_ORGAN.search(name):
        return "officer"
    return next((kind for kind, pattern in _PARTY_PATTERNS if pattern.search(name)), "")
