"""The GPU benchmarks print `not_run` without CUDA, and their parts work on a CPU."""

from __future__ import annotations

import json
import runpy
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

GPU = Path(__file__).parents[2] / "benchmarks" / "gpu"
SOLAR = "upstage/SOLAR-10.7B-v1.0"


@pytest.fixture
def shapes(monkeypatch):
    monkeypatch.setattr(sys, "path", [str(GPU), *sys.path])
    import shapes

    yield shapes
    del sys.modules["shapes"]


@pytest.fixture
def first_hour(shapes, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(GPU.parent), *sys.path])
    return runpy.run_path(str(GPU / "first_hour.py"))


def rehearsing(first_hour, part):
    args = SimpleNamespace(rehearse=True, cap_gib=23.5, only=None, out=None)
    return first_hour["PARTS"][part](args)


NEW_WAYS = ["kept", "joined", "lora", "encoder"]


@pytest.mark.parametrize(
    "part", ["assertions", "memory", "oom", "training", "answering", *NEW_WAYS]
)
def test_each_part_of_the_first_hour_is_rehearsed(part, first_hour):
    figures = rehearsing(first_hour, part)
    assert json.loads(json.dumps(figures)) == figures
    if part == "assertions":
        assert (figures["failed"], figures["which"]) == (0, [])
    if part == "oom":  # the step was split, and its gradients are those of the whole step
        assert figures["splits"] == 1
        assert figures["gradient_difference"] < 1e-4
    if part == "kept":  # a rehearsal has memory to spare, and the gradients are the same
        assert (figures["before"]["layers"], figures["kept"]["layers"]) == (0, 2)
    if part in NEW_WAYS:
        name = "vector_difference" if part == "encoder" else "gradient_difference"
        assert figures[name] < 1e-4
        assert figures["times_before"] > 0


def test_vllm_is_skipped_by_name_where_it_is_absent(first_hour):
    with pytest.raises(first_hour["Skipped"], match="vllm"):
        rehearsing(first_hour, "vllm")


def test_the_last_line_has_null_for_what_was_not_run(first_hour):
    rows = {"memory": {"plan_error": 0.04}, "oom": {"not_run": "took longer than 180 s"}}
    line = json.loads(first_hour["summary"](rows, rehearsed=False))
    assert line["targets"]["memory: plan_error"]["meets"] is True
    assert line["targets"]["oom: splits"]["value"] is None
    assert "vllm: started" in line["not_run"]
    assert line["meets"] is False
    rehearsed = json.loads(first_hour["summary"](rows, rehearsed=True))
    assert {row["value"] for row in rehearsed["targets"].values()} == {None}


def test_a_part_that_hangs_or_fails_is_reported_and_the_next_one_runs(first_hour):
    late = first_hour["run_part"]("assertions", ["--rehearse"], limit=0.01)
    assert late == {"not_run": "took longer than 0.01 s"}
    failed = first_hour["run_part"]("assertions", ["--no-such-option"], limit=60)
    assert "unrecognized arguments" in failed["not_run"]


def test_a_part_that_takes_too_long_ends_with_its_own_processes(first_hour, tmp_path, monkeypatch):
    child = (
        f"import time, pathlib; time.sleep(2); pathlib.Path({str(tmp_path / 'alive')!r}).touch()"
    )
    starts = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    script = tmp_path / "part.py"
    script.write_text(starts, encoding="utf-8")
    run_part = first_hour["run_part"]
    monkeypatch.setitem(run_part.__globals__, "__file__", str(script))
    assert run_part("oom", [], limit=0.8) == {"not_run": "took longer than 0.8 s"}
    time.sleep(2)
    assert not (tmp_path / "alive").exists()


@pytest.mark.parametrize("body", ["print('warming up')", "pass"])
def test_a_part_without_figures_is_reported(first_hour, tmp_path, monkeypatch, body):
    script = tmp_path / "part.py"
    script.write_text(body, encoding="utf-8")
    run_part = first_hour["run_part"]
    monkeypatch.setitem(run_part.__globals__, "__file__", str(script))
    assert run_part("oom", [], limit=60) == {"not_run": "ended without figures"}


def test_a_killed_part_is_reported(first_hour, tmp_path, monkeypatch):
    script = tmp_path / "part.py"
    script.write_text("import os; os.kill(os.getpid(), 9)", encoding="utf-8")
    run_part = first_hour["run_part"]
    monkeypatch.setitem(run_part.__globals__, "__file__", str(script))
    assert run_part("oom", [], limit=60) == {"not_run": "exit code -9"}


def run_with(first_hour, monkeypatch, result, *words):
    """Run `main` with a part that gives `result`, or raises it; return the exit code."""
    main = first_hour["main"]

    def part(name, given):
        if isinstance(result, BaseException):
            raise result
        return result

    monkeypatch.setitem(main.__globals__, "run_part", part)
    return main(["--rehearse", "--only", "oom", "--only", "lora", *words])


