"""May we use it? Policies and licences as data, verdicts with the clause and what is allowed."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from kofinlaw import UserError, __version__
from kofinlaw.models.catalogue import License, ModelCard, all_models, find, licenses

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
    verdicts = [_purpose(policy, subject, card.license if card else "")]
    if policy.released_by:
        day = card.released if card else ""
        verdicts.append(_released(policy, subject, day, allowed_models(policy)))
    return verdicts


def _purpose(policy: Policy, subject: str, name: str, allowed: str = "") -> Verdict:
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
    if _allows(license_, policy.purpose):
        return Verdict(True, subject, "licence", license_.clauses.get("use", ""), license_.name)
    return Verdict(
        False,
        subject,
        "licence",
        license_.clauses.get("use", clause),
        f"{license_.name} does not allow {policy.purpose} use",
        allowed or allowed_models(policy),
    )


def _allows(license_: License, purpose: str) -> bool:
    return {"any": True, "research": license_.research, "commercial": license_.commercial}[purpose]


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
        if _allows(license_, policy.purpose) and not late:
            names.append(card.id)
    return sorted(names, key=lambda name: (len(name), name))[:4]


def allowed_models(policy: Policy) -> str:
    """A few language models of the catalogue that the policy accepts, as a sentence's end."""
    names = []
    for card in all_models():
        license_ = licenses().get(card.license)
        if card.role != "llm" or card.refused or license_ is None:
            continue
        late = policy.released_by and not "" < card.released <= policy.released_by
        if _allows(license_, policy.purpose) and not late:
            names.append(card.id)
    return f"for example {', '.join(names[:4])}" if names else ""


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
    return _purpose(policy, subject, name, allowed)


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
