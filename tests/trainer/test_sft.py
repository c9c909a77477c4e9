"""The files and figures of a training run, and the errors for mistakes of the user."""

import json
import subprocess
import sys
import types

import pytest

from kofinlaw import UserError


@pytest.mark.parametrize("quantization", ["none", "nf4"])
def test_a_run_writes_an_adapter_its_record_and_its_curves(run, tmp_path, quantization, pico):
    from kofinlaw.models.loading import load_model
    from kofinlaw.models.templates import template_for
    from kofinlaw.trainer.base_identity import base_sha256

    figures = run(quantization=quantization)
    out = tmp_path / "run"
    record = json.loads((out / "adapter" / "kofinlaw.json").read_text())
    assert record["base_sha256"] == base_sha256(pico)
    assert record["template_sha256"] == template_for(pico).sha256
    if quantization == "nf4":
        assert record["quantization"] == {
            "type": "nf4",
            "block_size": 64,
            "double_quant": True,
            "compute_dtype": "float32",
            "storage_dtype": "float32",
        }
    else:
        assert record["quantization"] is None
    config = json.loads((out / "adapter" / "adapter_config.json").read_text())
    assert config["r"] == 4
    assert str(tmp_path) not in json.dumps(config)
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 3, 4]
    assert figures.tokens == sum(line["tokens"] for line in lines)
    assert figures.unmoved_tensors == 0
    assert "⟦" in (out / "first_example.txt").read_text(encoding="utf-8")
    assert json.loads((out / "lengths.json").read_text())["examples"] == 40
    assert (out / "rejected.jsonl").read_text() == ""
    model = load_model(pico, quantization=quantization, dtype="float32", adapter=out / "adapter")
    assert sum("lora_" in name for name, _ in model.named_parameters()) == 28


def test_the_trained_model_answers_the_way_it_was_trained(run, tmp_path, pico, examples):
    """The mean loss of the adapter read back from the disk is the loss the run reports."""
    import torch

    from kofinlaw.models.loading import load_model

    run(learning_rate=1e-12, max_steps=1, effective_batch=40, epochs=1)
    line = json.loads((tmp_path / "run" / "metrics.jsonl").read_text())
    model = load_model(pico, dtype="float32", adapter=tmp_path / "run" / "adapter")

    from kofinlaw.models.templates import template_for
    from kofinlaw.models.tokenizer import load_tokenizer
    from kofinlaw.trainer.encoding import encode_examples

    rows, _ = encode_examples(
        examples,
        template_for(pico),
        load_tokenizer(pico).encode,
        max_length=512,
    )
    total = 0.0
    with torch.no_grad():
        for row in rows:
            logits = model(input_ids=torch.from_numpy(row.tokens)[None]).logits[0]
            ahead = torch.log_softmax(logits[:-1], -1)
            picked = ahead.gather(1, torch.from_numpy(row.tokens[1:])[:, None])[:, 0]
            total -= float(picked[torch.from_numpy(row.supervised[1:])].sum())
    assert line["loss"] == pytest.approx(total / sum(r.targets for r in rows), rel=1e-5)


def test_evaluation_leaves_gradients_alone_and_the_best_weights_are_kept(run, tmp_path):
    figures = run(evaluation_share=0.2, evaluation_steps=2, max_steps=6, quantization="nf4")
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").open()]
    found = {line["step"]: line["evaluation_loss"] for line in lines if line["evaluation_loss"]}
    assert sorted(found) == [2, 4, 6]
    assert figures.evaluation_loss == pytest.approx(min(found.values()), abs=1e-6)
    assert found[figures.best_step] == min(found.values())
    assert figures.held_out == 8
    without = run(
        "without", evaluation_share=0.2, evaluation_steps=99, max_steps=6, quantization="nf4"
    )
    assert without.loss_last == figures.loss_last


def test_patience_ends_a_run_that_gets_no_better(run, tmp_path):
    figures = run(
        evaluation_share=0.2,
        evaluation_steps=1,
        patience=2,
        max_steps=30,
        learning_rate=2.0,
        max_gradient_norm=0,
    )
    assert figures.steps == figures.best_step + 2 < 30


