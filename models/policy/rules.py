"""Policies as data, and the word on a licence: what every judgement of models and texts uses."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.models.catalogue import License, all_models, licenses

FILE = Path(__file__).parent / "policies.yaml"
UNKNOWN = "licence and release day are not known"


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy as policies.yaml holds it; `released_by` is an ISO day or empty."""

    name: str
    purpose: str = "any"
    released_by: str = ""
    unknown_license: bool = True
    one_llm: bool = False
    remote_api: bool = False
    offline: bool = False
    clauses: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One rule's word on one subject. `clause` is where the rule stands; `allowed` says, where
    `ok` is false, what would be allowed instead."""

    ok: bool
    subject: str
    rule: str
    clause: str
    detail: str
    allowed: str = ""


@functools.cache
def policies() -> dict[str, Policy]:
    """Every policy by name."""
    import yaml

    data = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    for entry in data.values():
        entry["released_by"] = str(entry.get("released_by") or "")
    return {name: Policy(name=name, **entry) for name, entry in data.items()}


def policy_named(name: str) -> Policy:
    """A policy by name; raises UserError with the names there are."""
    if name not in policies():
        raise UserError(f"no policy {name!r}", remedy=f"there are {', '.join(policies())}")
    return policies()[name]


def purpose_verdict(policy: Policy, subject: str, name: str, allowed: str = "") -> Verdict:
    """Whether a licence, by name, allows what the policy is for; `allowed` replaces the models
    that are named instead."""
    license_ = licenses().get(name)
    clause = policy.clauses.get("purpose", "")
    if license_ is None:
        if policy.unknown_license:
            said = f"licence {name!r} is not known here" if name else UNKNOWN
            detail = f"{said}; policy {policy.name} lets it pass, read it yourself"
            return Verdict(True, subject, "licence", clause, detail)
        return Verdict(
            False,
            subject,
            "licence",
            clause,
            f"its licence ({name or 'none stated'}) is not one the catalogue knows",
            allowed or allowed_models(policy),
        )
    if allows(license_, policy.purpose):
        return Verdict(True, subject, "licence", license_.clauses.get("use", ""), license_.name)
    return Verdict(
        False,
        subject,
        "licence",
        license_.clauses.get("use", clause),
        f"{license_.name} does not allow {policy.purpose} use",
        allowed or allowed_models(policy),
    )


def allows(license_: License, purpose: str) -> bool:
    """Whether a licence allows a purpose: any, research or commercial."""
    return {"any": True, "research": license_.research, "commercial": license_.commercial}[purpose]


def allowed_models(policy: Policy) -> str:
    """A few language models of the catalogue that the policy accepts, as a sentence's end."""
    names = []
    for card in all_models():
        license_ = licenses().get(card.license)
        if card.role != "llm" or card.refused or license_ is None:
            continue
        late = policy.released_by and not "" < card.released <= policy.released_by
        if allows(license_, policy.purpose) and not late:
            names.append(card.id)
    return f"for example {', '.join(names[:4])}" if names else ""
