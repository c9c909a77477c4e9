"""Noise, trackers, backends, steps counted in tokens, and what is told where nothing fits."""

import json
import sys
import types

import pytest

from kofinlaw import UserError


@pytest.fixture
def run(pico, examples, settings, tmp_path):
    from kofinlaw.models.templates import template_for
    from kofinlaw.trainer.sft import train

    def call(name, **fields):
        figures = train(
            settings(**{"max_steps": 2, **fields}),
            pico,
            examples,
            tmp_path / name,
            template=template_for(pico),
            seed=1,
        )
        lines = (tmp_path / name / "metrics.jsonl").read_text().splitlines()
        return figures, [json.loads(line) for line in lines]

    return call


def test_noise_on_the_embeddings_does_not_depend_on_the_cut(run):
    _, whole = run("whole", neftune_alpha=5.0)
    _, cut = run("cut", neftune_alpha=5.0, max_tokens_per_micro_batch=1)
    _, without = run("without")
    assert [line["micro_batches"] for line in cut] == [8, 8]
    for a, b in zip(whole, cut, strict=True):
        assert a["loss"] == pytest.approx(b["loss"], rel=1e-5)
        assert a["gradient_norm"] == pytest.approx(b["gradient_norm"], rel=1e-4)
    assert abs(whole[0]["loss"] - without[0]["loss"]) > 1e-4


def test_noise_is_as_strong_as_the_paper_says_and_absent_in_evaluation(pico):
    import torch

    from kofinlaw.models.loading import load_model
    from kofinlaw.trainer.noise import EmbeddingNoise

    model = load_model(pico, dtype="float32")
    embed = model.get_input_embeddings()
    ids = torch.zeros(2, 64, dtype=torch.long)
    plain = embed(ids).detach()
    noise = EmbeddingNoise(model, 5.0, seed=0)
    assert torch.equal(embed(ids), plain)
    with noise.during(3, [7, 9], {7: 64, 9: 16}):
        added = embed(ids).detach() - plain
    most = 5.0 / (64 * 64) ** 0.5
    assert 0.95 * most < added[0].abs().max() <= most * 1.001
    assert added[1, :16].abs().max() <= 2 * most * 1.001
    assert added[1, 16:].abs().max() == 0
    assert torch.equal(embed(ids), plain)


def test_a_step_may_be_counted_in_supervised_tokens(run):
    figures, lines = run("run", effective_batch_tokens=40, max_steps=None, epochs=1)
    assert all(line["supervised_tokens"] >= 40 for line in lines[:-1])
    assert len({line["supervised_tokens"] for line in lines}) > 1
    assert sum(line["tokens"] for line in lines) == figures["tokens"]
    every = run("examples", max_steps=None, epochs=1)[0]
    assert figures["tokens"] == every["tokens"]  # an epoch shows each example once either way


def tracker_module(calls, name):
    """A stand-in that records what it is told, in the shape of the tracker called `name`."""
    module = types.ModuleType(name)
    if name == "wandb":

        class Run:
            def log(self, figures, step):
                calls.append((step, figures))

            def finish(self):
                calls.append("closed")

        def init(**options):
            calls.append(options["mode"])
            return Run()

        module.init = init
        return module
    module.set_tracking_uri = lambda uri: calls.append(uri.split("://")[0])
    module.set_experiment = lambda _: None
    module.start_run = lambda: None
    module.log_params = lambda _: None
    module.log_metrics = lambda figures, step: calls.append((step, figures))
    module.end_run = lambda: calls.append("closed")
    return module


@pytest.mark.parametrize(("name", "place"), [("wandb", "offline"), ("mlflow", "sqlite")])
def test_a_tracker_gets_every_step_and_stays_on_this_machine(run, monkeypatch, name, place):
    calls = []
    monkeypatch.setitem(sys.modules, name, tracker_module(calls, name))
    _, lines = run("run", report_to=[name])
    assert calls[0] == place
    assert calls[-1] == "closed"
    assert [step for step, _ in calls[1:-1]] == [1, 2]
    assert calls[1][1]["loss"] == lines[0]["loss"]


