"""The checks before a run: the same for `plan` and `run`, each problem with its remedy."""

import dataclasses
import json
import shutil

import pytest

from kofinlaw import UserError
from kofinlaw.files import write_json
from kofinlaw.models.machines import planned_card, processor
from kofinlaw.recipes.pipeline.integrity.fingerprints import fingerprint
from kofinlaw.recipes.pipeline.plan import make_plan, plan_lines
from kofinlaw.recipes.pipeline.planning import start_checks
from kofinlaw.recipes.pipeline.planning.start_checks import (
    check_figures,
    check_start,
    loads_a_model,
    planned_lengths,
    require_start,
)
from kofinlaw.recipes.pipeline.run import bind
from kofinlaw.recipes.pipeline.schema import load_recipe
from kofinlaw.recipes.pipeline.stages import build_stages


@pytest.fixture
def bound(pico, tmp_path):
    """Binds the pico recipe with other values; the cache is shared by the tests of the session."""

    def call(*overrides):
        recipe, recipe_file = load_recipe(str(pico / "recipe.yaml"), overrides)
        return bind(recipe, recipe_file, tmp_path / "runs", pico / "cache")

    return call


def problems(run, machine=None):
    return "\n".join(check_start(run, machine or processor()).problems)


def test_a_recipe_that_can_run_has_no_problem_and_a_count(bound):
    run = bound()
    said = []
    found = require_start(run, processor(), said.append)
    assert found.problems == []
    assert found.count.exact
    assert said[0] == f"examples: {found.count.examples}, 12 asked for"
    assert not run.folder.exists()


def test_run_stops_at_what_plan_shows_before_any_work(pico, tmp_path, typed):
    words = [pico / "recipe.yaml", "--runs", tmp_path]
    words += ["--set", "model.path=nowhere", "--set", "model.id=Qwen/Qwen2.5-7B-Instruct"]
    words += ["--set", "rag.embedder=nlpai-lab/KURE-v1", "--set", "rag.alpha=0.3"]
    code, planned = typed("plan", *words, "--card", "none")
    assert code == 1
    shown = [line.strip() for line in planned.splitlines() if line.strip().startswith("✗")]
    assert any("hf download nlpai-lab/KURE-v1" in line for line in shown)
    assert any("nowhere has no config.json" in line for line in shown)
    code, said = typed("run", *words)
    assert code == 1
    assert "this run cannot start" in said
    for line in shown:
        if "GiB" not in line:  # the free memory and disk change from moment to moment
            assert line in said
    assert not (tmp_path / "pico").exists()


def test_a_missing_extra_names_its_pip_command(bound, monkeypatch):
    monkeypatch.setattr(
        "kofinlaw.recipes.pipeline.planning.at_hand.find_spec",
        lambda name: None if name in ("sentence_transformers", "xllamacpp") else object(),
    )
    found = problems(
        bound(
            "rag.embedder=nlpai-lab/KURE-v1",
            "answer.engine={engine: llamacpp}",
            "train.report_to=[tensorboard]",
        )
    )
    assert (
        "rag.embedder needs the package sentence_transformers → pip install 'kofinlaw[dense]'"
        in (found)
    )
    assert "answer.engine.engine needs the package xllamacpp → pip install" in found
    assert "kofinlaw[quickstart]" in found
    assert "tensorboard" not in found


