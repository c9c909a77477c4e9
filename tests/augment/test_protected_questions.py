from kofinlaw.augment.protected_questions import RUN, ProtectedTexts

QUESTION = "다음 중 이용자의 고의가 없는 경우 손해를 배상할 책임을 지는 자로 옳은 것은 무엇인가?"


def test_a_run_in_common_is_a_copy_and_a_shorter_one_is_not():
    protected = ProtectedTexts([QUESTION])
    bare = "".join(c for c in QUESTION if c.isalnum())
    assert protected.shared_run("앞말 " + QUESTION.replace(" ", "")[:-1]) == bare[:RUN]
    assert protected.shared_run(QUESTION[: RUN // 2]) == ""


def test_a_text_that_holds_most_of_a_protected_one_is_held():
    protected = ProtectedTexts(
        ["아무 상관이 없는 다른 물음이 여기에 길게 적혀 있다고 한다.", QUESTION]
    )
    assert protected.contained_text(f"문제: {QUESTION} 정답은 무엇인가?") == QUESTION
    assert protected.contained_text("이용자의 고의가 없는 경우") == ""
    assert ProtectedTexts(()).contained_text(QUESTION) == ""
