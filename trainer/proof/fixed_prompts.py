"""List the fixed dialogues that every proof compares, on finance, law and everyday matters.

They were written for this project. Nothing is trained on them, and no answer is scored as right or
wrong: a proof only checks that the merged model predicts the same as base + adapter.
"""

from __future__ import annotations

__all__ = ["FIXED_DIALOGUES"]

FIXED_DIALOGUES: tuple[tuple[str, str], ...] = (
    (
        "전자금융사고가 났을 때 이용자가 책임을 지는 경우를 설명하시오.",
        "이용자가 접근매체를 고의로 다른 사람에게 빌려주었거나 중대한 과실로 노출한 경우에는 "
        "책임의 전부 또는 일부를 이용자가 진다.",
    ),
    (
        "개인정보 처리자가 수집 목적을 달성한 뒤에 해야 할 일은 무엇인가?",
        "보유 기간이 지났거나 처리 목적을 달성하면 지체 없이 개인정보를 파기하고, 다른 법령에 "
        "따라 보존해야 하면 다른 개인정보와 분리하여 관리한다.",
    ),
    (
        "다음을 한 문장으로 요약하시오. 은행은 전산실에 출입하는 사람을 기록하고, 그 기록을 1년 "
        "이상 보관하며, 외부인은 담당 직원과 함께 들어가게 하여야 한다.",
        "은행은 전산실 출입을 기록해 1년 이상 보관하고 외부인은 직원과 동행하게 한다.",
    ),
    (
        "제12조제2항제3호에서 '3영업일'은 언제부터 세는가?",
        "통지를 받은 날의 다음 영업일부터 센다. 공휴일과 토요일은 넣지 않는다.",
    ),
    (
        "Explain in Korean what 'two-factor authentication' is.",
        "이중 인증은 비밀번호처럼 아는 것과 휴대전화처럼 가진 것을 함께 확인하는 방식이다.",
    ),
    (
        "연 이자율 4.5%로 1,000만 원을 1년 예치하면 세전 이자는 얼마인가?",
        "10,000,000원 × 0.045 = 450,000원이다.",
    ),
    (
        "신용정보 제공에 동의하지 않으면 대출을 거절할 수 있는지 답하시오.",
        "필수가 아닌 선택 동의를 하지 않았다는 이유만으로 거절할 수는 없다.",
    ),
    (
        "아래 표를 문장으로 쓰시오.\n구분 | 한도\n1회 | 50만 원\n1일 | 200만 원",
        "한 번에 50만 원, 하루에 200만 원까지 이체할 수 있다.",
    ),
)
