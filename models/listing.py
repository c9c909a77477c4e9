"""List the catalogue: what fits the GPU, what a policy allows, and what a guide claims."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from kofinlaw import UserError
from kofinlaw.models.catalogue import (
    GuideClaim,
    ModelCard,
    Role,
    all_models,
    find_model,
    guide_claims,
    licenses,
)
from kofinlaw.models.memory.counts import CONSTANT_BYTES, VALUE_BYTES, Quantization
from kofinlaw.models.memory.memory_plan import plan_serving_memory, plan_training_memory
from kofinlaw.models.policy.model_checks import check_models
from kofinlaw.models.policy.rules import policy_named
from kofinlaw.units import GIB

__all__ = [
    "BITS",
    "LEGEND",
    "SERVING_CONTEXT",
    "TRAINING_LENGTH",
    "ListingRow",
    "claim_lines",
    "listing_lines",
    "listing_rows",
    "memory_gib",
]

SERVING_CONTEXT = 4096
TRAINING_LENGTH = 2048
BITS: dict[int, Quantization] = {4: "nf4", 8: "int8", 16: "none"}


class ListingRow(TypedDict):
    """One model of the listing, ready for JSON.

    `gib` and `fits` have the keys train_4bit, train_8bit, train_16bit, serve_4bit ...; a key is
    absent if the size is not known. `reason` says why the policy refuses the model.
    """

    id: str
    role: Role
    parameters: int
    context: int
    license: str
    released: str
    readers: list[str]
    ships_as: str
    notes: str
    gib: dict[str, float]
    fits: dict[str, bool]
    longest_training_tokens: int | None
    allowed: bool
    reason: str


def listing_rows(fits_gib: float, policy: str) -> list[ListingRow]:
    """Return one row per model: size, licence, date, memory in 4, 8 and 16 bit, and the verdict.

    Training is one sequence of 2,048 tokens with LoRA rank 16, an 8-bit optimizer, checkpointing
    and the chunked loss. Serving is one sequence of 4,096 tokens. `fits_gib` is the GPU's memory
    in GiB.

    Raises: UserError for an unknown policy.
    """
    policy_named(policy)
    return [_row(card, fits_gib, policy) for card in all_models()]


def _row(card: ModelCard, fits_gib: float, policy: str) -> ListingRow:
    gib = memory_gib(card, fits_gib)
    refusals = _refusals(card, policy)
    return {
        "id": card.id,
        "role": card.role,
        "parameters": card.parameters,
        "context": card.context,
        "license": card.license,
        "released": card.released,
        "readers": list(card.readers),
        "ships_as": card.ships_as,
        "notes": card.refused or card.notes,
        "gib": gib,
        "fits": {name: value <= fits_gib for name, value in gib.items()},
        "longest_training_tokens": _longest(card, fits_gib),
        "allowed": not refusals,
        "reason": "; ".join(refusals),
    }


def _refusals(card: ModelCard, policy: str) -> list[str]:
    """Return why a policy refuses a model, each reason with its clause."""
    verdicts = check_models(policy, student=card.id)
    return [
        f"{verdict.detail} [{verdict.clause}]" if verdict.clause else verdict.detail
        for verdict in verdicts
        if not verdict.ok
    ]


def memory_gib(card: ModelCard, limit_gib: float) -> dict[str, float]:
    """Return GiB by `train_4bit` … `serve_16bit`; for embedders and rerankers, weights only."""
    if card.role != "llm":
        known = BITS if card.parameters else ()
        return {f"serve_{bits}bit": round(card.parameters * bits / 8 / GIB, 2) for bits in known}
    window = card.context or SERVING_CONTEXT
    gib = {}
    try:
        for bits, quantization in BITS.items():
            plan = plan_training_memory(
                card,
                quantization=quantization,
                length=min(TRAINING_LENGTH, window),
                limit_gib=limit_gib,
            )
            gib[f"train_{bits}bit"] = round(plan.total, 2)
        for bits in BITS:
            plan = plan_serving_memory(
                card, bits=bits, context=min(SERVING_CONTEXT, window), limit_gib=limit_gib
            )
            gib[f"serve_{bits}bit"] = round(plan.total, 2)
    except UserError:
        return {}
    return gib


def _longest(card: ModelCard, fits_gib: float) -> int | None:
    if card.role != "llm":
        return None
    try:
        return plan_training_memory(card, quantization="nf4", limit_gib=fits_gib).longest
    except UserError:
        return None


def listing_lines(rows: Sequence[ListingRow], fits_gib: float, policy: str) -> list[str]:
    """Return the rows as a table for the terminal, then the guide's claims with our figures."""
    name = max(len(row["id"]) for row in rows)
    lines = [
        f"GiB on a GPU of {fits_gib:g} GiB (✗ does not fit, – not known); policy {policy}",
        "",
        f"{'':<{name}}  {'':>6}  {'to train in':^23}  {'to serve in':^23}",
        f"{'':<{name}}  {'size':>6}  {_heads()}  {_heads()}  licence, first weights",
    ]
    for role in ("llm", "embedder", "reranker"):
        lines += ["", {"llm": "language models"}.get(role, f"{role}s")]
        for row in rows:
            if row["role"] == role:
                lines += _row_lines(row, name)
    return [*lines, "", *LEGEND, "", *claim_lines(fits_gib)]


