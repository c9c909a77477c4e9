"""Decide whether the examples of a pass are laid end to end, and lay them so.

Padded rows take (longest length) x (number of rows) tokens of arithmetic and memory. One row of all
examples end to end takes their tokens only. The states of a token must be those of its example
alone, which is checked on the loaded model before the first step.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import Module

from kofinlaw import UserError
from kofinlaw.models.out_of_memory import is_out_of_memory
from kofinlaw.trainer.batching import pad_micro_batch
from kofinlaw.trainer.contrast.packing import EXACT, TOLERANCE
from kofinlaw.trainer.device.card_forms import takes_card_form
from kofinlaw.trainer.device.varlen_attention import (
    KERNEL_TYPES,
    JoinedRows,
    use_varlen_attention,
)
from kofinlaw.trainer.encoding import Encoded
from kofinlaw.trainer.loss import causal_model, hidden_states
from kofinlaw.trainer.ranks import Ranks
from kofinlaw.trainer.settings import TrainSettings

__all__ = ["join_rows", "split_joined", "why_padded"]

PIECES = (13, 5, 8)  # tokens of the examples with which a model is checked


def why_padded(
    model: Module, examples: Sequence[Encoded], settings: TrainSettings, ranks: Ranks
) -> str:
    """Return why examples are padded; if they need not be, empty, and the model attends so.

    Raises UserError if `train.padding_free` is true and the model or the run cannot.
    """
    wanted = settings.padding_free
    if wanted is False:
        return "train.padding_free is false"
    if wanted == "auto" and not takes_card_form(ranks.device):
        return "the device is a processor"
    if wanted == "auto" and causal_model(model).dtype not in KERNEL_TYPES:
        return "the kernel for joined rows takes 16-bit numbers only"
    reason = ""
    if any(example.choice is not None for example in examples):
        reason = "items to choose from have rows of their own (train.objective)"
    elif ranks.sharded:
        reason = "the model is sharded over processes"
    elif settings.attention == "eager":
        reason = "train.attention is eager"
    else:
        reason = _difference(model, examples[0])
    if reason and wanted is True:
        raise UserError(
            f"examples cannot be laid end to end: {reason}",
            where="train.padding_free",
            remedy="set it to auto or false",
        )
    return reason


def join_rows(
    rows: Sequence[NDArray[np.int64]], masks: Sequence[NDArray[np.bool_]]
) -> list[NDArray[np.int64]]:
    """Lay `rows` of tokens end to end; return ids [1, n], flat positions, targets, and two more.

    The flat positions and targets are those of `pad_micro_batch`. Then follow the position of each
    token in its row [1, n], and 0 with the ends of the rows [k + 1].
    """
    ends = np.cumsum([0, *map(len, rows)])
    where = [np.flatnonzero(mask) for mask in masks]
    sources = [start + at - 1 for start, at in zip(ends, where, strict=False)]
    targets = [row[at] for row, at in zip(rows, where, strict=True)]
    places = np.concatenate([np.arange(len(row)) for row in rows])
    return [
        np.concatenate(rows)[None],
        np.concatenate(sources),
        np.concatenate(targets),
        places[None],
        ends,
    ]


def split_joined(members: Sequence[int], lengths: Sequence[int], budget: int) -> list[list[int]]:
    """Split the examples of a step into few passes of at most `budget` tokens.

    Each example, longest first, goes into the first pass with room for it (first fit decreasing:
    at most 11/9 of the fewest passes, and one more; Johnson 1973). An example that is longer than
    the budget gets its own pass.
    """
    passes: list[list[int]] = []
    rooms: list[int] = []
    for index in sorted(members, key=lambda i: (-lengths[i], i)):
        number = next((n for n, room in enumerate(rooms) if lengths[index] <= room), len(rooms))
        if number == len(rooms):
            passes.append([])
            rooms.append(budget)
        passes[number].append(index)
        rooms[number] -= lengths[index]
    return passes


def _difference(model: Module, example: Encoded) -> str:
    """Compare joined and padded states of short pieces; return the difference in words."""
    base = causal_model(model)
    before = base.config._attn_implementation
    training = model.training
    tokens = np.resize(example.tokens, sum(PIECES) + 1)
    ends = np.cumsum([0, *PIECES])
    pieces = [tokens[a:b] for a, b in itertools.pairwise(ends)]
    changed = [pieces[0][::-1].copy(), *pieces[1:]]
    model.eval()
    reason = ""
    try:
        with torch.no_grad():
            padded = _padded_states(model, pieces)
            use_varlen_attention(base)
            joined, other = (_joined_states(model, rows) for rows in (pieces, changed))
        apart = float((joined - padded).norm() / padded.norm())
        rest = slice(PIECES[0], None)  # the examples after the first one
        moved = float((joined[rest] - other[rest]).norm() / joined[rest].norm())
        if not apart <= TOLERANCE.get(joined.dtype, EXACT):
            reason = f"the states end to end and padded differ by {apart:.2g}"
        elif not moved <= EXACT:
            reason = f"an example's states move by {moved:.2g} with the tokens of another one"
    except (TypeError, ValueError, RuntimeError, NotImplementedError) as error:
        if is_out_of_memory(error):
            raise
        reason = f"the model refuses them: {error}"
    finally:
        model.train(training)
        if reason:
            base.set_attn_implementation(before)
    return reason


def _padded_states(model: Module, pieces: Sequence[NDArray[np.int64]]) -> Tensor:
    masks = [np.ones(len(piece), dtype=bool) for piece in pieces]
    ids = torch.from_numpy(pad_micro_batch(pieces, masks)[0]).to(next(model.parameters()).device)
    states = hidden_states(model, ids)
    return torch.cat([row[: len(piece)] for row, piece in zip(states, pieces, strict=True)])


def _joined_states(model: Module, pieces: Sequence[NDArray[np.int64]]) -> Tensor:
    device = next(model.parameters()).device
    masks = [np.ones(len(piece), dtype=bool) for piece in pieces]
    ids, _, _, places, ends = (torch.from_numpy(a).to(device) for a in join_rows(pieces, masks))
    layout = JoinedRows(places, ends.int(), max(map(len, pieces)))
    return hidden_states(model, ids, layout)[0]
