"""References of a text, checked against a small corpus."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kofinlaw.data.law import KnownLaw, verify_citations
from kofinlaw.data.law.former_names import FormerName
from kofinlaw.data.law.provisions import provision_tree, read_lines
from kofinlaw.data.law.verifying.known_law import KnownDecision
from kofinlaw.records import Article

DAMAGES = "고의 또는 과실로 타인에게 손해를 가한 자는 그 손해를 배상할 책임이 있다."
LISTED = "① 다음 각 호의 자는 신고하여야 한다.\n1. 은행\n2. 보험회사\n② 신고는 7일 이내에 한다."


def article(number, heading, text, title="가나법", as_of="2024-01-01"):
    lead, tree = provision_tree(read_lines(text, 0, len(text))[0])
    name = title.replace(" ", "_")
    return Article(
        f"{title} {number}", name, title, "statute", number, heading, "", lead, text, tree,
        text.startswith("삭제"), as_of, "a.md", "", (),
    )  # fmt: skip


ARTICLES = [
    article("제1조", "손해배상", DAMAGES),
    article("제2조", "신고", LISTED),
    article("제3조", "", "삭제"),
    article("제1조", "목적", "이 영은 가나법을 시행한다.", "가나법 시행령"),
]
LAW = KnownLaw.of_articles(ARTICLES)


def verdicts(text, **options):
    return [
        (one.target, one.provision, one.title) for one in verify_citations(text, LAW, **options)
    ]


AS_FAR = "holds as far as the corpus says"
DIFFERS = "exists, but heading or quotation differs"


@pytest.mark.parametrize(
    ("text", "target", "title"),
    [
        ("가나법 제1조", "가나법 제1조", AS_FAR),
        ("「가나법」 제1조(손해배상)", "가나법 제1조", "holds"),
        ("가나법 제1조(신고의무)", "가나법 제1조", DIFFERS),
        (f"가나법 제1조는 “{DAMAGES}”라고 정한다", "가나법 제1조", "holds"),
        ("가나법 제1조는 “고의로 손해를 가한 자는 책임이 있다”라고 정한다", "가나법 제1조", DIFFERS),
        ("“고의 또는 과실로 … 그 손해를 배상”이라고 정한 가나법 제1조", "가나법 제1조", "holds"),
        ("가나법 제9조", "가나법 제9조", "does not exist"),
        ("가나법 제2조제3항", "가나법 제2조", "does not exist"),
        ("가나법 제2조제1항제3호", "가나법 제2조", "does not exist"),
        ("가나법 제3조", "가나법 제3조", "repealed"),
        ("다라법 제1조", "다라법 제1조", "cannot know"),
        ("구 가나법 제9조", "가나법 제9조", "cannot know"),
        ("미국 가나법 제9조", "미국 가나법 제9조", "cannot know"),
        ("다라 등에 관한 법률 제9조", "다라 등에 관한 법률 제9조", "cannot know"),
        ("대법원 2010. 12. 9. 선고 2010도11015 판결", "2010도11015", "cannot know"),
        ("가나법　第２條第１項", "가나법 제2조", AS_FAR),
    ],
)  # fmt: skip
def test_the_verdict_on_a_reference(text, target, title):
    found = verify_citations(text, LAW)
    assert [(one.target, one.title) for one in found] == [(target, title)]


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("가나법 제1조【손해배상】", "holds"),
        ("가나법 제1조【손해보상】", DIFFERS),
        ("가나법 제1조 【손해에 대한 배상의 책임】", DIFFERS),
        ("가나법 제1조\u3000〔손해에 대한 배상의 책임〕", DIFFERS),
        ("가나법 제1조 【원고, 상고인】", AS_FAR),
        ("가나법 제1조[손해에 대한 배상의 책임]", DIFFERS),
        ("가나법 제1조 <손해에 대한 배상의 책임>", DIFFERS),
        (f"가나법 제1조 “{DAMAGES}”", "holds"),
        ("가나법 제1조(“고의로 타인에게 손해를 가한 자는 책임이 있다.”)", DIFFERS),
        ("가나법 제1조는 다음과 같이 규정한다. “고의로 손해를 가한 자는 책임이 있다.”", DIFFERS),
        ("“고의로 타인에게 손해를 가한 자는 책임이 있다.” - 가나법 제1조", DIFFERS),
        (f"가나법 제1조는 「{DAMAGES}」고 규정한다", "holds"),
        ("가나법 제1조는 『고의로 손해를 가한 자는 책임이 있다』고 규정한다", DIFFERS),
    ],
)  # fmt: skip
def test_headings_and_quotations_in_other_marks(text, title):
    (one,) = verify_citations(text, LAW)
    assert one.title == title


@pytest.mark.parametrize(
    "particle", ["에 따르면", "에따르면", "에 의하면,", "에 의하면", "는", ":"]
)
def test_words_after_a_particle_of_saying_are_a_quotation(particle):
    (right,) = verify_citations(f"가나법 제1조{particle} “{DAMAGES}”", LAW)
    wrong, *_ = verify_citations(
        f"가나법 제1조{particle} “고의로 타인에게 손해를 가한 자는 벌금에 처한다.”", LAW
    )
    assert (right.verdict, right.basis, wrong.verdict) == ("holds", "words", "differs")


def test_an_act_named_before_is_the_act_of_a_short_form():
    text = "가나법 제1조, 동법 시행령 제1조, 같은 영 제9조, 같은 법 제2조부터 제9조까지"
    assert verdicts(text) == [
        ("가나법 제1조", "", AS_FAR),
        ("가나법 시행령 제1조", "", AS_FAR),
        ("가나법 시행령 제9조", "", "does not exist"),
        ("가나법 제2조", "", AS_FAR),
        ("가나법 제9조", "", "does not exist"),
    ]


WIDE = KnownLaw.of_articles(
    [
        article("제1조", "목적", "이 법은 거래를 정한다.", "상호저축은행법"),
        article("제2조", "신고", "① 신고한다.\n1. 은행\n가. 본점\n나. 지점\n1의2. 회사\n2. 조합\n② 알린다.\n③ 적는다.", "상호저축은행법"),
        article("제2조의3", "통지", "통지한다.", "상호저축은행법"),
        article("제3조", "보고", "① 보고한다.\n② 제출한다.", "상호저축은행법"),
        article("제4조", "검사", "검사한다.", "상호저축은행법"),
        article("제5조", "벌칙", "벌한다.", "상호저축은행법"),
    ]
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("저축은행법 §2 ①", ["제2조 제1항"]),
        ("저축은행법 제2조 (1)항", ["제2조 제1항"]),
        ("저축은행법 제2조 ①, ②항", ["제2조 제1항", "제2조 제2항"]),
        ("저축은행법 제2조①ㆍ②ㆍ③", ["제2조 제1항", "제2조 제2항", "제2조 제3항"]),
        ("저축은행법 제2조의3 ①", ["제2조의3 제1항"]),
        ("저축은행법 제2조 ① 및 ②", ["제2조 제1항", "제2조 제2항"]),
        ("저축은행법 제2조 제1항 1호 및 2호", ["제2조 제1항제1호", "제2조 제1항제2호"]),
        ("저축은행법 2조 1항, 2항 및 3항", ["제2조 제1항", "제2조 제2항", "제2조 제3항"]),
        ("저축은행법 제2조 제1항 제1호의 나목", ["제2조 제1항제1호나목"]),
        ("저축은행법 제2조 제1항 제1호 (나)목", ["제2조 제1항제1호나목"]),
        ("저축은행법 제2조 제1항 제1호 ‘나’목", ["제2조 제1항제1호나목"]),
        ("저축은행법 제2조 제1항 제1의2호", ["제2조 제1항제1호의2"]),
        ("저축은행법 제3조의 제2항", ["제3조 제2항"]),
        ("저축은행법 제3조에서 제5조까지", ["제3조", "제4조", "제5조"]),
        ("저축은행법 제3조에서 정한 보고", ["제3조"]),
        ("저축은행법 제2-3조", ["제2-3조"]),
        ("저축은행법 제2조 제2항에 의하면, 전항의 신고", ["제2조 제2항", "제2조 제1항"]),
        ("저축은행법 제4조는 검사를, 전조는 보고를 정한다", ["제4조", "제3조"]),
    ],
)  # fmt: skip
def test_provisions_in_the_forms_of_memoranda(text, places):
    found = verify_citations(text, WIDE)
    assert [f"{one.target.split()[1]} {one.provision}".strip() for one in found] == places
    assert {(one.target.split()[0], one.verdict) for one in found} == {("상호저축은행법", "holds")}


@pytest.mark.parametrize(
    "text",
    [
        "저축은행법 §2 ⑨",
        "저축은행법 제2조 (9)항",
        "저축은행법 제2조 ①, ⑨항",
        "저축은행법 제2조 제1항 1호 및 9호",
        "저축은행법 제2조 제1항 제1호의 하목",
        "저축은행법 제3조의 제9항",
        "저축은행법 제2-9조",
        "저축은행법 관련 규정(제9조)",
        "저축은행법 벌칙편 제9조",
    ],
)
def test_wrong_provisions_in_these_forms_are_refuted(text):
    assert [
        one.verdict for one in verify_citations(text, WIDE) if one.provision or "조" in one.target
    ][-1] == "absent"


def test_what_the_paragraph_before_is_cannot_be_known_without_one():
    assert verdicts("가나법은 폐지되었다. 전항에 따른다.") == [
        ("가나법", "", AS_FAR),
        ("", "", "cannot know"),
    ]


def test_the_number_of_a_case_has_up_to_seven_digits():
    (one,) = verify_citations("서울고등법원 2016나2045555 판결", LAW)
    assert (one.target, one.verdict) == ("2016나2045555", "unknown")


def test_a_name_with_latin_letters_is_whole():
    assert (
        verdicts("AI기본법 제9조")[0][0] == "인공지능 발전과 신뢰 기반 조성 등에 관한 기본법 제9조"
    )


def test_offsets_lead_into_the_text_as_it_was_written():
    text = "본다. \u1100\u1161\u1102\u1161\u1107\u1165\u11b8 제\u200b９조 끝"
    (one,) = verify_citations(text, LAW)
    assert one.verdict == "absent"
    assert text[one.start : one.end] == one.text == text[4:-2]


def test_on_a_dated_corpus_the_day_decides():
    law = KnownLaw.of_articles(ARTICLES)
    texts = law.acts["가나법"].articles
    law.acts["가나법"].oldest = "2015-01-01"
    new = texts["제1조"][0]
    new.since = "2020-01-01"
    texts["제1조"].append(replace(new, heading="옛 제목", since="2015-01-01", until="2020-01-01"))
    texts["제2조"][0].since = "2022-01-01"

    def title(text, day=None):
        return verify_citations(text, law, as_of=day)[0].title

    assert title("가나법 제1조(옛 제목)", "2016-01-01") == "holds"
    assert title("가나법 제1조(옛 제목)", "2021-01-01") == DIFFERS
    assert title("2016. 1. 1. 당시 가나법 제2조") == "not in force on that day"
    assert title("가나법 제2조", "2010-01-01") == "cannot know"
    before = "구 가나법(2020. 1. 1. 법률 제1호로 개정되기 전의 것) 제1조(옛 제목)"
    assert title(before) == "holds"


PIECES = [
    "제", "第", "3", "조", "條", "항", "호", "가나법", "구 ", "(", ")", "“", "”", "같은 법 ", "부터 ", "까지", "는 ",
    "라고 정한다", "\u1112\u1161", "\u200b", "３", "\n", "관한 법률", "별표 1", "2010도11015", "제999999999999조",
]  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=20).map("".join))
def test_no_text_raises_and_every_offset_is_right(text):
    for one in verify_citations(text, LAW):
        assert one.text
        assert text[one.start : one.end] == one.text


@pytest.mark.parametrize(
    ("text", "target", "provision", "title"),
    [
        ("가나법 2조 3항", "가나법 제2조", "제3항", "does not exist"),
        ("가나법 제2조의 1항", "가나법 제2조", "제1항", AS_FAR),
        ("가나법 제2조①", "가나법 제2조", "제1항", AS_FAR),
        ("가나법 §2③", "가나법 제2조", "제3항", "does not exist"),
        ("가나법 제구조", "가나법 제9조", "", "does not exist"),
        ("**가나법** 제9조", "가나법 제9조", "", "does not exist"),
        ("“가나법” 제9조", "가나법 제9조", "", "does not exist"),
        ("《가나법》 제9조", "가나법 제9조", "", "does not exist"),
        ("| 가나법 | 제9조 |", "가나법 제9조", "", "does not exist"),
        ("가나법에서 정한 제9조", "가나법 제9조", "", "does not exist"),
        ("현행의 가나법 제9조", "가나법 제9조", "", "does not exist"),
        ("가나법 제1, 2, 9조", "가나법 제9조", "", "does not exist"),
        ("가나법 제1조 및 9조", "가나법 제9조", "", "does not exist"),
        ("가나법 제1~9조", "가나법 제9조", "", "does not exist"),
        ("가나법 제1조-제9조", "가나법 제9조", "", "does not exist"),
        ("가나법 제2조 제1·3항", "가나법 제2조", "제3항", "does not exist"),
        ("가나법 제2조①·③", "가나법 제2조", "제3항", "does not exist"),
        ("가나법 제2조①3호", "가나법 제2조", "제1항제3호", "does not exist"),
        ("가나법 제2조제1항제2호가·나목", "가나법 제2조", "제1항제2호나목", "does not exist"),
        ("가나법 제2의3조", "가나법 제2조의3", "", "does not exist"),
        ("가나법 제1,119조", "가나법 제1119조", "", "does not exist"),
        ("가나법 제2조【신고】 제3항", "가나법 제2조", "제3항", "does not exist"),
        ("가나법(제1조, 제9조)", "가나법 제9조", "", "does not exist"),
        ("가나법: 제1조 및 제9조", "가나법 제9조", "", "does not exist"),
        ("가나법[법률 제1호] 제9조", "가나법 제9조", "", "does not exist"),
        ("가나법 제2장 제9조", "가나법 제9조", "", "does not exist"),
        ("가나법 **제9조**", "가나법 제9조", "", "does not exist"),
        ("그 근거는가나법 제9조", "가나법 제9조", "", "does not exist"),
        ("다라등에 관한 법률은 가나법 제9조", "가나법 제9조", "", "does not exist"),
    ],
)  # fmt: skip
def test_forms_of_free_text(text, target, provision, title):
    found = [one for one in verify_citations(text, LAW) if one.target != "가나법"]
    assert (target, provision, title) in [(o.target, o.provision, o.title) for o in found]


def test_a_short_name_means_what_the_text_or_the_act_defines():
    defined = "가나법(이하 ‘나법’이라 한다) 제1조, 나법 제9조, 영 제9조"
    assert verdicts(defined) == [
        ("가나법 제1조", "", AS_FAR),
        ("가나법 제9조", "", "does not exist"),
        ("가나법 시행령 제9조", "", "does not exist"),
    ]
    rule = article(
        "제1조", "목적", "「가나법」(이하 “법”이라 한다)의 시행을 정한다.", "가나 감독규정"
    )
    law = KnownLaw.of_articles([*ARTICLES, rule])
    one, two = verify_citations("법 제9조, 영 제9조", law, act="가나 감독규정", article="제2조")
    assert (one.target, one.verdict) == ("가나법 제9조", "absent")
    assert two.verdict == "unknown"  # the rule does not say which decree 영 is


@pytest.mark.parametrize(
    "text",
    [
        "마바법 제3조, 가나법 제1조, 같은 법 제9조",  # 같은 법 may be the act that is not known
        "가나법은 벌칙을 둔다. 제9조",
        "헌법재판소는 법 제9조",
        "가나법 제1조와 다라법 제8조, 법 제9조",
        "긴급조치 제9호, 구 헌법(1980. 10. 27. 헌법 제9호로 개정되기 전의 것) 제1조",
        "예산 9조원과 가나법 9조 5천억원",
        "미국 캘리포니아 주 가나법 제9조",
        "EU 가나법 제9조",
        "종전의 가나법 제9조",
        "옛 가나법 제9조",
        "개정되기 전의 「가나법」 제9조",
        "가나법 제1조[양도담보]",
        "가나법 제1조(대법원 판례)",
        "갑 제1, 9호증, 가나법 제1조",
        "예산은 가나법 제1조 및 9조 원",
    ],
)
def test_what_may_mean_something_else_is_not_refuted(text):
    assert [one.target for one in verify_citations(text, LAW) if one.failed] == []


def test_a_part_of_the_own_article_is_not_refuted():
    found = verify_citations("① 제9호에 따른다. 다만, 제8항", LAW, act="가나법", article="제1조")
    assert [one.verdict for one in found] == ["unknown", "unknown"]
    (named,) = verify_citations("이 법 제2조제9항", LAW, act="가나법", article="제1조")
    assert named.verdict == "absent"


def test_brackets_of_a_quotation_are_those_of_the_law():
    text = "은행(지점을 포함한다)은 신고(전자신고를 말한다)하여야 한다."
    law = KnownLaw.of_articles([article("제1조", "신고", text)])
    for words, title in (
        ("은행은 신고하여야 한다.", "holds"),
        ("은행(銀行)은 신고(전자신고를 말한다)하여야 한다.", "holds"),
        ("은행(본점을 포함한다)은 신고하여야 한다.", DIFFERS),
    ):
        (one,) = verify_citations(f"가나법 제1조는 “{words}”라고 정한다", law)
        assert one.title == title, words


def test_a_former_name_is_never_refuted():
    names = [FormerName("옛가나법", ("가나법",), same=True), FormerName("다라법", ("가나법",))]
    law = KnownLaw(LAW.acts, former=names)
    found = {
        t: verify_citations(t, law)[0] for t in ("옛가나법 제1조", "옛가나법 제9조", "다라법 제9조")
    }
    assert [one.verdict for one in found.values()] == ["holds", "unknown", "unknown"]
    assert all("가나법" in one.message for one in found.values())


def test_the_annexes_of_an_act():
    act = replace(LAW.acts["가나법"], annexes=["별표 1", "별표 1의2", "별표 3"])
    law = KnownLaw({"가나법": act})
    assert [
        (o.provision, o.verdict) for o in verify_citations("가나법 별표 1-2, 별표 2, 별표 9", law)
    ] == [
        ("", "holds"),
        ("", "unknown"),  # its file may be missing
        ("", "absent"),
    ]


def test_decisions_by_number_day_and_court():
    known = {"2010도11015": KnownDecision("대법원 2010도11015", "2010-12-09")}
    law = KnownLaw({}, known)
    for text, title in (
        ("대법원 2010. 12. 9. 선고 2010도11015 판결", "holds"),
        ("대판 2010.12.9, 2010도11015", "holds"),
        ("2010도11015", AS_FAR),
        ("대법원 2010. 12. 8. 선고 2010도11015 판결", DIFFERS),
        ("서울고등법원 2010도11015", AS_FAR),
    ):
        (one,) = verify_citations(text, law)
        assert one.title == title, text
    assert [o.target for o in verify_citations("2010도11015, 11016(병합) 판결", law)] == [
        "2010도11015",
        "2010도11016",
    ]


LABELS = Path(__file__).parents[3] / "data" / "labels" / "verified_citations.jsonl"


def test_labels_hold_no_text():
    rows = [json.loads(line) for line in LABELS.read_text(encoding="utf-8").splitlines()]
    assert sum(row["set"] == "random" and row["verdict"] != "none" for row in rows) >= 300
    assert {name for row in rows for name in row} == {
        "set", "id", "act", "start", "end", "sha256", "kind", "verdict",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("가나법 §2①2.", [("가나법 제2조", "제1항제2호", AS_FAR)]),
        ("가나법 §2①3.", [("가나법 제2조", "제1항제3호", "does not exist")]),
        ("가나법 §2①2.5배", [("가나법 제2조", "제1항", AS_FAR)]),
        (
            "가나법 §§1, 2ㆍ9",
            [
                ("가나법 제1조", "", AS_FAR),
                ("가나법 제2조", "", AS_FAR),
                ("가나법 제9조", "", "does not exist"),
            ],
        ),
    ],
)
def test_section_signs_of_memoranda_are_read(text, found):
    assert [one for one in verdicts(text) if one[0] != "가나법"] == found


BOOK = "① 신고한다.\n1. 은행\n2. 보험회사\n② 알린다.\n1. 조합\n③ 적는다."
CRIMES = KnownLaw.of_articles(
    [
        article("제1조", "횡령, 배임", BOOK),
        article("제2조", "신고", "신고한다."),
        article("제1-2조", "기준", "정한다.", "가나 감독규정"),
        article("제5조", "보고", "보고한다."),
    ]
)


@pytest.mark.parametrize(
    "text",
    [
        "가나법 제2조 및 조례 제5조",
        "가나법상 인가를 받았다. 이 계약 제5조",
        "가나법에 따라 근로계약서 제5조",
        "가나법과 한중 조세조약 제5조",
        "가나법과 내부통제기준 제5조",
        "가나법 제2조와 GDPR 제5조",
        "가나법 제2조 및 법률 제6132호 제5조",
        "가나법 제2조에 따라 기획재정부령 제12호 제5조",
        "가나법 제2조, 조례 제2020-31호 제5조",
        "가나 감독규정 제1-2조(영 제5조의 위임), 가나법",
        "가나법 제2조. 이 규정 제5조",
    ],
)
def test_an_article_of_another_document_never_holds(text):
    found = {one.target: one.verdict for one in verify_citations(text, CRIMES)}
    assert "가나법 제5조" not in found
    (other,) = [target for target in found if target.endswith("제5조")]
    assert found[other] == "unknown"


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("가나법 제1조(횡령)", "holds"),
        ("가나법 제1조(배임죄)", "holds"),
        ("가나법 제1조(사기)", "differs"),
        ("가나법 제1조(징역형 선택)", "holds"),
        ("가나법 제1조(사기의 점)", "holds"),
        ("가나법 제1조(포괄하여)", "holds"),
        ("가나 감독규정 §1-2", "holds"),
        ("가나 감독규정 §1-9", "absent"),
        ("대주주의 가나법 제9조", "absent"),
        ("최대주주(가나법 제9조)", "absent"),
        ("캘리포니아주 가나법 제9조", "unknown"),
        ("[가나법] 제9조", "absent"),
        ("가나법 中 제9조", "absent"),
        ("가나법 제1조 제1항 단서 9호", "absent"),
        ("가나법 제1조①9호랑", "absent"),
        ("가나법 제1조 제1항 각 호, 제9항", "absent"),
        ("가나법 제1\n9조", "absent"),
        ("가나법제1조및동법제9조", "absent"),
        ("거래(가나법 제1조)와 보고(동법 제9조)", "absent"),
        ("가나법(법률 제6132호) 제9조", "absent"),
        ("가나법 2조, 9조", "absent"),
    ],
)
def test_the_forms_of_judgments_chats_and_scans(text, verdict):
    assert verify_citations(text, CRIMES)[-1].verdict == verdict


def test_numbers_of_journals_and_letters_are_no_references():
    text = "가나법 제1조. 상사판례연구 제33권 제2호, 총괄과-제1234호"
    assert [one.target for one in verify_citations(text, CRIMES)] == ["가나법 제1조"]


@given(
    st.sampled_from(["", "「", "[", "**"]),
    st.sampled_from(["제1조", "1조", "§1", "제 1 조", "제１조", "제일조"]),
    st.sampled_from(["", " 제2항", "②", " 2항"]),
)
def test_the_same_provision_is_found_in_every_way_of_writing(mark, number, para):
    close = {"「": "」", "[": "]", "**": "**"}.get(mark, "")
    found = verify_citations(f"{mark}가나법{close} {number}{para}", CRIMES)
    assert (found[-1].target, found[-1].provision) == ("가나법 제1조", "제2항" if para else "")
    assert found[-1].verdict == "holds"
