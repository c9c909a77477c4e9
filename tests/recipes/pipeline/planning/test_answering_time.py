import json

import pytest

from kofinlaw.models.machines import machine_name, planned_card, processor
from kofinlaw.recipes.pipeline.planning.answering_time import answering_times, minutes_line
from kofinlaw.recipes.pipeline.planning.figures import student_card
from kofinlaw.recipes.pipeline.run import bind
from kofinlaw.recipes.pipeline.schema import load_recipe


@pytest.fixture
def times(tmp_path):
    def call(name, *overrides, machine=None):
        recipe, recipe_file = load_recipe(name, overrides)
        run = bind(recipe, recipe_file, tmp_path / "runs", tmp_path / "cache")
        card = machine or planned_card(24, "test")
        return answering_times(run, student_card(run), card, None)

    return call


def test_the_contest_has_its_own_count_and_limit(times):
    found = {row["file"]: row for row in times("qwen2.5-7b")}
    assert found["submission"]["questions"] == 515
    assert found["test"]["questions"] == 400
    line = minutes_line(found["submission"], 2)
    assert line.startswith("515 questions: about ")
    assert "of 270 minutes" in line
    assert line.endswith("(arithmetic)")
    assert "RTX 4090" in found["submission"]["assumes"]


def test_a_larger_card_and_shorter_evidence_are_faster(times):
    slow = times("qwen2.5-7b")[0]["minutes"]
    assert times("qwen2.5-7b", machine=planned_card(141, "test"))[0]["minutes"] < slow
    assert times("qwen2.5-7b", "rag.evidence_tokens=200")[0]["minutes"] < slow
    assert times("qwen2.5-7b", machine=processor())[0]["minutes"] > 10 * slow


def test_llamacpp_reads_as_many_bits_as_its_file_has(times, tmp_path):
    seconds = {}
    for bits in (4, 8):
        file = tmp_path / f"{bits}.gguf"
        with file.open("wb") as handle:
            handle.truncate(int(bits * 7.6e9 / 8))  # a sparse file: it takes no disk
        engine = f"answer.engine={{engine: llamacpp, gguf: {file}}}"
        seconds[bits] = times("qwen2.5-7b", engine)[0]["minutes"]
    assert seconds[4] < seconds[8]
    unnamed = times("qwen2.5-7b", "answer.engine={engine: llamacpp}")[0]["minutes"]
    assert unnamed == seconds[8]


def test_the_file_to_submit_is_counted(times, tmp_path):
    file = tmp_path / "test.csv"
    rows = "".join(f'T{n},"무엇인가? 1 가 2 나 3 다 4 라"\n' for n in range(7))
    file.write_text("ID,Question\n" + rows, encoding="utf-8")
    found = times("qwen2.5-7b", f"evaluate.submission={file}")[0]
    assert (found["file"], found["questions"]) == ("submission", 7)


def test_a_recipe_without_questions_has_no_minutes(times, tmp_path):
    assert times("ask-documents", f"data.sources={tmp_path}") == []


def test_an_earlier_run_here_is_measured(times, tmp_path):
    recipe, _ = load_recipe("quickstart")
    plain = times("quickstart", machine=processor())[0]
    assert plain["basis"] == "arithmetic"
    folder = tmp_path / "runs" / "quickstart" / "answer-trained-rag"
    folder.mkdir(parents=True)
    counts = {"choice": 68, "free": 14, "seconds_used": 1230.0, "plan_full": 82}
    settings = {
        "model": {"id": recipe.model.id},
        "answer": recipe.answer.model_dump(mode="json"),
        "rag": recipe.rag.model_dump(mode="json"),
    }
    record = {"status": "complete", "machine": machine_name(), "counts": counts}
    (folder / "stage.json").write_text(json.dumps({**record, "settings": settings}), "utf-8")
    found = times("quickstart", machine=processor())[0]
    assert found["basis"] == "measured"
    assert found["minutes"] == pytest.approx(20.5 * found["questions"] / 82, rel=0.1)
    assert "the run quickstart" in found["assumes"]
