"""The examples of a reader: order, stopping, second readers, undo, settling, changed files."""

import pytest
from review_examples import correction

from kofinlaw import UserError
from kofinlaw.recipes.pipeline.run import reopen
from kofinlaw.recipes.review.session import open_session

KIND = "choice_quantity"


def say(session, example, verdict="right", **more):
    given = {"id": example.id, "sha256": session.sha256(example.id), "verdict": verdict, **more}
    return session.judge(given)


def read_all(session, kind="", verdict="right"):
    found = []
    while (example := session.next_example(kind)) is not None:
        say(session, example, verdict)
        found.append(example.id)
    return found


def test_a_reader_gets_the_kinds_one_after_another_until_each_is_decided(session):
    kim = session()
    order = [example.id for example in kim.sample.kinds[KIND]]
    found = read_all(kim)
    record = kim.record()["kinds"][KIND]
    assert (record["verdict"], record["decided_at"]) == ("shown", record["read"])
    assert found[: record["read"]] == order[: record["read"]]
    assert record["read"] < len(order)  # the last ones need not be read
    assert len(found) == record["read"] + 2
    rest = read_all(kim, KIND)  # who asks for the kind may read on
    assert found[: record["read"]] + rest == order


def test_a_second_reader_gets_the_same_examples_and_no_more(session):
    first = read_all(session("kim"))
    lee = session("lee")
    assert read_all(lee) == first
    (one,) = lee.record()["agreement"]
    assert (one["n"], one["equal"]) == (len(first), len(first))


def test_two_processes_see_the_verdicts_of_each_other(session):
    kim, lee = session("kim"), session("lee")
    example = kim.next_example(KIND)
    say(kim, example, "wrong")
    assert lee.next_example(KIND) == example
    assert lee.differences() == {}
    say(lee, example, "right")
    assert list(kim.differences()) == list(lee.differences()) == [example.id]


def test_nobody_sees_a_verdict_before_giving_one(session):
    kim, lee, max_ = session("kim"), session("lee"), session("max")
    example = kim.next_example(KIND)
    say(kim, example, "wrong")
    say(lee, example, "right")
    assert max_.differences() == {}
    assert "kim" not in str(max_.shown(example))
    with pytest.raises(UserError, match="do not differ"):
        say(max_, example, "wrong", settles=True)


def test_a_settled_difference_is_one_outcome(session):
    kim, lee = session("kim"), session("lee")
    example = kim.next_example(KIND)
    say(kim, example, "wrong")
    say(lee, example, "right")
    assert kim.record()["kinds"][KIND]["unclear"] == 1
    say(lee, example, "wrong", settles=True, reason="함께 조문을 읽었다")
    record = kim.record()
    assert (record["kinds"][KIND]["wrong"], record["differ"]) == (1, [])
    assert kim.changes()["left_out"] == 1
    assert lee.undo() == example  # the settling first
    assert kim.record()["kinds"][KIND]["unclear"] == 1


def test_an_undo_takes_back_one_verdict_of_this_reader(session, lines):
    kim, lee = session("kim"), session("lee")
    assert kim.undo() is None
    first = kim.next_example(KIND)
    say(kim, first, "wrong")
    say(lee, first, "right")
    assert kim.undo() == first
    assert kim.next_example(KIND) == first
    assert kim.undo() is None
    assert [line["verdict"] for line in lines()] == ["wrong", "right", "withdrawn"]


def test_a_killed_process_loses_nothing_that_was_said(session, lines):
    kim = session()
    say(kim, kim.next_example(KIND), "wrong", reason="기간이 다르다")
    assert [(one["reader"], one["reason"]) for one in lines()] == [("kim", "기간이 다르다")]
    assert session().own_counts()[KIND] == 1  # without closing the first one


@pytest.mark.parametrize(
    "change,why",
    [
        ({"id": "other"}, "this run has no such example"),
        ({"id": ["x"]}, "this run has no such example"),
        ({"sha256": "0" * 64}, "another text than the page shows"),
        ({"verdict": "withdrawn"}, "one of right, wrong, unclear"),
        ({"verdict": None}, "one of right, wrong, unclear"),
        ({"reason": 3}, "the reason is a text"),
        ({"reason": "가" * 2001}, "at most 2,000 characters"),
        ({"settles": "yes"}, "neither true nor false"),
        ({"settles": True}, "do not differ"),
        ({"verdict": "right", "correction": correction()}, "only a wrong example is corrected"),
        ({"verdict": "wrong", "correction": correction(answer="9")}, "the answer is one of"),
        ({"verdict": "wrong", "correction": {"x": 1}}, "unknown field"),
    ],
)
def test_an_unusable_verdict_says_why_and_writes_nothing(session, lines, change, why):
    kim = session()
    example = kim.next_example(KIND)
    given = {"id": example.id, "sha256": kim.sha256(example.id), "verdict": "right", **change}
    with pytest.raises(UserError, match=why):
        kim.judge(given)
    assert lines() == []


def test_the_page_gets_evidence_and_article_with_the_deciding_words_marked(session):
    kim = session()
    shown = kim.shown(kim.examples["quantity-0"])
    assert shown["form"] == "choice"
    assert (shown["question"], shown["answer"]) == (
        "지급업자가 거래기록을 보존하여야 하는 기간은?",
        "3",
    )
    (evidence,), (article,) = shown["evidence"], shown["articles"]
    for passage in (evidence, article):
        ((start, stop),) = passage["marks"]
        assert passage["text"][start:stop] == "거래기록을 5년간 보존하여야"
    assert article["name"] == "전자지급 안전법 제4조"
    assert "제출을 요구할 수 있다" in article["text"]


def test_verdicts_on_an_earlier_text_are_not_used_and_are_named(session, run):
    kim = session()
    example = kim.next_example(KIND)
    say(kim, example, "wrong")
    path = run / "augment" / "examples.jsonl"
    path.write_text(path.read_text().replace("보존하여야 하는 기간은?", "보존할 기간은?"))
    later = open_session(reopen(run), "kim", trust=True)
    record = later.record()
    assert (record["other_text"], record["kinds"][KIND]["read"]) == ([example.id], 0)
    assert later.undo() is None


def test_a_run_without_examples_or_with_changed_ones_is_refused(run):
    with pytest.raises(UserError, match="a reader's name"):
        open_session(reopen(run), " ")
    path = run / "augment" / "examples.jsonl"
    path.write_text(path.read_text().replace("5년", "6년"))
    with pytest.raises(UserError, match="1 file changed after the stage augment was finished"):
        open_session(reopen(run), "kim")
    path.unlink()
    with pytest.raises(UserError, match="this run has no examples yet"):
        open_session(reopen(run), "kim")


def test_a_broken_line_is_an_error_at_the_start(session, run):
    (run / "review.jsonl").write_text('{"id": 1}\n')
    with pytest.raises(UserError) as found:
        session()
    assert found.value.where == f"{run / 'review.jsonl'}:1"
