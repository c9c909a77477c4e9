from kofinlaw.augment.protected_questions import RUN, ProtectedTexts

QUESTION = "다음 중 이용자의 고의가 없는 경우 손해를 배상할 책임을 지는 자로 옳은 것은 무엇인가?"


def test_a_run_in_common_is_a_copy_and_a_shorter_one_is_not():
    protected = ProtectedTexts([QUESTION])
    bare = "".join(c for c in QUESTION if c.isalnum())
    assert protected.shared_run("앞말 " + QUESTION.replace(" ", "")[:-1]) == bare[:RUN]
    assert protected.shared_run(QUESTION[: RUN // 2]) == ""


def test_a_run_is_searched_in_the_question_and_not_in_its_options():
    run = "".join(c for c in QUESTION if c.isalnum())[:RUN]
    text = f"{QUESTION} 금융회사는 접속수단의 위조로 생긴 사고의 손해를 배상하며 보험에 가입하여 이를 이행한다."
    protected = ProtectedTexts([text])
    assert protected.copied_part(run, "은행") == run
    assert protected.copied_part("은행은?", run) == ""
    assert protected.copied_part("은행은?", text) == text[:80]


def test_a_text_that_holds_most_of_a_protected_one_is_held():
    protected = ProtectedTexts(
        ["아무 상관이 없는 다른 물음이 여기에 길게 적혀 있다고 한다.", QUESTION]
    )
    assert protected.contained_text(f"문제: {QUESTION} 정답은 무엇인가?") == QUESTION
    assert protected.contained_text("이용자의 고의가 없는 경우") == ""
    assert ProtectedTexts(()).contained_text(QUESTION) == ""
