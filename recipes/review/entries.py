"""Define what other annotation tools get of an example, and what they give back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kofinlaw.augment.review.verdicts import Correction

__all__ = ["CORRECTED", "FIELDS", "Entry", "Shown", "field_texts", "suggested"]

# Names and titles of the fields and of the texts that a reader may correct.
FIELDS = {
    "question": "문제 / question",
    "options": "보기 / options",
    "answer": "정답 / answer",
    "evidence": "제시된 조문 / evidence shown",
    "article": "조문 전체 / whole article",
}
CORRECTED = {
    "question": "고친 문제 / corrected question",
    "options": "고친 보기, 한 줄에 하나 / corrected options, one a line",
    "answer": "고친 정답 / corrected answer",
    "target": "고친 답변 / corrected reply",
}


@dataclass(frozen=True)
class Shown:
    """An example for another tool.

    `earlier` are the turns before the question; `own` is the verdict that `reader` has given, as
    JSON.
    """

    id: str
    sha256: str
    kind: str
    fields: Correction
    earlier: str
    evidence: str
    article: str
    reader: str
    own: Mapping[str, object] | None


@dataclass(frozen=True)
class Entry:
    """What one user of another tool says about an example; `verdict` is empty where nothing is
    said. `corrected` holds the corrected texts by the names of `CORRECTED`. `at` is the ISO time
    of the verdict, where the tool gives it. `status_known` says that it is no draft.
    """

    id: str
    sha256: str
    reader: str
    verdict: str
    reason: str
    corrected: Mapping[str, str]
    at: str = ""
    status_known: bool = True


def field_texts(shown: Shown) -> dict[str, str]:
    """Return the text of each field of `FIELDS`; none is empty, which tools take for missing."""
    fields = shown.fields
    options = "\n".join(f"{n} {text}" for n, text in enumerate(fields["options"], 1))
    answer = " / ".join(filter(None, (fields["answer"], fields["target"])))
    question = "\n\n".join(filter(None, (shown.earlier, fields["question"])))
    texts = (question, options, answer, shown.evidence, shown.article)
    return {name: text or "–" for name, text in zip(FIELDS, texts, strict=True)}


def suggested(shown: Shown) -> dict[str, str]:
    """Return the reader's verdict by the names of the questions; empty for none."""
    own = shown.own
    if own is None:
        return {}
    out = {"verdict": str(own["verdict"]), "reason": str(own["reason"])}
    correction = own["correction"]
    if isinstance(correction, Mapping):
        for name in CORRECTED:
            value = correction[name]
            text = "\n".join(value) if isinstance(value, list) else str(value)
            out[f"corrected_{name}"] = text
    return {name: text for name, text in out.items() if text}
