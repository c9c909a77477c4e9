"""Texts under a policy: their licences in one spelling, their days, what may be made of them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kofinlaw.models.catalogue import licenses
from kofinlaw.models.policy.rules import Policy, Verdict, policy_named, purpose_verdict

_KOGL = re.compile(
    r"(?:공공누리|KOGL|Korea\s*Open\s*Government\s*Licen[cs]e)\s*[-:(]?\s*"
    r"(?:제|type|유형)?\s*-?\s*([1-4])",
    re.IGNORECASE,
)
_CREATIVE = re.compile(r"\bCC[\s-]*(BY(?:[\s-]*(?:NC|ND|SA))*)(?:[\s-]*\d\.\d)?", re.IGNORECASE)


def license_name(stated: str) -> str:
    """A text's licence as the catalogue spells it; as stated where the catalogue has none.

    Creative Commons versions are taken as 4.0: what they allow is the same since 2.0.
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
    """Verdicts on data sources given as (path, licence name).

    `derivatives`: whether works are made from them, as training examples are; texts that are only
    searched and quoted may forbid that.
    """
    rules = policy_named(policy)
    return [_text(rules, path, stated, derivatives) for path, stated in sources]


def _text(policy: Policy, subject: str, stated: str, derivatives: bool) -> Verdict:
    """The word on a text's licence: the purpose, and making works from it."""
    name = license_name(stated)
    license_ = licenses().get(name)
    clause = policy.clauses.get("purpose", "")
    if license_ is None:
        said = f"licence {name!r} is not known here" if name else "no licence is stated"
        if policy.unknown_license:
            detail = f"{said}; policy {policy.name} lets it pass, read it yourself"
            return Verdict(True, subject, "licence", clause, detail)
        allowed = "name the licence its owner states: `license:` of the source or the text's own"
        return Verdict(False, subject, "licence", clause, said, allowed)
    if derivatives and not license_.derivatives:
        detail = f"{name} forbids works made from the text, and training examples are such works"
        allowed = "texts that may be changed: 공공누리 types 1 and 2, CC BY, statutes"
        return Verdict(False, subject, "derivatives", license_.clauses["use"], detail, allowed)
    allowed = "공공누리 types 1 and 3, CC BY, Apache-2.0, statutes"
    return purpose_verdict(policy, subject, name, allowed)


def check_documents(
    policy: str, documents: Sequence[tuple[str, str, str]], *, derivatives: bool = True
) -> list[Verdict]:
    """Verdicts on documents given as (title or article, ISO day of the text, licence name).

    Only refusals are listed one by one; a policy that minds nothing gives one verdict for all.
    """
    rules = policy_named(policy)
    refusals: list[Verdict] = []
    for title, day, stated in documents:
        found = [_text(rules, title, stated, derivatives)]
        if rules.released_by:
            found.append(_in_force(rules, title, day))
        refusals += [verdict for verdict in found if not verdict.ok]
    if refusals:
        return refusals
    clause = rules.clauses.get("released_by", rules.clauses.get("purpose", ""))
    return [Verdict(True, f"{len(documents)} documents", "documents", clause, "all accepted")]


def _in_force(policy: Policy, title: str, day: str) -> Verdict:
    """The day of a text against the policy's last day."""
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
