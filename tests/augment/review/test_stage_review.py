"""The stage with verdicts: what is trained on, what is remembered, and what stays the same."""

import json

import pytest
from review_examples import verdict

from kofinlaw.augment.review.applying import made_examples
from kofinlaw.augment.review.corrections import example_parts
from kofinlaw.augment.settings import AugmentSettings
from kofinlaw.augment.stage import generate_examples
from kofinlaw.files import read_jsonl
from kofinlaw.records import Example, Rejected

SETTINGS = AugmentSettings(items=40, most_by_article=20, preferences=True)


def run(corpus, out, verdicts=()):
    return generate_examples(SETTINGS, corpus, out, seed=7, verdicts=verdicts)


def examples(folder):
    return list(read_jsonl(folder / "examples.jsonl", Example))


@pytest.fixture(scope="module")
def plain(corpus, tmp_path_factory):
    out = tmp_path_factory.mktemp("plain")
    run(corpus, out)
    return out


def test_wrong_examples_leave_and_corrected_ones_change_and_the_others_stay(
    corpus, plain, tmp_path
):
    made = examples(plain)
    choices = [e for e in made if e.task.startswith("choice_") and not e.choice["twin"]]
    wrong, fixed = choices[0], choices[1]
    fields = example_parts(fixed).fields
    correction = {
        **fields,
        "answer": "2" if fields["answer"] == "1" else "1",
        "target": fields["target"],
    }
    verdicts = [
        verdict(wrong, "wrong", reason="보기 둘이 맞다"),
        verdict(fixed, "wrong", correction=correction),
        verdict(choices[2]),
        verdict(choices[3], "wrong", sha256="0" * 64),
    ]
    counts = run(corpus, tmp_path, verdicts)
    now = examples(tmp_path)
    changed = {wrong.id, fixed.id}
    assert [e for e in now if e.id not in changed] == [e for e in made if e.id not in changed]
    assert [e.id for e in now] == [e.id for e in made if e.id != wrong.id]
    edited = next(e for e in now if e.id == fixed.id)
    assert edited.answer_key == correction["answer"] != fixed.answer_key
    assert edited.checks[-1]["check"] == "reviewed"
    rejected = list(read_jsonl(tmp_path / "rejected.jsonl", Rejected))
    assert [(r.id, r.reason) for r in rejected if r.reason == "reviewed"] == [
        (wrong.id, "reviewed")
    ]
    assert counts.last_lines == (
        "examples that readers found wrong: 1 left out, 1 corrected, 1 with another text by now: "
        "not used",
    )
    assert {e.id for e in made_examples(tmp_path)} == {e.id for e in made}
    focus = (tmp_path / "examples_focus.jsonl").read_bytes()  # what the page marks
    assert focus == (plain / "examples_focus.jsonl").read_bytes()
    pairs = [json.loads(line) for line in (tmp_path / "preferences.jsonl").read_text().splitlines()]
    assert wrong.id not in {pair["id"] for pair in pairs}
    pair = next(pair for pair in pairs if pair["id"] == fixed.id)
    assert edited.choice["options"][edited.choice["answer"]] in pair["chosen"] or (
        pair["chosen"] == edited.answer_key
    )
    card = (tmp_path / "card.md").read_text()
    assert "| reviewed | 1 |" in card
    assert f"are not used: {choices[3].id}" in card.replace("\\", "")
    figures = json.loads((tmp_path / "card.json").read_text())["review"]
    assert figures["readers"] == {"kim": 3}


def test_a_corrected_reply_is_not_paired_with_a_wrong_answer_to_the_original(
    corpus, plain, tmp_path
):
    paired = {json.loads(line)["id"] for line in (plain / "preferences.jsonl").open()}
    free = next(e for e in examples(plain) if e.task == "free" and e.id in paired)
    fields = {**example_parts(free).fields, "target": "법률에서 정한 바에 따른다."}
    run(corpus, tmp_path, [verdict(free, "wrong", correction=fields)])
    now = {json.loads(line)["id"] for line in (tmp_path / "preferences.jsonl").open()}
    assert now == paired - {free.id}


def test_verdicts_without_a_change_give_the_same_examples(corpus, plain, tmp_path):
    counts = run(corpus, tmp_path, [verdict(example) for example in examples(plain)[:5]])
    for name in ("examples.jsonl", "rejected.jsonl", "examples_focus.jsonl", "preferences.jsonl"):
        assert (tmp_path / name).read_bytes() == (plain / name).read_bytes(), name
    assert (tmp_path / "reviewed.jsonl").read_text() == ""
    assert counts.last_lines is None


def test_the_card_of_an_unread_run_says_so_and_each_example_has_its_deciding_phrases(plain):
    assert "Not reviewed: no person has read these examples." in (plain / "card.md").read_text()
    rows = [json.loads(line) for line in (plain / "examples_focus.jsonl").read_text().splitlines()]
    assert {row["id"] for row in rows} == {e.id for e in examples(plain)}
    assert all(row["units"] and row["focus"] for row in rows)
