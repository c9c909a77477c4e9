"""May we use it? Verdicts on a run's models, the gate, and the record of what was used.

Rules are in `policy_rules`, texts in `policy_texts`; both are reached from here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from kofinlaw import UserError, __version__
from kofinlaw.models.catalogue import License, ModelCard, all_models, find, licenses
from kofinlaw.models.policy.rules import (
    Policy,
    Verdict,
    allowed_models,
    allows,
    policies,
    policy_named,
    purpose_verdict,
)
from kofinlaw.models.policy.texts import check_documents, check_sources, license_name

__all__ = [
    "Policy",
    "Verdict",
    "check_documents",
    "check_models",
    "check_sources",
    "compliance",
    "known",
    "license_name",
    "policies",
    "policy_named",
    "require",
    "sentence",
]


def check_models(
    policy: str,
    *,
    student: str,
    teachers: Sequence[str] = (),
    embedders: Sequence[str] = (),
    rerankers: Sequence[str] = (),
    others: Sequence[str] = (),
    derived_name: str = "",
    offline: bool = True,
) -> list[Verdict]:
    """Verdicts on the models of a run, each by catalogue id, misquote or folder.

    `others` are further language models that would answer; `derived_name` is the trained model's
    name; `offline` whether the run keeps to this machine. Every model gets at least one verdict.
    Raises UserError for an unknown policy.
    """
    rules = policy_named(policy)
    verdicts: list[Verdict] = []
    roles = [(student, "student"), *((name, "answering model") for name in others)]
    roles += [(name, "teacher") for name in teachers]
    roles += [(name, "embedder") for name in embedders]
    roles += [(name, "reranker") for name in rerankers]
    for name, role in roles:
        verdicts += _model_verdicts(rules, name, role)
    if rules.one_llm and set(others) - {student}:
        verdicts.append(
            Verdict(
                False,
                f"{student} + {', '.join(others)}",
                "one LLM",
                rules.clauses["one_llm"],
                "more than one language model would answer",
                "one model, which may be sampled several times and vote",
            )
        )
    verdicts += [_teaching(rules, teacher, student) for teacher in teachers]
    if derived_name:
        verdicts += _naming(student, derived_name)
    if rules.offline and not offline:
        clause, detail = rules.clauses["remote_api"], "the recipe lets the run use the network"
        verdicts.append(Verdict(False, "the run", "offline", clause, detail, "offline: true"))
    return verdicts


def known(name: str) -> ModelCard | None:
    """The catalogue's card, or None for a model it does not know."""
    try:
        return find(name)
    except UserError:
        return None


def _model_verdicts(policy: Policy, name: str, role: str) -> list[Verdict]:
    card = known(name)
    subject = f"{card.id if card else name} ({role})"
    if card is not None and card.refused:
        clause = policy.clauses.get("remote_api", "")
        return [Verdict(False, subject, "refused", clause, card.refused, allowed_models(policy))]
    verdicts = [purpose_verdict(policy, subject, card.license if card else "")]
    if policy.released_by:
        day = card.released if card else ""
        verdicts.append(_released(policy, subject, day, allowed_models(policy)))
    return verdicts


def _released(policy: Policy, subject: str, day: str, allowed: str) -> Verdict:
    clause = policy.clauses.get("released_by", "")
    if not day:
        detail = f"its date is not known, and the last day is {policy.released_by}"
        return Verdict(False, subject, "date", clause, detail, allowed)
    if day > policy.released_by:
        detail = f"out on {day}, after {policy.released_by}"
        return Verdict(False, subject, "date", clause, detail, allowed)
    return Verdict(True, subject, "date", clause, f"out on {day}")


