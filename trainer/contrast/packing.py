"""Check on the loaded model that packed options give the same numbers as separate ones."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import Module

from kofinlaw import UserError
from kofinlaw.models.out_of_memory import is_out_of_memory
from kofinlaw.trainer.contrast.attention import CannotPackError, RowLayout
from kofinlaw.trainer.contrast.items import pack_choice
from kofinlaw.trainer.contrast.rows import pass_rows
from kofinlaw.trainer.device.copies import on_device
from kofinlaw.trainer.encoding import Encoded
from kofinlaw.trainer.loss import hidden_states
from kofinlaw.trainer.settings import TrainSettings

__all__ = ["TOLERANCE", "why_not_packed"]

# Largest distance of packed and separate states, relative to their norm, in a 16-bit format and in
# others. Only rounding may differ.
TOLERANCE = {torch.bfloat16: 0.1, torch.float16: 0.02}
EXACT = 1e-3
PROMPT, OPTION = 12, 4  # tokens of the parts that are compared


def why_not_packed(model: Module, examples: Sequence[Encoded], settings: TrainSettings) -> str:
    """Return why the options of an item need separate rows; empty if packed rows are exact.

    The start of an item's prompt with two short options runs packed and separate. The states must
    agree, and the second option's must not depend on the first option's tokens. Without items
    nothing runs. Raises UserError if `train.contrast.rows` is `packed` and the rows are not exact.
    """
    wanted = settings.contrast.rows
    item = next((e for e in examples if e.choice is not None), None)
    if item is None:
        return ""
    if wanted == "separate":
        return "train.contrast.rows is separate"
    try:
        reason = _difference(model, item)
    except CannotPackError as error:
        reason = str(error)
    except (TypeError, ValueError, RuntimeError, NotImplementedError) as error:
        if is_out_of_memory(error):
            raise
        reason = f"the model refuses the mask: {error}"
    if reason and wanted == "packed":
        raise UserError(
            f"packed options are not exact: {reason}",
            where="train.contrast.rows",
            remedy="set it to auto or separate",
        )
    return reason


def _difference(model: Module, item: Encoded) -> str:
    """Compare packed and separate states; return the difference in words, or nothing."""
    tokens = [int(token) for token in item.tokens]
    prompt, first = tokens[:PROMPT], tokens[1 : 1 + OPTION]
    second = tokens[2 : 2 + OPTION]
    example = _example(prompt, [first, second])
    other = _example(prompt, [second[::-1], second])
    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            packed, separate = (_states(model, example, packed=p) for p in (True, False))
            changed = _states(model, other, packed=True)
    finally:
        model.train(training)
    apart = float((packed - separate).norm() / separate.norm())
    if not apart <= TOLERANCE.get(packed.dtype, EXACT):
        return f"packed and separate states differ by {apart:.2g}"
    mine = slice(OPTION, 2 * OPTION)  # the second option's
    moved = float((packed[mine] - changed[mine]).norm() / packed[mine].norm())
    if not moved <= EXACT:  # masked values are multiplied by 0
        return f"an option's states move by {moved:.2g} with the tokens of another option"
    return ""


def _example(prompt: Sequence[int], options: Sequence[Sequence[int]]) -> Encoded:
    tokens, choice = pack_choice(prompt, options, prompt[:1], options, answer=0, negative=False)
    return Encoded("", tokens, choice.scored(), choice=choice)


def _states(model: Module, example: Encoded, *, packed: bool) -> Tensor:
    """Return the states from which the options' tokens are predicted, [m, hidden]."""
    rows = pass_rows([example], packed=packed)
    device = next(model.parameters()).device
    ids, sources, _, *layouts = on_device(rows.arrays(), device)
    layout = RowLayout(*layouts[0]) if layouts else None
    hidden = hidden_states(model, ids, layout)
    return hidden.reshape(-1, hidden.shape[-1]).index_select(0, sources)
