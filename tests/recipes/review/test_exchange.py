"""The forms of Argilla and Label Studio: what is written, and verdicts that come back."""

import json
import xml.etree.ElementTree as ET

import pytest
from review_examples import OPTIONS, QUESTION, correction

from kofinlaw import UserError
from kofinlaw.recipes.review.exchange import export_examples, import_verdicts

KIND = "choice_quantity"
USERS = ("11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222")


@pytest.fixture
def exported(session, tmp_path):
    def write(form, most=3, reader="kim"):
        kim = session(reader)
        out = tmp_path / "out" / "review.json"
        found = export_examples(kim, form, out, most)
        return kim, found, out

    return write


def respond(record, user, verdict, **texts):
    for name, value in {"verdict": verdict, **texts}.items():
        record["responses"].setdefault(name, []).append({"value": value, "user_id": user})


def annotate(task, user, verdict, skipped=False, **texts):
    result = [
        {
            "from_name": "verdict",
            "to_name": "question",
            "type": "choices",
            "value": {"choices": [verdict]},
        }
    ]
    for name, text in texts.items():
        result.append(
            {
                "from_name": name,
                "to_name": "question",
                "type": "textarea",
                "value": {"text": [text]},
            }
        )
    task.setdefault("annotations", []).append({
        "completed_by": user, "result": result, "was_cancelled": skipped,
        "created_at": "2026-11-28T09:00:00.000000Z",
    })  # fmt: skip


def rewrite(path, change):
    rows = json.loads(path.read_text())
    change(rows)
    path.write_text(json.dumps(rows))


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


@pytest.mark.parametrize("form", ["argilla", "label-studio"])
def test_verdicts_of_two_users_come_back_once(exported, lines, form):
    kim, _, out = exported(form)
    ids = [e.id for e in kim.sample.kinds[KIND][:3]]

    def fill(rows):
        by_id = {row.get("id") or row["data"]["example_id"]: row for row in rows}
        act = respond if form == "argilla" else annotate
        for user in USERS:
            act(by_id[ids[0]], user, "right")
        act(by_id[ids[1]], USERS[0], "wrong", reason="답이 둘이다")
        act(by_id[ids[2]], USERS[0], "wrong", corrected_answer="1")

    rewrite(out, fill)
    taken = import_verdicts(kim, out, None)
    assert (taken.taken.total(), taken.unread, taken.known) == (4, 2, 0)
    users = USERS if form == "argilla" else tuple(f"user {user}" for user in USERS)
    assert {line["reader"] for line in lines()} == set(users)
    by_id = {line["id"]: line for line in lines()}
    assert by_id[ids[1]]["reason"] == "답이 둘이다"
    assert by_id[ids[1]]["correction"] is None
    assert by_id[ids[2]]["correction"] == correction(answer="1")
    if form == "label-studio":
        assert by_id[ids[1]]["day"] == "2026-11-28"
    again = import_verdicts(kim, out, None)
    assert (again.taken.total(), again.known) == (0, 4)
    assert len(lines()) == 4


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


def test_one_user_may_be_given_a_name_and_several_may_not(exported, lines):
    kim, _, out = exported("argilla")
    rewrite(out, lambda rows: respond(rows[0], USERS[0], "right"))
    import_verdicts(kim, out, "박 검토")
    assert lines()[0]["reader"] == "박 검토"
    rewrite(out, lambda rows: respond(rows[0], USERS[1], "right"))
    with pytest.raises(UserError, match="the verdicts of 2 users"):
        import_verdicts(kim, out, "박 검토")


def test_examples_with_another_text_or_of_another_run_are_left_out_and_named(exported, lines):
    kim, _, out = exported("argilla")

    def change(rows):
        for row in rows[:3]:
            respond(row, USERS[0], "right")
        rows[0]["metadata"]["sha256"] = "0" * 64
        rows[1]["id"] = "elsewhere-1"

    rewrite(out, change)
    taken = import_verdicts(kim, out, None)
    assert len(lines()) == 1
    assert taken.not_made == ("elsewhere-1",)
    assert len(taken.other_text) == 1
    assert any("are not in this run: 1 (elsewhere-1)" in line for line in taken.lines())


@pytest.mark.parametrize(
    "verdict,texts,why",
    [
        ("maybe", {}, "`verdict` is not one of"),
        ("right", {"corrected_answer": "1"}, "only a wrong example is corrected"),
        ("wrong", {"corrected_options": "1년\n2년"}, "this example has 4 options"),
        ("wrong", {"corrected_answer": "셋"}, "the answer is one of"),
    ],
)
def test_one_unusable_verdict_takes_over_nothing(exported, lines, verdict, texts, why):
    kim, _, out = exported("label-studio")

    def fill(rows):
        mine = [row for row in rows if row["data"]["kind"] == KIND]
        annotate(mine[0], 1, "right")
        annotate(mine[1], 1, verdict, **texts)

    rewrite(out, fill)
    with pytest.raises(UserError, match=why) as found:
        import_verdicts(kim, out, None)
    assert kim.sample.kinds[KIND][1].id in found.value.where
    assert lines() == []


def test_skipped_annotations_and_drafts_are_no_verdicts(exported, lines):
    kim, _, out = exported("label-studio")
    rewrite(out, lambda rows: annotate(rows[0], 1, "right", skipped=True))
    assert import_verdicts(kim, out, None).unread == 5
    export_examples(kim, "argilla", out, 3)

    def draft(rows):
        given = {"value": "right", "user_id": USERS[0], "status": "draft"}
        rows[0]["responses"]["verdict"] = [given]

    rewrite(out, draft)
    assert import_verdicts(kim, out, None).unread == 5
    assert lines() == []


@pytest.mark.parametrize(
    "text,why",
    [
        ("", "not JSON"),
        ("{broken", "not JSON"),
        ("{}", "not a list of records or tasks"),
        ("[1]", "not a list of records or tasks"),
        ('[{"id": "x"}]', "record 1 has no metadata or no responses"),
        ('[{"metadata": {}, "responses": {"verdict": [{}]}}]', "record 1 has no user_id"),
        ('[{"data": 3}]', "task 1 has no data"),
        ('[{"data": {}, "annotations": [{}]}]', "task 1 has no result"),
        ('[{"data": {}, "annotations": [{"result": [3]}]}]', "a result has no value"),
    ],
)
def test_another_file_is_one_clear_error(session, tmp_path, text, why):
    path = tmp_path / "given.json"
    path.write_text(text)
    with pytest.raises(UserError, match=why) as found:
        import_verdicts(session(), path, None)
    assert found.value.where == str(path)


def test_a_missing_file_is_one_clear_error(session, tmp_path):
    with pytest.raises(UserError, match="no such file"):
        import_verdicts(session(), tmp_path / "none.json", None)
    with pytest.raises(UserError, match="not a file"):
        import_verdicts(session(), tmp_path, None)
