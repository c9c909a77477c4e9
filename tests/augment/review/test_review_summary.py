"""The figures of a review on a terminal."""

from review_examples import choice_example, free_example, verdict

from kofinlaw.augment.review.review_card import review_record
from kofinlaw.augment.review.review_summary import summary_lines
from kofinlaw.augment.review.sample import reading_order

MANY = [choice_example(f"quantity-{number}") for number in range(60)] + [free_example()]
SAMPLE = reading_order(MANY, 7)
ORDER = SAMPLE.kinds["choice_quantity"]


def test_the_lines_for_a_terminal_have_columns_and_what_is_open():
    verdicts = [verdict(ORDER[0], "wrong"), verdict(ORDER[0], "right", "lee")]
    verdicts += [verdict(ORDER[1]), verdict(choice_example("gone-1"))]
    head, first, second, *rest = summary_lines(review_record(SAMPLE, verdicts))
    assert len(head.split("at most 2%")[0]) == first.index("open")
    assert first.split()[:5] == ["choice_quantity", "60", "2", "0", "1"]
    assert second.endswith("not reviewed")
    assert rest == [
        "",
        "readers: kim 2, lee 1",
        "kim and lee: 0 of 1 equal, kappa 0.00",
        f"to settle on the page: {ORDER[0].id}",
        "not used, because the examples are no longer made: gone-1",
    ]


def test_many_ids_are_counted_and_the_first_ones_named():
    verdicts = [verdict(choice_example(f"gone-{number:02}")) for number in range(13)]
    *_, last = summary_lines(review_record(SAMPLE, verdicts))
    assert last.endswith(
        "no longer made: " + ", ".join(f"gone-{n:02}" for n in range(10)) + " and 3 more"
    )
