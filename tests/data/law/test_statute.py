"""Statutes as a tree of articles, 부칙 and 별표."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from kofinlaw.data.law.statute import looks_like_statute, parse_statute

ACT = """# 전자금융거래법

## 제1장 총칙

##### 제1조 (목적)

이 법은 전자금융거래의 법률관계를 명확히 한다. <개정 2013.5.22>

### 제1절 통칙

##### 제9조의2 (입질(入質) 등의 특례)

**①** 은행은 다음 각 호의 사항을 지켜야 한다. <신설 2020.5.19>

  1\\. 접근매체를 다음 각 목과 같이 관리할 것
    가\\. 보관할 것
    나\\. 기록할 것
  1의2\\. 이용자를 확인할 것
  2\\. 삭제 <2023.9.14>

**②** 제1항을 준용한다.

##### 제10조

삭제 <2016.7.28>

## 제2장 보칙

##### 제11조 (과태료)

제21조제2항을 위반한 자에게는 5천만원 이하의 과태료를 부과한다.

## 부칙

부칙 <제7929호,2006.4.28>

제1조 (시행일) 이 법은 2007년 1월 1일부터 시행한다.

## 별표 1 한도

```text
┌───┬───┐
│구분 │한도 │
├───┼───┤
│ 전자화폐 │ 200 │
└───┴───┘
```
"""


def test_an_act_in_markdown_becomes_articles_supplements_and_annexes():
    statute = parse_statute(ACT)
    assert [a.number for a in statute.articles] == ["제1조", "제9조의2", "제10조", "제11조"]
    assert [a.heading for a in statute.articles] == ["목적", "입질(入質) 등의 특례", "", "과태료"]
    assert [a.path for a in statute.articles] == [
        ("제1장 총칙",),
        ("제1장 총칙", "제1절 통칙"),
        ("제1장 총칙", "제1절 통칙"),
        ("제2장 보칙",),
    ]
    assert [a.deleted for a in statute.articles] == [False, False, True, False]
    assert [s.title for s in statute.supplements] == ["부칙", "부칙 <제7929호,2006.4.28>"]
    assert [s.title for s in statute.annexes] == ["별표 1 한도"]


def test_plain_text_articles_are_distinguished_from_citations_at_the_start_of_a_line():
    text = (
        "제1장 총칙\n제1조(목적) 이 세칙은 훈련을 정한다.\n제2조(정의) 뜻은 다음 각 호와 같다.\n"
        '1. "훈련"이란 점검을 말한다.\n제42조(제2항부터 제4항까지를 제외한다)는 준용한다.\n'
        "제28조제3항을 위반한 자\n제3조 삭제 <2020. 1. 1.>\n부칙\n이 세칙은 공포한 날부터 시행한다.\n"
    )
    statute = parse_statute(text)
    assert [(a.number, a.heading, a.deleted) for a in statute.articles] == [
        ("제1조", "목적", False),
        ("제2조", "정의", False),
        ("제3조", "", True),
    ]
    assert statute.articles[0].lead == "이 세칙은 훈련을 정한다."
    assert statute.articles[1].provisions[0].text.endswith("제28조제3항을 위반한 자")
    assert statute.supplements[0].text == "이 세칙은 공포한 날부터 시행한다."


def test_articles_of_rules_with_chapter_numbers_are_found():
    statute = parse_statute(
        "##### 제4-4조의2 (특례)\n\n본문이다.\n\n##### 제4-5조 (예외)\n\n둘째다.\n"
    )
    assert [a.number for a in statute.articles] == ["제4-4조의2", "제4-5조"]


def test_a_guideline_is_no_statute():
    assert not looks_like_statute("# 지침\n\n제3조에 따라 정한다.\n\n## 1. 로그인\n\n내용\n")
    assert looks_like_statute(ACT)


BOLD = """# 여신규정

**제1장 총칙**

**제1조(목적)** 이 규정은 여신을 정한다.

**제2조** (정의) "여신"이란 대출을 말한다.
**제1조(목적)에서** 정한 대로 한다.

**부칙**

**제1조(시행일)** 이 규정은 2024년 5월 1일부터 시행한다.

**[별표 1]**

