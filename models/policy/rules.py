"""Load policies.yaml, decide whether a licence permits a use, and refuse a run by its verdicts."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from kofinlaw import UserError
from kofinlaw.models.catalogue import License, all_models, licenses

__all__ = [
    "FILE",
    "RECORDED_FIELDS",
    "UNKNOWN",
    "Policy",
    "Purpose",
    "Verdict",
    "allowed_models",
    "permits",
    "policies",
    "policy_named",
    "purpose_verdict",
    "require_allowed",
    "verdict_sentence",
]

FILE = Path(__file__).parent / "policies.yaml"
UNKNOWN = "licence and release day are not known"

Purpose = Literal["any", "research", "commercial"]
# Rules on models and sources, in the order of the compliance record. The rules on answering
# (generated_answers_only) appear in that record as verdicts; answering_minutes and
# answering_questions are only defaults of `kofinlaw init`.
RECORDED_FIELDS = (
    "name",
    "purpose",
    "released_by",
    "unknown_license",
    "one_llm",
    "remote_api",
    "offline",
    "clauses",
)


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy of policies.yaml, where each rule is explained.

    `released_by` is an ISO day or empty. `clauses` maps a rule to its source.
    """

    name: str
    purpose: Purpose = "any"
    released_by: str = ""
    unknown_license: bool = True
    one_llm: bool = False
    remote_api: bool = False
    offline: bool = False
    generated_answers_only: bool = False
    answering_minutes: int | None = None
    answering_questions: int | None = None
    clauses: dict[str, str] = field(default_factory=dict)

    def to_record(self) -> dict[str, object]:
        """Return the rules on models and sources, as the compliance record states them."""
        values = asdict(self)
        record: dict[str, object] = {rule: values[rule] for rule in RECORDED_FIELDS}
        record["clauses"] = {
            rule: clause for rule, clause in self.clauses.items() if rule in RECORDED_FIELDS
        }
        return record

    def is_late(self, released: str) -> bool:
        """Return whether an ISO day is unknown (empty) or after the policy's last day."""
        return bool(self.released_by) and not "" < released <= self.released_by


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of one rule for one subject.

    `clause` is the source of the rule. If `ok` is false, `allowed` says what would be accepted.
    """

    ok: bool
    subject: str
    rule: str
    clause: str
    detail: str
    allowed: str = ""


@functools.cache
def policies() -> dict[str, Policy]:
    """Return every policy of policies.yaml by name."""
    import yaml

    data = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    for entry in data.values():
        entry["released_by"] = str(entry.get("released_by") or "")
    return {name: Policy(name=name, **entry) for name, entry in data.items()}


def policy_named(name: str) -> Policy:
    """Return a policy by name.

    Raises: UserError that lists the names if there is no such policy.
    """
    if name not in policies():
        raise UserError(f"no policy {name!r}", remedy=f"use one of {', '.join(policies())}")
    return policies()[name]


def purpose_verdict(policy: Policy, subject: str, name: str, allowed: str = "") -> Verdict:
    """Return whether a licence permits the purpose of a policy.

    Args:
        policy: the policy to apply.
        subject: what the licence belongs to, as the verdict names it.
        name: the licence's name in the catalogue; empty if none is stated.
        allowed: what a refusal proposes instead; empty: a few models of the catalogue.
    """
    license_ = licenses().get(name)
    clause = policy.clauses.get("purpose", "")
    if license_ is None:
        if policy.unknown_license:
            stated = f"licence {name!r} is not known here" if name else UNKNOWN
            detail = f"{stated}; policy {policy.name} lets it pass, read it yourself"
            return Verdict(True, subject, "licence", clause, detail)
        return Verdict(
            False,
            subject,
            "licence",
            clause,
            f"its licence ({name or 'none stated'}) is not in the catalogue",
            allowed or allowed_models(policy),
        )
    if permits(license_, policy.purpose):
        return Verdict(True, subject, "licence", license_.clauses.get("use", ""), license_.name)
    return Verdict(
        False,
        subject,
        "licence",
        license_.clauses.get("use", clause),
        f"{license_.name} does not allow {policy.purpose} use",
        allowed or allowed_models(policy),
    )


def permits(license_: License, purpose: Purpose) -> bool:
    """Return whether a licence permits a purpose."""
    return {"any": True, "research": license_.research, "commercial": license_.commercial}[purpose]


def allowed_models(policy: Policy) -> str:
    """Name a few language models of the catalogue that the policy accepts, to end a sentence."""
    names = []
    for card in all_models():
        license_ = licenses().get(card.license)
        if card.role != "llm" or card.refused or license_ is None:
            continue
        if permits(license_, policy.purpose) and not policy.is_late(card.released):
            names.append(card.id)
    return f"for example {', '.join(names[:4])}" if names else ""


def verdict_sentence(verdict: Verdict) -> str:
    """Return a verdict as one sentence for the user. Raises nothing."""
    text = f"{verdict.subject}: {verdict.detail}"
    if verdict.clause:
        text += f" [{verdict.clause}]"
    if not verdict.ok and verdict.allowed:
        text += f"; allowed: {verdict.allowed}"
    return text


def require_allowed(verdicts: Sequence[Verdict]) -> None:
    """Refuse a run if any verdict is a refusal.

    Raises: UserError with the first ten refusals, their clauses and what would be accepted.
    """
    refused = [verdict for verdict in verdicts if not verdict.ok]
    if not refused:
        return
    shown = [verdict_sentence(verdict) for verdict in refused[:10]]
    if len(refused) > len(shown):
        shown.append(f"… and {len(refused) - len(shown)} more")
    raise UserError(
        "the policy refuses this run\n" + "\n".join(f"  {line}" for line in shown),
        where="policy",
        remedy="choose what is allowed, or another `policy`",
    )
