"""The catalogue as a table: what fits a card, what a policy allows, what a guide says of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kofinlaw import UserError
from kofinlaw.models.catalogue import ModelCard, all_models, claims, find, licenses
from kofinlaw.models.memory.counts import CONSTANT_BYTES, VALUE_BYTES
from kofinlaw.models.memory.plan import serving_plan, training_plan
from kofinlaw.models.policy.gate import check_models, policy_named
from kofinlaw.units import GIB

SERVING_CONTEXT = 4096
TRAINING_LENGTH = 2048
BITS = {4: "nf4", 8: "int8", 16: "none"}


def listing_rows(fits_gib: float, policy: str) -> list[dict[str, Any]]:
    """One row a model: size, licence, date, GiB to train and serve in 4, 8, 16 bit, the verdict.

    Training is one sequence of 2,048 tokens with LoRA r 16, 8-bit optimizer, checkpointing and the
    chunked loss, serving one of 4,096; `gib` and `fits` leave out what is not known. Raises
    UserError for an unknown policy.
    """
    policy_named(policy)
    return [_row(card, fits_gib, policy) for card in all_models()]


def _row(card: ModelCard, fits_gib: float, policy: str) -> dict[str, Any]:
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
    """Why a policy refuses a model in its role, each with the clause."""
    verdicts = check_models(policy, student=card.id)
    return [
        f"{verdict.detail} [{verdict.clause}]" if verdict.clause else verdict.detail
        for verdict in verdicts
        if not verdict.ok
    ]


def memory_gib(card: ModelCard, limit_gib: float) -> dict[str, float]:
    """GiB by `train_4bit` … `serve_16bit`. Embedders and rerankers: their weights alone."""
    if card.role != "llm":
        known = BITS if card.parameters else ()
        return {f"serve_{bits}bit": round(card.parameters * bits / 8 / GIB, 2) for bits in known}
    window = card.context or SERVING_CONTEXT
    gib = {}
    try:
        for bits, quantization in BITS.items():
            plan = training_plan(
                card,
                quantization=quantization,  # type: ignore[arg-type]
                length=min(TRAINING_LENGTH, window),
                limit_gib=limit_gib,
            )
            gib[f"train_{bits}bit"] = round(plan.total, 2)
        for bits in BITS:
            plan = serving_plan(
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
        return training_plan(card, quantization="nf4", limit_gib=fits_gib).longest
    except UserError:
        return None


def listing_lines(rows: Sequence[dict[str, Any]], fits_gib: float, policy: str) -> list[str]:
    """The rows as a table for the terminal, the guide's claims beside our figures at the end."""
    name = max(len(row["id"]) for row in rows)
    lines = [
        f"GiB on a card of {fits_gib:g} GiB (✗ does not fit, – not known); policy {policy}",
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


def _row_lines(row: dict[str, Any], name: int) -> list[str]:
    cells = [
        " ".join(_cell(row, f"{kind}_{bits}bit") for bits in BITS) for kind in ("train", "serve")
    ]
    size = f"{row['parameters'] / 1e9:.2f}B" if row["parameters"] else ""
    terms = f"{row['license'] or 'licence not known'}, {row['released'] or 'date not known'}"
    line = f"{row['id']:<{name}}  {size:>6}  {'  '.join(cells)}  {terms}"
    return [line] if row["allowed"] else [line, f"    not allowed: {row['reason']}"]


def _cell(row: dict[str, Any], width: str) -> str:
    if width not in row["gib"]:
        return f"{'–':>6} "
    return f"{row['gib'][width]:>6.1f}{' ' if row['fits'][width] else '✗'}"


def claim_lines(fits_gib: float) -> list[str]:
    """What the guide says of 24 GB and of EXAONE, each beside what is so."""
    lines = ["What a guide says, beside what is so:"]
    width = max(len(claim["says"]) for claim in claims())
    for claim in claims():
        truth = _size_truth(claim, fits_gib) if "bits" in claim else _license_truth(claim)
        lines.append(f"  {claim['says']:<{width}}  {truth}")
    return lines


def _size_truth(claim: dict[str, Any], fits_gib: float) -> str:
    """The weights alone, every one of them quantised, against the card."""
    quantization = BITS[claim["bits"]]
    width = VALUE_BYTES[quantization] + CONSTANT_BYTES[quantization]
    gib = claim["parameters"] * width / GIB
    if gib > fits_gib:
        return f"no: the weights alone take {gib:.1f} GiB of {fits_gib:g}"
    left = fits_gib - gib
    return f"the weights take {gib:.1f} GiB of {fits_gib:g}, {left:.1f} are left for all the rest"


def _license_truth(claim: dict[str, Any]) -> str:
    card = find(claim["model"])
    if card.license == claim["license"]:
        return "so it is"
    return f"no: {licenses()[card.license].clauses['use']}"
