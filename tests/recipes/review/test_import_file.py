"""Verdicts that come back from Argilla and Label Studio."""

import json

import pytest
from review_examples import QUESTION, correction

from kofinlaw import UserError
from kofinlaw.recipes.review.export_file import export_examples
from kofinlaw.recipes.review.import_file import import_verdicts

RECORD = "'id': 'x', 'metadata': {'sha256': 'y'}"
DATA = "'data': {'example_id': 'x', 'sha256': 'y'}"
KIND = "choice_quantity"
USERS = ("11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222")


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
        (f"[{{{RECORD}, 'responses': {{'verdict': [{{}}]}}}}]", "record 1 has no user_id"),
        (
            f"[{{{RECORD}, 'responses': {{'verdict': [{{'value': ['right'], 'user_id': 1}}]}}}}]",
            "the response `verdict` of record 1 is not a text",
        ),
        ("[{'metadata': {'sha256': 'x'}, 'responses': {}}]", "record 1 has no id"),
        ("[{'id': 'x', 'metadata': {}, 'responses': {}}]", "record 1 has no id or no metadata"),
        ("[{'data': 3}]", "task 1 has no data"),
        ("[{'data': {'example_id': 'x'}}]", "task 1 has no `example_id` or no `sha256`"),
        (f"[{{{DATA}, 'annotations': [{{}}]}}]", "task 1 has no result"),
        (f"[{{{DATA}, 'annotations': [{{'result': [3]}}]}}]", "a result has no value"),
    ],
)
def test_another_file_is_one_clear_error(session, tmp_path, text, why):
    path = tmp_path / "given.json"
    path.write_text(text.replace("'", '"'))
    with pytest.raises(UserError, match=why) as found:
        import_verdicts(session(), path, None)
    assert found.value.where == str(path)


def test_of_a_users_annotations_of_one_task_the_newest_counts(exported, lines):
    kim, _, out = exported("label-studio")

    def twice(rows):
        annotate(rows[0], 1, "wrong")
        annotate(rows[0], 1, "right")
        rows[0]["annotations"][0]["updated_at"] = "2026-11-29T09:00:00.000000Z"

    rewrite(out, twice)
    for taken, known in ((1, 0), (0, 1), (0, 1)):
        found = import_verdicts(kim, out, None)
        assert (found.taken.total(), found.known) == (taken, known)
    assert [(one["verdict"], one["day"]) for one in lines()] == [("wrong", "2026-11-29")]


def test_texts_that_are_copied_and_not_changed_are_no_correction(exported, lines):
    kim, _, out = exported("label-studio")

    def copied(rows):
        mine = [row for row in rows if row["data"]["kind"] == KIND]
        annotate(mine[0], 1, "wrong", corrected_question=QUESTION, corrected_answer=" 3 ")
        annotate(mine[1], 1, "right", corrected_options=mine[1]["data"]["options"])
        annotate(mine[2], 1, "wrong", corrected_options="1 1년\n2) 3년\n3. 5년\n4 7년")

    rewrite(out, copied)
    assert import_verdicts(kim, out, None).taken.total() == 3
    first, second, third = lines()
    assert (first["correction"], second["correction"]) == (None, None)
    assert third["correction"] == correction(options=["1년", "3년", "5년", "7년"])


def test_an_empty_answer_and_a_user_without_a_name_are_read(exported, lines):
    kim, _, out = exported("label-studio")

    def odd(rows):
        annotate(rows[0], None, "right", reason=None)
        annotate(rows[1], {"id": 7}, "right")
        annotate(rows[2], {"email": "lee@bank.kr", "id": 7}, "right")

    rewrite(out, odd)
    import_verdicts(kim, out, None)
    assert [(one["reader"], one["reason"]) for one in lines()] == [
        ("annotator", ""),
        ("user 7", ""),
        ("lee@bank.kr", ""),
    ]


def test_responses_without_a_status_are_counted_because_they_may_be_drafts(exported):
    kim, _, out = exported("argilla")

    def fill(rows):
        respond(rows[0], USERS[0], "right")
        respond(rows[1], USERS[0], "right")
        rows[1]["responses"]["verdict"][0]["status"] = "submitted"

    rewrite(out, fill)
    found = import_verdicts(kim, out, None)
    assert (found.taken.total(), found.no_status) == (2, 1)
    assert any("1 verdicts have no status" in line for line in found.lines())


def test_a_missing_file_is_one_clear_error(session, tmp_path):
    with pytest.raises(UserError, match="no such file"):
        import_verdicts(session(), tmp_path / "none.json", None)
    with pytest.raises(UserError, match="not a file"):
        import_verdicts(session(), tmp_path, None)
