"""Check documents and data sources against a policy: licences, dates, derived works."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kofinlaw.models.catalogue import licenses
from kofinlaw.models.policy.rules import Policy, Verdict, policy_named, purpose_verdict

__all__ = ["check_documents", "check_sources", "license_name"]

_KOGL = re.compile(
    r"(?:공공누리|KOGL|Korea\s*Open\s*Government\s*Licen[cs]e)\s*+[-:(]?\s*+"
    r"(?:제|type|유형)?\s*+-?\s*+([1-4])",
    re.IGNORECASE,
)
_CREATIVE = re.compile(r"\bCC[\s-]*(BY(?:[\s-]*(?:NC|ND|SA))*)(?:[\s-]*\d\.\d)?", re.IGNORECASE)


def license_name(stated: str) -> str:
    """Return a stated licence in the catalogue's spelling, or unchanged if it is not known there.

    Creative Commons licences are treated as version 4.0: what they allow is the same since 2.0.
    """
    text = " ".join(stated.split())
    if text.lower() in ("", "unknown"):
        return ""
    if match := _KOGL.search(text):
        return f"KOGL-{match.group(1)}"
    if match := _CREATIVE.search(text):
        return f"CC-{re.sub(r'[ -]+', '-', match.group(1).upper())}-4.0"
    bare = text.lower().replace(" license", "").replace(" ", "-")
    return next((name for name in licenses() if name.lower() == bare), text)


def check_sources(
    policy: str, sources: Sequence[tuple[str, str]], *, derivatives: bool = True
) -> list[Verdict]:
    """Return the verdicts on data sources.

    Args:
        policy: the policy's name.
        sources: (path, licence name) of each source.
        derivatives: whether works are derived from the texts, as training examples are. Texts that
            are only searched and quoted may forbid derived works.

    Raises: UserError for an unknown policy.
    """
    rules = policy_named(policy)
    return [_license_verdict(rules, path, stated, derivatives) for path, stated in sources]


def _license_verdict(policy: Policy, subject: str, stated: str, derivatives: bool) -> Verdict:
    """Check a text's licence: its purpose, and whether works may be derived from the text."""
    name = license_name(stated)
    license_ = licenses().get(name)
    clause = policy.clauses.get("purpose", "")
    if license_ is None:
        problem = f"licence {name!r} is not known here" if name else "no licence is stated"
        if policy.unknown_license:
            detail = f"{problem}; policy {policy.name} lets it pass, read it yourself"
            return Verdict(True, subject, "licence", clause, detail)
        allowed = "name the licence its owner states: `license:` of the source or the text's own"
        return Verdict(False, subject, "licence", clause, problem, allowed)
    if derivatives and not license_.derivatives:
        detail = f"{name} forbids works made from the text, and training examples are such works"
        allowed = "texts that may be changed: 공공누리 types 1 and 2, CC BY, statutes"
        return Verdict(False, subject, "derivatives", license_.clauses["use"], detail, allowed)
    allowed = "공공누리 types 1 and 3, CC BY, Apache-2.0, statutes"
    return purpose_verdict(policy, subject, name, allowed)


def check_documents(
    policy: str, documents: Sequence[tuple[str, str, str]], *, derivatives: bool = True
) -> list[Verdict]:
    """Return the refusals of documents, or one verdict for all documents if there is no refusal.

    Args:
        policy: the policy's name.
        documents: (title or article, ISO day of the text, licence name) of each document.
        derivatives: whether works are derived from the texts, as training examples are.

    Raises: UserError for an unknown policy.
    """
    rules = policy_named(policy)
    refusals: list[Verdict] = []
    for title, day, stated in documents:
        verdicts = [_license_verdict(rules, title, stated, derivatives)]
        if rules.released_by:
            verdicts.append(_date_verdict(rules, title, day))
        refusals += [verdict for verdict in verdicts if not verdict.ok]
    if refusals:
        return refusals
    clause = rules.clauses.get("released_by", rules.clauses.get("purpose", ""))
    return [Verdict(True, f"{len(documents)} documents", "documents", clause, "all accepted")]


def _date_verdict(policy: Policy, title: str, day: str) -> Verdict:
    """Compare the day of a text with the policy's last day."""
    clause = policy.clauses.get("released_by", "")
    last = policy.released_by
    if not day:
        detail = f"its day is not known, and the last day is {last}"
        allowed = f"state it with `as_of:` of the source, {last} or before"
        return Verdict(False, title, "date", clause, detail, allowed)
    if day > last:
        detail = f"in force from {day}, after {last}"
        allowed = f"the version in force on {last}: `data.as_of: {last}` with a git clone"
        return Verdict(False, title, "date", clause, detail, allowed)
    return Verdict(True, title, "date", clause, f"in force from {day}")
