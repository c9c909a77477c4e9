"""What differs between a recorded stage and another one is named."""

from counts import Counts

from kofinlaw.recipes.pipeline.integrity.fingerprints import Stage, differences, made_from
from kofinlaw.recipes.pipeline.integrity.stage_record import read_record
from kofinlaw.recipes.pipeline.runner import run_stages


def stage(path, **settings):
    return Stage("b", lambda out, progress: Counts(), settings=settings, inputs=(path,))


def test_settings_inputs_and_earlier_stages_are_named(tmp_path):
    path = tmp_path / "규정.md"
    path.write_text("제1조")
    run_stages([stage(path, train={"epochs": 1, "same": 2})], tmp_path / "run")
    record = read_record(tmp_path / "run" / "b")
    other = stage(path, train={"epochs": 2, "same": 2}, seed=3)
    assert differences(other, record, made_from(other, {})) == (
        "setting seed (none → 3), setting train.epochs (1 → 2)"
    )
    path.write_text("제2조")
    same = stage(path, train={"epochs": 1, "same": 2})
    assert differences(same, record, made_from(same, {})) == "input 규정.md"
    parts = {**made_from(same, {}), "before": {"a": "1"}, "code": {"kofinlaw": "2"}}
    found = differences(same, record, parts)
    assert found == "input 규정.md, stage a before it, code of kofinlaw"


def test_a_long_list_is_cut_and_a_record_without_parts_names_nothing(tmp_path):
    path = tmp_path / "a"
    path.write_text("")
    run_stages([stage(path)], tmp_path / "run")
    record = read_record(tmp_path / "run" / "b")
    many = stage(path, **{f"key{number}": number for number in range(9)})
    assert differences(many, record, made_from(many, {})).endswith("and 4 more")
    del record["made_from"]
    assert differences(many, record, made_from(many, {})) == ""
