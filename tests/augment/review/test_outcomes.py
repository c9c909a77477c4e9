"""What several readers say together, and what it changes."""

from review_examples import choice_example, correction, verdict

from kofinlaw.augment.review.outcomes import (
    changes_of,
    current_verdicts,
    last_verdict,
    outcome_of,
    settled,
)

ONE = choice_example()


def outcome(*verdicts):
    (by_reader,) = current_verdicts(verdicts).values()
    return outcome_of(by_reader)


def test_the_last_verdict_of_a_reader_counts():
    assert outcome(verdict(ONE, "wrong"), verdict(ONE, "right")) == "right"
    assert current_verdicts([verdict(ONE), verdict(ONE, "withdrawn")]) == {}


def test_verdicts_that_differ_are_unclear_until_they_are_settled():
    differ = [verdict(ONE, "right"), verdict(ONE, "wrong", "lee")]
    assert outcome(*differ) == "unclear"
    assert outcome(*differ, verdict(ONE, "wrong", settles=True)) == "wrong"
    taken_back = [verdict(ONE, "wrong", settles=True), verdict(ONE, "withdrawn", settles=True)]
    assert outcome(*differ, *taken_back) == "unclear"
    (own,) = current_verdicts([*differ, verdict(ONE, "wrong", settles=True)]).values()
    assert own["kim"].verdict == "right"  # settling replaces no reader's own verdict


def test_a_later_verdict_that_differs_opens_a_settlement_again():
    fix = correction(answer="1")
    settled_one = [
        verdict(ONE, "right"),
        verdict(ONE, "wrong", "lee", correction=fix),
        verdict(ONE, "wrong", settles=True, correction=fix),
    ]
    for later, expected in (
        (verdict(ONE, "wrong", "max"), "wrong"),
        (verdict(ONE, "wrong", "max", correction=fix), "wrong"),
        (verdict(ONE, "right", "max"), "unclear"),
        (verdict(ONE, "unclear", "lee"), "unclear"),
    ):
        assert outcome(*settled_one, later) == expected
        changed = changes_of(current_verdicts([*settled_one, later]))
        assert bool(changed) == (expected == "wrong")
    other = verdict(ONE, "wrong", "max", correction=correction(answer="2"))
    assert not changes_of(current_verdicts([*settled_one, other]))
    again = verdict(ONE, "right", "max", settles=True)
    assert outcome(*settled_one, other, again) == "right"


def test_two_corrections_that_differ_have_to_be_settled_but_the_example_is_wrong():
    differ = [
        verdict(ONE, "wrong", correction=correction(answer="1")),
        verdict(ONE, "wrong", "lee", correction=correction(answer="2")),
    ]
    assert outcome(*differ) == "wrong"
    assert not changes_of(current_verdicts(differ))
    read = current_verdicts(
        [*differ, verdict(ONE, "wrong", settles=True, correction=correction(answer="2"))]
    )
    (change,) = changes_of(read).by_id[ONE.id]
    assert change.correction["answer"] == "2"
    assert change.readers == ("kim", "lee")


def test_one_reader_who_corrects_and_one_who_does_not_agree_on_the_correction():
    both = [verdict(ONE, "wrong", "lee"), verdict(ONE, "wrong", correction=correction(answer="1"))]
    for verdicts in (both, both[::-1]):
        (by_reader,) = current_verdicts(verdicts).values()
        assert settled(by_reader).correction == correction(answer="1")


def test_only_wrong_examples_change_and_right_verdicts_leave_the_fingerprint_alone():
    other = choice_example("quantity-2")
    wrong = [verdict(ONE, "wrong"), verdict(other, "wrong", correction=correction(answer="1"))]
    first = changes_of(current_verdicts(wrong)).to_settings()
    assert (first["left_out"], first["edited"]) == (1, 1)
    more = [
        *wrong,
        verdict(choice_example("quantity-3")),
        verdict(choice_example("q-4"), "unclear"),
    ]
    assert changes_of(current_verdicts(more)).to_settings() == first
    assert changes_of(current_verdicts(more[::-1])).to_settings() == first
    changed = [*wrong, verdict(other, "wrong", correction=correction(answer="2"))]
    assert changes_of(current_verdicts(changed)).to_settings() != first
    assert not changes_of(current_verdicts([verdict(ONE), verdict(ONE, "unclear", "lee")]))


def test_an_undo_takes_back_the_last_verdict_that_counts():
    first, second = verdict(ONE), verdict(choice_example("quantity-2"))
    assert last_verdict([], "kim") is None
    assert last_verdict([first, second], "kim") == second
    assert last_verdict([first, second], "lee") is None
    back = verdict(choice_example("quantity-2"), "withdrawn")
    assert last_verdict([first, second, back], "kim") == first
    assert last_verdict([first, second, verdict(ONE, "wrong")], "kim").verdict == "wrong"