def test_each_part_has_a_file_that_names_machine_and_time(first_hour, tmp_path, monkeypatch):
    out = tmp_path / "results"
    assert run_with(first_hour, monkeypatch, {"splits": 1}, "--out", str(out)) == 0
    assert sorted(path.name for path in out.iterdir()) == ["lora.json", "oom.json"]
    found = json.loads((out / "oom.json").read_text(encoding="utf-8"))
    assert (found["part"], found["splits"], found["rehearsal"]) == ("oom", 1, True)
    assert found["device"]
    assert found["torch"]
    assert found["measured_at"].endswith("Z")
    again = run_with(first_hour, monkeypatch, {"splits": 2}, "--out", str(out))
    assert again == 0  # a folder that exists takes the new figures
    assert json.loads((out / "oom.json").read_text(encoding="utf-8"))["splits"] == 2


def test_a_folder_that_takes_no_files_is_an_error_before_the_first_part(
    first_hour, tmp_path, monkeypatch
):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(SystemExit, match="name a folder that can be written"):
        run_with(first_hour, monkeypatch, AssertionError(), "--out", str(tmp_path / "file"))


def test_a_full_disk_loses_no_later_part(first_hour, tmp_path, monkeypatch, capsys):
    from kofinlaw import files

    def full(path, value):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "write_json", full)
    code = run_with(first_hour, monkeypatch, {"splits": 1}, "--out", str(tmp_path / "out"))
    printed = capsys.readouterr()
    assert code == 1
    assert [line.split(":")[0] for line in printed.err.splitlines()] == ["oom", "lora"]
    last = json.loads(printed.out.splitlines()[-1])
    assert set(last["figures"]) == {"rehearsal", "oom", "lora"}


def test_an_interrupted_run_prints_what_it_has(first_hour, monkeypatch, capsys):
    assert run_with(first_hour, monkeypatch, KeyboardInterrupt()) == 130
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert last["targets"]["oom: splits"]["value"] is None


@pytest.mark.parametrize("script", ["engines.py", "answering.py", "memory.py"])
def test_without_a_card_it_says_not_run(script, shapes, monkeypatch, capsys):
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    monkeypatch.setattr(sys, "argv", [script])
    runpy.run_path(str(GPU / script), run_name="__main__")
    last = capsys.readouterr().out.strip().splitlines()[-1]
    assert json.loads(last) == {"not_run": "CUDA is not available: this benchmark needs a GPU"}


@pytest.mark.parametrize("name", [SOLAR, "Qwen/Qwen2.5-7B-Instruct", "exaone-3.5-7.8b"])
@pytest.mark.parametrize("quantization", ["none", "nf4"])
def test_a_random_model_has_the_catalogues_shape_and_runs(name, quantization, shapes):
    import torch

    from kofinlaw.models.catalogue import find_model

    card = find_model(name)
    config = shapes.config_of(card)
    assert (config.hidden_size, config.num_hidden_layers) == (card.hidden, card.layers)
    assert (config.vocab_size, config.num_key_value_heads) == (card.vocab, card.kv_heads)
    model = shapes.random_model(
        name,
        quantization=quantization,
        device="cpu",
        dtype="float32",
        num_hidden_layers=1,
        hidden_size=64,
        intermediate_size=128,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=16,
        vocab_size=300,
    )
    kind = type(model.model.layers[0].mlp.up_proj).__name__
    assert kind == ("Linear4bit" if quantization == "nf4" else "Linear")
    logits = model(input_ids=torch.tensor([[1, 2, 3]])).logits
    assert logits.shape == (1, 3, 300)
    assert torch.isfinite(logits).all()


def test_a_tokenizer_has_about_as_many_tokens_a_character_as_asked(shapes, tmp_path):
    from kofinlaw.models.tokenizer import load_tokenizer

    text = shapes.sample_texts()[0]
    shapes.save_tokenizer(tmp_path, [text], 1.2)
    assert load_tokenizer(tmp_path).count(text) / len(text) == pytest.approx(1.2, rel=0.1)


def test_prompts_of_the_answering_benchmark_begin_differently(shapes):
    from kofinlaw.rag.settings import RagSettings

    script = runpy.run_path(str(GPU / "answering.py"))
    asked = script["questions"](40)
    assert len({q.id for q in asked}) == 40
    assert sum(not q.options for q in asked) == 15
    searcher = script["Drawn"](shapes.sample_texts(), RagSettings())
    found = searcher.search(asked)
    assert {len(hits) for hits in found} == {RagSettings().k}
    assert len({hits[0].chunk.id for hits in found}) > 20
    assert searcher.chunks([found[0][0].chunk.id]) == [found[0][0].chunk]


def test_a_way_that_failed_meets_no_target(shapes):
    module = runpy.run_path(str(GPU / "engines.py"))
    ways = module["WAYS"]
    result = {
        ways[0]: {"tokens_per_second": 20.0},
        ways[1]: {"tokens_per_second": 90.0},
        ways[2]: {"tokens_per_second": 60.0},
        ways[3]: {"not_run": "vllm is not installed"},
    }
    times = [value for value, _ in module["targets_of"](result).values()]
    assert times == [4.5, 3.0, None]
