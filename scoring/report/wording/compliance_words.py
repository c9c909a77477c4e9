"""Say a compliance record as sentences in Korean and English, each allowed or refused."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import TypedDict

from kofinlaw.data.korean.words import josa
from kofinlaw.scoring.value_text import Words, translated

__all__ = [
    "CLAUSES",
    "PURPOSES",
    "ROLES",
    "RULES",
    "Compliance",
    "Ruling",
    "UsedThing",
    "compliance_context",
    "detail_words",
    "policy_rulings",
    "verdict_ruling",
]


class Ruling(TypedDict):
    """A sentence that says what is allowed or refused; `clause` is its source, or empty texts."""

    ok: bool
    text: Words
    clause: Words


class UsedThing(TypedDict):
    """A model or a source of the run: its name, what it is, facts, link and hashes."""

    name: str
    role: Words
    facts: list[tuple[Words, str]]
    url: str
    hashes: list[tuple[str, str]]


class Compliance(TypedDict):
    """The section on compliance."""

    ok: bool
    summary: Words
    verdicts: list[Ruling]
    policy: list[Ruling]
    models: list[UsedThing]
    sources: list[UsedThing]


PURPOSES: dict[str, Words] = {
    "any": ("모든 용도", "any use"),
    "research": ("연구", "research"),
    "commercial": ("상업적 이용", "commercial use"),
}
ROLES: dict[str, Words] = {
    "student": ("기본 모델", "base model"),
    "answering model": ("답하는 모델", "answering model"),
    "teacher": ("교사 모델", "teacher"),
    "embedder": ("임베더", "embedder"),
    "reranker": ("재순위 모델", "reranker"),
}
RULES: dict[str, Words] = {
    "licence": ("라이선스", "licence"),
    "derivatives": ("2차적 저작물", "derived works"),
    "documents": ("문서의 시행일", "days of the documents"),
    "date": ("공개일", "release day"),
    "one LLM": ("답하는 모델의 수", "number of answering models"),
    "offline": ("네트워크", "network"),
    "refused": ("모델", "model"),
    "teaching": ("교사의 출력으로 학습", "training on the teacher's outputs"),
    "name": ("모델 이름", "name of the model"),
}
CLAUSES: dict[str, Words] = {
    "use": ("이용 조항", "clause on use"),
    "teach": ("다른 모델의 학습에 관한 조항", "clause on teaching"),
    "name": ("이름에 관한 조항", "clause on the name"),
}
# The details that verdicts have, and their Korean forms.
_KOREAN: tuple[tuple[str, str], ...] = (
    (r"licence '(.*)' is not known here", r"라이선스 '\1'은/는 목록에 없습니다"),
    (
        r"licence '(.*)' is not known here; policy (\S+) lets it pass, read it yourself",
        r"라이선스 '\1'은/는 목록에 없지만 정책 \2은/는 허용합니다. 직접 확인하십시오",
    ),
    (
        r"no licence is stated; policy (\S+) lets it pass, read it yourself",
        r"라이선스가 적혀 있지 않지만 정책 \1은/는 허용합니다. 직접 확인하십시오",
    ),
    (
        r"licence and release day are not known; policy (\S+) lets it pass, read it yourself",
        r"라이선스와 공개일을 알 수 없지만 정책 \1은/는 허용합니다. 직접 확인하십시오",
    ),
    (r"no licence is stated", r"라이선스가 적혀 있지 않습니다"),
    (r"its licence \((.*)\) is not in the catalogue", r"라이선스(\1)가 목록에 없습니다"),
    (r"(.+) does not allow any use", r"\1은/는 이용을 허용하지 않습니다"),
    (r"(.+) does not allow research use", r"\1은/는 연구 목적의 이용을 허용하지 않습니다"),
    (r"(.+) does not allow commercial use", r"\1은/는 상업적 이용을 허용하지 않습니다"),
    (
        r"(.+) forbids works made from the text, and training examples are such works",
        r"\1은/는 글을 고쳐 쓰는 것을 금지하며, 학습 예제가 이에 해당합니다",
    ),
    (r"all accepted", r"모두 허용합니다"),
    (
        r"its da(?:y|te) is not known, and the last day is (\S+)",
        r"날짜를 알 수 없습니다. 마지막 날은 \1입니다",
    ),
    (r"in force from (\S+), after (\S+)", r"시행일 \1이 마지막 날 \2보다 늦습니다"),
    (r"in force from (\S+)", r"시행일 \1"),
    (r"released on (\S+), after (\S+)", r"공개일 \1이 마지막 날 \2보다 늦습니다"),
    (r"released on (\S+)", r"공개일 \1"),
    (r"more than one language model would answer", r"언어 모델 두 개 이상이 답하게 됩니다"),
    (r"the recipe lets the run use the network", r"레시피가 네트워크 사용을 허용합니다"),
    (r"the teacher's licence is not known", r"교사 모델의 라이선스를 알 수 없습니다"),
    (r"(.+) allows it", r"\1이/가 허용합니다"),
    (
        r"allowed, but the licence (.+) then also applies to the student",
        r"허용합니다. 다만 라이선스 \1이/가 학습한 모델에도 적용됩니다",
    ),
    (
        r"(.+): its outputs may train only (.+) derivatives",
        r"\1: 출력은 \2 계열 모델의 학습에만 쓸 수 있습니다",
    ),
    (
        r"(.+) is non-commercial, and so are the outputs of its model",
        r"\1은/는 비상업 라이선스이며, 그 모델의 출력도 마찬가지입니다",
    ),
    (r"a derivative's name begins with '(.*)'", r"파생 모델의 이름은 '\1'으로/로 시작해야 합니다"),
    (r"it runs only behind its maker's API", r"제조사의 API로만 쓸 수 있습니다"),
    (r"its weights were never published", r"가중치가 공개되지 않았습니다"),
)

# The sources that policies state in a sentence; the clauses of licences stay as they are quoted.
_SOURCES: dict[str, str] = {
    "this project answers offline; servers on this machine are fine": (
        "이 프로젝트는 오프라인으로 답합니다. 이 컴퓨터에 있는 서버는 쓸 수 있습니다"
    ),
    "policy research: the licence must allow research": (
        "정책 research: 연구를 허용하는 라이선스여야 합니다"
    ),
    "policy commercial: the licence must allow commercial use": (
        "정책 commercial: 상업적 이용을 허용하는 라이선스여야 합니다"
    ),
    "2025 금융 AI Challenge: a licence that allows at least non-commercial use": (
        "2025 금융 AI Challenge: 적어도 비상업적 이용을 허용하는 라이선스"
    ),
    "2025 금융 AI Challenge: weights and data public by 2025-07-31": (
        "2025 금융 AI Challenge: 2025-07-31까지 공개된 가중치와 데이터"
    ),
    "2025 금융 AI Challenge: one LLM answers": "2025 금융 AI Challenge: 하나의 LLM으로 답함",
    "2025 금융 AI Challenge: no API, no network": (
        "2025 금융 AI Challenge: API와 네트워크 사용 금지"
    ),
    "2025 금융 AI Challenge: the answer handed in is text that the LLM generated": (
        "2025 금융 AI Challenge: 제출하는 답은 LLM이 생성한 글"
    ),
}
_PARTICLE = re.compile(r"(?<![^\s'])([^\s']+)('?)(은/는|이/가|으로/로)")


def compliance_context(record: Mapping[str, object] | None) -> Compliance | None:
    """Return the section's sentences; None without a compliance record."""
    if not record:
        return None
    policy = _mapping(record.get("policy"))
    verdicts = [verdict_ruling(row) for row in _rows(record.get("verdicts"))]
    ok = bool(record.get("ok"))
    name = str(policy.get("name") or "–")
    refused = sum(not verdict["ok"] for verdict in verdicts)
    summary = (
        (
            f"정책 {name}: 검사 {len(verdicts)}개를 모두 통과했습니다.",
            f"Policy {name}: all {len(verdicts)} checks passed.",
        )
        if ok
        else (
            f"정책 {name}: 검사 {len(verdicts)}개 가운데 {refused}개가 거부되었습니다.",
            f"Policy {name}: {refused} of {len(verdicts)} checks were refused.",
        )
    )
    return {
        "ok": ok,
        "summary": summary,
        "verdicts": verdicts,
        "policy": policy_rulings(policy),
        "models": [_model(row) for row in _rows(record.get("models"))],
        "sources": [_source(row) for row in _rows(record.get("sources"))],
    }


