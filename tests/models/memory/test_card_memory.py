"""The free memory of a card, as nvidia-smi says it, and the allocator's setting."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from kofinlaw.models.memory import card_memory
from kofinlaw.units import GIB


def answering(text):
    def run(command, **options):
        run.command = command
        return subprocess.CompletedProcess(command, 0, text, "")

    return run


def test_total_is_what_programs_can_get(monkeypatch):
    # An RTX 4090 has 24,564 MiB, of which the driver keeps about 400.
    program = answering("23000, 1100\n900, 100\n")
    monkeypatch.setattr(card_memory.subprocess, "run", program)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1,0")
    found = card_memory._from_nvidia_smi()
    assert (found.free, found.total) == (23000 << 20, 24100 << 20)
    assert program.command[-1] == "--id=1"


@pytest.mark.parametrize("text", ["", "[N/A], 12\n", "12\n"])
def test_no_answer_is_no_card(text, monkeypatch):
    monkeypatch.setattr(card_memory.subprocess, "run", answering(text))
    assert card_memory._from_nvidia_smi() is None


def test_a_share_is_rounded_down_and_bounded():
    memory = card_memory.CardMemory(int(10 * GIB), int(24 * GIB))
    assert card_memory.memory_share(memory, reserve=0) == 0.41
    assert card_memory.memory_share(card_memory.CardMemory(1, int(24 * GIB))) == 0.0
    full = card_memory.CardMemory(int(24 * GIB), int(24 * GIB))
    assert card_memory.memory_share(full, reserve=0) == card_memory.MOST_SHARE


def test_the_command_sets_the_allocator_before_anything_else(monkeypatch):
    code = (
        "import os, sys; sys.argv = ['kofinlaw', '--help']\n"
        "from kofinlaw.recipes.cli.entry import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print(os.environ['PYTORCH_CUDA_ALLOC_CONF'], 'torch' in sys.modules)"
    )
    clean = {k: v for k, v in os.environ.items() if "ALLOC_CONF" not in k}
    done = subprocess.run(
        [sys.executable, "-c", code], env=clean, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "expandable_segments:True False"
    monkeypatch.setenv("PYTORCH_CUDA_ALLOC_CONF", "garbage_collection_threshold:0.8")
    card_memory.use_expandable_segments()
    assert os.environ["PYTORCH_CUDA_ALLOC_CONF"] == "garbage_collection_threshold:0.8"
