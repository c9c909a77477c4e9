from hypothesis import given, settings
from hypothesis import strategies as st

from kofinlaw.data.law.amendments import mask_amendments, strip_amendments
from kofinlaw.data.law.provisions import CIRCLED
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


def labels(nodes):
    return [(n.label, n.text, labels(n.children)) for n in nodes]


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


def test_the_tree_of_an_article_has_paragraphs_items_and_subitems_with_their_paths():
    article = parse_statute(ACT).articles[1]
    assert labels(article.provisions) == [
        (
            "제1항",
            "은행은 다음 각 호의 사항을 지켜야 한다.",
            [
                (
                    "제1항제1호",
                    "접근매체를 다음 각 목과 같이 관리할 것",
                    [("제1항제1호가목", "보관할 것", []), ("제1항제1호나목", "기록할 것", [])],
                ),
                ("제1항제1호의2", "이용자를 확인할 것", []),
                ("제1항제2호", "삭제", []),
            ],
        ),
        ("제2항", "제1항을 준용한다.", []),
    ]
    assert article.amendments == ("<신설 2020.5.19>", "<2023.9.14>")
    assert article.text.splitlines()[0] == "① 은행은 다음 각 호의 사항을 지켜야 한다."


def test_items_that_run_on_in_one_line_are_split_only_where_their_series_goes_on():
    text = (
        "##### 제2조 (정의)\n\n"
        '① 용어의 뜻은 다음 각 호와 같다. 1. "전산실"이란 2025. 1. 1. 이후의 장소를 말한다. '
        "<개정 2013. 12. 3.> 2. 다음 각 목의 자료 가. 전산자료 나. 1.5배를 넘는 자료 3. 삭제 <2013. 12. 3.>\n\n"
        "② 제3호는 적용하지 아니한다.\n\n##### 제3조 (기간)\n\n기간은 다음과 같다. 3. 셋째 항목\n"
    )
    first, second = parse_statute(text).articles
    assert labels(first.provisions) == [
        (
            "제1항",
            "용어의 뜻은 다음 각 호와 같다.",
            [
                ("제1항제1호", '"전산실"이란 2025. 1. 1. 이후의 장소를 말한다.', []),
                (
                    "제1항제2호",
                    "다음 각 목의 자료",
                    [
                        ("제1항제2호가목", "전산자료", []),
                        ("제1항제2호나목", "1.5배를 넘는 자료", []),
                    ],
                ),
                ("제1항제3호", "삭제", []),
            ],
        ),
        ("제2항", "제3호는 적용하지 아니한다.", []),
    ]
    assert second.provisions == ()
    assert second.text == "기간은 다음과 같다. 3. 셋째 항목"


def test_plain_text_articles_are_told_from_citations_at_the_head_of_a_line():
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


def test_an_article_set_twice_by_its_circled_number_keeps_one():
    article = parse_statute("##### 제9조 (정의)\n\n**㉑** ㉑ 이 법에서 정한다.\n").articles[0]
    assert labels(article.provisions) == [("제21항", "이 법에서 정한다.", [])]


def test_amendment_tags_leave_the_text_and_other_brackets_stay():
    text = '승인한다<개정 2013. 12. 3., 2022. 11. 23.> [본조신설 2016.3.29] [이하 "법"이라 한다] <별표 1>'
    clean, tags = strip_amendments(text)
    assert clean == '승인한다 [이하 "법"이라 한다] <별표 1>'
    assert tags == ("<개정 2013. 12. 3., 2022. 11. 23.>", "[본조신설 2016.3.29]")
    page = "인터넷 홈페이지[이동통신단말장치에서 사용되는 애플리케이션(Application)을 포함한다]"
    assert strip_amendments(page) == (page, ())
    assert strip_amendments("<삭제 2020.5.19>") == ("삭제", ("<삭제 2020.5.19>",))


@given(st.text(alphabet="가<>[]개정신설 2013.5,〈〉\n삭제", max_size=60))
def test_masking_tags_keeps_every_offset(text):
    masked = mask_amendments(text)
    assert len(masked) == len(text)
    assert all(m in (" ", t) for m, t in zip(masked, text, strict=True))


def test_a_guideline_is_no_statute():
    assert not looks_like_statute("# 지침\n\n제3조에 따라 정한다.\n\n## 1. 로그인\n\n내용\n")
    assert looks_like_statute(ACT)


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
def test_every_span_lies_in_the_text_in_order_and_none_overlap(text):
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


@given(
    st.lists(st.sampled_from(["업무를 한다.", "자료를 둔다.", "기록할 것"]), min_size=2, max_size=9)
)
def test_inline_items_read_as_items_on_lines_do(items):
    inline = "##### 제1조 (의무)\n\n① 다음 각 호를 지킨다. " + " ".join(
        f"{n}. {item}" for n, item in enumerate(items, 1)
    )
    on_lines = "##### 제1조 (의무)\n\n① 다음 각 호를 지킨다.\n" + "\n".join(
        f"  {n}\\. {item}" for n, item in enumerate(items, 1)
    )
    one, two = parse_statute(inline).articles[0], parse_statute(on_lines).articles[0]
    assert one.provisions == two.provisions
    assert one.text == two.text


def test_circled_numbers_go_to_fifty():
    assert (CIRCLED[0], CIRCLED[19], CIRCLED[20], CIRCLED[34], CIRCLED[49]) == tuple("①⑳㉑㉟㊿")
