"""Changes at the next stage: left out, corrected, or said to be about something else."""

import json

from review_examples import choice_example, correction, free_example, verdict

from kofinlaw import UserError
from kofinlaw.augment.review.applying import apply_changes, made_examples, write_changed
from kofinlaw.augment.review.outcomes import changes_of, current_verdicts
from kofinlaw.augment.review.sample import reading_order
from kofinlaw.files import write_jsonl
from kofinlaw.records import to_json


def apply(examples, *verdicts, **more):
    return apply_changes(examples, changes_of(current_verdicts(verdicts)), **more)


def test_wrong_examples_are_left_out_or_corrected_and_the_others_stay_as_they_are():
    one, two, three = choice_example("q-1"), choice_example("q-2"), free_example("f-3")
    found = apply(
        [one, two, three],
        verdict(one, "wrong", reason="기간이 아니라 횟수를 묻는다"),
        verdict(two, "wrong", correction=correction(answer="1")),
        verdict(three, "right"),
    )
    assert [example.id for example in found.examples] == ["q-2", "f-3"]
    assert found.examples[0].answer_key == "1"
    assert found.examples[1] is three
    (rejected,) = found.rejected
    assert (rejected.id, rejected.reason) == ("q-1", "reviewed")
    assert rejected.detail == "reviewed by kim on 2026-11-30: 기간이 아니라 횟수를 묻는다"
    assert json.loads(rejected.record)["choice"] == one.choice
    assert found.lines() == ("examples that readers found wrong: 1 left out, 1 corrected",)


def test_a_verdict_on_another_text_or_a_missing_example_changes_nothing_and_is_listed():
    one = choice_example("q-1")
    found = apply(
        [one],
        verdict(one, "wrong", sha256="0" * 64),
        verdict(choice_example("q-9"), "wrong"),
    )
    assert found.examples == [one]
    assert found.rejected == []
    assert {(c.id, c.action, c.made) for c in found.changed} == {
        ("q-1", "other_text", None), ("q-9", "not_made", None),
    }  # fmt: skip
    assert "1 with another text by now: not used, 1 no longer made: not used" in found.lines()[0]


def test_the_twin_of_a_changed_example_is_left_out():
    one, twin = choice_example("q-1", twin="q-1-twin"), choice_example("q-1-twin", twin="q-1")
    found = apply([one, twin], verdict(one, "wrong", correction=correction(answer="1")))
    assert [(e.id, e.choice["twin"]) for e in found.examples] == [("q-1", "")]
    assert found.rejected[0].detail == "reviewed: its twin q-1 was wrong"
    both = apply([one, twin], verdict(one, "wrong"), verdict(twin, "wrong"))
    assert both.examples == []
    assert len(both.rejected) == 2


def test_a_correction_that_is_an_evaluation_question_is_not_trained_on():
    one, seen = choice_example("q-1"), []

    def protected(question, options):
        seen.append((question, options))
        return "보호된 문항"

    found = apply(
        [one], verdict(one, "wrong", correction=correction("새 질문은?")), protected=protected
    )
    assert found.examples == []
    assert "is an evaluation question" in found.rejected[0].detail
    assert seen == [("새 질문은?", "1년\n3년\n5년\n10년")]


def test_an_impossible_correction_of_an_edited_file_leaves_the_example_out():
    one = choice_example("q-1")
    found = apply([one], verdict(one, "wrong", correction=correction(answer="8")))
    assert found.examples == []
    assert "the correction is not possible: the answer is one of" in found.rejected[0].detail


def test_the_examples_as_they_were_made_are_known_after_the_changes(tmp_path):
    one, two, three = choice_example("q-1"), choice_example("q-2"), free_example("f-3")
    verdicts = [verdict(one, "wrong"), verdict(two, "wrong", correction=correction(answer="1"))]
    found = apply([one, two, three], *verdicts)
    write_jsonl(tmp_path / "examples.jsonl", found.examples)
    write_changed(tmp_path / "reviewed.jsonl", found.changed)
    made = made_examples(tmp_path)
    assert sorted(made, key=lambda e: e.id) == [three, one, two]
    again = apply(made, *verdicts)  # the same verdicts give the same examples
    assert sorted(map(str, again.examples)) == sorted(map(str, found.examples))


def test_a_folder_without_a_review_has_the_examples_as_they_are(tmp_path):
    write_jsonl(tmp_path / "examples.jsonl", [free_example()])
    assert made_examples(tmp_path) == [free_example()]


def test_a_broken_example_is_one_error_with_its_line(tmp_path):
    whole = to_json(choice_example())
    broken = [{name: text for name, text in whole.items() if name != gone} for gone in whole]
    broken = [one for one in broken if "choice" in one and "checks" in one]
    broken += [{**whole, name: 3} for name in ("id", "task", "messages", "choice", "provenance")]
    broken.append({**whole, "messages": []})
    for name in whole["choice"]:
        broken.append({**whole, "choice": {k: v for k, v in whole["choice"].items() if k != name}})
    refused = 0
    for one in broken:
        for path in ("examples.jsonl", "reviewed.jsonl"):
            row = one if path == "examples.jsonl" else {"id": "q", "made": one}
            write_jsonl(tmp_path / "examples.jsonl", [free_example()])
            write_jsonl(tmp_path / "reviewed.jsonl", [])
            write_jsonl(tmp_path / path, [{"id": "q", "made": None}, row][path[0] == "e" :])
            line = 1 if path == "examples.jsonl" else 2
            try:
                made = made_examples(tmp_path)
            except UserError as error:
                refused += 1
                seen = error.where
                if seen != f"{tmp_path / path}:{line}":
                    raise
            else:  # what is missing is not read by the review
                reading_order(made, 7)
    assert refused >= 2 * 13
