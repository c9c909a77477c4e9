from kofinlaw.augment.rewording.runs import LONGEST_RUN, Source, longest_run, shares_run

LAW = Source(["은행은 금융위원회에 업무보고서를 제출하여야 한다.", "그 밖의 사항은 따로 정한다."])


def test_a_run_counts_letters_and_crosses_no_line():
    assert longest_run("금융 위원회에, 업무 보고서를", LAW) == 12
    assert longest_run("한다 그 밖의", LAW) == len("그밖의")
    assert longest_run("쾌유", LAW) == 0


def test_a_run_longer_than_the_limit_is_found_and_a_title_is_not():
    text = "금융위원회에 업무보고서를 제출"
    assert longest_run(text, LAW) > LONGEST_RUN
    assert shares_run(text, LAW)
    assert not shares_run("금융위원회에 업무보고서를 내야 한다", LAW)
    assert not shares_run(f"「{text}」에 관한 설명", LAW)