전결권
"""


def test_articles_in_bold_are_found():
    assert looks_like_statute(BOLD)
    statute = parse_statute(BOLD)
    first, second = statute.articles
    assert (first.header, first.path) == ("제1조(목적)", ("제1장 총칙",))
    assert first.text == "이 규정은 여신을 정한다."
    assert second.header == "제2조(정의)"
    assert second.text.startswith('"여신"이란 대출을 말한다.')
    assert [one.title for one in statute.annexes] == ["[별표 1]"]
    assert [one.title for one in statute.supplements] == ["부칙"]


PLAIN = "제1조(목적) 이 규정은 여신을 정한다.\n{}[별표 1] 약관\n한도는 1억원이다.\n부칙\n제1조(시행일) 공포한 날부터 시행한다.\n"


def test_a_plain_supplement_below_an_annex_is_not_part_of_the_annex():
    statute = parse_statute(PLAIN.format(""))
    assert [one.text for one in statute.annexes] == ["한도는 1억원이다."]
    assert [one.text for one in statute.supplements] == ["제1조(시행일) 공포한 날부터 시행한다."]


def test_a_second_plain_supplement_below_an_annex_is_that_of_the_annex():
    for text in (PLAIN.format("부칙\n이 규정은 발령일부터 시행한다.\n"), PLAIN[PLAIN.index("[") :]):
        (annex,) = parse_statute(text).annexes
        assert annex.text.endswith("부칙\n제1조(시행일) 공포한 날부터 시행한다.")


LINES = st.sampled_from(
    [
        "##### 제1조 (목적)",
        "##### 제2조",
        "##### 제2조의3 (정의)",
        "## 제1장 총칙",
        "# 제1편",
        "#### 갑자기 깊은 제목",
        "**①** 첫째 항은 다음 각 호와 같다. 1. 가나다 2. 라마바 <개정 2013.5.22>",
        "② 둘째 항",
        "  1\\. 항목",
        "    가\\. 목",
        "제3조(적용) 본문",
        "부칙",
        "## 부칙",
        "## 별표 1",
        "```",
        "",
        "본문이다.",
        "< 삭 제 ＞",
        "\x00\ufeff",
        "(((((",
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(LINES, max_size=25).map("\n".join))
def test_spans_are_in_order_inside_the_text_and_do_not_overlap(text):
    statute = parse_statute(text)
    spans = [(a.start, a.end) for a in statute.articles]
    spans += [(s.start, s.end) for s in (*statute.supplements, *statute.annexes)]
    spans += [(start, end) for start, end, _ in statute.removed]
    spans.sort()
    covered = 0
    for start, end in spans:
        assert covered <= start <= end <= len(text)
        assert not text[covered:start].strip()
        covered = end
    assert not text[covered:].strip()


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_parsed_without_an_error(text):
    for article in parse_statute(text).articles:
        assert article.number.startswith("제")


def test_the_first_article_may_have_no_title():
    text = "제1-1조 이 규정은 위임된 사항을 정한다.\n\n제1-2조(정의) 은행을 말한다.\n"
    first, second = parse_statute(text).articles
    assert (first.number, first.heading, second.number) == ("제1-1조", "", "제1-2조")
    assert first.text == "이 규정은 위임된 사항을 정한다."


def test_a_number_alone_is_a_deleted_article():
    text = (
        "제1조(목적) 목적을 정한다.\n\n제2조\n제3조\n제2장 보고\n제4조(보고) 보고한다.\n"
        "제5조\n에 따른다.\n\n제6조(공고) 공고한다.\n"
    )
    articles = parse_statute(text).articles
    assert [(a.number, a.deleted) for a in articles] == [
        ("제1조", False), ("제2조", True), ("제3조", True), ("제4조", False), ("제6조", False),
    ]  # fmt: skip
    assert articles[0].text == "목적을 정한다."


def test_a_title_without_text_is_deleted_but_not_in_a_list_of_titles():
    body = "".join(f"제{n}조(제목{n}) 내용을 정한다.\n\n" for n in range(1, 9))
    assert parse_statute(body + "제9조(빈 조)\n").articles[-1].deleted
    listed = "".join(f"제{n}조(제목{n})\n" for n in range(1, 9))
    assert not any(article.deleted for article in parse_statute(listed).articles)
