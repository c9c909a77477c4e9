"""Several versions of one act in a corpus, each text with the days on which it was in force."""

import json
from pathlib import Path

import pytest

from kofinlaw import silent
from kofinlaw.data.corpus import build_corpus, list_documents, parse_articles
from kofinlaw.data.document_facts import DocumentFacts
from kofinlaw.data.law.annexes import Annex
from kofinlaw.data.law.versions import (
    act_of,
    citation_key,
    order_versions,
    read_chunks,
    validity_text,
)
from kofinlaw.data.reject_log import RejectLog
from kofinlaw.data.settings import DataSettings
from kofinlaw.files import read_jsonl
from kofinlaw.recipes.cli.inspect_corpus import inspect_lines
from kofinlaw.records import Article, Chunk, Rejected

PURPOSE = ("제1조 (목적)", "이 법은 은행 이용자의 권리를 지키는 것을 목적으로 한다.")


def fine(amount: int) -> tuple[str, str]:
    return "제2조 (과태료)", f"알리지 아니한 자에게는 {amount}만원 이하의 과태료를 부과한다."


REPORT = ("제3조 (보고)", "제2조에 따라 은행은 매년 금융위원회에 보고하여야 한다.")


def version(day: str, *articles: tuple[str, str], title: str = "가람법") -> str:
    dated = f"시행일자: {day}\n" if day else ""
    front = f"---\n제목: {title}\n법령ID: '000001'\n{dated}---\n\n# {title}\n\n"
    return front + "\n\n".join(f"##### {header}\n\n{text}" for header, text in articles) + "\n"


def corpus(folder: Path, *texts: str, progress=silent, **settings) -> Path:
    """The corpus of these texts, each in a separate file."""
    (folder / "acts").mkdir()
    for number, text in enumerate(texts, 1):
        (folder / "acts" / f"판 {number}.md").write_text(text, encoding="utf-8")
    out = folder / "data"
    read = DataSettings(sources=[str(folder / "acts")], **settings)
    build_corpus(read, out, base=folder, progress=progress)
    return out


def known(out: Path) -> dict[str, tuple[str, str, str]]:
    """Chunk id → (version, in force from, until) of all chunks."""
    return {c.id: (c.as_of, c.since, c.until) for c in read_chunks(out / "chunks.jsonl")}


@pytest.fixture
def three(tmp_path):
    """Versions of 2020, 2022 and 2024, in files that are not in the order of their days."""
    return corpus(
        tmp_path,
        version("2022-06-10", PURPOSE, fine(300), REPORT),
        version("2024-09-15", PURPOSE, fine(500), ("제3조", "삭제")),
        version("2020-01-01", PURPOSE, fine(300)),
    )


def test_each_text_knows_from_when_until_when_it_was_in_force(three):
    assert known(three) == {
        "가람법/제1조": ("2024-09-15", "2020-01-01", ""),
        "가람법/제2조": ("2024-09-15", "2024-09-15", ""),
        "가람법@2022-06-10/제2조": ("2022-06-10", "2020-01-01", "2024-09-15"),
        "가람법@2022-06-10/제3조": ("2022-06-10", "2022-06-10", "2024-09-15"),
    }
    assert [r.reason for r in read_jsonl(three / "rejected.jsonl", Rejected)] == []


def test_the_newest_version_is_the_corpus_and_earlier_texts_have_their_own_file(three):
    chunks = {c.id: c for c in read_jsonl(three / "chunks.jsonl", Chunk)}
    earlier = {c.id: c for c in read_jsonl(three / "earlier.jsonl", Chunk)}
    assert list(chunks) == ["가람법/제1조", "가람법/제2조"]
    assert "500만원" in chunks["가람법/제2조"].text
    older = earlier["가람법@2022-06-10/제2조"]
    assert "300만원" in older.text
    assert (older.unit, older.title) == ("가람법 제2조", "가람법")
    assert act_of(older.document_id) == chunks["가람법/제2조"].document_id == "가람법"
    articles = list(read_jsonl(three / "articles.jsonl", Article))
    assert [(a.id, a.deleted, a.as_of) for a in articles] == [
        ("가람법 제1조", False, "2024-09-15"),
        ("가람법 제2조", False, "2024-09-15"),
        ("가람법 제3조", True, "2024-09-15"),
    ]
    card = json.loads((three / "card.json").read_text(encoding="utf-8"))
    assert [(s["as_of"], s["chunks"]) for s in card["sources"]] == [
        ("2024-09-15", 2),
        ("2022-06-10", 2),
        ("2020-01-01", 0),
    ]


def test_references_of_an_earlier_text_are_stored_with_its_day(three):
    lines = (three / "citations.jsonl").read_text(encoding="utf-8").splitlines()
    edges = [(e["source"], e["target"], e["resolved"]) for e in map(json.loads, lines)]
    assert edges == [("가람법@2022-06-10 제3조", "가람법 제2조", True)]
    earlier = {c.unit: c for c in read_jsonl(three / "earlier.jsonl", Chunk)}
    assert citation_key(earlier["가람법 제3조"]) == "가람법@2022-06-10 제3조"


