"""Check the models of a run against a policy: licence, release day, teaching, names."""

from __future__ import annotations

from collections.abc import Sequence

from kofinlaw.models.catalogue import License, ModelCard, all_models, licenses, lookup_model
from kofinlaw.models.policy.rules import (
    Policy,
    Verdict,
    allowed_models,
    permits,
    policy_named,
    purpose_verdict,
)
from kofinlaw.models.policy.trained_from import bases_of

__all__ = ["check_models", "free_teachers", "is_derivative"]


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
    """Return the verdicts on the models of a run; every model gets at least one.

    Args:
        policy: the policy's name.
        student: the model that is trained and answers. All models are named by catalogue id, alias
            or local folder.
        teachers: models whose outputs train the student.
        embedders: embedding models.
        rerankers: reranking models.
        others: further language models that would answer.
        derived_name: name of the trained model; empty: not checked.
        offline: whether the run does not use the network.

    An embedder or reranker that was trained here is judged as the models that it was trained from.

    Raises: UserError for an unknown policy, and for a broken record of a model's origin.
    """
    rules = policy_named(policy)
    verdicts: list[Verdict] = []
    roles = [(student, "student"), *((name, "answering model") for name in others)]
    roles += [(name, "teacher") for name in teachers]
    for name, role in roles:
        verdicts += _model_verdicts(rules, name, role)
    searching = [(name, "embedder") for name in embedders]
    searching += [(name, "reranker") for name in rerankers]
    for name, role in searching:
        for base in bases_of(name):
            trained = base != name and lookup_model(base) != lookup_model(name)
            verdicts += _model_verdicts(rules, base, f"base of {role} {name}" if trained else role)
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
    verdicts += [_teaching_verdict(rules, teacher, student) for teacher in teachers]
    if derived_name:
        verdicts += _name_verdicts(student, derived_name)
    if rules.offline and not offline:
        clause, detail = rules.clauses["remote_api"], "the recipe lets the run use the network"
        verdicts.append(Verdict(False, "the run", "offline", clause, detail, "offline: true"))
    return verdicts


def _model_verdicts(policy: Policy, name: str, role: str) -> list[Verdict]:
    card = lookup_model(name)
    subject = f"{card.id if card else name} ({role})"
    if card is not None and card.refused:
        clause = policy.clauses.get("remote_api", "")
        return [Verdict(False, subject, "refused", clause, card.refused, allowed_models(policy))]
    verdicts = [purpose_verdict(policy, subject, card.license if card else "")]
    if policy.released_by:
        day = card.released if card else ""
        verdicts.append(_release_verdict(policy, subject, day, allowed_models(policy)))
    return verdicts


def _release_verdict(policy: Policy, subject: str, day: str, allowed: str) -> Verdict:
    """Compare the release day of a model's weights with the policy's last day."""
    clause = policy.clauses.get("released_by", "")
    if not day:
        detail = f"its date is not known, and the last day is {policy.released_by}"
        return Verdict(False, subject, "date", clause, detail, allowed)
    if day > policy.released_by:
        detail = f"released on {day}, after {policy.released_by}"
        return Verdict(False, subject, "date", clause, detail, allowed)
    return Verdict(True, subject, "date", clause, f"released on {day}")


def _teaching_verdict(policy: Policy, teacher_name: str, student_name: str) -> Verdict:
    """Check whether the teacher's licence lets its outputs train the student."""
    teacher, student = lookup_model(teacher_name), lookup_model(student_name)
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
            f"{license_.name}: its outputs may train only {license_.derived_name} derivatives",
            f"a student of the {license_.derived_name} family, or a teacher that may teach "
            f"any model: "
            f"{', '.join(free_teachers(policy))}",
        )
    if policy.purpose == "commercial" and not license_.commercial:
        return Verdict(
            False,
            subject,
            "teaching",
            license_.clauses.get("use", ""),
            f"{license_.name} is non-commercial, and so are the outputs of its model",
            f"a teacher with a commercial licence: {', '.join(free_teachers(policy))}",
        )
    detail = f"{license_.name} allows it"
    if license_.teach == "inherits":
        detail = f"allowed, but the licence {license_.name} then also applies to the student"
    return Verdict(True, subject, "teaching", clause, detail)


def is_derivative(student: ModelCard, license_: License) -> bool:
    """Return whether a student belongs to the model family that the licence's models may teach."""
    return student.license == license_.name or license_.derived_name.lower() in student.id.lower()


def _name_verdicts(student: str, derived_name: str) -> list[Verdict]:
    """Check the beginning of a derived model's name, where the student's licence requires one."""
    card = lookup_model(student)
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
    """Return up to four catalogue models that may teach any student, shortest names first."""
    names = []
    for card in all_models():
        license_ = licenses().get(card.license)
        if card.role != "llm" or card.refused or license_ is None or license_.teach != "others":
            continue
        if permits(license_, policy.purpose) and not policy.is_late(card.released):
            names.append(card.id)
    return sorted(names, key=lambda name: (len(name), name))[:4]