@pytest.mark.parametrize("name", ["tensorboard", "wandb", "mlflow"])
def test_a_missing_tracker_is_one_line_that_names_the_extra(monkeypatch, name, tmp_path):
    from kofinlaw.trainer.tracking import open_trackers

    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(UserError, match=f"{name} is not installed") as caught:
        open_trackers([name], tmp_path, settings={}, resumed_at=0)
    assert "kofinlaw[track]" in caught.value.remedy


def test_a_missing_tracker_is_told_before_anything_is_read_or_loaded(run, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(UserError, match="mlflow is not installed"):
        run("run", report_to=["mlflow"])
    assert not (tmp_path / "run").exists()


def test_tensorboard_writes_its_events_into_the_run(run, tmp_path):
    pytest.importorskip("tensorboard", reason="the extra `track` is not installed")
    run("run", report_to=["tensorboard"])
    assert list((tmp_path / "run" / "tensorboard").glob("events.*"))


def test_processes_on_one_machine_s_processor_share_what_is_free(monkeypatch):
    import torch

    from kofinlaw.trainer import memory_use as out_of_memory

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(out_of_memory, "memory_in_use", lambda: 100)
    monkeypatch.setattr(out_of_memory, "free_memory", lambda: 1000)
    monkeypatch.delenv("LOCAL_WORLD_SIZE", raising=False)
    assert out_of_memory.memory_limit(None) == 900
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")  # as torch's and accelerate's launchers set it
    assert out_of_memory.memory_limit(None) == 500
    assert out_of_memory.memory_limit(3.0) == 3 * 2**30


def test_unsloth_without_cuda_is_one_line(run):
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is CUDA here")
    with pytest.raises(UserError, match="unsloth needs CUDA"):
        run("run", backend="unsloth")


def test_what_would_make_it_fit_is_weighed(pico, settings):
    from kofinlaw.models.loading import load_model
    from kofinlaw.trainer.adapter import attach_adapter
    from kofinlaw.trainer.remedies import remedies

    chosen = settings(gradient_checkpointing=False)
    model = attach_adapter(
        load_model(pico, dtype="float32", for_training=True), chosen.lora, seed=0
    )
    text = remedies(model, chosen, over=2**20, pass_bytes=2**22, longest=1000)
    assert text.startswith("train.max_length: 712 would fit; ")
    assert "quantization: nf4 saves about 0.00 GiB, not enough alone" in text
    assert "lora.targets: [q_proj, v_proj]" in text
    huge = remedies(model, chosen, over=2**23, pass_bytes=2**22, longest=1000)
    assert "the loaded model alone is too large" in huge
    held = settings(quantization="nf4", gradient_checkpointing=True)
    assert "nf4" not in remedies(model, held, over=1, pass_bytes=2, longest=9)


def test_gradients_before_and_after_an_evaluation_are_equal_on_four_bits(pico, examples, settings):
    import torch

    from kofinlaw.models.loading import load_tokenizer
    from kofinlaw.models.templates import template_for
    from kofinlaw.trainer.adapter import trainable
    from kofinlaw.trainer.encoding import encode_examples
    from kofinlaw.trainer.ranks import Ranks
    from kofinlaw.trainer.step import Stepper
    from kofinlaw.trainer.trainee import load_trainee

    encode = load_tokenizer(pico).encode
    rows, _ = encode_examples(examples, template_for(pico), encode, max_length=512)
    ranks = Ranks(0, 1, torch.device("cpu"))
    chosen = settings(quantization="nf4", dtype="bfloat16")
    model = load_trainee(chosen, pico, rows, ranks, seed=0).model
    for name, parameter in trainable(model):
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.1)
    stepper = Stepper(
        model,
        rows,
        ranks,
        seed=0,
        budget=300,
        chunk_rows=8,
        limit=None,
        tell=print,
    )

    def gradients():
        stepper.gradients(0, range(8))
        return {name: p.grad.clone() for name, p in trainable(model)}

    before = gradients()
    stepper.evaluate(range(8, 24))
    after = gradients()
    assert all(p.grad.dtype == torch.float32 for _, p in trainable(model))
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert any(float(g.abs().max()) > 0 for g in before.values())
