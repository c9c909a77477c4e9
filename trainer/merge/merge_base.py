"""Check that the base is the one the adapter was trained on, and find its 4-bit weights."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.results import JsonValue
from kofinlaw.trainer.base_identity import base_sha256
from kofinlaw.trainer.merge.adapter_files import RECORD, Adapter, Quantization
from kofinlaw.trainer.merge.tensor_files import TensorInfo

__all__ = [
    "IN_PLACE",
    "NOT_QUANTISED",
    "check_base",
    "linear_weights",
    "quantization_of",
    "refuse_quantised_base",
]

# Two-dimensional weights that are not linear layers, or that bitsandbytes does not quantise.
NOT_QUANTISED = re.compile(
    r"(^|[._])(lm_head|embed\w{0,99}|wte|wpe|norm\w{0,99}|\w{0,99}layernorm|router)(\.|$)"
)
IN_PLACE = (
    "adding to 4-bit weights in place rounds back to the same 16 values a block and keeps about "
    "1.5 % of a small adapter"
)


def refuse_quantised_base(
    config: Mapping[str, JsonValue], weights: Mapping[str, TensorInfo], folder: Path
) -> None:
    """Raise UserError, with the reason, for a base whose stored weights are quantised."""
    packed = [name for name in weights if ".quant_state" in name or name.endswith(".absmax")]
    if config.get("quantization_config") or packed:
        raise UserError(
            f"this base is already quantised: {IN_PLACE}",
            where=str(folder),
            remedy="name the 16-bit model; --base dequantized reproduces the 4-bit values from it",
        )


def check_base(adapter: Adapter, folder: Path, accept_unrecorded: bool) -> str:
    """Return the base's SHA-256.

    Raises UserError where it is not the hash that the adapter records, and where the adapter
    records none and `accept_unrecorded` is false.
    """
    digest = base_sha256(folder)
    recorded = adapter.record.get("base_sha256")
    if recorded is None and not accept_unrecorded:
        raise UserError(
            "the record of this adapter does not name its base",
            where=str(adapter.folder / RECORD),
            remedy="if you are sure of the base, merge with --accept-unrecorded",
        )
    if recorded is not None and recorded != digest:
        raise UserError(
            f"this is not the base the adapter was trained on (SHA-256 {digest[:12]}…, the adapter "
            f"says {str(recorded)[:12]}…)",
            where=str(folder),
            remedy=f"use the same revision of {adapter.record.get('base_id', 'the base')}",
        )
    return digest


def quantization_of(adapter: Adapter) -> Quantization | None:
    """Return how training quantised the base, with every key that reproducing its values needs.

    Raises UserError for a type whose values cannot be reproduced, and for missing keys.
    """
    found = adapter.quantization
    if found is None:
        return None
    if found.get("type") not in ("nf4", "fp4"):
        raise UserError(
            f"values of a base quantised as {found.get('type')} cannot be reproduced",
            where=str(adapter.folder / RECORD),
            remedy="merge with --base original and read the proof",
        )
    missing = [key for key in ("block_size", "double_quant", "compute_dtype") if key not in found]
    if missing:
        raise UserError(
            f"the record of the quantisation lacks {', '.join(missing)}",
            where=str(adapter.folder / RECORD),
        )
    return found


def linear_weights(weights: Iterable[TensorInfo]) -> frozenset[str]:
    """Return the names of the weights that bitsandbytes quantises:
    2-D `.weight`, but no embedding, norm or head."""
    return frozenset(
        info.name
        for info in weights
        if len(info.shape) == 2
        and info.name.endswith(".weight")
        and not NOT_QUANTISED.search(info.name.removesuffix(".weight"))
    )
