"""Evaluation sets with gold passages: KoBLEX, Allganize, AutoRAG's form, SearchFireSafety.

The columns are published; no item was read for them. Sources: decision 145.
"""

from __future__ import annotations

import re

from kofinlaw.decoding import clean_text
from kofinlaw.rag.benches.forms import (
    BenchSet,
    Corpus,
    Form,
    Groups,
    Item,
    Passage,
    json_objects,
    letter_options,
    list_of,
    passage_id,
    singles,
    slices_of_row,
    text_in,
)
from kofinlaw.rag.questions.exam_files import Row
from kofinlaw.rag.questions.field_names import text_of_field

__all__ = ["PASSAGE_SETS", "page_unit"]


def page_unit(file: str, page: int) -> str:
    """Return the unit of a page of a document, `FILE p.3`; pages are counted from 1."""
    return f"{clean_text(file).strip()} p.{page}"


def _provision(row: Row) -> Passage:
    title, text = text_of_field(row.get("hierarchy")), text_in(row, "content")
    return Passage(passage_id(title, text), f"{title}\n{text}".strip(), title)


def _koblex(row: Row) -> Item:
    passages = tuple(map(_provision, json_objects(row.get("contexts"), "contexts")))
    stem = [text_of_field(row.get("background")), text_in(row, "question")]
    return Item(
        {
            "question": "\n".join(filter(None, stem)),
            "reference": text_in(row, "answer"),
            "slices": slices_of_row(row, ("n_hops",)),
        },
        singles([passage.id for passage in passages]),
        tuple(dict.fromkeys(passages)),
    )


def _allganize(row: Row) -> Item:
    file = text_in(row, "target_file_name")
    named = text_in(row, "target_page_no")
    pages: list[int] = []
    for part in re.split(r"[,;/]| and ", named):
        ends = [int(float(number)) for number in re.findall(r"\d+(?:\.0+)?", part)]
        if not ends or len(ends) > 2 or ends[-1] < ends[0] or ends[-1] - ends[0] > 50:
            raise ValueError(f"`target_page_no` names no page: {named!r}")
        pages += range(ends[0], ends[-1] + 1)
    return Item(
        {
            "question": text_in(row, "question"),
            "reference": text_in(row, "target_answer"),
            "slices": slices_of_row(row, ("domain", "context_type")),
        },
        singles([page_unit(file, page) for page in pages]),
    )


def _autorag(row: Row) -> Item:
    answers = row.get("generation_gt")
    texts = [answers] if isinstance(answers, str) and answers.strip()[:1] != "[" else None
    found = [text_of_field(one) for one in texts or list_of(answers, "generation_gt")]
    references = list(filter(None, found))
    if not references:
        raise ValueError("`generation_gt` is empty")
    return Item(
        {"id": text_in(row, "qid"), "question": text_in(row, "query"), "reference": references[0]},
        _autorag_gold(row.get("retrieval_gt")),
        unread=len(references) - 1,
    )


def _autorag_gold(value: object) -> Groups:
    """Return the groups in a list of lists (*or* inside, *and* outside), a list, or one id."""
    if isinstance(value, str) and value.strip()[:1] != "[":
        return ((value.strip(),),) if value.strip() else ()
    groups: list[tuple[str, ...]] = []
    for one in list_of(value, "retrieval_gt"):
        inner = one if isinstance(one, (list, tuple)) else [one]
        ids = tuple(dict.fromkeys(filter(None, map(text_of_field, inner))))
        if ids:
            groups.append(ids)
    return tuple(groups)


def _fire_gold(row: Row, name: str) -> Groups:
    return singles([text for one in list_of(row.get(name), name) if (text := text_of_field(one))])


def _fire_free(row: Row) -> Item:
    gold = "related_doc_ids" if "related_doc_ids" in row else "matched_doc_id"
    return Item(
        {
            "id": text_in(row, "question_id"),
            "question": text_in(row, "question"),
            "reference": text_in(row, "answer"),
        },
        _fire_gold(row, gold),
    )


def _fire_choice(row: Row) -> Item:
    lettered = {letter: row.get(f"option_{n}") for n, letter in enumerate("abcde", 1)}
    return Item(
        {
            "id": text_in(row, "question_id"),
            "question": text_in(row, "question"),
            "options": letter_options(lettered, "abcde"),
            "answer": row.get("answer_full"),
        },
        _fire_gold(row, "related_doc_ids"),
    )


def _fire_document(row: Row) -> Passage:
    body = text_of_field(row.get("text")) or text_of_field(row.get("chapter_body"))
    names = ("law_name", "chapter", "chapter_description")
    title = " ".join(filter(None, (text_of_field(row.get(name)) for name in names)))
    return Passage(text_in(row, "doc_id"), f"{title}\n{body}".strip() if body else "", title)


def _autorag_passage(row: Row) -> Passage:
    return Passage(text_in(row, "doc_id"), text_of_field(row.get("contents")))


_ALLGANIZE_FORMS = (
    Form(
        "rag_evaluation_result",
        ("domain", "question", "target_answer", "target_file_name", "target_page_no"),
        _allganize,
        "free",
    ),
)
_FIRE = ("question_id", "question", "answer")


def _allganize_set(name: str, title: str, only: tuple[tuple[str, str], ...] = ()) -> BenchSet:
    return BenchSet(
        name,
        title,
        "MIT",
        "public loaders of allganize/RAG-Evaluation-Dataset-KO",
        _ALLGANIZE_FORMS,
        corpora=(Corpus(pages=True),),
        only=only,
    )


PASSAGE_SETS = (
    BenchSet(
        "koblex",
        "KoBLEX (EMNLP 2025)",
        "unknown: its repository states none",
        "eval_pipeline.py of daehuikim/KoBLEX",
        (Form("koblex", ("background", "question", "answer", "contexts"), _koblex, "free"),),
        corpora=(Corpus(("hierarchy", "content"), _provision, ("statute.jsonl",)),),
    ),
    _allganize_set("allganize", "Allganize RAG evaluation"),
    _allganize_set("allganize-finance", "Allganize RAG, finance", (("domain", "finance"),)),
    _allganize_set("allganize-law", "Allganize RAG, law", (("domain", "law"),)),
    BenchSet(
        "autorag",
        "AutoRAG's qa.parquet and corpus.parquet",
        "that of your own data: this is a form, not a set",
        "AutoRAG's documentation, Dataset Format",
        (Form("qa", ("qid", "query", "retrieval_gt", "generation_gt"), _autorag, "free"),),
        corpora=(
            Corpus(("doc_id", "contents"), _autorag_passage, ("corpus.parquet",), strict=True),
        ),
    ),
    BenchSet(
        "searchfiresafety",
        "SearchFireSafety (ACL 2026)",
        "unknown: its repository states none",
        "README of qqplot/SearchFireSafety",
        (
            Form(
                "multihop_qa_mcq",
                (
                    *("question_id", "question", "related_doc_ids"),
                    *(f"option_{n}" for n in range(1, 6)),
                    "answer_full",
                ),
                _fire_choice,
            ),
            Form("realworld_qa", (*_FIRE, "related_doc_ids"), _fire_free, "free"),
            Form("qna (2025)", (*_FIRE, "matched_doc_id"), _fire_free, "free"),
        ),
        corpora=(
            Corpus(("doc_id", "text"), _fire_document, ("legal_docs.jsonl",)),
            Corpus(("doc_id", "chapter_body"), _fire_document, ("doc.jsonl",)),
        ),
        reader=2,
    ),
)
