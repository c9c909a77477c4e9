"""DeepSpeed's ZeRO under the trainer's own steps learns what one process learns (gloo)."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kofinlaw import UserError

ROOT = Path(__file__).parents[3]
FILES = ("zero2", "zero2-offload", "zero3", "zero3-offload")
WORKER = """
import os, sys
from pathlib import Path

import deepspeed.ops

from kofinlaw.models.templates import template_for
from kofinlaw.trainer import zero
from kofinlaw.trainer.settings import TrainSettings
from kofinlaw.trainer.sft import train

deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False  # gloo alone: nothing to compile
plain = zero.engine_config


def also_the_small(*arguments):  # as shipped, small tensors stay whole once they were borrowed
    config = plain(*arguments)
    config["zero_optimization"]["stage3_param_persistence_threshold"] = 0
    return config


if os.environ["LAUNCHED"] == "zero3":
    zero.engine_config = also_the_small
model, examples, out = (Path(a) for a in sys.argv[1:4])
settings = TrainSettings.model_validate_json(sys.argv[4])


def run_out(step, number):
    if len(sys.argv) > 5 and step == 3 and os.environ["RANK"] == "1":
        raise MemoryError("injected")


train(settings, model, examples, out, template=template_for(model), seed=3, on_micro_batch=run_out)
"""


def require_deepspeed():
    pytest.importorskip("deepspeed", reason="DeepSpeed is not installed (extra deepspeed)")


def launch(name, script, *arguments):
    import socket

    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    command = [sys.executable, "-m", "accelerate.commands.launch", "--config_file"]
    command += [str(ROOT / "recipes" / "accelerate" / f"{name}.yaml")]
    command += ["--main_process_port", str(port), str(script), *arguments]
    more = {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "PYTHONPATH": str(ROOT)}
    more["LAUNCHED"] = name
    return subprocess.run(command, env={**os.environ, **more}, capture_output=True, text=True)


def train_alone(settings, pico, examples, out, **more):
    from kofinlaw.models.templates import template_for
    from kofinlaw.trainer.sft import train

    return train(settings, pico, examples, out, template=template_for(pico), seed=3, **more)


def assert_same_weights(one, two):
    from safetensors.torch import load_file

    a, b = (load_file(out / "adapter" / "adapter_model.safetensors") for out in (one, two))
    moved = max(float(t.abs().max()) for name, t in a.items() if "lora_B" in name)
    assert max(float((a[n] - b[n]).abs().max()) for n in a) <= 1e-4 * moved


@pytest.fixture
def chosen(settings):
    return settings(
        max_steps=5,
        effective_batch=3,
        checkpoint_steps=2,
        evaluation_share=0.1,
        evaluation_steps=5,
        max_tokens_per_micro_batch=200,
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", ["zero2", "zero3"])
def test_zero_goes_on_after_out_of_memory_and_learns_what_one_process_learns(
    name, pico, examples, chosen, tmp_path
):
    require_deepspeed()
    one, two = tmp_path / "one", tmp_path / "two"
    alone = train_alone(chosen, pico, examples, one)
    script = tmp_path / "worker.py"
    script.write_text(WORKER, encoding="utf-8")
    arguments = [str(pico), str(examples), str(two), chosen.model_dump_json()]
    failed = launch(name, script, *arguments, "run out")
    assert failed.returncode != 0
    assert "exitcode  : 76" in failed.stderr
    assert "resumes from the last checkpoint with 100" in failed.stderr
    again = launch(name, script, *arguments)
    assert again.returncode == 0, again.stderr
    lines = [json.loads(line) for line in (two / "metrics.jsonl").open()]
    assert [line["budget"] for line in lines] == [200, 200, 100, 100, 100]
    assert lines[-1]["evaluation_loss"] == pytest.approx(alone.evaluation_loss, rel=1e-5)
    first = [json.loads(line)["gradient_norm"] for line in (one / "metrics.jsonl").open()]
    assert [line["gradient_norm"] for line in lines] == pytest.approx(first, rel=1e-4)
    assert_same_weights(one, two)

    # the checkpoint holds whole moments: one plain process resumes from it
    shutil.rmtree(two / "checkpoints" / "step-000005")
    assert train_alone(chosen, pico, examples, two, resume="always").resumed_from == 4
    assert_same_weights(one, two)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("zero2-offload", {"quantization": "nf4"}),
        ("zero3-offload", {"gradient_checkpointing": True, "learning_rate_ratio_b": 4.0}),
        ("zero3", {"evaluation_steps": 2}),
    ],
)
def test_after_a_probe_the_weights_are_the_same_offloaded_or_not(
    name, fields, pico, examples, chosen, tmp_path
):
    require_deepspeed()
    asked = chosen.model_copy(update={**fields, "max_tokens_per_micro_batch": "auto"})
    train_alone(asked, pico, examples, tmp_path / "one")
    script = tmp_path / "worker.py"
    script.write_text(WORKER, encoding="utf-8")
    done = launch(
        name, script, str(pico), str(examples), str(tmp_path / "two"), asked.model_dump_json()
    )
    assert done.returncode == 0, done.stderr
    assert_same_weights(tmp_path / "one", tmp_path / "two")


def as_launched(name, monkeypatch):
    """Set the environment that `accelerate launch` makes of the file."""
    from accelerate.commands.launch import _validate_launch_command, launch_command_parser
    from accelerate.utils.launch import prepare_deepspeed_cmd_env

    path = ROOT / "recipes" / "accelerate" / f"{name}.yaml"
    arguments = launch_command_parser().parse_args(["--config_file", str(path), "train.py"])
    arguments, defaults, _ = _validate_launch_command(arguments)
    assert arguments.use_deepspeed
    arguments.deepspeed_fields_from_accelerate_config = ",".join(defaults.deepspeed_config)
    for key, value in prepare_deepspeed_cmd_env(arguments)[1].items():
        monkeypatch.setenv(key, value)


@pytest.mark.parametrize("name", FILES)
def test_deepspeed_itself_reads_what_accelerate_makes_of_the_launch_files(
    name, settings, monkeypatch
):
    require_deepspeed()
    from deepspeed.runtime.config import DeepSpeedConfig

    from kofinlaw.trainer.zero import engine_config, launched_stage

    as_launched(name, monkeypatch)
    assert launched_stage() == int(name[4])
    config = DeepSpeedConfig(engine_config(settings(max_gradient_norm=0.5), 1000))
    zero = config.zero_config
    assert int(zero.stage) == int(name[4])
    moments, base = zero.offload_optimizer, zero.offload_param
    assert (moments.device == "cpu") == ("offload" in name)
    assert (base.device == "cpu") == (name == "zero3-offload")
    assert zero.reduce_bucket_size == 1000
    assert config.gradient_clipping == 0.5
    assert not config.managed_gradient_accumulation


def test_a_deepspeed_file_that_sets_what_the_recipe_decides_is_refused(monkeypatch, tmp_path):
    require_deepspeed()
    from kofinlaw.trainer.zero import launched_stage

    path = tmp_path / "own.json"
    monkeypatch.setenv("ACCELERATE_USE_DEEPSPEED", "true")
    monkeypatch.setenv("ACCELERATE_DEEPSPEED_CONFIG_FILE", str(path))
    path.write_text('{"zero_optimization": {"stage": 2}, "bf16": {"enabled": true}}')
    with pytest.raises(UserError, match="sets bf16, which the recipe decides"):
        launched_stage()
    path.write_text('{"zero_optimization": {"stage": 1}}')
    with pytest.raises(UserError, match="ZeRO stage 1 is not supported"):
        launched_stage()


def test_without_deepspeed_the_error_names_the_extra_and_the_other_way(monkeypatch):
    from kofinlaw.trainer.ranks import open_ranks

    monkeypatch.setitem(sys.modules, "deepspeed", None)
    monkeypatch.setenv("ACCELERATE_USE_DEEPSPEED", "true")
    with pytest.raises(UserError, match="DeepSpeed cannot be imported") as caught:
        open_ranks()
    assert "kofinlaw[deepspeed]" in caught.value.remedy
    assert "fsdp.yaml" in caught.value.remedy


def test_what_zero_cannot_train_is_refused_with_what_can(settings):
    from kofinlaw.trainer.zero import check_settings

    check_settings(settings(quantization="nf4"), 2)
    for fields, stage, found in (
        ({"quantization": "nf4"}, 3, "nf4 weights cannot be sharded"),
        ({"optimizer": "paged_adamw_8bit"}, 2, "not those of paged_adamw_8bit"),
        ({"dtype": "float16"}, 2, "float16 gradients would vanish"),
    ):
        with pytest.raises(UserError, match=found) as caught:
            check_settings(settings(**fields), stage)
        assert "ddp.yaml" in caught.value.remedy