def _teaching(policy: Policy, teacher_name: str, student_name: str) -> Verdict:
    """The teacher's licence on training the student with its outputs."""
    teacher, student = known(teacher_name), known(student_name)
    subject = (
        f"{teacher.id if teacher else teacher_name} → {student.id if student else student_name}"
    )
    license_ = licenses().get(teacher.license) if teacher else None
    if license_ is None:
        detail = "the teacher's licence is not known"
        allowed = "a teacher the catalogue knows, e.g. Qwen2.5 or SOLAR base (Apache-2.0)"
        return Verdict(policy.unknown_license, subject, "teaching", "", detail, allowed)
    clause = license_.clauses.get("teach", license_.clauses.get("use", ""))
    own = student is not None and license_.derived_name and is_derivative(student, license_)
    if license_.teach == "own" and not own:
        return Verdict(
            False,
            subject,
            "teaching",
            clause,
            f"{license_.name}: outputs may train {license_.derived_name} derivatives alone",
            f"a student of the {license_.derived_name} family, or a teacher that may teach anyone: "
            f"{', '.join(free_teachers(policy))}",
        )
    if policy.purpose == "commercial" and not license_.commercial:
        return Verdict(
            False,
            subject,
            "teaching",
            license_.clauses.get("use", ""),
            f"{license_.name} is non-commercial, and so is what it wrote",
            f"a teacher with a commercial licence: {', '.join(free_teachers(policy))}",
        )
    detail = f"{license_.name} allows it"
    if license_.teach == "inherits":
        detail = f"allowed, but the student then stands under {license_.name} too"
    return Verdict(True, subject, "teaching", clause, detail)


def is_derivative(student: ModelCard, license_: License) -> bool:
    """Whether a student is of the family that a licence lets its models teach."""
    return student.license == license_.name or license_.derived_name.lower() in student.id.lower()


def _naming(student: str, derived_name: str) -> list[Verdict]:
    card = known(student)
    license_ = licenses().get(card.license) if card else None
    if license_ is None or not license_.derived_name:
        return []
    ok = derived_name.rsplit("/", 1)[-1].startswith(license_.derived_name)
    return [
        Verdict(
            ok,
            derived_name,
            "name",
            license_.clauses.get("name", ""),
            f"a derivative's name begins with {license_.derived_name!r}",
            "" if ok else f"{license_.derived_name}-{derived_name}",
        )
    ]


def free_teachers(policy: Policy) -> list[str]:
    """Catalogue models that may teach any student under a policy, shortest names first."""
    names = []
    for card in all_models():
        license_ = licenses().get(card.license)
        if card.role != "llm" or card.refused or license_ is None or license_.teach != "others":
            continue
        late = policy.released_by and not "" < card.released <= policy.released_by
        if allows(license_, policy.purpose) and not late:
            names.append(card.id)
    return sorted(names, key=lambda name: (len(name), name))[:4]


def sentence(verdict: Verdict) -> str:
    """A verdict as one sentence for people."""
    text = f"{verdict.subject}: {verdict.detail}"
    if verdict.clause:
        text += f" [{verdict.clause}]"
    if not verdict.ok and verdict.allowed:
        text += f"; allowed: {verdict.allowed}"
    return text


def require(verdicts: Sequence[Verdict]) -> None:
    """Raise UserError with every refusal, its clause and what would be allowed."""
    refused = [verdict for verdict in verdicts if not verdict.ok]
    if not refused:
        return
    shown = [sentence(verdict) for verdict in refused[:10]]
    if len(refused) > len(shown):
        shown.append(f"… and {len(refused) - len(shown)} more")
    raise UserError(
        "the policy refuses this run\n" + "\n".join(f"  {line}" for line in shown),
        where="policy",
        remedy="choose what is allowed, or another `policy`",
    )


def compliance(
    policy: str,
    *,
    models: Mapping[str, str],
    sources: Sequence[Mapping[str, Any]],
    verdicts: Sequence[Verdict],
    folders: Mapping[str, Path] | None = None,
    cache: Path | None = None,
) -> dict[str, Any]:
    """The record the contest asks for: URL, date, licence and hash of every model and source.

    `models` maps names to roles; `folders` names the weights' folders where they are not found by
    themselves. A model whose weights are not on this machine has no hashes.
    """
    from kofinlaw.models.resolve import weight_hashes

    rows = []
    for name, role in models.items():
        card = known(name)
        license_ = licenses().get(card.license) if card else None
        folder = (folders or {}).get(name)
        rows.append(
            {
                "id": card.id if card else name,
                "role": role,
                "url": card.url if card else "",
                "released": card.released if card else "",
                "license": card.license if card else "",
                "clauses": dict(license_.clauses) if license_ else {},
                "sha256": weight_hashes(name, folder=folder, cache=cache),
            }
        )
    return {
        "policy": asdict(policy_named(policy)),
        "ok": all(verdict.ok for verdict in verdicts),
        "models": rows,
        "sources": [dict(source) for source in sources],
        "verdicts": [asdict(verdict) for verdict in verdicts],
        "kofinlaw": __version__,
    }
