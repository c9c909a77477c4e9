"""항, 호 and 목 inside an article."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kofinlaw.data.law.provisions import CIRCLED
from kofinlaw.data.law.statute import parse_statute

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


def test_items_in_one_line_are_split_only_if_they_continue_the_series():
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


def test_an_article_set_twice_by_its_circled_number_keeps_one():
    article = parse_statute("##### 제9조 (정의)\n\n**㉑** ㉑ 이 법에서 정한다.\n").articles[0]
    assert labels(article.provisions) == [("제21항", "이 법에서 정한다.", [])]


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
