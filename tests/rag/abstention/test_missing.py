"""What a question names and the index lacks."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from kofinlaw.files import write_jsonl
from kofinlaw.rag.abstention.missing import Named, read_names
from kofinlaw.rag.abstention.provisions import Provisions
from kofinlaw.records import Article, Chunk, Provision


def chunk(title: str, name: str, *, unit: str = "") -> Chunk:
    unit = unit or f"{title} {name}"
    return Chunk(unit, title, title, "rule", name, unit, unit, "", "t", "PD", unit)


def article(title: str, number: str, paragraphs: int = 0, *, deleted: bool = False) -> Article:
    tree = tuple(Provision(f"제{n}항", "내용") for n in range(1, paragraphs + 1))
    return Article(
        f"{title} {number}", title, title, "rule", number, "제목", "", "", "내용", tree, deleted,
        "", "t", "PD", (),
    )  # fmt: skip


@pytest.fixture
def provisions(tmp_path: Path) -> Provisions:
    """가람 여신 규정 (제1조–제4조, 별표 1–3; 제3조, 별표 3 deleted), 나래 업무 편람 with headings only."""
    title = "가람 여신 규정"
    chunks = [chunk(title, name) for name in ("제1조", "제2조", "제4조", "별표 1", "별표 2")]
    chunks.append(chunk("나래 업무 편람", "", unit="나래 업무 편람 > 접수"))
    gone = chunk(title, "별표 3")
    chunks.append(replace(gone, text=f"{title} [별표 3]\n삭제 <2022-03-02>"))
    write_jsonl(
        tmp_path / "articles.jsonl",
        [
            article(title, "제1조"),
            article(title, "제2조", 3),
            article(title, "제3조", deleted=True),
            article(title, "제4조", 1),
        ],
    )
    return Provisions.of_corpus(chunks, tmp_path / "articles.jsonl")


@pytest.mark.parametrize(
    "question,reason,text",
    [
        (
            "「가람 여신 규정」 제99조의 내용은?",
            "absent_provision",
            "「가람 여신 규정」에는 제99조가 없습니다. 이 규정은 제1조–제4조입니다.",
        ),
        (
            "가람여신규정 제2조의2는 무엇인가요?",
            "absent_provision",
            "「가람 여신 규정」에는 제2조의2가 없습니다. 이 규정은 제1조–제4조입니다.",
        ),
        (
            "가람 여신 규정 제2조의3은?",
            "absent_provision",
            "「가람 여신 규정」에는 제2조의3이 없습니다. 이 규정은 제1조–제4조입니다.",
        ),
        (
            "가람 여신 규정 제3조를 알려 줘",
            "deleted_provision",
            "「가람 여신 규정」 제3조는 삭제된 조문입니다.",
        ),
        (
            "가람 여신 규정 별표 3의 내용은?",
            "deleted_provision",
            "「가람 여신 규정」 별표 3은 삭제된 별표입니다.",
        ),
        (
            "회사의 여신규정 제99조는?",
            "absent_provision",
            "「가람 여신 규정」에는 제99조가 없습니다. 이 규정은 제1조–제4조입니다.",
        ),
        (
            "「외국환 규정」에서 신고 한도는?",
            "absent_document",
            "「외국환 규정」은 색인에 없습니다.",
        ),
        (
            "가람 여신 규정 제2조제4항은?",
            "absent_provision",
            "「가람 여신 규정」 제2조에는 제4항이 없습니다. 이 조는 제1항–제3항입니다.",
        ),
        (
            "가람 여신 규정 제4조 제2항은?",
            "absent_provision",
            "「가람 여신 규정」 제4조에는 제2항이 없습니다. 이 조는 제1항뿐입니다.",
        ),
        (
            "가람 여신 규정 별표 7에는 무엇이 있나요?",
            "absent_provision",
            "「가람 여신 규정」에는 별표 7이 없습니다. 이 문서의 별표는 별표 1–별표 3입니다.",
        ),
        (
            "나래 업무 편람 별표 1은?",
            "absent_provision",
            "색인에는 「나래 업무 편람」의 별표가 없습니다.",
        ),
        (
            "나래 업무 편람 제5조는?",
            "absent_provision",
            "「나래 업무 편람」에는 제5조가 없습니다. 이 편람은 조문으로 나뉘어 있지 않습니다.",
        ),
        (
            "「외국환거래규정」에서 신고 한도는?",
            "absent_document",
            "「외국환거래규정」은 색인에 없습니다.",
        ),
        ("외국환거래법 제3조는?", "absent_document", "「외국환거래법」은 색인에 없습니다."),
        (
            "새가람 여신 규정과 외국환거래법 제3조는?",
            "absent_document",
            "「외국환거래법」은 색인에 없습니다.",
        ),
        (
            "「가람 여신 규정 시행세칙」에서 신고 한도는?",
            "absent_document",
            "「가람 여신 규정 시행세칙」은 색인에 없습니다.",
        ),
        ("제 99 조는?", "absent_provision", "색인의 어느 문서에도 제99조가 없습니다."),
        (
            "가랑 여신 규정 제99조는?",
            "absent_provision",
            "「가람 여신 규정」에는 제99조가 없습니다. 이 규정은 제1조–제4조입니다.",
        ),
    ],
)
def test_what_a_question_names_and_the_index_lacks_is_said(
    provisions: Provisions, question: str, reason: str, text: str
) -> None:
    missing = read_names(question, provisions).missing
    assert missing is not None
    assert (missing.reason, missing.text) == (reason, text)


@pytest.mark.parametrize(
    "question",
    [
        "가람 여신 규정 제2조는?",
        "가람 여신 규정 제2조제3항은?",
        "가람 여신 규정 제2조와 제99조의 차이는?",
        "가람 여신 규정 별표 2는?",
        "가람 규정 제4조는?",  # an abbreviation of the only title that it fits
        "가람 여신 규전 제4죠는?",
        "여신 규정 제4조는?",  # the last words of the only title that has them
        "여신규정 제4조의 한도는?",
        "회사의 「여신 규정」 제4조는?",
    ],
)
def test_a_provision_that_exists_is_found(provisions: Provisions, question: str) -> None:
    assert read_names(question, provisions) == Named(exists=True)


@pytest.mark.parametrize(
    "question",
    [
        "금리는 얼마인가요?",
        "제2조는 무엇인가요?",
        "「가람」은 무슨 뜻인가요?",
        "이 규정 제4조는?",
        "달빛은행 여신 규정 제4조는?",
        "「여신 규정」의 한도는?",
        "제99조와 제4조는?",
        "외국환거래법 제3조에 따른 가람 여신 규정의 절차는?",
        "가람여신규정에서 「외국환거래법」을 위반하면?",
    ],
)
def test_a_question_that_names_no_document_is_left_to_the_floor(
    provisions: Provisions, question: str
) -> None:
    assert read_names(question, provisions) == Named()


def test_an_index_without_a_list_of_articles_denies_only_what_lies_outside() -> None:
    """An old index knows passages only; a passage inside the range may have been left out."""
    old = Provisions.of_passages([chunk("가람 규정", f"제{n}조") for n in (2, 3, 7)])
    assert read_names("가람 규정 제5조는?", old).missing is None
    assert read_names("가람 규정 제8조는?", old).missing is not None
    assert Provisions.from_record(old.to_record()).documents == old.documents


@pytest.mark.parametrize(
    "question,said",
    [
        ("사내 지침 제{}조", ""),
        ("「다른 규정」 제{}조", "「다른 규정」은 색인에 없습니다."),
        ("제{}조", "색인의 어느 문서에도 제100조가 없습니다."),
    ],
)
def test_a_question_of_thousands_of_citations_takes_little_time(question: str, said: str) -> None:
    names = [f"제{number}조" for number in (1, 20, 40)]
    provisions = Provisions.of_passages(
        chunk(f"업무 {document}편 요령", name) for document in range(300) for name in names
    )
    text = " ".join(question.format(number) for number in range(100, 4100))
    started = time.process_time()
    missing = read_names(text, provisions).missing
    # About one second; more than 15 when each citation is compared with each title.
    assert time.process_time() - started < 8
    assert (missing.text if missing else "") == said
