"""The review in the data card: figures by kind, readers, and what is not used."""

import json

import pytest
from review_examples import choice_example, free_example, verdict

from kofinlaw import UserError
from kofinlaw.augment.review import sequential
from kofinlaw.augment.review.review_card import (
    card_texts,
    review_lines,
    review_record,
)
from kofinlaw.augment.review.sample import reading_order

MANY = [choice_example(f"quantity-{number}") for number in range(60)] + [free_example()]
SAMPLE = reading_order(MANY, 7)
ORDER = SAMPLE.kinds["choice_quantity"]


def page(verdicts, made=MANY):
    return "\n".join(review_lines(review_record(reading_order(made, 7), verdicts)))


def test_a_card_without_verdicts_says_so():
    assert page([]) == "## Review\n\nNot reviewed: no person has read these examples.\n"


def test_the_table_has_counts_rates_and_the_verdict_of_each_kind():
    verdicts = [verdict(example) for example in ORDER[:58]]
    text = page(verdicts)
    row = "| choice_quantity | 60 | 58 | 0 | 0 | 0.0% | 0.0% | 0.0% | shown after 49 |"
    assert row in text
    assert "| free | 1 | 0 | 0 | 0 | – | 0.0% | 100.0% | not reviewed |" in text


def test_wrong_and_unclear_examples_are_counted_and_chosen_ones_are_not():
    verdicts = [verdict(ORDER[0]), verdict(ORDER[1], "wrong"), verdict(ORDER[2], "unclear")]
    row = review_record(SAMPLE, [*verdicts, verdict(ORDER[9], "wrong")])["kinds"]["choice_quantity"]
    assert (row["read"], row["wrong"], row["unclear"], row["chosen"]) == (3, 1, 1, 1)
    assert row["rate"] == 0.3333
    assert "open (1 read out of order)" in page([*verdicts, verdict(ORDER[9], "wrong")])


def test_two_readers_have_an_agreement_and_open_differences():
    verdicts = [verdict(example, reader=name) for example in ORDER[:9] for name in ("kim", "lee")]
    verdicts += [verdict(ORDER[9], "wrong"), verdict(ORDER[9], "right", "lee")]
    verdicts += [verdict(ORDER[10], "wrong"), verdict(ORDER[10], "wrong", "lee")]
    record = review_record(SAMPLE, verdicts)
    assert record["readers"] == {"kim": 11, "lee": 11}
    assert record["differ"] == [ORDER[9].id]
    (one,) = record["agreement"]
    assert (one["readers"], one["n"], one["equal"]) == (["kim", "lee"], 11, 10)
    assert one["kappa"] == pytest.approx((10 / 11 - 92 / 121) / (1 - 92 / 121), abs=1e-3)
    assert "| kim and lee | 11 | 10 (91%) | 0.62 |" in page(verdicts)
    solved = [*verdicts, verdict(ORDER[9], "wrong", settles=True)]
    assert review_record(SAMPLE, solved)["differ"] == []
    assert review_record(SAMPLE, solved)["agreement"] == [one]  # the readers' own verdicts


def test_verdicts_on_other_texts_are_listed_and_not_used():
    verdicts = [verdict(ORDER[0], "wrong", sha256="0" * 64), verdict(choice_example("gone-1"))]
    record = review_record(SAMPLE, verdicts)
    assert (record["other_text"], record["not_made"]) == ([ORDER[0].id], ["gone-1"])
    assert record["kinds"]["choice_quantity"]["read"] == 0
    text = page(verdicts)
    assert "have another text than the one that was read" in text
    assert "no longer made, so their verdicts are not used: gone-1." in text


def test_names_of_readers_stay_text():
    text = page([verdict(ORDER[0], reader="<b>|kim|</b>")])
    assert "<b>" not in text
    assert "|kim|" not in text


@pytest.mark.parametrize("rest", ["## Rejected\n\n| reason |\n\n## Samples\n\n### x\n", ""])
def test_the_section_is_replaced_in_the_card_or_put_before_the_rejected_ones(tmp_path, rest):
    (tmp_path / "card.md").write_text(f"# Training examples\n\n{rest}", encoding="utf-8")
    (tmp_path / "card.json").write_text('{"tokens": 3}', encoding="utf-8")
    for verdicts in ([], [verdict(ORDER[0])], [verdict(ORDER[0]), verdict(ORDER[1], "wrong")]):
        record = review_record(SAMPLE, verdicts)
        texts = card_texts(tmp_path, record)
        section = "\n".join(review_lines(record))
        assert texts["card.md"] == f"# Training examples\n\n{section}\n{rest}"
        assert json.loads(texts["card.json"]) == {"tokens": 3, "review": record}
        for name, text in texts.items():
            (tmp_path / name).write_text(text, encoding="utf-8")


def test_a_broken_card_is_one_error(tmp_path):
    with pytest.raises(UserError, match="the card of the examples cannot be read"):
        card_texts(tmp_path, review_record(SAMPLE, []))
    (tmp_path / "card.md").write_text("")
    (tmp_path / "card.json").write_text("[]")
    with pytest.raises(UserError, match=r"card\.json is not an object"):
        card_texts(tmp_path, review_record(SAMPLE, []))


def test_a_verdict_that_settles_is_not_another_example_that_was_read():
    verdicts = [verdict(ORDER[0], "wrong"), verdict(ORDER[0], "right", "lee")]
    verdicts += [verdict(ORDER[0], "right", settles=True)]
    assert review_record(SAMPLE, verdicts)["readers"] == {"kim": 1, "lee": 1}


def test_one_more_verdict_computes_one_more_bound_of_each_side():
    verdicts = [verdict(example) for example in ORDER[:20]]
    review_record(SAMPLE, verdicts)
    before = sequential._bound.cache_info().misses
    review_record(SAMPLE, [*verdicts, verdict(ORDER[20])])
    assert sequential._bound.cache_info().misses - before <= 2
