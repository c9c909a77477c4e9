"""Describe the machine that a plan is made for: memory, arithmetic rate and memory bandwidth.

The rates of cards are the dense bf16 rate and the bandwidth that their makers publish, times the
shares that work reaches (`COMPUTE_SHARE`, `BANDWIDTH_SHARE`): assumptions, not measurements. Those
of a processor are measured on two cores (docs/benchmarks.md) and scaled by the number of cores.
"""

from __future__ import annotations

import functools
import os
import platform
from dataclasses import dataclass
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.models.doctor import first_card, usable_memory_gib

__all__ = [
    "BANDWIDTH_SHARE",
    "CARD_OPTION",
    "COMPUTE_SHARE",
    "DEFAULT_CARD_GIB",
    "Machine",
    "machine_for",
    "machine_name",
    "planned_card",
    "processor",
    "this_machine",
]

COMPUTE_SHARE = 0.5  # of a card's published arithmetic rate
BANDWIDTH_SHARE = 0.5  # of its published bandwidth
DEFAULT_CARD_GIB = 24.0  # the card that kofinlaw's recipes are written for
MOST_GIB = 1024.0  # of one card; larger values are typing errors, such as MiB
CARD_OPTION = "--card"
NO_CARD = ("none", "cpu")

# Measured on two cores with instructions for bf16: FLOP/s of training and of reading prompts (270M
# model, weights outside the embeddings), and bytes/s of reading weights while a token is written.
CORES = 2
CORES_TRAINING, CORES_ANSWERING, CORES_BANDWIDTH = 0.15e12, 0.13e12, 5e9
CORES_ENCODER = 0.08e12  # FLOP/s of training an encoder
# Without such instructions products run in float32: the measured ratio of both on one core.
FLOAT32_SHARE = 0.4
_BF16_FLAGS = ("avx512_bf16", "amx_bf16", "bf16")  # the last one: ARM

# (name, dense bf16 FLOP/s, bytes/s) as published; the first name that nvidia-smi's name contains.
_PUBLISHED = (
    ("H200", 989e12, 4.8e12),
    ("H100 PCIe", 756e12, 2.0e12),
    ("H100", 989e12, 3.35e12),
    ("A100", 312e12, 1.555e12),
    ("L40S", 362e12, 0.864e12),
    ("L40", 181e12, 0.864e12),
    ("L4", 121e12, 0.3e12),
    ("A10", 125e12, 0.6e12),
    ("RTX 6000 Ada", 364e12, 0.96e12),
    ("RTX A6000", 155e12, 0.768e12),
    ("RTX 5090", 209e12, 1.792e12),
    ("RTX 4090", 165e12, 1.008e12),
    ("RTX 3090", 71e12, 0.936e12),
    ("RTX 4080", 97e12, 0.717e12),
    ("RTX 4070", 58e12, 0.504e12),
    ("RTX 4060", 30e12, 0.272e12),
)
# The card whose rates are assumed for a size, by its largest GiB.
_BY_SIZE = (
    (8.5, "RTX 4060"),
    (12.5, "RTX 4070"),
    (16.5, "RTX 4080"),
    (24.5, "RTX 4090"),
    (32.5, "RTX 5090"),
    (48.5, "L40S"),
    (80.5, "A100"),
    (MOST_GIB, "H200"),
)


@dataclass(frozen=True)
class Machine:
    """What a recipe is planned for.

    - `gib` is the memory for training or answering, `origin` says where the figure comes from.
    - `gpu` says whether it is a card's memory.
    - `training_flops`, `answering_flops` and `encoder_flops` (training an encoder) are FLOP/s,
      `bandwidth` is bytes/s.
    - `rates` says in words what the rates assume.
    - `here` is False for a card that this machine does not have.
    """

    gib: float
    gpu: bool
    origin: str
    training_flops: float = CORES_TRAINING
    answering_flops: float = CORES_ANSWERING
    encoder_flops: float = CORES_ENCODER
    bandwidth: float = CORES_BANDWIDTH
    rates: str = ""
    here: bool = True


