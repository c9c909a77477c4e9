"""Names of a question that no passage has count against an answer, general words do not."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kofinlaw.rag.abstention.names import NameHolders, names_of
from kofinlaw.records import Chunk

TEXTS = (
    "여비 기준 제1조(숙박비)\n서울 출장의 숙박비는 하루 십만 원을 넘을 수 없다.",
    "여비 기준 제2조(운임)\n임원은 비행기를 탈 때 비즈니스석을 이용할 수 있다.",
)


def holders() -> NameHolders:
    return NameHolders(
        [
            Chunk(str(n), "여비 기준", "여비 기준", "rule", f"제{n}조", "", text, "", "t", "PD", "")
            for n, text in enumerate(TEXTS)
        ]
    )


def test_nouns_without_a_blank_are_one_name() -> None:
    assert names_of("서울 숙박비 한도는?") == [("서울",), ("숙박비",), ("한도",)]
    assert ["".join(name) for name in names_of("육아휴직은 누가 쓰나요?")] == ["육아휴직"]


def test_a_long_missing_name_counts_more_than_a_short_one() -> None:
    names = holders()
    assert names.missing("숙박비는 얼마인가요?") == 0
    assert names.missing("집에서 자면 숙박비를 주나요?") == 0  # one syllable
    assert names.missing("호텔 숙박비는 얼마인가요?") == 0.5  # two
    assert names.missing("육아휴직은 누가 쓰나요?") == 1.5  # four
    assert names.missing("가맹점수수료율은 얼마인가요?") == 1.5  # more than four count as four


def test_a_name_counts_as_missing_where_its_passage_is_hidden() -> None:
    names = holders()
    assert names.missing("비즈니스석을 탈 수 있나요?") == 0
    assert names.missing("비즈니스석을 탈 수 있나요?", np.array([True, False])) > 0.5


def test_spacing_and_verbs_do_not_make_a_name_missing() -> None:
    names = holders()
    assert names.missing("비즈니스 석은 누가 이용해요?") == 0
    assert names.missing("어떻게 끌고 가나요?") == 0


@given(st.lists(st.sampled_from(["숙박비", "서울", "출장", "임원"]), min_size=1, max_size=5))
def test_names_of_one_passage_are_never_missing(words: list[str]) -> None:
    found = holders().missing(f"{' '.join(words)}은 무엇인가요?")
    assert found == 0


@given(st.text(max_size=60))
def test_the_measure_is_between_zero_and_its_most(text: str) -> None:
    assert 0 <= holders().missing(text) <= 2.5
