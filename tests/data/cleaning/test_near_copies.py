"""Questions that other texts repeat, wholly or nearly."""

from kofinlaw.data.cleaning.near_copies import near_copies

QUESTIONS = [
    "연체이자는 언제부터 붙는가?\n만기일\n만기일의 다음 날\n통지한 날\n약정한 날",
    "창구에서 본인을 확인하지 않아도 되는 거래는?\n계좌 개설\n고액 송금\n잔돈 교환\n대출 실행",
]


def test_an_edited_and_reordered_copy_is_found_with_its_share():
    edited = (
        "문제) 연체이자는 언제부터 붙을까?\n① 약정한 날 ② 통지한 날 ③ 만기일의 다음 날 ④ 만기일"
    )
    other = "금고 열쇠를 나누어 맡는 사람은?\n지점장과 대리\n고객\n청원경찰\n감사"
    (found,) = near_copies([other, edited], QUESTIONS)
    assert (found.text, found.question) == (1, 0)
    assert 0.8 <= found.share < 1


def test_the_same_question_is_a_whole_copy():
    found = near_copies([f"질문: {QUESTIONS[1]}\n정답: 3", *QUESTIONS], QUESTIONS)
    assert [(one.text, one.question, one.share) for one in found] == [
        (0, 1, 1.0), (1, 0, 1.0), (2, 1, 1.0),
    ]  # fmt: skip


def test_nothing_is_a_copy_of_nothing():
    assert near_copies([], QUESTIONS) == near_copies(QUESTIONS, []) == []