def this_machine() -> Machine:
    """Return this machine: its first card, else its processor."""
    found = first_card()
    if found is None:
        return processor()
    name, gib, _ = found
    return _card(gib, "this machine's card", _published(name, gib), here=True)


@functools.cache
def machine_name() -> str:
    """Return the name of this machine's card, else of its processor with the number of cores.

    Runs record it, so that their rates are used on the same kind of machine only.
    """
    found = first_card()
    if found is not None:
        return found[0]
    return f"{_processor_name()}, {_cores()} cores"


def _processor_name() -> str:
    return _of_processor("model name") or platform.processor() or platform.machine()


def _of_processor(*keys: str) -> str:
    """Return the first value that Linux gives for one of these keys; empty elsewhere."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(keys)), "")


def _cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def processor() -> Machine:
    """Return this machine's processor with four fifths of the free memory."""
    gib, origin = usable_memory_gib(card=False)
    cores = _cores()
    factor = cores / CORES
    half = 1.0 if _multiplies_bf16() else FLOAT32_SHARE
    return Machine(
        gib,
        False,
        origin,
        CORES_TRAINING * factor * half,
        CORES_ANSWERING * factor * half,
        CORES_ENCODER * factor,
        CORES_BANDWIDTH,
        f"{cores} cores at the rates measured on {CORES}"
        + ("" if half == 1 else f", times {half:g} because they lack instructions for bf16"),
    )


def _multiplies_bf16() -> bool:
    """Return whether this processor has instructions for products in bf16."""
    return not set(_BF16_FLAGS).isdisjoint(_of_processor("flags", "Features").split())


def planned_card(gib: float, origin: str) -> Machine:
    """Return a card of this many GiB that this machine need not have."""
    return _card(gib, origin, _published("", gib), here=False)


def machine_for(option: str | None) -> Machine:
    """Return the machine that the option `--card` names; None is this machine.

    Args:
        option: GiB of a card (`24`, `24GB`), or `none` or `cpu` for the processor.

    Raises UserError for anything else, with the forms that are possible.
    """
    if option is None:
        return this_machine()
    text = option.strip().lower()
    if text in NO_CARD:
        return processor()
    try:
        gib = float(text.removesuffix("gib").removesuffix("gb").removesuffix("g"))
    except ValueError:
        gib = float("nan")
    if not 1 <= gib <= MOST_GIB:
        raise UserError(
            f"a card has 1 to {MOST_GIB:g} GiB, not {option!r}",
            where=CARD_OPTION,
            remedy="name its memory in GiB (--card 24), or `none` to plan for the processor",
        )
    return planned_card(gib, f"{CARD_OPTION} {gib:g}")


def _published(name: str, gib: float) -> tuple[str, float, float]:
    """Return (name, FLOP/s, bytes/s) of a card by its name, else of one of its size."""
    for row in _PUBLISHED:
        if row[0].lower() in name.lower():
            return row
    typical = next((card for most, card in _BY_SIZE if gib <= most), _BY_SIZE[-1][1])
    return next(row for row in _PUBLISHED if row[0] == typical)


def _card(gib: float, origin: str, card: tuple[str, float, float], *, here: bool) -> Machine:
    name, flops, bandwidth = card
    compute = COMPUTE_SHARE * flops
    return Machine(
        gib,
        True,
        origin,
        compute,
        compute,
        compute,
        BANDWIDTH_SHARE * bandwidth,
        f"{COMPUTE_SHARE:.0%} of the published arithmetic rate of one {name} "
        f"({flops / 1e12:g} TFLOP/s) and {BANDWIDTH_SHARE:.0%} of its bandwidth "
        f"({bandwidth / 1e9:g} GB/s)",
        here,
    )
