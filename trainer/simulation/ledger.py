"""Count the live storages of every tensor that an operator makes, and keep the peak.

The ledger sees what reaches torch's dispatcher. Memory that a kernel allocates inside itself is
added from a table (`kernels.py`). Memory of the CUDA context and holes between blocks are not seen.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch._ops import OpOverload as Operator
from torch.utils._python_dispatch import TorchDispatchMode

__all__ = ["CARD_BLOCK", "KERNEL_BUFFERS", "Holder", "Ledger", "Operator", "Peak"]

# torch's CUDA allocator rounds every block up to this many bytes (kMinBlockSize).
CARD_BLOCK = 512
KERNEL_BUFFERS = "buffers inside kernels"


@dataclass(frozen=True, slots=True)
class Holder:
    """Storages alive at the peak: their kind, the operator that made them, number and bytes."""

    kind: str
    operator: str
    count: int
    size: int


@dataclass(frozen=True, slots=True)
class Peak:
    """The most bytes that were alive at once, and where.

    - `place` is the part of the model (a layer, the head, the optimizer).
    - `operator` is the name of the operator that made the last block.
    - `backward` says whether it ran in the backward pass.
    - `holders` are the storages alive then, the largest first.
    """

    size: int
    place: str
    operator: str
    backward: bool
    holders: tuple[Holder, ...]

    def kinds(self) -> dict[str, int]:
        """Return the bytes of each kind, the largest first."""
        sums: dict[str, int] = {}
        for holder in self.holders:
            sums[holder.kind] = sums.get(holder.kind, 0) + holder.size
        return dict(sorted(sums.items(), key=lambda row: -row[1]))


@dataclass(slots=True)
class _Block:
    """One live storage; `reference` tells the ledger when it is freed."""

    size: int
    kind: str
    operator: str
    reference: weakref.ref[torch.UntypedStorage] | None = field(default=None, repr=False)


class Ledger(TorchDispatchMode):
    """A dispatch mode that counts the bytes of the storages made while it is active.

    `place` and `kind` describe what is made from now on. `held` is the number of bytes alive.

    Args:
        block: a storage counts in multiples of this many bytes.
        instead: functions that run in place of an operator, under the ledger. They make visible
            what the operator's kernel allocates, or answer what fake tensors cannot.
        inside: functions from an operator's arguments to the bytes that its kernel allocates and
            frees again.
        kinds: the kind of what an operator makes or writes into `out`, where it is not `kind`.
    """

    def __init__(
        self,
        *,
        block: int = CARD_BLOCK,
        instead: Mapping[Operator, Callable[..., object]] | None = None,
        inside: Mapping[Operator, Callable[..., int]] | None = None,
        kinds: Mapping[Operator, str] | None = None,
    ) -> None:
        super().__init__()
        self.block = block
        self.instead = dict(instead or {})
        self.inside = dict(inside or {})
        self.kinds = dict(kinds or {})
        self.place, self.kind = "", "other"
        self.held = 0
        self._live: dict[int, _Block] = {}
        self._sums: dict[tuple[str, str], tuple[int, int]] = {}
        self._peak = self._now("", 0)

    def __torch_dispatch__(
        self,
        func: Operator,
        types: object,
        args: tuple[object, ...] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> object:
        """Run an operator and count the storages of its results."""
        keywords = kwargs or {}
        if func in self.kinds and func._schema.is_mutable:
            self.relabel(keywords.get("out", args[-1]), self.kinds[func])
        replacement = self.instead.get(func)
        if replacement is not None:
            with self:
                return replacement(*args, **keywords)
        result = func(*args, **keywords)
        if isinstance(result, Tensor):
            self._count(result, func)
        elif isinstance(result, (tuple, list)):
            for tensor in result:
                if isinstance(tensor, Tensor):
                    self._count(tensor, func)
        inside = self.inside.get(func)
        if inside is not None:
            self._pass_through(inside(*args, **keywords), func)
        return result

    def reset(self) -> None:
        """Start a new peak from what is alive now."""
        self._peak = self._now("", 0)

    @property
    def peak(self) -> Peak:
        """The peak since the last `reset`."""
        sums, size, place, operator, backward = self._peak
        holders = [Holder(kind, made_by, *sums[kind, made_by]) for kind, made_by in sums]
        holders.sort(key=lambda holder: -holder.size)
        return Peak(size, place, operator, backward, tuple(holders))

    def relabel(self, tensor: Tensor, kind: str) -> None:
        """Change the kind of a tensor's storage; nothing happens if the ledger has not seen it."""
        block = self._live.get(tensor.untyped_storage()._cdata)
        if block is None or block.kind == kind:
            return
        self._add(block, -1)
        block.kind = kind
        self._add(block, 1)

    def _count(self, tensor: Tensor, func: Operator) -> None:
        storage = tensor.untyped_storage()
        key = storage._cdata
        if key in self._live:
            return
        size = -(-storage.nbytes() // self.block) * self.block
        block = _Block(size, self.kinds.get(func, self.kind), _name(func))
        block.reference = weakref.ref(storage, lambda _: self._free(key))
        self._live[key] = block
        self._add(block, 1)
        if self.held > self._peak[1]:
            self._peak = self._now(_name(func), 0)

    def _free(self, key: int) -> None:
        block = self._live.pop(key, None)
        if block is not None:
            self._add(block, -1)

    def _add(self, block: _Block, sign: int) -> None:
        """Add a block to the sums, or take it out (`sign` -1)."""
        key = (block.kind, block.operator)
        count, size = self._sums.get(key, (0, 0))
        self.held += sign * block.size
        if count + sign:
            self._sums[key] = (count + sign, size + sign * block.size)
        else:
            del self._sums[key]

    def _pass_through(self, size: int, func: Operator) -> None:
        """Note a kernel's own memory, which is freed when the kernel ends."""
        if self.held + size > self._peak[1]:
            self._peak = self._now(_name(func), size)

    def _now(
        self, operator: str, inside: int
    ) -> tuple[dict[tuple[str, str], tuple[int, int]], int, str, str, bool]:
        """Return what is alive, its bytes, and where the step is."""
        sums = dict(self._sums)
        if inside:
            sums[KERNEL_BUFFERS, operator] = (1, inside)
        backward = torch._C._current_graph_task_id() != -1
        return sums, self.held + inside, self.place, operator, backward


def _name(func: Operator) -> str:
    return func._overloadpacket.__name__
