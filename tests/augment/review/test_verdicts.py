"""The JSON form of a verdict: complete, checked field by field."""

import unicodedata

import pytest
from review_examples import choice_example, correction, verdict

from kofinlaw.augment.review.verdicts import check_reader, example_sha256, read_verdict
from kofinlaw.records import to_json


def test_a_verdict_survives_its_json_form():
    one = verdict(choice_example(), "wrong", reason="5년이 아니다", correction=correction())
    assert read_verdict(to_json(one)) == one


@pytest.mark.parametrize(
    "change,why",
    [
        ({"verdict": "maybe"}, "`verdict` is not one of right, wrong, unclear, withdrawn"),
        ({"verdict": ["right"]}, "`verdict` is not one of"),
        ({"id": " "}, "`id` is missing"),
        ({"id": 3}, "`id` is not a text"),
        ({"sha256": "abc"}, "`sha256` has another form"),
        ({"day": "30.11.2026"}, "`day` is not a day"),
        ({"day": "2026-02-30"}, "`day` is not a day"),
        ({"reader": "a\nb"}, "a reader's name has 1 to 80 characters on one line"),
        ({"settles": "yes"}, "`settles` is neither true nor false"),
        ({"reason": "ㄱ" * 20_001}, "`reason` has more than 20000 characters"),
        ({"note": ""}, "unknown field 'note'"),
        ({"correction": correction()}, "only a wrong example has a `correction`"),
        ({"verdict": "wrong", "correction": [1]}, "`correction` is not an object"),
        ({"verdict": "wrong", "correction": {"hint": ""}}, "unknown field `correction.hint`"),
        ({"verdict": "wrong", "correction": {"options": ["1"] * 10}}, "at most 9 texts"),
        ({"verdict": "wrong", "correction": {"options": [1]}}, "`options` is not a text"),
    ],
)
def test_a_wrong_field_is_named(change, why):
    value = {**to_json(verdict(choice_example())), **change}
    with pytest.raises(ValueError, match=why):
        read_verdict(value)


def test_the_hash_covers_what_a_reader_sees_and_nothing_else():
    one = choice_example()
    assert example_sha256(one) == example_sha256(choice_example())
    one.provenance["version"] = "99/99"
    one.checks.append({"check": "new", "ok": True})
    assert example_sha256(one) == example_sha256(choice_example())
    assert example_sha256(choice_example(options=["1년", "3년", "5년", "9년"])) != example_sha256(
        one
    )
    one.messages[0]["content"] += " "
    assert example_sha256(one) != example_sha256(choice_example())


def test_a_name_of_a_reader_is_one_line():
    assert check_reader(" 김 검토 ") == "김 검토"
    assert check_reader(unicodedata.normalize("NFD", "김 검토")) == "김 검토"
    assert check_reader("kim\u200b") == "kim"  # as the file gives it back
    for name in ("", "   ", "a\tb", "x" * 81):
        with pytest.raises(ValueError, match="a reader's name"):
            check_reader(name)
