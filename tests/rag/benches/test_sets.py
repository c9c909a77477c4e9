"""The list of evaluation sets, and names that users type."""

import pytest

from kofinlaw import UserError
from kofinlaw.rag.benches.sets import BENCH_SETS, bench_set


@pytest.mark.parametrize(
    ("typed", "name"),
    [("KMMLU_Pro", "kmmlu-pro"), ("kmmlu redux", "kmmlu-redux"), ("SearchFireSafety", "searchfiresafety")],
)  # fmt: skip
def test_spelling_of_a_name_does_not_matter(typed, name):
    assert bench_set(typed).name == name


def test_another_name_is_refused_with_the_nearest_one():
    with pytest.raises(UserError) as error:
        bench_set("koblx")
    assert "did you mean koblex" in error.value.remedy
    with pytest.raises(UserError) as error:
        bench_set("zzz", "evaluate.exam.bench")
    assert "did you mean" not in error.value.remedy
    assert error.value.where == "evaluate.exam.bench"


def test_every_set_says_where_its_columns_and_its_licence_are_from():
    for one in BENCH_SETS.values():
        assert all((one.license, one.schema_from, one.schema_day))
        assert all(form.columns == tuple(map(str.lower, form.columns)) for form in one.forms)


def test_a_form_is_not_hidden_by_an_earlier_one():
    for one in BENCH_SETS.values():
        for number, form in enumerate(one.forms):
            for earlier in one.forms[:number]:
                assert not set(earlier.columns) <= set(form.columns), (one.name, form.name)
