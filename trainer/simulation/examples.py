"""Make examples of a given length, to find the memory of the longest ones."""

from __future__ import annotations

import numpy as np

from kofinlaw.trainer.contrast.items import pack_choice
from kofinlaw.trainer.encoding import Encoded
from kofinlaw.trainer.settings import TrainSettings

__all__ = ["OPTIONS", "OPTION_TOKENS", "long_examples"]

OPTIONS = 4  # of an item to choose from
OPTION_TOKENS = 24  # of each option, where the length allows it
TOKEN = 3  # every token has this id: memory does not depend on it


def long_examples(
    settings: TrainSettings, length: int, rows: int, *, supervised: float = 1.0
) -> list[Encoded]:
    """Return `rows` examples of `length` tokens in the form that `train.objective` takes.

    `supervised` is the share of a text's tokens that is learned. With the objective `contrast`
    every example is an item to choose from, with `both` every second one, the first included.
    """
    kinds = {"text": (False, False), "contrast": (True, True), "both": (True, False)}
    items = kinds[settings.objective]
    return [
        _item(settings, length, str(row)) if items[row % 2] else _text(length, supervised, str(row))
        for row in range(rows)
    ]


def _text(length: int, supervised: float, name: str) -> Encoded:
    learned = max(1, min(length - 1, round(length * supervised)))
    return Encoded(name, np.full(length, TOKEN), np.arange(length) >= length - learned)


def _item(settings: TrainSettings, length: int, name: str) -> Encoded:
    """Return an item whose packed row has `length` tokens, with its reference prompt if wanted."""
    referred = settings.contrast.reference != "none"
    sides = 2 if referred else 1
    option = [TOKEN] * min(OPTION_TOKENS, max(1, length // (4 * sides * OPTIONS)))
    reference = [TOKEN] * (len(option) if referred else 0)
    options = [option] * OPTIONS
    rest = length - sides * OPTIONS * len(option) - len(reference)
    tokens, choice = pack_choice(
        [TOKEN] * max(1, rest),
        options,
        reference,
        options if referred else [],
        answer=0,
        negative=False,
    )
    return Encoded(name, tokens, choice.scored(), choice=choice)