def test_gradient_checkpointing_and_attention_do_not_change_the_weights(run, tmp_path):
    from safetensors.torch import load_file

    run("plain")
    run("other", gradient_checkpointing=True, attention="sdpa", head_chunk_rows=3)
    a, b = (
        load_file(tmp_path / n / "adapter" / "adapter_model.safetensors")
        for n in ("plain", "other")
    )
    assert max(float((a[k] - b[k]).abs().max()) for k in a) < 1e-4


def test_the_probe_finds_a_budget_and_leaves_the_adapter_as_it_was(run, tmp_path):
    probed = run("probed", max_tokens_per_micro_batch="auto")
    asked = run("asked", max_tokens_per_micro_batch=probed.budget_tokens)
    assert probed.budget_tokens >= 111
    assert probed.loss_last == asked.loss_last
    first = json.loads((tmp_path / "probed" / "metrics.jsonl").open().readline())
    assert (
        first["loss"]
        == json.loads((tmp_path / "asked" / "metrics.jsonl").open().readline())["loss"]
    )


def test_an_example_that_does_not_fit_says_by_how_much_and_what_would_help(run):
    with pytest.raises(UserError, match=r"GiB over the limit of 0\.01 GiB") as caught:
        run(memory_limit_gib=0.01, max_tokens_per_micro_batch="auto")
    assert "max_length" in caught.value.remedy
    with pytest.raises(UserError, match=r"one example of .* tokens does not fit") as caught:
        run(memory_limit_gib=0.01)
    assert "quantization: nf4" in caught.value.remedy


def test_a_loss_that_is_not_a_number_names_the_example(pico, run, tmp_path, build_model):
    import torch
    from safetensors.torch import load_file, save_file

    broken = build_model(tmp_path / "broken")
    weights = load_file(broken / "model.safetensors")
    tokenizer = json.loads((broken / "tokenizer.json").read_text(encoding="utf-8"))
    token = tokenizer["model"]["vocab"]["7"]
    weights["model.embed_tokens.weight"][token] = torch.nan
    save_file(weights, broken / "model.safetensors", metadata={"format": "pt"})
    lines = [
        {
            "id": f"보기-{n}",
            "messages": [
                {"role": "user", "content": f"제{n}조"},
                {"role": "assistant", "content": "가"},
            ],
        }
        for n in (1, 2, 7, 3)
    ]
    data = tmp_path / "nan.jsonl"
    data.write_text("\n".join(json.dumps(x, ensure_ascii=False) for x in lines), encoding="utf-8")
    with pytest.raises(UserError, match=r"(?m)examples: 보기-7$") as caught:
        run(model=broken, data=data, effective_batch=4)
    assert "step 1" in caught.value.where


def test_a_step_may_be_counted_in_supervised_tokens(short_run):
    figures, lines = short_run("run", effective_batch_tokens=40, max_steps=None, epochs=1)
    assert all(line["supervised_tokens"] >= 40 for line in lines[:-1])
    assert len({line["supervised_tokens"] for line in lines}) > 1
    assert sum(line["tokens"] for line in lines) == figures.tokens
    every = short_run("examples", max_steps=None, epochs=1)[0]
    assert figures.tokens == every.tokens  # an epoch shows each example once either way


def test_liger_without_cuda_is_one_line(run):
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is CUDA here")
    with pytest.raises(UserError, match="liger needs CUDA"):
        run("run", backend="liger")


def test_the_trainer_loads_torch_but_not_transformers_before_a_run():
    """Unsloth must be imported before transformers, so no module may import it at its top."""
    code = (
        "import sys, kofinlaw.trainer.sft, kofinlaw.trainer.preference\n"
        "print([name for name in ('transformers', 'peft', 'trl') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_is_found_after_all_modules_were_imported():
    import importlib
    import pkgutil

    import kofinlaw.trainer as trainer

    for module in pkgutil.walk_packages(trainer.__path__, "kofinlaw.trainer."):
        importlib.import_module(module.name)
    for name in trainer.__all__:
        assert not isinstance(getattr(trainer, name), types.ModuleType), name
