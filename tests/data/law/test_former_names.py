"""Former names of acts: found in 부칙, and read in questions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kofinlaw import UserError
from kofinlaw.data.corpus import build_corpus
from kofinlaw.data.law.former_names import (
    FormerName,
    NameCollector,
    name_key,
    read_names,
    with_present_names,
)
from kofinlaw.data.settings import DataSettings

BANK, SAVINGS = "새은행법", "상호저축은행법"
REPLACED = f"""## 부칙

부칙(새은행법) <제10호,2020.1.1>

제2조 (다른 법률의 개정)

예금자법 제3조 중 "옛은행법"을 "{BANK}"으로 하고, "산업법"을 "기업법"으로 한다.
"""


def _names(title: str, text: str, *, articles: tuple[str, ...] = ()) -> list[FormerName]:
    collector = NameCollector()
    collector.add_supplement(title, text)
    for article in articles:
        collector.add_article(article)
    return collector.names([BANK, SAVINGS])


def test_a_name_is_former_if_the_amending_act_replaces_it_by_its_own_title() -> None:
    assert _names("예금자법", REPLACED) == [FormerName("옛은행법", (BANK,))]
    assert _names("예금자법", REPLACED.replace("부칙(새은행법)", "부칙(다른법)")) == []


def test_a_renamed_act_keeps_its_articles() -> None:
    text = f'부칙 <제1호>\n\n법률의 제명 "상호신용금고법"을 "{SAVINGS}"으로 한다.'
    assert _names("예금자법", text) == [FormerName("상호신용금고법", (SAVINGS,), same=True)]


@pytest.mark.parametrize(
    "sentence",
    [
        "이 법 시행 당시 다른 법령에서 종전의 「옛은행법」 또는 그 규정을 인용하고 있는 경우 이 법의 "
        "규정을 인용한 것으로 본다.",
        "이 법 시행 전에 종전의 「옛은행법」에 따라 행한 처분으로서 이 법에 그에 해당하는 규정이 있으면 "
        "이 법에 따라 행한 것으로 본다.",
    ],
)
def test_the_act_names_its_predecessor(sentence: str) -> None:
    assert _names(BANK, f"부칙 <제1호>\n{sentence}") == [FormerName("옛은행법", (BANK,))]
    assert _names(BANK, f"부칙(다른법) <제1호>\n{sentence}") == []


def test_an_act_that_articles_still_cite_is_no_former_one() -> None:
    cited = ("「옛은행법」 제3조에 따른다.",)
    assert _names("예금자법", REPLACED, articles=cited) == []
    many = tuple(f"「{BANK}」 제{n}조" for n in range(1, 12))
    assert len(_names("예금자법", REPLACED, articles=(*cited, *many))) == 1


def test_names_follow_one_another_and_a_decree_is_no_act() -> None:
    text = f"""부칙(중간법) <제1호>
"처음법"을 "중간법"으로 한다.
부칙(새은행법) <제2호>
"중간법"을 "{BANK}"으로 하고, "옛 규정 시행령"을 "{BANK}"으로 하며, "가법 및 나법"을 "{BANK}"으로 한다.
"""
    assert _names("예금자법", text) == [
        FormerName("중간법", (BANK,)),
        FormerName("처음법", (BANK,)),
    ]


NAMES = [
    FormerName("상호신용금고법", (SAVINGS,), same=True),
    FormerName("화재예방, 시설 설치ㆍ유지에 관한 법률", ("시설법", "화재법")),
]
TITLES = [SAVINGS, f"{SAVINGS} 시행령", "시설법", "화재법"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("「상호신용금고법」 제5조는?", f"「{SAVINGS}」 제5조는?"),
        ("상호신용금고법 시행령 제2조는?", f"{SAVINGS} 시행령 제2조는?"),
        ("상호신용금고법 시행규칙은?", f"{SAVINGS} 시행규칙은?"),
        (
            "'화재예방, 시설 설치⋅유지에 관한 법률'상",
            "'화재예방, 시설 설치⋅유지에 관한 법률'상\n시설법\n화재법",
        ),
        ("신상호신용금고법", "신상호신용금고법"),
        ("은행법 제5조", "은행법 제5조"),
        ("", ""),
    ],
)
def test_a_question_is_read_with_present_titles(text: str, expected: str) -> None:
    assert with_present_names(text, NAMES, TITLES).text == expected


@given(st.text(alphabet="상호신용금고법 ㆍ,시행령제5조\n", max_size=40))
def test_a_text_without_a_former_name_is_unchanged(text: str) -> None:
    renamed = with_present_names(text, NAMES, TITLES)
    assert bool(renamed.found) or renamed.text == text
    assert all(name_key(name) in name_key(text) for name, _ in renamed.found)


def test_a_corpus_lists_former_names_and_those_of_the_recipe(tmp_path: Path) -> None:
    body = "##### 제1조 (목적)\n이 법은 은행을 규율한다.\n\n##### 제2조 (정의)\n은행이란 예금을 받는 자를 말한다.\n"
    follow = "이 법 시행 당시 다른 법령에서 종전의 「옛은행법」을 인용한 경우 이 법을 인용한 것으로 본다."
    text = f"---\n제목: {BANK}\n시행일자: 2024-01-01\n---\n\n{body}\n## 부칙\n\n부칙 <제1호,2024.1.1>\n\n{follow}\n"
    (tmp_path / "은행.md").write_text(text, encoding="utf-8")
    for supplements in (False, True):
        settings = DataSettings.model_validate(
            {
                "sources": [{"path": str(tmp_path / "은행.md"), "kind": "statute"}],
                "chunks": {"include_supplements": supplements},
                "names": {"뱅크법": "새 은행법", "없는법": "모르는법", "새은행법": "x법"},
            }
        )
        out = tmp_path / f"corpus{supplements}"
        build_corpus(settings, out, base=tmp_path)
        assert read_names(out / "names.json") == [
            FormerName("뱅크법", (BANK,), same=True),
            FormerName("옛은행법", (BANK,)),
        ]
        warnings = (out / "card.md").read_text(encoding="utf-8").replace("\\", "")
        assert "no document has the title `모르는법`" in warnings
        assert "`새은행법` is the title of a document" in warnings


def test_a_damaged_file_of_names_is_one_error(tmp_path: Path) -> None:
    assert read_names(tmp_path / "names.json") == []
    (tmp_path / "names.json").write_text(json.dumps([1]), encoding="utf-8")
    with pytest.raises(UserError, match="build the corpus again"):
        read_names(tmp_path / "names.json")
