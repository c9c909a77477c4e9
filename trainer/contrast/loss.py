"""Compute the loss of items: cross entropy over the preferences of their options.

The preference of an option is its mean log-probability after the prompt with evidence, minus that
after the reference prompt if there is one. A stem that asks for what is not so turns its sign.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from kofinlaw.trainer.contrast.items import PackedChoice

__all__ = ["choice_loss", "preferences"]


def preferences(nll: Sequence[Tensor], choice: PackedChoice, *, detach: bool = False) -> Tensor:
    """Return the signed preference of each option in nats per token, float32 [options].

    Args:
        nll: -log p of the tokens of each option, in the order of `choice.sizes()`.
        choice: the item.
        detach: the scores after the reference prompt get no gradient.
    """
    means = torch.stack([-part.mean() for part in nll])
    asked, reference = means[: choice.options], means[choice.options :]
    if not choice.referred:
        return choice.sign * asked
    return choice.sign * (asked - (reference.detach() if detach else reference))


def choice_loss(
    nll: Sequence[Tensor], choice: PackedChoice, *, temperature: float, detach: bool = False
) -> tuple[Tensor, Tensor]:
    """Return the loss of an item in nats, and its credit: 1 if the right option is preferred.

    Options that share the first place share the credit. Arguments as in `preferences`; the
    preferences are divided by `temperature` (nats per token) before the softmax.
    """
    scores = preferences(nll, choice, detach=detach)
    target = torch.tensor(choice.answer, device=scores.device)
    loss = cross_entropy((scores / temperature)[None], target[None])
    best = scores.detach() == scores.detach().max()
    return loss, best[choice.answer].float() / best.sum()
