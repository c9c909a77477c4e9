"""Free text: its opening, its length, and the choice between candidates."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kofinlaw.data.prompting.wording import FREE_RULE, SYSTEM_PROMPT
from kofinlaw.rag.answer.agreement import combine
from kofinlaw.rag.answer.free_text import (
    FreeProblem,
    ends_sentence,
    free_problem,
    opening_of,
    shaped,
    similarity,
    tidy,
)
from kofinlaw.rag.answer.journal import Turn
from kofinlaw.records import Question


def turn(number: int, **values: object) -> Turn:
    return Turn("q", number, "full", 1, 10, 2, **values)  # type: ignore[arg-type]


def test_the_candidate_most_like_the_others_wins() -> None:
    texts = [
        "손해를 배상한다",
        "금융회사가 손해를 배상할 책임을 진다",
        "금융회사가 손해를 배상한다",
    ]
    answer = combine(Question("q", "?"), [turn(i, text=t) for i, t in enumerate(texts)], [])
    assert answer is not None
    assert answer.answer == texts[2]


def test_tidy_keeps_whole_sentences() -> None:
    assert tidy("첫째 문장이다. 둘째 문장이다. 셋째.", 100) == "첫째 문장이다. 둘째 문장이다."
    assert tidy("첫째 문장이다. 둘째 문장이다.", 10) == "첫째 문장이다."
    assert tidy("은행은 이용자의 손해를 배상한다.", 11) == "은행은 이용자의"
    assert tidy("\n \n", 10) == ""


@pytest.mark.parametrize(
    ("question", "opening"),
    [
        ("전자금융거래의 안전성 확보의무를 설명하시오.", "전자금융거래의 안전성 확보의무는"),
        ("접근매체란 무엇인가?", "접근매체는"),
        ("금융회사의 배상책임에 대하여 간략히 서술하세요.", "금융회사의 배상책임은"),
        ("갑은 은행에서 대출을 받았다. 이때 은행은 며칠 안에 알려야 하는가?", ""),
    ],
)
def test_an_answer_opens_with_the_subject_where_one_is_seen(question: str, opening: str) -> None:
    assert opening_of(question) == opening


@given(st.text(alphabet="가나다라 ", max_size=20), st.text(alphabet="가나다라 ", max_size=20))
def test_similarity_is_a_symmetric_share(one: str, other: str) -> None:
    assert similarity(one, other) == similarity(other, one)
    assert 0.0 <= similarity(one, other) <= 1.0


ASKED = "접근수단의 분실 신고를 받은 은행이 하여야 할 조치를 설명하시오."
SHOWN = ["가람 규정 제9조(접근수단의 분실 신고)\n② 은행은 10분 안에 거래를 막아야 한다. IPSec VPN"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "empty"),
        (" . ", "empty"),
        ("[참고 조문] 가람 규정 제9조", "prompt"),
        ("질문의 핵심어를 넣어 한 문장으로 답하시오.", "prompt"),
        ("접근수단의 분실 신고를 받은 은행이 하여야 할 조치를 설명", "prompt"),
        ("가람 규정 제9조(접근수단의 분실 신고)", "prompt"),
        ("은행은 막는다. 은행은 막는다.", "loop"),
        ("1000만원을 환산한 후 1000만원을 환산한 후 1000만원을 환산한 후 끝", "loop"),
        ("The bank must stop all transactions.", "script"),
        ("은행은 取引を 막는다.", "script"),
        ("Банк 막는다", "script"),
        ("은행은 거래를 막는다.𒌒model", "script"),
        ("가람 규정 제9조(접근수단의 분실 신고)가람 규정 제9조(접근수단의 분실 신고)", "prompt"),
        ("은행은 10분 안에 접근수단을 이용한 거래를 막아야 한다.", ""),
        ("10분", ""),
        ("분실 신고", ""),
        ("IPSec VPN", ""),
        ("① 제Ⅱ급은 3㎡ 이상, 오차 α는 損害와 다르다.", ""),
        ("아니, 아니, 아니다.", ""),
        ("과태료는 1,000,000,000,000원이다.", ""),
        ("계좌번호는 000000000000이다.", ""),
        ("계좌번호는 " + "0" * 40, "loop"),
        ("은행은 막는다.</s> 은행", "prompt"),
        ("너는 한국의 법령과 금융 규정에 관한 조수이다.", "prompt"),
        (
            "접근수단의 분실 신고를 받은 은행이 하여야 할 조치를 설명하시오. 10분 안에 거래를 막고 즉시 이용자에게 알린다.",
            "prompt",
        ),
        ("은행은 ٣분 안에 막는다.", "script"),
        ("은행은 거래를 막\ufffd다.", "script"),
    ],
)
def test_unusable_free_text_is_named(text: str, problem: FreeProblem) -> None:
    assert free_problem(text, ASKED, SHOWN) == problem


def test_a_question_restated_with_a_figure_of_its_own_is_an_answer() -> None:
    question = (
        "「가람 규정」에 따라 은행이 고객에게서 접근수단의 분실 신고를 받은 때부터 그 접근수단을 이용한 "
        "모든 거래를 막아야 하는 기한은?"
    )
    restated = question.removesuffix("?")
    assert free_problem(f"{restated} 30분이다.", question, SHOWN) == ""
    assert free_problem(f"{restated} 그것이다.", question, SHOWN) == "prompt"


@pytest.mark.parametrize(
    ("text", "stopped", "expected"),
    [
        ("은행은 거래를 막는다. 그리고 은행은 이용", False, ("은행은 거래를 막는다.", "")),
        ("은행은 거래를 막", False, ("은행은 거래를 막", "unfinished")),
        ("은행은 거래를 막", True, ("은행은 거래를 막", "")),
        ("시행일은 2025. 3.", False, ("시행일은 2025. 3.", "unfinished")),
        ("다음과 같다.\n1. 명칭\n2. 주", False, ("다음과 같다. 1. 명칭", "")),
        (f"{ASKED} 10분 안에 거래를 막는다.", True, ("10분 안에 거래를 막는다.", "")),
        (ASKED, True, (ASKED, "prompt")),
        ("이용자가 영업점에 신고하면 그 은행은 열흘 안에 모든 거래를 막아야 하고 본점에 알린다.", True,
            ("이용자가 영업점에 신고하면 그 은행은 열흘 안에 모든 거래를 막아야 하고", "unfinished")),
    ],
)  # fmt: skip
def test_the_form_of_generated_text(
    text: str, stopped: bool, expected: tuple[str, FreeProblem]
) -> None:
    assert shaped(text, ASKED, SHOWN, 40, stopped=stopped) == expected


PIECES = st.one_of(
    st.sampled_from(
        [
            ASKED,
            SHOWN[0],
            FREE_RULE,
            SYSTEM_PROMPT,
            "[질문]",
            "은행은 10분 안에 거래를 막아야 한다.",
            "이용자는 지체 없이 은행에 신고한다",
            "Банк",
            "𒌒𒀀",
            "取引を",
            "\ufffd",
            "</s>",
            "1. 명칭",
            "\n",
            "10분",
        ]
    ),
    st.text(alphabet="은행이 거래를 막는다.\n", min_size=1, max_size=30),
    st.text(alphabet=st.characters(categories=["L", "M", "N", "S"]), max_size=8),
)


@given(st.lists(PIECES, max_size=6), st.integers(1, 5), st.booleans(), st.integers(20, 160))
def test_an_accepted_text_is_no_prompt_no_loop_no_foreign_script_and_ends(
    pieces: list[str], times: int, stopped: bool, limit: int
) -> None:
    written = " ".join(pieces) * times
    text, problem = shaped(written, ASKED, SHOWN, limit, stopped=stopped)
    assert len(text) <= limit
    if problem:
        return
    letters = "".join(filter(str.isalnum, text))
    for rule in (FREE_RULE, SYSTEM_PROMPT):
        bare = "".join(filter(str.isalnum, rule))
        assert not any(bare[i : i + 12] in letters for i in range(len(bare) - 11))
    assert ASKED not in text
    assert not any(mark in text for mark in ("[질문]", "</s>"))
    known = " ".join([ASKED, *SHOWN])
    for mark in text:
        name = unicodedata.name(mark, "")
        foreign = mark.isalpha() and not name.startswith(KNOWN_SCRIPTS) and mark not in known
        assert not foreign, mark
    assert not re.search(r"(\D{4,40}?)\1{2,}", letters)
    own_end = stopped and " ".join(written.split()).endswith(text)
    assert own_end or ends_sentence(text) or re.search(r"[다요까음함임됨]$|1\. 명칭.*$", text), text


KNOWN_SCRIPTS = (
    "HANGUL", "CJK", "LATIN", "GREEK", "FULLWIDTH", "HALFWIDTH", "CIRCLED", "PARENTHESIZED", "MICRO", "MODIFIER", "SUPERSCRIPT", "SUBSCRIPT", "FEMININE", "MASCULINE", "BOPOMOFO", "IDEOGRAPHIC", "SQUARE", "DOUBLE-STRUCK", "SCRIPT", "BLACK-LETTER", "OHM", "KELVIN", "ANGSTROM", "ALEF", "BET", "GIMEL", "DALET", "TURNED", "ROTATED", "ROMAN", "INFORMATION", "DOUBLE",
)  # fmt: skip


def test_a_replaced_text_counts_only_if_there_is_no_other() -> None:
    replaced = turn(0, text="은행은 배상한다.", quoted="법/제9조", replaced="prompt")
    alone = combine(Question("q", "?"), [replaced], ["법/제9조"])
    assert alone is not None
    assert (alone.answer, alone.origin, alone.confidence) == ("은행은 배상한다.", "fallback", 0.0)
    assert alone.quoted == "법/제9조"
    both = combine(Question("q", "?"), [replaced, turn(1, text="10분 안에 막는다.")], [])
    assert both is not None
    assert (both.answer, both.origin, both.quoted) == ("10분 안에 막는다.", "model", "")


def test_a_sentence_twice_is_a_loop_without_a_blank_between() -> None:
    text = "은행은 손해를 배상한다. 은행은 즉시 알린다.은행은 손해를 배상한다."
    assert free_problem(text, "누가 배상하는가?") == "loop"
    assert not free_problem("은행은 손해를 배상한다.은행은 즉시 알린다.", "누가 배상하는가?")