def test_an_article_that_comes_back_is_two_texts(tmp_path):
    out = corpus(
        tmp_path,
        version("2020-01-01", PURPOSE, fine(300)),
        version("2021-01-01", PURPOSE, fine(900)),
        version("2022-01-01", PURPOSE, fine(300)),
    )
    days = {name: (since, until) for name, (_, since, until) in known(out).items()}
    assert days["가람법/제2조"] == ("2022-01-01", "")
    assert days["가람법@2021-01-01/제2조"] == ("2021-01-01", "2022-01-01")
    assert days["가람법@2020-01-01/제2조"] == ("2020-01-01", "2021-01-01")


def test_an_earlier_version_is_no_near_duplicate_of_the_newest(tmp_path):
    words = "은행은 이용자의 정보를 업무 목적에 꼭 필요한 범위에서만 다루어야 하며 " * 9
    out = corpus(
        tmp_path,
        version("2020-01-01", ("제1조 (목적)", words + "3일 안에 알린다.")),
        version("2021-01-01", ("제1조 (목적)", words + "5일 안에 알린다.")),
    )
    assert set(known(out)) == {"가람법/제1조", "가람법@2020-01-01/제1조"}
    assert (out / "duplicates.jsonl").read_text(encoding="utf-8") == ""


def test_the_corpus_of_a_single_version_is_what_it_was(tmp_path):
    out = corpus(tmp_path, version("2022-06-10", PURPOSE, fine(300)))
    assert known(out) == {
        "가람법/제1조": ("2022-06-10", "", ""),
        "가람법/제2조": ("2022-06-10", "", ""),
    }
    assert (out / "earlier.jsonl").read_text(encoding="utf-8") == ""
    assert {validity_text(c.since, c.until) for c in read_chunks(out / "chunks.jsonl")} == {""}


def test_a_version_says_its_days_in_words(three):
    texts = {c.id: validity_text(c.since, c.until) for c in read_chunks(three / "chunks.jsonl")}
    assert texts["가람법@2022-06-10/제3조"] == "시행 2022-06-10 ~ 2024-09-14"
    assert texts["가람법/제2조"] == "시행 2024-09-15 ~"


def test_two_texts_of_one_day_are_warned_of_by_name_and_the_first_stays(tmp_path):
    phases: list[str] = []
    out = corpus(
        tmp_path,
        version("2022-06-10", PURPOSE, fine(300)),
        version("2022-06-10", PURPOSE, fine(700)),
        version("2022-06-10", PURPOSE, fine(300)),
        progress=lambda phase, *_, **__: phases.append(phase),
    )
    (warning,) = said = json.loads((out / "card.json").read_text(encoding="utf-8"))["warnings"]
    assert said == [phase.removeprefix("warning: ") for phase in phases if "warning" in phase]
    assert "two different texts of 가람법 of 2022-06-10" in warning
    assert "acts/판 1.md is kept, acts/판 2.md left out" in warning
    reasons = [(r.id, r.reason) for r in read_jsonl(out / "rejected.jsonl", Rejected)]
    assert reasons == [("acts/판 2.md", "same_day"), ("acts/판 3.md", "duplicate")]
    assert set(known(out)) == {"가람법/제1조", "가람법/제2조"}


def test_a_text_without_a_date_gives_way_to_dated_ones(tmp_path):
    out = corpus(tmp_path, version("", PURPOSE), version("2022-06-10", PURPOSE, fine(300)))
    assert {as_of for as_of, _, _ in known(out).values()} == {"2022-06-10"}
    (reject,) = read_jsonl(out / "rejected.jsonl", Rejected)
    assert (reject.id, reject.reason) == ("acts/판 1.md", "superseded")


def test_the_recipes_day_leaves_later_versions_out_and_keeps_earlier_ones(tmp_path):
    texts = [version(f"{year}-01-01", PURPOSE, fine(year)) for year in (2020, 2022, 2030)]
    out = corpus(tmp_path, *texts, as_of="2025-07-31")
    assert [(as_of, since) for as_of, since, _ in known(out).values()] == [
        ("2022-01-01", "2020-01-01"),
        ("2022-01-01", "2022-01-01"),
        ("2020-01-01", "2020-01-01"),
    ]
    (reject,) = read_jsonl(out / "rejected.jsonl", Rejected)
    assert "가람법 제1조 is in force from 2030-01-01" in reject.detail


def test_inspection_shows_an_articles_texts_with_their_days(three):
    lines = inspect_lines(three, "가람법 제2조")
    texts = [line.strip() for line in lines if "── chunk 가람법" in line]
    assert "── chunk 가람법/제2조  시행 2024-09-15 ~" in texts
    assert "── chunk 가람법@2022-06-10/제2조  시행 2020-01-01 ~ 2024-09-14" in texts