def test_the_score_needs_its_embedder_for_free_text_only(bound, pico, tmp_path):
    named = ("score.embedder=nlpai-lab/KURE-v1", "evaluate.key=null")
    assert "score.embedder: the weights" in problems(bound(*named))
    lines = (pico / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    choices = tmp_path / "choices.jsonl"
    choices.write_text("\n".join(line for line in lines if '"options": []' not in line), "utf-8")
    run = bound(*named, f"evaluate.questions={choices}")
    assert "score.embedder" not in problems(run)


def test_what_needs_a_card_is_a_problem_without_one(bound):
    run = bound("train.optimizer=paged_adamw_8bit")
    assert "train.optimizer: paged_adamw_8bit needs a CUDA card" in problems(run)
    assert "set `train.optimizer: adamw`" in problems(run)
    assert "CUDA" not in problems(run, planned_card(24, "test"))


def test_held_out_titles_are_compared_with_the_documents(bound):
    run = bound("augment.holdout_documents=[없는 법]", "augment.holdout_items=4")
    found = problems(run)
    assert "held-out documents that the corpus does not have: 없는 법" in found
    assert "전산점검 규정" in found


def test_missing_and_empty_folders_are_problems(bound, tmp_path):
    found = problems(bound("data.sources=nowhere"))
    assert "no such file or folder" in found
    assert "--set data.sources=FOLDER" in found
    (tmp_path / "empty").mkdir()
    assert "no document could be read" in problems(bound(f"data.sources={tmp_path / 'empty'}"))


def test_files_that_are_not_read_are_a_warning_by_name(bound, pico, tmp_path):
    folder = tmp_path / "docs"
    shutil.copytree(pico / "docs", folder)
    (folder / "그림.xyz").write_bytes(b"\0")
    (folder / "깨진.pdf").write_bytes(b"%PDF-1.7 broken")
    found = check_start(bound(f"data.sources={folder}"), processor())
    warned = "\n".join(found.warnings)
    assert "3 of 5 files read" in warned
    assert "docs/그림.xyz" in warned
    assert "docs/깨진.pdf" in warned
    assert found.problems == []


def test_a_recipe_without_questions_is_not_proven_but_runs(bound):
    run = bound("evaluate={}")
    found = check_start(run, processor())
    assert found.problems == []
    assert any("not proven" in warning for warning in found.warnings)


def test_too_few_examples_stop_with_what_works(bound):
    found = problems(bound("augment.items=500", "train.effective_batch=512"))
    assert "too few to train, at least 1537 are needed" in found
    assert "ask_only: true" in found


def test_days_of_training_and_minutes_over_the_budget_are_warnings(bound):
    limited = ("answer.budget_minutes=2", "answer.reserve_minutes=0.5", "evaluate.deadline=true")
    run = bound(*limited)
    slow = dataclasses.replace(processor(), training_flops=1e3, answering_flops=1e6)
    found = check_start(run, slow)
    check_figures(run, found, planned_lengths(run, found.count))
    warned = "\n".join(found.warnings)
    assert "days → use a card" in warned
    assert "answer.budget_minutes is 2" in warned


def test_what_does_not_fit_the_card_is_a_problem(bound):
    run = bound()
    found = check_start(run, planned_card(1, "--card 1"))
    check_figures(run, found, planned_lengths(run, found.count))
    text = "\n".join(found.problems)
    assert "training needs" in text
    assert "answering needs" in text
    assert "--card 1" in text


def test_a_complete_training_need_not_fit_the_machine(bound):
    values = ("train.optimizer=adamw_8bit", "train.memory_limit_gib=0.001")
    run, marks = bound(*values), {}
    for stage in build_stages(run):
        marks[stage.name] = fingerprint(stage, marks)
    assert "training needs" in figures(run)
    write_json(run.folder / "train" / "stage.json", {"status": "complete", "fingerprint": "other"})
    assert "training needs" in figures(run)
    assert "train.optimizer: adamw_8bit needs a CUDA card" in figures(run)
    record = {"status": "complete", "fingerprint": marks["train"]}
    write_json(run.folder / "train" / "stage.json", record)
    assert "training needs" not in figures(run)
    assert "train.optimizer" not in figures(run)
    assert "training needs" in figures(run, resume="never")
    plan = make_plan(run, processor())
    assert plan["trained"]
    assert "the training is complete, and `run` does not repeat it" in plan_lines(plan)


def figures(run, resume="if-possible"):
    found = check_start(run, processor(), resume=resume)
    check_figures(run, found, planned_lengths(run, found.count))
    return "\n".join(found.problems)


def test_weights_may_be_downloaded_if_the_recipe_is_not_offline(bound):
    run = bound("model={id: Qwen/Qwen2.5-7B-Instruct}", "offline=false")
    found = check_start(run, planned_card(24, "test"))
    assert any("downloads Qwen/Qwen2.5-7B-Instruct" in warning for warning in found.warnings)


def test_documents_index_and_rules_run_on_any_machine(bound):
    run = bound("train.optimizer=adamw_8bit")
    assert not loads_a_model(run, ["data", "index"])
    assert not loads_a_model(run, ["data", "index", "augment"])
    assert loads_a_model(run, ["data", "index", "augment", "train"])
    assert loads_a_model(run, None)
    asked = bound("augment.teacher={model: {id: Qwen/Qwen2.5-7B-Instruct}}")
    assert loads_a_model(asked, ["data", "index", "augment"])


def test_every_problem_is_listed_at_once(bound, monkeypatch):
    monkeypatch.setattr(start_checks, "refuse_trained_exams", _refuse)
    run = bound("data.sources=nowhere", "train.optimizer=adamw_8bit")
    with pytest.raises(UserError, match="3 problems") as error:
        require_start(run, processor(), lambda line: None)
    assert str(error.value).count("✗") == 3


def _refuse(run):
    raise UserError("an exam is trained on", where="evaluate.exam", remedy="remove it")


def test_doubtful_questions_are_a_warning_and_an_unreadable_key_is_a_problem(bound, tmp_path):
    asked, key = tmp_path / "q.jsonl", tmp_path / "key.jsonl"
    asked.write_text('{"id": "a", "question": "옳은 것은? 1) 갑 2) 을"}\n'
                     '{"id": "b", "question": "다음 중 옳은 것은?"}\n', "utf-8")  # fmt: skip
    key.write_text('{"id": "a", "answer": "②"}\n{"id": "b", "reference": "갑"}\n', "utf-8")
    run = bound(f"evaluate.questions={asked}", f"evaluate.key={key}")
    found = check_start(run, processor())
    assert found.problems == []
    assert any("b (line 2)" in warning for warning in found.warnings)
    key.write_text('{"id": "a", "answer": "모름"}\n', "utf-8")
    assert "key.jsonl:1: the answer '모름' names none of the 2 options" in problems(run)


def test_a_plan_reads_what_readers_said_of_the_examples(bound):
    run = bound()
    run.folder.mkdir(parents=True)
    file = run.folder / "review.jsonl"
    corrected = {
        "question": "무엇을 알리나?",
        "options": ["사고", "휴가"],
        "answer": "1",
        "target": "",
    }
    said = [
        {"id": name, "sha256": "0" * 64, "reader": "가", "verdict": verdict, "reason": "기한"}
        | {"correction": correction, "settles": False, "day": "2026-11-30"}
        for name, verdict, correction in (
            ("a", "wrong", None),
            ("b", "wrong", corrected),
            ("c", "right", None),
        )
    ]
    file.write_text("".join(json.dumps(line) + "\n" for line in said), encoding="utf-8")
    found = check_start(run, processor())
    assert [line for line in found.warnings if "review.jsonl" in line] == [
        "review.jsonl: readers left out 1 and corrected 1 of the counted examples"
    ]
    file.write_text("{broken\n" + json.dumps(said[0]) + "\n", encoding="utf-8")
    assert "review.jsonl" in problems(run)
