"""The heap's holes on a processor: how many a plan expects, and when they are handed back."""

from __future__ import annotations

import subprocess
import sys

import pytest

from kofinlaw.models.memory import heap as memory_heap
from kofinlaw.models.memory.heap import GROWTH, OWN_PAGES, holes, keep_tight

# Prints by how many MiB the process grew while tensors were freed with small ones kept between.
GROW = """
import sys, torch
from kofinlaw.models.memory.heap import _resident, keep_tight
torch.set_num_threads(1)
if sys.argv[1] == "tight":
    keep_tight(torch.nn.Linear(1, 1))
large = [torch.ones(9 * 2**18) for _ in range(3)]  # moves glibc's own threshold above 9 MiB
del large
before, kept = _resident(), []
for _ in range(20):
    gone = torch.ones(9 * 2**18)
    kept.append(torch.ones(2**8))
    del gone
print((_resident() - before) // 2**20)
"""


def test_small_tensors_leave_half_their_bytes_and_large_ones_none():
    tokens = 1024
    small, large = 1000, OWN_PAGES // tokens
    assert holes([(small, 3), (large, 5)], tokens) == tokens * small * 3 / 2 + GROWTH
    assert holes([(large, 5)], tokens - 1) == (tokens - 1) * large * 5 / 2 + GROWTH


@pytest.mark.skipif(sys.platform != "linux", reason="the resident memory is read from /proc")
def test_large_tensors_go_back_to_the_system_when_they_are_freed():
    def grown(how):
        command = [sys.executable, "-c", GROW, how]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    assert grown("tight") <= 1


def test_the_heap_is_trimmed_before_a_layer_once_memory_has_grown(pico_llama, monkeypatch):
    import torch

    resident, trims = [0], []
    monkeypatch.setattr(memory_heap, "_resident", lambda: resident[0])
    monkeypatch.setattr(memory_heap, "trim", lambda: trims.append(resident[0]))
    keep_tight(pico_llama)
    keep_tight(pico_llama)  # changes nothing
    ids = torch.arange(3, 9)[None]
    for grown in (0, GROWTH, GROWTH + 1, GROWTH + 2, 2 * GROWTH + 2, 0, GROWTH + 1):
        resident[0] = grown
        pico_llama(ids)
    assert trims == [GROWTH + 1, 2 * GROWTH + 2, GROWTH + 1]


@pytest.fixture
def pico_llama(llama):
    from kofinlaw.models.loading import load_model

    return load_model(llama, dtype="float32", device="cpu")
