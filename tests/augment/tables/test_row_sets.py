import itertools
from dataclasses import replace

import pytest

from kofinlaw.augment.hard_items import copies_the_law, lines_by_unit
from kofinlaw.augment.reading.acts import Law, Laws
from kofinlaw.augment.reading.names import normalize
from kofinlaw.augment.tables.row_sets import KINDS, generate
from kofinlaw.augment.targets.deciding_lines import deciding_lines
from kofinlaw.data.prompting.stems import is_negative

ROWS = """
| 평가 점수 | 추가자본(%) |
| 600 미만 | 0 |
| 600 이상 900 미만 | 1 |
| 900 이상 1,200 미만 | 2 |
| 1,200 이상 1,500 미만 | 3 |
| 1,500 이상 | 4 |
"""
VALUES = {"600 미만": "0%", "600 이상 900 미만": "1%", "900 이상 1,200 미만": "2%",
          "1,200 이상 1,500 미만": "3%", "1,500 이상": "4%"}  # fmt: skip


@pytest.fixture
def law(table):
    return Law("감독규정", (), tables=(table(ROWS),))


@pytest.fixture
def drafts(law):
    return [draft for seed in range(4) for draft in generate(law, Laws((law,)), seed)]


def test_every_kind_is_made_and_its_drafts_are_complete(drafts, law):
    assert {draft.kind for draft in drafts} == set(KINDS)
    for draft in drafts:
        keys = [normalize(text) for text in (draft.answer, *draft.distractors)]
        assert len(set(keys)) == len(keys) >= 4
        assert is_negative(draft.stem) == draft.negative
        assert draft.units == ("감독규정 별표 7",)
        assert "「감독규정」 [별표 7]" in draft.stem
        assert law.tables[0].header[0] in draft.focus
        assert draft.hard


def test_values_rows_and_pairs_are_those_of_the_table(drafts):
    for draft in drafts:
        if draft.kind == "annex_value":
            label = draft.stem.split("'")[-2]
            assert VALUES[label] == draft.answer
        if draft.kind == "annex_row":
            assert f"{VALUES[draft.answer]}인" in draft.stem
        if draft.kind in ("annex_pair", "annex_set"):
            false = [draft.answer] if draft.negative else list(draft.distractors)
            true = list(draft.distractors) if draft.negative else [draft.answer]
            assert all(map(holds, true))
            assert not any(map(holds, false))


def holds(text: str) -> bool:
    parts = text.split("이고, ")
    return all(VALUES[part.split("'")[1]] in part.split("'")[2] for part in parts)


def test_a_case_is_a_number_of_the_range(drafts):
    ends = [0, 600, 900, 1200, 1500, float("inf")]
    found = [draft for draft in drafts if draft.kind == "annex_case"]
    assert found
    for draft in found:
        number = float(draft.stem.split("점수가 ")[1].split("인 경우")[0].replace(",", ""))
        place = next(i for i, (a, b) in enumerate(itertools.pairwise(ends)) if a <= number < b)
        assert draft.answer == f"{place}%"


def test_the_same_seed_gives_the_same_drafts_and_no_value_of_one_row_alone(law, table):
    laws = Laws((law,))
    assert list(generate(law, laws, 3)) == list(generate(law, laws, 3))
    same = table("| 자산 | 가중치(%) |\n| 현금 | 100 |\n| 예금 | 100 |\n| 국채 | 100 |")
    assert list(generate(replace(law, tables=(same,)), laws, 1)) == []


def test_the_reason_cites_the_regulation_and_the_annex(drafts, law):
    draft = next(d for d in drafts if d.kind == "annex_pair")
    shown = ["감독규정 제1조\n다른 글", "\n".join(["감독규정 [별표 7]", *draft.focus])]
    lines = deciding_lines(draft, law, shown)
    assert [line.number for line in lines] == [2, 2]
    assert lines[0].citation == "「감독규정」 별표 7"
    assert lines[0].text.startswith("평가 점수: ")
    assert deciding_lines(draft, law, shown[:1]) == []
    value = next(d for d in drafts if d.kind == "annex_value")
    (line,) = deciding_lines(value, law, ["\n".join(value.focus)])
    assert value.answer.rstrip("%") in line.text


def test_the_lines_of_an_annex_are_known_by_its_unit(drafts, law):
    lines = lines_by_unit(Laws((law,)))
    assert lines == {"감독규정 별표 7": (*law.tables[0].header, *law.tables[0].lines)}
    draft = next(d for d in drafts if d.kind == "annex_row")
    assert not copies_the_law(draft, lines)
    assert copies_the_law(replace(draft, answer=law.tables[0].lines[3]), lines)
