"""What the tools answer from a run, and what they refuse."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from pydantic import ValidationError

from kofinlaw import UserError
from kofinlaw.rag.settings import RagSettings
from kofinlaw.recipes.law_tools.arguments import (
    CompareVersions,
    GetArticle,
    SearchLaw,
    VerifyCitations,
)
from kofinlaw.recipes.law_tools.search_settings import without_model
from kofinlaw.recipes.law_tools.tools import LawTools
from kofinlaw.recipes.pipeline.run import reopen

UNIT = "전산점검 규정 제3조"


@pytest.fixture(scope="module")
def law(dated_run: Path) -> LawTools:
    return LawTools(reopen(dated_run), trust=False, say=print)


def test_a_search_pages_through_its_passages(law: LawTools) -> None:
    asked = {"query": "점검절차의 점검", "max_characters": 100}
    whole = law.search_law(SearchLaw(**asked, limit=20))
    assert whole.found == len(whole.passages) > 1
    assert whole.next_offset is None
    units, offset = [], 0
    while offset is not None:
        page = law.search_law(SearchLaw(**asked, limit=1, offset=offset))
        units += [one.unit for one in page.passages]
        offset = page.next_offset
    assert units == [one.unit for one in whole.passages]
    assert all(len(one.text) <= 100 for one in whole.passages)


def test_a_search_shows_the_law_of_the_day(law: LawTools) -> None:
    words = "이상이 있으면 며칠 이내에 보고하나"
    then = law.search_law(SearchLaw(query=words, as_of="2024. 1. 1.")).passages[0]
    now = law.search_law(SearchLaw(query=words)).passages[0]
    assert (then.unit, "7일" in then.text, then.until) == (UNIT, True, "2025-01-02")
    assert (now.unit, "3일" in now.text, now.since) == (UNIT, True, "2025-01-02")
    before = law.search_law(SearchLaw(query=words, as_of="2020-01-01"))
    assert before.found == 0
    assert "its first is of 2023-01-02" in before.notes[-1]


@pytest.mark.parametrize(
    "name", [UNIT, "전산점검규정3조", "「전산점검 규정」 제3조제1항", "전산점검　규정 第３條"]
)
def test_an_article_is_found_by_what_people_write(law: LawTools, name: str) -> None:
    found = law.get_article(GetArticle(unit=name, as_of="2024-01-01"))
    assert found.unit == UNIT
    assert "7일 이내" in found.text
    assert [one.since for one in found.versions] == ["2023-01-02", "2025-01-02"]
    assert bool(found.notes) == (name != UNIT)


def test_an_article_comes_in_pages_that_join_to_the_whole(law: LawTools) -> None:
    whole = law.get_article(GetArticle(unit="전산점검 규정 제5조", max_characters=200))
    assert whole.next_offset is None
    assert whole.characters == len(whole.text)
    part = GetArticle(unit=UNIT).model_copy(update={"max_characters": 40})
    first = law.get_article(part)
    rest = law.get_article(part.model_copy(update={"offset": 40, "max_characters": 200}))
    assert first.text + rest.text == law.get_article(GetArticle(unit=UNIT)).text


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"unit": "전산점검 규정 제9조"}, "제1조–제5조입니다"),
        ({"unit": "전산점검 규정"}, "name an article or annex of it: 전산점검 규정 제1조"),
        ({"unit": "은행법 제3조"}, "은행법」은 색인에 없습니다"),
        ({"unit": "전산점검 규정 제1조와 제2조"}, "names 2 units"),
        ({"unit": "제3조"}, "write the act's title before it"),
        ({"unit": "점검"}, "it has, for example: 전산점검 규정"),
        ({"unit": UNIT, "as_of": "2020-01-01"}, "has no text on 2020-01-01"),
        ({"unit": "전산점검 규정 제4조"}, "from 2023-01-02 until 2025-01-02"),
        ({"unit": UNIT, "as_of": "2024-13-01"}, "is not a day"),
        ({"unit": UNIT, "offset": 5000}, "use `next_offset`"),
    ],
)
def test_what_an_article_has_not_is_named(law: LawTools, asked: dict, message: str) -> None:
    with pytest.raises(UserError) as refused:
        law.get_article(GetArticle(**asked))
    assert message in str(refused.value)


def test_references_are_verified_on_a_day_and_in_pages(law: LawTools) -> None:
    text = " \u200b 전산점검 규정 제3조제1항, 같은 규정 제7조와 은행법 제3조에 따른다."
    found = law.verify_citations(VerifyCitations(text=text))
    assert [one.verdict for one in found.references] == ["holds", "absent", "unknown"]
    first = found.references[0]
    assert text[first.start : first.end] == first.text == "전산점검 규정 제3조제1항"
    assert (found.found, found.failed) == (3, 1)
    page = law.verify_citations(VerifyCitations(text=text, limit=2))
    assert (len(page.references), page.found, page.next_offset) == (2, 3, 2)
    early = law.verify_citations(VerifyCitations(text=UNIT, as_of="2020-01-01"))
    assert early.references[0].verdict in ("not_in_force", "unknown")
    with pytest.raises(UserError, match="the text is empty"):
        law.verify_citations(VerifyCitations(text=" \n"))
    with pytest.raises(UserError, match="has no act '은행법'"):
        law.verify_citations(VerifyCitations(text="제3조", act="은행법"))


def test_two_days_are_compared(law: LawTools) -> None:
    days = {"act": "전산점검규정", "before": "2024-01-01", "after": "2025-06-01"}
    found = law.compare_versions(CompareVersions(**days))
    assert found.counts == {"added": 1, "amended": 1, "removed": 1, "same": 2}
    assert [(one.unit[-3:], one.change) for one in found.changes] == [
        ("제3조", "amended"),
        ("제4조", "removed"),
        ("제5조", "added"),
    ]
    assert re.search(r"^- .*7일", found.changes[0].lines, re.MULTILINE)
    assert re.search(r"^\+ .*3일", found.changes[0].lines, re.MULTILINE)
    assert {one.effective for one in found.changes} == {"2025-01-02"}
    assert "the newest change" in found.notes[0]
    page = law.compare_versions(CompareVersions(**days, limit=2, offset=2))
    assert ([one.change for one in page.changes], page.next_offset) == (["added"], None)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("2020-01-01", "2025-06-01", "no text on 2020-01-01"),
        ("2025-06-01", "2024-01-01", "swap the two days"),
        ("2024-01-01", "2024-01-01", "swap the two days"),
        ("then", "2024-01-01", "'then' is not a day"),
    ],
)
def test_days_that_cannot_be_compared_are_named(
    law: LawTools, before: str, after: str, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        law.compare_versions(CompareVersions(act="전산점검 규정", before=before, after=after))


def test_an_unknown_act_is_named_with_its_neighbours(law: LawTools) -> None:
    with pytest.raises(UserError, match="for example: 전산점검 규정"):
        law.compare_versions(
            CompareVersions(act="점검 규칙", before="2024-01-01", after="2025-02-01")
        )


@pytest.mark.parametrize(
    ("model", "values"),
    [
        (SearchLaw, {"query": " \u200b "}),
        (SearchLaw, {"query": "가" * 2001}),
        (SearchLaw, {"query": "가", "limit": 21}),
        (SearchLaw, {"query": "가", "page": 1}),
        (GetArticle, {"unit": ""}),
        (VerifyCitations, {"text": "가" * 100_001}),
        (CompareVersions, {"act": "은행법", "before": "2024-01-01"}),
    ],
)
def test_arguments_beyond_their_limits_are_refused(model: type, values: dict) -> None:
    with pytest.raises(ValidationError):
        model(**values)


def test_a_search_needs_no_model(law: LawTools) -> None:
    recipe = RagSettings(reranker="llm", query_forms=("stem", "multi_query"), k=5, neighbours=2)
    settings, left_out = without_model(recipe)
    assert (settings.reranker, settings.query_forms, settings.k) == ("none", ("stem",), 50)
    assert left_out == ("query form multi_query", "reranker llm")
    assert without_model(RagSettings(reranker="folder"))[0].k == 25


def test_a_run_that_cannot_answer_is_refused(dated_run: Path, tmp_path: Path) -> None:
    copy = tmp_path / "run"
    shutil.copytree(dated_run, copy)
    (copy / "index" / "index.json").write_text("{", encoding="utf-8")
    with pytest.raises(UserError, match=r"index\.json"):
        LawTools(reopen(copy), trust=False, say=print)
    shutil.rmtree(copy / "index")
    with pytest.raises(UserError, match="this run has no index"):
        LawTools(reopen(copy), trust=False, say=print)
