"""Say whether an operation takes its form for a card.

It does on a card. A simulation runs the same forms with fake tensors of a processor
(`trainer/simulation`), so each place that chooses a form asks here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch

__all__ = ["as_on_card", "takes_card_form"]

_simulated: ContextVar[bool] = ContextVar("simulated", default=False)


def takes_card_form(device: torch.device) -> bool:
    """Return whether work on `device` takes the form for a card."""
    return device.type == "cuda" or _simulated.get()


@contextmanager
def as_on_card(simulated: bool = True) -> Iterator[None]:
    """Let work of this thread take the form for a card on every device, inside of this block.

    Only fake tensors can run it: a processor has no kernels for these forms.
    """
    before = _simulated.set(simulated)
    try:
        yield
    finally:
        _simulated.reset(before)
