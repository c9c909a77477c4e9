"""Whole runs: to the end, killed in the middle, with bad input, without a network."""

import csv
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-c", "from kofinlaw.recipes.cli.entry import main; main()"]
RECORDS = (
    "data/chunks.jsonl",
    "data/articles.jsonl",
    "data/rejected.jsonl",
    "augment/examples.jsonl",
    "augment/rejected.jsonl",
    "questions/questions.jsonl",
    "train/adapter/adapter_model.safetensors",
    "merge/model/model.safetensors",
    "answer-base/answers.jsonl",
    "answer-base-rag/answers.jsonl",
    "answer-trained-rag/answers.jsonl",
)


def kofinlaw(*arguments: str, cwd: Path, **kwargs) -> subprocess.CompletedProcess:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "KOFINLAW_CACHE": str(cwd / "cache")}
    return subprocess.run(
        [*COMMAND, *arguments], cwd=cwd, capture_output=True, text=True, env=environment, **kwargs
    )


def record_hashes(run: Path) -> dict[str, str]:
    return {name: hashlib.sha256((run / name).read_bytes()).hexdigest() for name in RECORDS}


@pytest.fixture(scope="module")
def finished(pico, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("finished")
    done = kofinlaw("run", str(pico / "recipe.yaml"), cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "report.html" in done.stdout
    assert "Next:" in done.stdout
    return folder / "runs" / "pico"


def test_every_stage_leaves_its_record(finished):
    for stage in [
        "data",
        "augment",
        "questions",
        "train",
        "merge",
        "verify",
        "index",
        "answer-base",
        "answer-base-rag",
        "answer-trained-rag",
        "score",
        "report",
    ]:
        record = json.loads((finished / stage / "stage.json").read_text(encoding="utf-8"))
        assert record["status"] == "complete", stage
    assert json.loads((finished / "compliance.json").read_text(encoding="utf-8"))["models"]


def test_records_are_read_by_datasets_without_hints(finished, tmp_path):
    from datasets import load_dataset

    for name in ("data/chunks.jsonl", "augment/examples.jsonl", "answer-base/answers.jsonl"):
        rows = load_dataset(
            "json", data_files=str(finished / name), split="train", cache_dir=str(tmp_path)
        )
        assert len(rows) > 0


def test_the_merged_checkpoint_loads_in_transformers(finished):
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(finished / "merge" / "model")
    with torch.no_grad():
        assert torch.isfinite(model(torch.tensor([[1, 2, 5]])).logits).all()


def test_a_second_run_does_nothing(finished):
    done = kofinlaw("run", str(finished / "recipe.yaml"), "--runs", "..", cwd=finished)
    assert done.returncode == 0, done.stderr
    assert "data: already done" in done.stdout


def test_ask_answers_with_evidence(finished):
    done = kofinlaw(
        "ask",
        "점검절차에 이상이 있으면 며칠 안에 보고하나요?",
        "--run",
        str(finished),
        cwd=finished.parent,
    )
    assert done.returncode == 0, done.stderr
    assert "근거" in done.stdout
    assert "제3조" in done.stdout


def test_answer_fills_a_contest_file_with_its_own_columns(finished, tmp_path):
    questions = tmp_path / "test.csv"
    rows = [
        [
            "TEST_000",
            "「전산점검 규정」에 따라 이상을 보고하여야 하는 기한은?\n1 1일\n2 3일\n3 7일\n4 10일",
        ],
        ["TEST_001", "비밀번호 관리 규정의 목적을 설명하세요."],
    ]
    with open(questions, "w", encoding="utf-8-sig", newline="") as handle:
        csv.writer(handle).writerows([["ID", "Question"], *rows])
    done = kofinlaw(
        "answer",
        str(questions),
        "--run",
        str(finished),
        "--out",
        str(tmp_path / "out"),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    with open(tmp_path / "out" / "submission.csv", encoding="utf-8-sig", newline="") as handle:
        table = list(csv.DictReader(handle))
    assert [row["ID"] for row in table] == ["TEST_000", "TEST_001"]
    assert table[0]["Answer"] in {"1", "2", "3", "4"}
    assert table[1]["Answer"].strip()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_at_random_moments_the_records_are_identical(pico, finished, tmp_path):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "KOFINLAW_CACHE": str(tmp_path / "cache")}
    arguments = [*COMMAND, "run", str(pico / "recipe.yaml")]
    moments = random.Random(7)
    for _ in range(4):
        process = subprocess.Popen(
            arguments,
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(moments.uniform(4, 14))
        process.kill()
        process.wait()
    done = kofinlaw("run", str(pico / "recipe.yaml"), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert record_hashes(tmp_path / "runs" / "pico") == record_hashes(finished)


@pytest.mark.slow
def test_accelerate_launch_trains_the_same_adapter(pico, finished, tmp_path):
    run = tmp_path / "runs" / "pico"
    run.mkdir(parents=True)
    for stage in ("data", "augment"):
        shutil.copytree(finished / stage, run / stage)
    root = Path(__file__).parents[2]
    launched = subprocess.run(
        [
            str(Path(sys.executable).parent / "accelerate"),
            "launch",
            "--config_file",
            str(root / "accelerate_config.yaml"),
            "--cpu",
            str(root / "recipes" / "train.py"),
            str(pico / "recipe.yaml"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert launched.returncode == 0, launched.stdout + launched.stderr
    name = "train/adapter/adapter_model.safetensors"
    assert (run / name).read_bytes() == (finished / name).read_bytes()


@pytest.mark.slow
def test_the_run_needs_no_network_interface(pico, tmp_path):
    if subprocess.run(["unshare", "-rn", "true"], capture_output=True).returncode:
        pytest.skip("this machine does not allow a network namespace")
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "KOFINLAW_CACHE": str(tmp_path / "cache")}
    done = subprocess.run(
        ["unshare", "-rn", *COMMAND, "run", str(pico / "recipe.yaml")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=environment,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def refused(done: subprocess.CompletedProcess) -> str:
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("error:") == 1
    return done.stderr


def test_an_empty_corpus_is_one_clear_error(pico, tmp_path):
    (tmp_path / "empty").mkdir()
    message = refused(
        kofinlaw("data", str(pico / "recipe.yaml"), "--set", "data.sources=empty", cwd=tmp_path)
    )
    assert "empty" in message


def test_a_source_that_is_not_there_is_named(pico, tmp_path):
    done = kofinlaw("run", str(pico / "recipe.yaml"), "--set", "data.sources=nowhere", cwd=tmp_path)
    assert "nowhere" in refused(done)


def test_questions_with_a_repeated_id_are_refused_with_the_line(pico, tmp_path):
    bad = tmp_path / "bad.csv"
    bad.write_text("ID,Question\nA,질문 하나\nA,질문 둘\n", encoding="utf-8")
    done = kofinlaw(
        "run",
        str(pico / "recipe.yaml"),
        "--set",
        f"evaluate.questions={bad}",
        "--set",
        "evaluate.key=null",
        cwd=tmp_path,
    )
    assert "bad.csv" in refused(done)


def test_a_folder_that_is_a_file_is_refused(pico, tmp_path):
    (tmp_path / "runs").write_text("")
    done = kofinlaw("run", str(pico / "recipe.yaml"), cwd=tmp_path)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_full_disk_is_reported_and_nothing_is_lost(pico, tmp_path):
    runs = tmp_path / "small"
    runs.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24k", "tmpfs", str(runs)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("this machine does not allow mounting a small disk")
    try:
        done = kofinlaw("data", str(pico / "recipe.yaml"), "--runs", str(runs), cwd=tmp_path)
        assert "no space left" in refused(done)
        assert not (runs / "pico" / "data").exists()
    finally:
        subprocess.run(["umount", str(runs)], check=True)


def test_retrieval_is_not_tuned_on_questions_that_evaluate_the_model(finished, pico, tmp_path):
    base = finished.parents[1]
    given = ["tune", str(pico / "recipe.yaml"), "--key", str(pico / "key.jsonl"), "--questions"]
    refused = kofinlaw(*given, str(pico / "questions.jsonl"), cwd=base)
    assert refused.returncode == 1
    assert "may not be tuned on them" in refused.stderr
    development = tmp_path / "development.jsonl"
    proving = (pico / "questions.jsonl").read_text(encoding="utf-8")
    development.write_text(proving.replace("은?", "은 얼마인가?"), encoding="utf-8")
    done = kofinlaw(*given, str(development), cwd=base)
    assert done.returncode == 0, done.stdout + done.stderr
    tuned = json.loads((finished / "tune" / "tuning.json").read_text(encoding="utf-8"))
    assert tuned["questions"] == 4
    assert "Retrieval tuned on 4 questions" in done.stdout
