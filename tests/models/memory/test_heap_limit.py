"""The heap on a CPU: the free bytes that a plan expects, and when they are returned."""

from __future__ import annotations

import subprocess
import sys

import pytest

from kofinlaw.models.memory import heap_limit
from kofinlaw.models.memory.heap import GROWTH
from kofinlaw.models.memory.heap_limit import limit_heap_growth

# Prints by how many MiB the process grew while tensors were freed with small ones kept between.
GROW = """
import sys, torch
from kofinlaw.models.memory.heap_limit import _resident, limit_heap_growth
torch.set_num_threads(1)
if sys.argv[1] == "tight":
    limit_heap_growth(torch.nn.Linear(1, 1))
large = [torch.ones(9 * 2**18) for _ in range(3)]  # moves glibc's own threshold above 9 MiB
del large
before, kept = _resident(), []
for _ in range(20):
    gone = torch.ones(9 * 2**18)
    kept.append(torch.ones(2**8))
    del gone
print((_resident() - before) // 2**20)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the resident memory is read from /proc")
def test_large_tensors_go_back_to_the_system_when_they_are_freed():
    def grown(how):
        command = [sys.executable, "-c", GROW, how]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    assert grown("tight") <= 1


def test_the_heap_is_trimmed_before_a_layer_once_memory_has_grown(pico_llama, monkeypatch):
    import torch

    resident, trims = [0], []
    monkeypatch.setattr(heap_limit, "_resident", lambda: resident[0])
    monkeypatch.setattr(heap_limit, "trim_heap", lambda: trims.append(resident[0]))
    limit_heap_growth(pico_llama)
    limit_heap_growth(pico_llama)  # changes nothing
    ids = torch.arange(3, 9)[None]
    for grown in (0, GROWTH, GROWTH + 1, GROWTH + 2, 2 * GROWTH + 2, 0, GROWTH + 1):
        resident[0] = grown
        pico_llama(ids)
    assert trims == [GROWTH + 1, 2 * GROWTH + 2, GROWTH + 1]


@pytest.fixture
def pico_llama(llama):
    from kofinlaw.models.loading import load_model

    return load_model(llama, dtype="float32", device="cpu")