def test_plain_articles_are_the_newest_and_the_policy_sees_every_version(tmp_path):
    corpus(tmp_path, *(version(f"{year}-01-01", PURPOSE, fine(year)) for year in (2020, 2022)))
    settings = DataSettings(sources=[str(tmp_path / "acts")])
    assert {a.as_of for a in parse_articles(settings, base=tmp_path)} == {"2022-01-01"}
    days = [day for _, day, _ in list_documents(settings, base=tmp_path).documents]
    assert days == ["2022-01-01", "2020-01-01"]


def rule(
    day, *articles, kind="고시", ministry="금융위원회", serial="", title="가람 감독규정 시행세칙"
):
    number = f"admRulSeq: '{serial}'\n" if serial else ""
    front = f"행정규칙종류: {kind}\n소관부처: {ministry}\n{number}"
    return version(day, *articles, title=title).replace("법령ID: '000001'\n", front)


def test_one_title_of_two_issuers_is_two_rules(tmp_path):
    """The supervisor's 세칙 keeps a title that ends with 세칙; neither replaces the other."""
    newer = rule("2026-01-01", PURPOSE, fine(500), REPORT)
    older = rule("2024-01-01", PURPOSE, fine(300), kind="세칙", ministry="금융감독원")
    out = corpus(tmp_path, newer, older)
    chunks = {c.id: c for c in read_jsonl(out / "chunks.jsonl", Chunk)}
    other = "가람_감독규정_시행세칙_(고시,_금융위원회)"
    assert {c.document_id for c in chunks.values()} == {"가람_감독규정_시행세칙", other}
    assert "300만원" in chunks["가람_감독규정_시행세칙/제2조"].text
    assert "500만원" in chunks[f"{other}/제2조"].text
    assert list(read_jsonl(out / "earlier.jsonl", Chunk)) == []
    (warning,) = json.loads((out / "card.json").read_text(encoding="utf-8"))["warnings"]
    assert "two rules have the title 가람 감독규정 시행세칙" in warning


def test_a_renamed_ministry_is_no_other_issuer(tmp_path):
    older = rule("2024-01-01", PURPOSE, fine(300), ministry="금융감독위원회")
    out = corpus(tmp_path, older, rule("2026-01-01", PURPOSE, fine(500)))
    assert {c.document_id for c in read_jsonl(out / "chunks.jsonl", Chunk)} == {
        "가람_감독규정_시행세칙"
    }
    assert [c.until for c in read_jsonl(out / "earlier.jsonl", Chunk)] == ["2026-01-01"]


def test_titles_in_other_spellings_of_blanks_are_versions(tmp_path):
    out = corpus(
        tmp_path,
        version("2024-01-01", PURPOSE, fine(300), title="가람 에 관한 규정"),
        version("2026-01-01", PURPOSE, fine(500), title="가람에 관한 규정"),
    )
    assert set(known(out)) == {
        "가람에_관한_규정/제1조",
        "가람에_관한_규정/제2조",
        "가람에_관한_규정@2024-01-01/제2조",
    }


def test_one_number_of_the_law_portal_is_one_version(tmp_path):
    text = rule("2026-01-01", PURPOSE, fine(500), serial="2100000254238")
    out = corpus(tmp_path, text, text.replace("##### 제2조 (과태료)", "##### 제2조(과태료)"))
    (reject,) = read_jsonl(out / "rejected.jsonl", Rejected)
    assert (reject.id, reject.reason) == ("acts/판 2.md", "duplicate")
    assert "same version (2100000254238) as acts/판 1.md" in reject.detail
    assert json.loads((out / "card.json").read_text(encoding="utf-8"))["warnings"] == []


def test_texts_that_differ_in_form_only_are_one_text(tmp_path):
    inline = (
        "제2조 (정의)",
        '뜻은 다음 각 호와 같다. 1. "은행"이란 법인을 말한다. 2. "이용자"란 사람을 말한다.',
    )
    lines = (
        "제2조 (정의)",
        "뜻은 다음 각 호와 같다.\n  1. ‘은행’이란 법인을 말한다.\n  2. ‘이용자’란 사람을 말한다.",
    )
    out = corpus(
        tmp_path,
        version("2024-01-01", PURPOSE, inline),
        version("2026-01-01", PURPOSE, lines, REPORT),
    )
    assert known(out)["가람법/제2조"] == ("2026-01-01", "2024-01-01", "")
    assert [c.id for c in read_jsonl(out / "earlier.jsonl", Chunk)] == []


def facts(kind: str, source: str, row: int, **more) -> DocumentFacts:
    return DocumentFacts(
        "여신규정", kind, "2025-01-01", source, "unknown", "markdown", source, "", row, **more
    )


def test_a_manual_that_is_read_before_the_rule_of_its_title_is_the_one_renamed():
    annex = facts("rule", "별표1.md", 2, annex=Annex("별표 1", "", ""))
    documents = [facts("manual", "a.md", 0), facts("rule", "b.md", 1, parts=(annex,))]
    manual, act = order_versions(documents, RejectLog())
    assert (manual.title, act.title) == ("여신규정 (2)", "여신규정")
    assert [part.title for part in act.renamed("수신규정").parts] == ["수신규정"]
