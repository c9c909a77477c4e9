"""Evaluation sets of multiple choice: KMMLU, KMMLU-Pro, KMMLU-Redux, FSKU, KBL, KCL.

The columns are published; no item was read for them. Sources: decision 145.
"""

from __future__ import annotations

import re

from kofinlaw.rag.benches.forms import (
    BenchSet,
    Form,
    Item,
    Passage,
    json_objects,
    letter_options,
    list_of,
    singles,
    slices_of_row,
    text_in,
)
from kofinlaw.rag.questions.exam_files import Row
from kofinlaw.rag.questions.field_names import text_of_field

__all__ = ["CHOICE_SETS"]

_NUMBERED = re.compile(r"\s*+([1-9])\s++(\S.*+)")

# The fields of KBL's reasoning tasks that precede the options, with what they are.
_CAUSAL = {
    "facts_charged": "공소사실",
    "defendant_claim": "피고인의 주장",
    "facts_accepted": "증거",
    "cause": "X",
    "effect": "Y",
}
_STATEMENTS = {"statement1": "진술 1", "statement2": "진술 2"}
_FOUND = {
    "retrieved_case_appellant": "판결문의 상고인",
    "retrieved_case_fact": "판결문의 사실관계",
    "retrieved_case_claim": "판결문의 당사자 주장",
    "retrieved_case_judicial_opinion": "판결문의 판단",
}
_TWO_CASES = {
    "query_case_appellant": "첫째 판결문의 상고인",
    "query_case_fact": "첫째 판결문의 사실관계",
    "query_case_claim": "첫째 판결문의 당사자 주장",
    "query_case_judicial_opinion": "첫째 판결문의 판단",
    **{name: f"둘째 {label}" for name, label in _FOUND.items()},
}
_CLIENT = {"query": "의뢰인의 주장", **_FOUND}


def _kmmlu(row: Row) -> Item:
    return Item(
        {
            "question": text_in(row, "question"),
            "options": letter_options(row, "abcd"),
            "answer": row.get("answer"),
            "slices": slices_of_row(row, ("category",)),
        }
    )


def _licensure(row: Row) -> Item:
    """KMMLU-Pro and KMMLU-Redux: a list of options, the right one counted from 1."""
    options = [text_of_field(option) for option in list_of(row.get("options"), "options")]
    if len(options) < 2 or "" in options:
        raise ValueError("`options` needs at least two texts, none of them empty")
    return Item(
        {
            "question": text_in(row, "question"),
            "options": options,
            "answer": row.get("solution"),
            "slices": slices_of_row(row, ("license_name", "subject", "category")),
        }
    )


def _fsku(row: Row) -> Item:
    """The options are lines `1 text` at the end of the question, as the set's `baseline.py` reads
    them. The exam reader finds those with other marks.
    """
    fields: dict[str, object] = {"question": text_in(row, "question")}
    lines = str(fields["question"]).splitlines()
    marks = [_NUMBERED.fullmatch(line) for line in lines]
    first = max((i for i, mark in enumerate(marks) if mark and mark[1] == "1"), default=0)
    options = [
        mark[2].strip() for n, mark in enumerate(marks[first:], 1) if mark and mark[1] == str(n)
    ]
    if "a" in row:
        fields["options"] = letter_options(row, "abcd")
    elif first and len(options) == len(lines) - first > 1:
        fields = {"question": "\n".join(lines[:first]), "options": options}
    return Item(
        {
            **fields,
            "answer": row.get("answer"),
            "slices": slices_of_row(row, ("domain", "sub_domain")),
        }
    )


def _fsku_free(row: Row) -> Item:
    return Item(
        {
            "question": text_in(row, "question"),
            "reference": text_in(row, "answer"),
            "keywords": text_of_field(row.get("keyword")),
        }
    )


def _kbl(row: Row) -> Item:
    stem = [text_in(row, "question")]
    for form in (_CAUSAL, _STATEMENTS, _TWO_CASES, _CLIENT):
        if form.keys() <= row.keys():
            stem += [f"{label}: {text_in(row, name)}" for name, label in form.items()]
            break
    return Item(
        {
            "question": "\n".join(stem),
            "options": letter_options(row, "abcde"),
            "answer": row.get("gt") or row.get("label"),
        }
    )


def _kcl(row: Row) -> Item:
    passages: list[Passage] = []
    for found in json_objects(row.get("supporting_precedents"), "supporting_precedents"):
        for name, text in found.items():
            if not isinstance(text, str) or not text.strip():
                raise ValueError(f"the precedent `{name}` has no text")
            passages.append(Passage(name, f"{name}\n{text}", name))
    return Item(
        {
            "question": text_in(row, "question"),
            "options": letter_options(row, "abcde"),
            "answer": row.get("label"),
        },
        singles([passage.id for passage in passages]),
        tuple(dict.fromkeys(passages)),
    )


def _none(row: Row) -> Item:
    raise ValueError("this form is not measured")


_LETTERS = ("question", "a", "b", "c", "d")
CHOICE_SETS = (
    BenchSet(
        "kmmlu",
        "KMMLU (HAERAE-HUB)",
        "CC BY-ND 4.0",
        "lm-evaluation-harness, tasks/kmmlu/default, version 2.0",
        (Form("subject", (*_LETTERS, "answer"), _kmmlu),),
    ),
    BenchSet(
        "kmmlu-pro",
        "KMMLU-Pro (LG AI Research)",
        "CC BY-NC-ND 4.0",
        "public loaders of LGAI-EXAONE/KMMLU-Pro",
        (Form("test", ("question", "options", "solution"), _licensure),),
    ),
    BenchSet(
        "kmmlu-redux",
        "KMMLU-Redux (LG AI Research)",
        "CC BY-NC-ND 4.0",
        "public loaders of LGAI-EXAONE/KMMLU-Redux",
        (Form("test", ("question", "options", "solution"), _licensure),),
    ),
    BenchSet(
        "fsku",
        "FSKU (Financial Security Institute)",
        "MIT",
        "README of FSI-AI/FSKU-benchmark",
        (
            Form("subjective", ("question", "answer", "keyword"), _fsku_free, "free"),
            Form("multiple choice with answers", ("question", "answer"), _fsku),
            Form(
                "multiple choice",
                ("domain", "sub_domain", "question"),
                _fsku,
                separate_key=True,
            ),
        ),
        key_names=("answer.csv",),
    ),
    BenchSet(
        "kbl",
        "KBL (LBox)",
        "CC BY-NC 4.0",
        "lm-evaluation-harness, tasks/kbl",
        (
            Form("causal reasoning", ("question", *_CAUSAL, "a", "b", "label"), _kbl),
            Form("statement consistency", ("question", *_STATEMENTS, "a", "b", "label"), _kbl),
            Form("case relevance (cases)", ("question", *_TWO_CASES, "a", "b", "label"), _kbl),
            Form("case relevance (client)", ("question", *_CLIENT, "a", "b", "label"), _kbl),
            Form("bar exam", (*_LETTERS, "gt"), _kbl),
            Form("knowledge", ("question", "a", "b", "label"), _kbl),
        ),
    ),
    BenchSet(
        "kcl",
        "KCL (LBox)",
        "CC BY-NC 4.0",
        "dataset card of lbox/kcl",
        (
            Form("kcl_mcqa", (*_LETTERS, "e", "label", "supporting_precedents"), _kcl),
            Form(
                "kcl_essay",
                ("question", "rubrics", "score"),
                _none,
                "free",
                unusable="essays have rubrics and no reference answer, so a judge would have to "
                "score them; only kcl_mcqa is measured",
            ),
        ),
    ),
)
