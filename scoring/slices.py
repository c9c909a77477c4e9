"""The slices an accuracy hides: negative stems, option count, numbers, quoted articles."""

from __future__ import annotations

import re

from kofinlaw.data.records import Key, Question

# A negative stem asks for what is *not* so in its last clause; "신고하지 않은 경우의 과태료는?"
# is a positive question about an omission.
NEGATIVE = re.compile(
    r"(않은|않는|아니하는|아니한|아닌|틀린|그른|잘못된|잘못|없는|옳지|맞지|어긋나는|벗어난|거리가\s*먼|부적절한)"
    r"([^.?!]{0,14}?(것|설명|보기|내용|항목|사항|행위|조치|진술|경우)|\s*(곳|자))[은는을를]?"
    r"(\s*(무엇|어느|모두|고르|어떤)[^?]*)?[\s?？.:]*\Z"
)
# Numbers with their units and at most a bound behind them: "3억 5천만원 이하", "9월 8일". The
# possessive quantifiers keep long digit strings from being tried in every way.
NUMBER = re.compile(
    r"(약|최대|최소|매|연|월|만|제)?\s*(\d[\d,.]*+\s*+[^\d\s]{0,6}\s*)+"
    r"(이내|이상|이하|미만|초과|전|후|까지|동안|부터)?"
)
ARTICLE = re.compile(r"제\s*\d+\s*조")
# A key's own names for what the question shows by itself.
SAME = {
    "four": "options-4",
    "five": "options-5",
    "cites_article": "article-quoted",
    "free": "",
}


def is_negative(stem: str) -> bool:
    """Whether the stem asks for the option that does not hold."""
    return bool(NEGATIVE.search(stem.strip()))


def is_numeric(options: tuple[str, ...]) -> bool:
    """Whether most options are a number with a unit (`7일`, `5천만원 이하`)."""
    if not options:
        return False
    return sum(bool(NUMBER.fullmatch(text.strip())) for text in options) * 2 > len(options)


def slices_of(question: Question, key: Key | None = None) -> tuple[str, ...]:
    """The names of a question's slices in a fixed order; the key's own come last.

    Multiple choice: `negative` or `positive`, `options-N`, `numeric`, `article-quoted`.
    """
    names: list[str] = []
    given = key.slices if key else ()
    if question.options:
        negative = "negative" in given
        if "positive" not in given:
            negative = negative or is_negative(question.question)
        names.append("negative" if negative else "positive")
        names.append(f"options-{len(question.options)}")
        if "numeric" in given or is_numeric(question.options):
            names.append("numeric")
    if ARTICLE.search(question.question):
        names.append("article-quoted")
    names += [SAME.get(name, name) for name in given]
    return tuple(dict.fromkeys(name for name in names if name))
