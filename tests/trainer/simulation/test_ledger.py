"""The ledger: bytes of live storages, their peak, and where it is."""

from __future__ import annotations

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from kofinlaw.trainer.simulation.ledger import KERNEL_BUFFERS, Holder, Ledger


def test_storages_count_in_blocks_while_they_are_alive():
    with Ledger(block=512) as ledger:
        first = torch.ones(100)  # 400 bytes
        assert ledger.held == 512
        second = torch.ones(200)  # 800 bytes
        assert ledger.held == 512 + 1024
        del first
        assert ledger.held == 1024
        third = second.view(10, 20).T  # a view has no memory of its own
        del second
        assert ledger.held == 1024
        del third
        assert ledger.held == 0
    assert ledger.peak.size == 1536


def test_the_peak_says_what_was_alive_and_which_operator_made_the_last_block():
    with Ledger(block=1) as ledger:
        ledger.kind, ledger.place = "weights", "loading"
        weight = torch.ones(4, 4)
        ledger.kind, ledger.place = "activations", "layer 0"
        row = torch.zeros(1, 4) @ weight  # the zeros are freed after the product
        ledger.place = "layer 1"
        row = row + 1
        del row
    peak = ledger.peak
    assert (peak.size, peak.place, peak.operator, peak.backward) == (96, "layer 0", "mm", False)
    assert peak.kinds() == {"weights": 64, "activations": 32}
    assert peak.holders[0] == Holder("weights", "ones", 1, 64)
    assert set(peak.holders[1:]) == {
        Holder("activations", "zeros", 1, 16),
        Holder("activations", "mm", 1, 16),
    }


def test_a_new_peak_starts_from_what_is_alive():
    with Ledger(block=1) as ledger:
        kept = torch.ones(10)
        del_later = torch.ones(100)
        del del_later
        ledger.reset()
        assert ledger.peak.size == 40
        kept = kept * 2
        assert ledger.peak.size == 80
    assert kept.sum() == 20


def test_memory_inside_a_kernel_counts_in_the_peak_only():
    inside = {torch.ops.aten.mm.default: lambda a, b: 1000}
    with Ledger(block=1, inside=inside) as ledger:
        product = torch.ones(2, 2) @ torch.ones(2, 2)
        assert ledger.held == product.nbytes == 16
    assert ledger.peak.size == 3 * 16 + 1000
    assert ledger.peak.kinds()[KERNEL_BUFFERS] == 1000


def test_an_operator_can_be_replaced_by_one_whose_tensors_are_seen():
    def product(a, b):
        return (a[:, :, None] * b[None]).sum(1)

    with Ledger(block=1, instead={torch.ops.aten.mm.default: product}) as ledger:
        found = torch.full((2, 2), 3.0) @ torch.ones(2, 2)
        assert torch.equal(found, torch.full((2, 2), 6.0))
    assert ledger.peak.size == 3 * 16 + 8 * 4  # the pairs of a product of 2 x 2 are 8 numbers


def test_a_gradient_gets_its_own_kind():
    weight = torch.nn.Parameter(torch.ones(3))
    with Ledger(block=1) as ledger:
        ledger.kind = "activations"
        (weight * 2).sum().backward()
        ledger.relabel(weight.grad, "gradients")
        ledger.reset()
        assert ledger.peak.kinds() == {"gradients": 12}
        ledger.relabel(weight, "weights")  # made outside: unknown, so nothing happens
        assert ledger.held == 12


def test_the_backward_pass_is_recognised():
    weight = torch.nn.Parameter(torch.ones(1000))
    with Ledger(block=1) as ledger:
        loss = (weight * weight).sum()
        ledger.reset()
        loss.backward()
    assert ledger.peak.backward


@pytest.mark.parametrize("length", [1, 7, 64])
def test_fake_and_real_tensors_have_the_same_ledger(length):
    def work():
        weight = torch.nn.Parameter(torch.ones(8, 8))
        state = torch.ones(length, 8)
        for _ in range(3):
            state = torch.nn.functional.silu(state @ weight.T)
        state.sum().backward()
        return weight.grad

    with Ledger() as real:
        kept = work()
    with FakeTensorMode(), Ledger() as fake:
        assert work() is not None
    assert kept is not None
    assert fake.peak == real.peak
