from kofinlaw.augment.tables.sure_rows import TABLE_REASONS, sure_tables, table_counts

WEIGHTS = """
| 자산 유형 | 자산 유형 | 가 중 치(%) |
| 현금 | | 100 |
| 외화증권 | 국 공 채 | 90 |
| 외화증권 | 회 사 채 | 85 |
| 선물자산1) | | 80 |
| 합계 | | 100 |
| | 그 밖의 증권 | 10 |
| 기 타 | | 50 |
| 대출금 | | 90 또는 80 |
| 예금 | | 우량 |
"""


def reasons(found):
    return {
        table.table.rows[i].cells[0]: why for table in found for i, why in table.reasons.items()
    }


def test_sure_cells_have_label_case_name_and_unit(table):
    (found,) = sure_tables([table(WEIGHTS)])
    assert [(c.label, c.value.text) for c in found.cells] == [
        ("현금", "100%"),
        ("외화증권 > 국공채", "90%"),
        ("외화증권 > 회사채", "85%"),
    ]
    assert found.cells[1].case == "자산 유형이 '외화증권 > 국공채'인 경우의"
    assert found.cells[1].name == "가중치"


def test_every_other_row_has_its_reason(table):
    found = sure_tables([table(WEIGHTS)])
    assert reasons(found) == {
        "선물자산1)": "footnote",
        "합계": "total",
        "": "empty_label",
        "기 타": "points_elsewhere",
        "대출금": "several_values",
        "예금": "no_figure",
    }
    assert table_counts(found) == {
        "asked": 3, "footnote": 1, "total": 1, "empty_label": 1, "points_elsewhere": 1,
        "several_values": 1, "no_figure": 1,
    }  # fmt: skip
    assert set(table_counts(found)) <= set(TABLE_REASONS)


def test_rows_below_a_subheading_a_number_without_unit_and_ragged_tables_are_not_asked(table):
    below = "| 자료 | 기간 |\n| 장부 | 5년 |\n| 가. 전표 | |\n| 전표철 | 3년 |"
    assert reasons(sure_tables([table(below)])) == {
        "가. 전표": "subheading",
        "전표철": "below_subheading",
    }
    bare = "| 자산 | 가중치 |\n| 현금 | 100 |\n| 예금 | 90 |"
    assert set(reasons(sure_tables([table(bare)])).values()) == {"unit"}
    assert len(sure_tables([table(bare, "(단위: %)")])[0].cells) == 2
    ragged = sure_tables([table(bare, "(단위: %)", whole=False)])
    assert set(reasons(ragged).values()) == {"ragged"}


def test_a_label_of_two_tables_needs_a_title(table):
    first = "| 경과 | 분양률 |\n| 6월 미만 | 40% 미만 |\n| 6월 이상 | 50% 미만 |"
    second = first.replace("40%", "20%").replace("50%", "30%")
    plain = sure_tables([table(first), table(second)])
    assert not any(one.cells for one in plain)
    assert set(reasons(plain).values()) == {"same_label"}
    titled = sure_tables(
        [table(first, "가. 아파트의 분양 기준"), table(second, "나. 상가의 분양 비율")]
    )
    assert [one.title for one in titled] == ["아파트의 분양 기준", "상가의 분양 비율"]
    assert all(len(one.cells) == 2 for one in titled)


def test_a_condition_in_another_column_and_a_missing_header_are_in_doubt(table):
    limited = (
        "| 기간 | 적용대상 | 비율 |\n| 상반기 | 고가주택 | 60% |\n| 하반기 | 모든 주택 | 50% |"
    )
    assert set(reasons(sure_tables([table(limited)])).values()) == {"further_condition"}
    headless = "| 현금 | 100% |\n| 예금 | 90% |\n| 증권 | 80% |"
    assert set(reasons(sure_tables([table(headless)])).values()) == {"header"}


def test_a_row_of_measures_below_columns_of_cases_is_not_asked(table):
    turned = (
        "| 보통주비율 | 4 + K 미만 | 5 + K 이상 |\n| 또는 기본자본비율 | 6 + K 미만 | 6 + K 이상 |"
    )
    turned += "\n| 내부유보비율 | 100% | 0% |"
    assert reasons(sure_tables([table(turned)])) == {
        "또는 기본자본비율": "formula",
        "내부유보비율": "header",
    }
