"""Replace official terms by words that a user says instead, to imitate the questions of users."""

from __future__ import annotations

from kofinlaw.data.korean.words import josa, particle_pair

__all__ = ["PLAIN_TERMS", "plain_term"]

# Official term → another word for it. The longest term that a word contains is replaced.
PLAIN_TERMS = {
    "통지": "안내", "파기": "폐기", "국외": "해외", "위탁": "외주", "수탁자": "외주업체",
    "임직원": "직원", "차주": "대출 고객", "교부": "전달", "제재": "벌", "징계": "벌",
    "보존": "보관", "보관": "보존", "이체": "송금", "송금": "이체", "기재": "작성",
    "누리집": "홈페이지", "홈페이지": "사이트", "전자우편": "이메일", "금융소비자": "고객",
    "이용자": "고객", "법정대리인": "부모", "접속기록": "로그", "정정": "수정", "변경": "수정",
    "제출": "접수", "해지": "취소", "철회": "취소", "지급": "입금", "납부": "결제",
    "상환": "갚기", "연체": "미납", "점검": "확인", "승인": "허락", "인가": "허가",
    "임대인": "집주인", "임차인": "세입자", "차임": "월세", "금전": "돈", "과태료": "벌금",
    "과징금": "벌금", "대부": "대출", "여신": "대출", "수신": "예금", "심사": "검토",
    "심의": "검토", "전산시스템": "컴퓨터", "정보처리시스템": "서버", "사유": "이유",
    "임명": "선임", "선임": "임명", "교육": "연수", "훈련": "연습", "손해": "피해",
    "배상": "보상", "보상": "배상", "비밀번호": "암호", "업무위탁": "외주", "거래": "이용",
    "수수료": "비용", "계약": "약정", "시행": "실시", "실시": "진행", "게시": "공지",
    "공고": "공지", "증명서": "서류", "서식": "양식", "보수": "급여", "급여": "월급",
    "휴직": "휴가", "퇴직": "퇴사", "채용": "입사", "구매": "구입", "계좌": "통장",
    "자산": "재산", "결재": "승인", "점포": "지점", "영업점": "지점", "대여": "빌려주기",
}  # fmt: skip
_LONGEST_FIRST = sorted(PLAIN_TERMS, key=lambda term: (-len(term), term))


def plain_term(word: str) -> str:
    """Return the word with the official term that begins or ends it replaced, and the particle
    after the term fitted; unchanged if it has none.

    A term inside a longer name is a part of it: `가지급금` is not `가입금금`.
    """
    for term in _LONGEST_FIRST:
        plain = PLAIN_TERMS[term]
        if word.endswith(term):
            return word[: -len(term)] + plain
        if word.startswith(term):
            rest = word[len(term) :]
            pair = particle_pair(rest)
            return josa(plain, pair) if pair else plain + rest
    return word