def policy_rulings(policy: Mapping[str, object]) -> list[Ruling]:
    """Return what a policy allows (✓) and refuses (✗), one sentence a rule."""
    clauses = _mapping(policy.get("clauses"))
    out: list[Ruling] = []

    def add(rule: str, ok: bool, korean: str, english: str) -> None:
        out.append(
            {"ok": ok, "text": (korean, english), "clause": _source_words(clauses.get(rule))}
        )

    purpose = str(policy.get("purpose") or "any")
    korean, english = PURPOSES.get(purpose, (purpose, purpose))
    if purpose == "any":
        add("purpose", True, "용도를 제한하지 않습니다.", "Models and documents for any use.")
    else:
        add(
            "purpose",
            False,
            f"{korean}에 쓸 수 없는 라이선스의 모델과 문서.",
            f"Models and documents whose licence does not allow {english}.",
        )
    known = bool(policy.get("unknown_license"))
    add(
        "unknown_license",
        known,
        "라이선스를 알 수 없는 모델과 문서.",
        "Models and documents without a known licence.",
    )
    last = str(policy.get("released_by") or "")
    if last:
        add(
            "released_by",
            False,
            f"{last} 뒤에 공개된 모델과 문서.",
            f"Models and documents that were published after {last}.",
        )
    else:
        add(
            "released_by",
            True,
            "공개된 날과 관계없이 모든 모델과 문서.",
            "Models and documents of any release day.",
        )
    add(
        "one_llm",
        not policy.get("one_llm"),
        "언어 모델 두 개 이상으로 답하기.",
        "Answers by more than one language model.",
    )
    add(
        "remote_api",
        bool(policy.get("remote_api")),
        "다른 컴퓨터에 있는 모델 서버(API).",
        "Model servers (APIs) on other machines.",
    )
    add(
        "offline",
        not policy.get("offline"),
        "실행하는 동안 네트워크 사용.",
        "Network access while running.",
    )
    if policy.get("generated_answers_only"):
        add(
            "generated_answers_only",
            False,
            "모델이 쓰지 않은 답.",
            "Answers that the model did not generate.",
        )
    return out


