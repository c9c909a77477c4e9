"""Copy the arrays of a pass to the device, and read results back, each in one copy.

A copy from ordinary memory to a card waits for the card. A copy from page-locked memory does not.
Torch keeps such memory until the copy is done, so it may be dropped at once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["in_one_buffer", "on_device", "read_at_once"]


def on_device(arrays: Sequence[NDArray[np.int64]], device: torch.device) -> list[Tensor]:
    """Return int64 arrays as tensors on `device`; a card gets them in one copy without waiting.

    On a processor the tensors share the memory of the arrays.
    """
    if device.type != "cuda":
        return [torch.from_numpy(np.ascontiguousarray(array)).to(device) for array in arrays]
    buffer = torch.empty(sum(a.size for a in arrays), dtype=torch.int64, pin_memory=True)
    return in_one_buffer(arrays, buffer, device)


def in_one_buffer(
    arrays: Sequence[NDArray[np.int64]], buffer: Tensor, device: torch.device
) -> list[Tensor]:
    """Write int64 arrays into `buffer`, copy it to `device`, and return a view for each array.

    `buffer` has as many elements as all arrays together.
    """
    np.concatenate([array.reshape(-1) for array in arrays], out=buffer.numpy())
    there = buffer.to(device, non_blocking=True)
    pieces = there.split([array.size for array in arrays])
    return [piece.view(array.shape) for piece, array in zip(pieces, arrays, strict=True)]


def read_at_once(rows: Sequence[Tensor]) -> list[list[float]]:
    """Return the numbers of tensors [k] of equal length; the device is waited for once."""
    return torch.stack(list(rows)).tolist() if rows else []