LEGEND = (
    f"To train: one sequence of {TRAINING_LENGTH:,} tokens, LoRA rank 16 on all linear layers, "
    "8-bit optimizer, checkpointing, chunked loss.",
    f"To serve: one sequence of {SERVING_CONTEXT:,} tokens, or the model's whole window.",
    "Arithmetic, not measured. 4-bit bitsandbytes is slower at answering than 16 bit.",
)


def _heads() -> str:
    return " ".join(f"{f'{bits} bit':>7}" for bits in BITS)


def _row_lines(row: ListingRow, name: int) -> list[str]:
    cells = [
        " ".join(_cell(row, f"{kind}_{bits}bit") for bits in BITS) for kind in ("train", "serve")
    ]
    size = f"{row['parameters'] / 1e9:.2f}B" if row["parameters"] else ""
    terms = f"{row['license'] or 'licence not known'}, {row['released'] or 'date not known'}"
    line = f"{row['id']:<{name}}  {size:>6}  {'  '.join(cells)}  {terms}"
    return [line] if row["allowed"] else [line, f"    not allowed: {row['reason']}"]


def _cell(row: ListingRow, width: str) -> str:
    if width not in row["gib"]:
        return f"{'–':>6} "
    return f"{row['gib'][width]:>6.1f}{' ' if row['fits'][width] else '✗'}"


def claim_lines(fits_gib: float) -> list[str]:
    """Compare the guide's claims about 24 GB and about EXAONE with the facts."""
    lines = ["Claims of a guide, and the facts:"]
    width = max(len(claim.says) for claim in guide_claims())
    for claim in guide_claims():
        fact = _size_fact(claim, fits_gib) if claim.bits else _license_fact(claim)
        lines.append(f"  {claim.says:<{width}}  {fact}")
    return lines


def _size_fact(claim: GuideClaim, fits_gib: float) -> str:
    """Compare the weights alone, all of them quantised, with the GPU's memory."""
    quantization = BITS[claim.bits]
    width = VALUE_BYTES[quantization] + CONSTANT_BYTES[quantization]
    gib = claim.parameters * width / GIB
    if gib > fits_gib:
        return f"no: the weights alone take {gib:.1f} GiB of {fits_gib:g}"
    left = fits_gib - gib
    return f"the weights take {gib:.1f} GiB of {fits_gib:g}, {left:.1f} remain for the rest"


def _license_fact(claim: GuideClaim) -> str:
    card = find_model(claim.model)
    if card.license == claim.license:
        return "correct"
    return f"no: {licenses()[card.license].clauses['use']}"
