"""The files that are written for Argilla and Label Studio."""

import json
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from review_examples import OPTIONS, QUESTION, correction

from kofinlaw import UserError
from kofinlaw.recipes.review.export_file import export_examples

KIND = "choice_quantity"


def test_argilla_gets_the_first_examples_of_each_kind_with_fields_and_questions(exported):
    kim, found, out = exported("argilla")
    records = json.loads(out.read_text())
    settings = json.loads(out.with_suffix(".settings.json").read_text())
    assert found.examples == len(records) == 5  # three of one kind, one each of the others
    assert [r["id"] for r in records if r["metadata"]["kind"] == KIND] == [
        e.id for e in kim.sample.kinds[KIND][:3]
    ]
    first = next(r for r in records if r["id"] == kim.sample.kinds[KIND][0].id)
    assert first["fields"]["question"] == QUESTION
    assert first["fields"]["options"] == "1 1년\n2 3년\n3 5년\n4 10년"
    assert "제출을 요구할 수 있다" in first["fields"]["article"]
    assert first["metadata"]["sha256"] == kim.sha256(first["id"])
    names = {f["name"] for f in settings["fields"]}
    assert all(set(r["fields"]) == names and all(r["fields"].values()) for r in records)
    labels = settings["questions"][0]["settings"]["options"]
    assert [label["value"] for label in labels] == ["right", "wrong", "unclear"]


def test_label_studio_gets_tasks_and_a_configuration_that_names_their_data(exported):
    _, found, out = exported("label-studio")
    tasks = json.loads(out.read_text())
    config = ET.fromstring(out.with_suffix(".config.xml").read_text())
    assert found.examples == len(tasks) == 5
    used = {one.get("value")[1:] for one in config.iter("Text")}
    assert all(used <= set(task["data"]) and all(task["data"].values()) for task in tasks)
    assert [one.get("value") for one in config.iter("Choice")] == ["right", "wrong", "unclear"]


def test_the_readers_own_verdicts_are_suggestions(exported):
    kim, _, out = exported("argilla")
    example = kim.sample.kinds[KIND][0]
    kim.judge({"id": example.id, "sha256": kim.sha256(example.id), "verdict": "wrong",
               "reason": "왜", "correction": correction(answer="1")})  # fmt: skip
    for form in ("argilla", "label-studio"):
        export_examples(kim, form, out, 3)
        text = next(row for row in json.loads(out.read_text()) if example.id in str(row))
        if form == "argilla":
            assert text["suggestions"]["verdict"] == {
                "value": "wrong",
                "score": None,
                "agent": "kim",
            }
            assert text["suggestions"]["corrected_options"]["value"] == "\n".join(OPTIONS)
        else:
            (given,) = text["predictions"]
            assert given["model_version"] == "kim"
            assert given["result"][0]["value"] == {"choices": ["wrong"]}


@pytest.mark.parametrize("reader,agent", [("김 검토", None), ("kim 2", "kim 2"), ("--", None)])
def test_an_agent_has_a_name_that_argilla_accepts(session, tmp_path, reader, agent):
    one = session(reader)
    example = one.sample.kinds[KIND][0]
    one.judge({"id": example.id, "sha256": one.sha256(example.id), "verdict": "unclear"})
    export_examples(one, "argilla", tmp_path / "records.json", 1)
    rows = json.loads((tmp_path / "records.json").read_text())
    (row,) = [row for row in rows if row["id"] == example.id]
    assert row["suggestions"]["verdict"] == {"value": "unclear", "score": None, "agent": agent}


def test_earlier_turns_are_shown_before_the_question(session, tmp_path):
    kim = session()
    example = kim.sample.kinds["free"][0]
    earlier = [
        {"role": "user", "content": "누가 보존하나?"},
        {"role": "assistant", "content": "지급업자다."},
    ]
    changed = replace(example, messages=[*earlier, *example.messages])
    kim.sample.kinds["free"][0] = changed
    export_examples(kim, "label-studio", tmp_path / "tasks.json", 1)
    rows = json.loads((tmp_path / "tasks.json").read_text())
    (row,) = [row for row in rows if row["data"]["kind"] == "free"]
    assert row["data"]["question"] == (
        f"user: 누가 보존하나?\n\nassistant: 지급업자다.\n\n{QUESTION}"
    )


def test_an_export_destroys_no_other_file(session, run, tmp_path):
    kim = session()
    (run / "review.jsonl").write_text("")
    annotated = tmp_path / "annotated.json"
    export_examples(kim, "argilla", annotated, 1)
    rows = json.loads(annotated.read_text())
    rows[0]["responses"] = {"verdict": [{"value": "right", "user_id": "u"}]}
    annotated.write_text(json.dumps(rows))
    before = {path: path.read_bytes() for path in [annotated, *run.rglob("*.*")] if path.is_file()}
    for out, why in (
        (annotated, "holds 1 verdicts"),
        (run / "recipe.yaml", "no export lies there"),
        (run / "review.jsonl", "no export lies there"),
        (run / "augment" / "examples.jsonl", "belongs to the finished stage augment"),
        (run / "augment" / "records.json", "belongs to the finished stage augment"),
        (run, "this is a folder"),
        (run.__class__("."), "this is a folder"),
        (run.__class__("/"), "this is a folder"),
    ):
        with pytest.raises(UserError, match=why):
            export_examples(kim, "argilla", out, 1)
    assert {path: path.read_bytes() for path in before} == before
    export_examples(kim, "label-studio", tmp_path / "again.json", 1)
    export_examples(kim, "label-studio", tmp_path / "again.json", 2)  # an export may be replaced
