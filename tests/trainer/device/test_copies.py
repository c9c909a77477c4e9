"""Arrays reach the device in one copy, and a step reads its losses once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays


@given(
    st.lists(
        arrays.arrays(np.int64, arrays.array_shapes(min_dims=1, max_dims=3, max_side=5)),
        min_size=1,
        max_size=4,
    )
)
def test_one_buffer_gives_the_tensors_of_separate_copies(given_arrays):
    import torch

    from kofinlaw.trainer.device.copies import in_one_buffer, on_device

    cpu = torch.device("cpu")
    buffer = torch.empty(sum(a.size for a in given_arrays), dtype=torch.int64)
    at_once = in_one_buffer(given_arrays, buffer, cpu)
    for one, other, array in zip(at_once, on_device(given_arrays, cpu), given_arrays, strict=True):
        assert one.shape == array.shape
        assert torch.equal(one, other)
        assert np.array_equal(one.numpy(), array)


def test_sums_are_read_in_order_and_none_are_an_empty_list():
    import torch

    from kofinlaw.trainer.device.copies import read_at_once

    assert read_at_once([torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0])]) == [[1, 2], [3, 4]]
    assert read_at_once([]) == []


@pytest.fixture
def stepper(pico, examples, settings):
    """A function that makes a stepper with a budget of padded tokens."""
    import torch

    from kofinlaw.models.templates import template_for
    from kofinlaw.models.tokenizer import load_tokenizer
    from kofinlaw.trainer.encoding import encode_examples
    from kofinlaw.trainer.passes import Passes
    from kofinlaw.trainer.ranks import Ranks
    from kofinlaw.trainer.step import Stepper
    from kofinlaw.trainer.trainee import load_trainee

    rows, _ = encode_examples(
        examples, template_for(pico), load_tokenizer(pico).encode, max_length=512
    )
    ranks = Ranks(0, 1, torch.device("cpu"))
    chosen = settings(head_chunk_rows=8)
    model = load_trainee(chosen, pico, rows, ranks, seed=0).model
    passes = Passes(model, rows, ranks, chosen)
    return lambda budget: Stepper(passes, seed=0, budget=budget, log_event=print)


def test_a_step_of_many_passes_reads_its_losses_once(stepper, monkeypatch):
    from kofinlaw.trainer import step

    read = []
    real = step.read_at_once

    def counted(rows):
        read.append(len(rows))
        return real(rows)

    monkeypatch.setattr(step, "read_at_once", counted)
    result = stepper(130).gradients(0, range(8))
    assert result.micro_batches > 3
    assert read == [result.micro_batches]


def test_no_pass_of_a_step_looks_at_a_loss_before_the_last_backward_pass(stepper):
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    class Order(TorchDispatchMode):
        """Notes reads of numbers and the end of each backward pass."""

        def __init__(self):
            super().__init__()
            self.seen = []

        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            if function is torch.ops.aten._local_scalar_dense.default:
                self.seen.append(tuple(args[0].shape))
            return function(*args, **(kwargs or {}))

    with Order() as order:
        result = stepper(130).gradients(0, range(8))
    looks = [shape for shape in order.seen if shape == ()]
    # transformers looks once a pass whether its position ids are packed; the losses add no look
    assert len(looks) <= result.micro_batches


def test_a_bad_loss_in_one_of_many_passes_names_its_examples(stepper):
    import torch

    from kofinlaw import UserError

    made = stepper(130)
    passes, real = made.passes, made.passes.loss
    wrong = passes.examples[3].id

    def loss(part):
        from dataclasses import replace

        found = real(part)
        return replace(found, text=found.text * torch.nan) if 3 in part else found

    passes.loss = loss
    with pytest.raises(UserError, match=wrong):
        made.gradients(0, range(8))
