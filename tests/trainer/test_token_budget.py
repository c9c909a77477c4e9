"""The token budget depends on the card, the effective batch only on the recipe."""

import json

import pytest

from kofinlaw import UserError


@pytest.fixture
def train_here(pico, examples, settings, tmp_path):
    """A function that trains four steps in `tmp_path / name`, with a probed budget."""
    from kofinlaw.models.templates import template_for
    from kofinlaw.trainer.sft import train

    chosen = settings(max_tokens_per_micro_batch="auto", checkpoint_steps=1, effective_batch=6)
    template = template_for(pico)

    def run(name, interfere=None):
        out = tmp_path / name
        figures = train(
            chosen, pico, examples, out, template=template, seed=3, on_micro_batch=interfere
        )
        return figures, [json.loads(line) for line in (out / "metrics.jsonl").open()]

    return run


class CutError(Exception):
    """Ends a run as a kill would."""


def test_another_card_finds_its_own_budget_and_keeps_the_effective_batch(train_here, monkeypatch):
    from kofinlaw.trainer import token_budget as budget

    _, whole = train_here("whole")
    failed = []

    def run_out_then_end(step, number):
        if step == 0 and not failed:
            failed.append(step)
            raise MemoryError
        if step == 2:
            raise CutError

    with pytest.raises(CutError):
        train_here("moved", run_out_then_end)
    monkeypatch.setattr(budget, "device_name", lambda: "another card")
    figures, lines = train_here("moved")
    assert figures.resumed_from == 2
    smaller, probed = lines[1]["budget"], whole[0]["budget"]
    assert [line["budget"] for line in lines] == [smaller, smaller, probed, probed]
    assert smaller < probed
    for key in ("tokens", "supervised_tokens"):
        assert [line[key] for line in lines] == [line[key] for line in whole]
    assert lines[-1]["loss"] == pytest.approx(whole[-1]["loss"], rel=1e-5)


def test_the_same_card_goes_on_with_the_budget_that_was_left(train_here):
    failed = []

    def run_out_then_end(step, number):
        if step == 0 and not failed:
            failed.append(step)
            raise MemoryError
        if step == 2:
            raise CutError

    with pytest.raises(CutError):
        train_here("run", run_out_then_end)
    _, lines = train_here("run")
    assert len({line["budget"] for line in lines}) == 1


def test_half_a_budget_counts_on_the_card_that_ran_out(tmp_path, monkeypatch):
    from kofinlaw.trainer import sharding

    def end(code):
        assert code == 76
        raise CutError

    monkeypatch.setattr("os._exit", end)
    with pytest.raises(CutError):
        sharding.exit_out_of_memory(tmp_path, 301, "CUDA error: out of memory")
    assert sharding.halved_budget(tmp_path) == 150
    monkeypatch.setattr(sharding, "device_name", lambda: "another card")
    assert sharding.halved_budget(tmp_path) is None


def test_after_half_a_budget_no_probe_runs_out_of_memory_again(settings, monkeypatch):
    from types import SimpleNamespace

    from kofinlaw.trainer import token_budget as budget

    monkeypatch.setattr(budget, "probe_budget", None)
    events = []
    passes = SimpleNamespace(settings=settings(max_tokens_per_micro_batch="auto"))
    found = budget.find_budget(passes, limit=0, known=None, halved=150, log_event=events.append)
    assert found.tokens == found.to_record(150)["tokens"] == 150
    assert events == ["the previous run was out of memory: budget 150"]


def test_a_shared_models_budget_is_halved_until_one_example_alone_does_not_fit(
    pico, examples, settings, tmp_path, monkeypatch
):
    import torch

    from kofinlaw.models.templates import template_for
    from kofinlaw.models.tokenizer import load_tokenizer
    from kofinlaw.trainer import step
    from kofinlaw.trainer.encoding import encode_examples
    from kofinlaw.trainer.passes import Passes
    from kofinlaw.trainer.ranks import Ranks
    from kofinlaw.trainer.trainee import load_trainee

    encode = load_tokenizer(pico).encode
    rows, _ = encode_examples(examples, template_for(pico), encode, max_length=512)
    alone = Ranks(0, 1, torch.device("cpu"))

    def run_out(step, number):
        raise MemoryError

    def end(root, budget, why):
        assert root == tmp_path
        raise CutError(budget)

    monkeypatch.setattr(step, "exit_out_of_memory", end)
    chosen = settings(head_chunk_rows=8)
    passes = Passes(
        load_trainee(chosen, pico, rows, alone, seed=0).model,
        rows,
        Ranks(0, 1, torch.device("cpu"), sharded=True),
        chosen,
    )
    stepper = step.Stepper(
        passes,
        seed=0,
        budget=300,
        log_event=print,
        on_micro_batch=run_out,
        checkpoint_root=tmp_path,
    )
    with pytest.raises(CutError, match="300"):
        stepper.gradients(0, range(4))
    stepper.budget = 1
    with pytest.raises(UserError, match=r"one example of .* tokens does not fit") as caught:
        stepper.gradients(0, range(4))
    assert "max_length below" in caught.value.remedy