def verdict_ruling(row: Mapping[str, object]) -> Ruling:
    """Return a verdict as a sentence."""
    subject = str(row.get("subject") or "")
    rule = str(row.get("rule") or "")
    detail = detail_words(str(row.get("detail") or ""))
    title = RULES.get(rule, (rule, rule))
    names = _subject_words(subject)
    text = (
        f"{names[0]} · {title[0]}: {detail[0]}",
        f"{names[1]} · {title[1]}: {detail[1]}",
    )
    return {"ok": bool(row.get("ok")), "text": text, "clause": _source_words(row.get("clause"))}


def detail_words(detail: str) -> Words:
    """Return the detail of a verdict in both languages; an unknown one stays unchanged."""
    return _PARTICLE.sub(_with_particle, translated(detail, _KOREAN)), detail


def _with_particle(match: re.Match[str]) -> str:
    """Return a word with the particle that its last sound takes."""
    word, quote, particle = match.groups()
    return f"{word}{quote}{josa(word, particle).removeprefix(word)}"


def _source_words(clause: object) -> Words:
    """Return the source of a rule in both languages; empty without one."""
    text = str(clause or "")
    return _SOURCES.get(text, text), text


def _subject_words(subject: str) -> Words:
    """Return a subject: `MODEL (role)`, the path of a source, or a number of documents."""
    match = re.fullmatch(r"(.+) \(([a-z ]+)\)", subject)
    if match and match[2] in ROLES:
        korean, english = ROLES[match[2]]
        return f"{match[1]} ({korean})", f"{match[1]} ({english})"
    match = re.fullmatch(r"(\d+) documents", subject)
    if match:
        return f"문서 {match[1]}개", subject
    if subject == "the run":
        return "이 실행", "this run"
    short = _short_path(subject)
    return short, short


def _short_path(path: str) -> str:
    """Return the last three parts of an absolute path; other texts stay unchanged."""
    parts = PurePosixPath(path).parts
    return "…/" + "/".join(parts[-3:]) if path.startswith("/") and len(parts) > 4 else path


def _model(row: Mapping[str, object]) -> UsedThing:
    role = str(row.get("role") or "")
    facts = [
        (("라이선스", "licence"), str(row.get("license") or "–")),
        (("공개일", "released"), str(row.get("released") or "–")),
    ]
    clauses = _mapping(row.get("clauses"))
    facts += [(CLAUSES.get(name, (name, name)), str(text)) for name, text in clauses.items()]
    return {
        "name": str(row.get("id") or "–"),
        "role": ROLES.get(role, (role, role)),
        "facts": facts,
        "url": str(row.get("url") or ""),
        "hashes": [(name, str(value)) for name, value in _mapping(row.get("sha256")).items()],
    }


def _source(row: Mapping[str, object]) -> UsedThing:
    return {
        "name": _short_path(str(row.get("path") or "–")),
        "role": ("문서", "documents"),
        "facts": [(("라이선스", "licence"), str(row.get("license") or "–"))],
        "url": "",
        "hashes": [("sha256", str(row["sha256"]))] if row.get("sha256") else [],
    }


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _rows(value: object) -> Sequence[Mapping[str, object]]:
    rows = value if isinstance(value, list) else []
    return [row for row in rows if isinstance(row, Mapping)]
