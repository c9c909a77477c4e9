import pytest

from kofinlaw.augment.reading.acts import read_laws
from kofinlaw.augment.settings import TASK_WEIGHTS, TeacherSettings
from kofinlaw.augment.teacher.estimate import cost_table, estimate_cost


def settings(name="google/gemma-3-270m", **more):
    base = {"model": {"id": name}, "engine": {"engine": "llamacpp"}, "items": 24}
    return TeacherSettings.model_validate({**base, **more})


@pytest.fixture(scope="module")
def laws(acts):
    return read_laws(acts).acts


def test_every_task_has_its_requests_tokens_and_hours(laws):
    found = estimate_cost(settings(), laws, 1, len)
    assert {row.task for row in found.rows} == set(TASK_WEIGHTS)
    rows = {row.task: row for row in found.rows}
    assert rows["summary"].requests == rows["summary"].outputs == 2
    assert rows["easier"].requests == 4
    assert rows["dialogue"].requests == 6
    assert all(row.hours > 0 and row.prompt_tokens > row.answer_tokens for row in found.rows)
    assert 0.1 < found.gib < 3
    assert "{passage}" not in found.sample
    assert "출력:" in found.sample


def test_a_judge_costs_a_request_a_turn(laws):
    plain = sum(row.requests for row in estimate_cost(settings(), laws, 1, len).rows)
    judged = sum(row.requests for row in estimate_cost(settings(judge=True), laws, 1, len).rows)
    assert judged == plain + 26


def test_a_paraphrase_costs_a_request_in_each_direction(laws):
    rows = {row.task: row for row in estimate_cost(settings(), laws, 1, len).rows}
    assert rows["rephrasing"].requests == 2 * (1 + 1 + 2)
    assert rows["choice_paraphrase"].requests >= 2 * (1 + 1 + 2)
    assert rows["choice_scenario"].requests == rows["comparison"].requests == 2 * (1 + 1)


def test_a_checker_has_its_own_row_and_its_memory_is_added(laws):
    checker = {"model": {"id": "Qwen/Qwen2.5-7B-Instruct"}, "engine": {"engine": "llamacpp"}}
    plain = estimate_cost(settings(), laws, 1, len)
    checked = estimate_cost(settings(checker=checker), laws, 1, len)
    row = checked.rows[-1]
    assert row.task == "checker"
    assert row.requests > 0
    assert sum(r.requests for r in checked.rows) == sum(r.requests for r in plain.rows)
    assert checked.gib > plain.gib + 3


def test_a_larger_model_takes_longer_and_more_memory(laws):
    small = estimate_cost(settings(), laws, 1, len)
    large = estimate_cost(settings("Qwen/Qwen2.5-7B-Instruct"), laws, 1, len)
    card = estimate_cost(settings("Qwen/Qwen2.5-7B-Instruct"), laws, 1, len, gpu=True)
    assert large.rows[0].hours > 10 * small.rows[0].hours
    assert large.gib > 3 * small.gib
    assert card.rows[0].hours < large.rows[0].hours / 10


def test_an_unknown_model_is_said_to_be_unknown(laws):
    found = estimate_cost(settings("someone/unheard-of"), laws, 1, len)
    assert found.gib is None
    assert all(row.hours is None for row in found.rows)
    assert "unknown" in cost_table(found)[-1]
