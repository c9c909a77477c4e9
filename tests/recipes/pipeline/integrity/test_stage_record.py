"""A record is sealed, whatever its figures are."""

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from kofinlaw.recipes.pipeline.integrity.stage_record import (
    passed_on,
    read_record,
    write_record,
)
from kofinlaw.tolerant_files import is_intact

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
ENCODABLE = VALUES.filter(lambda value: "\\ud" not in ascii(value))


@settings(max_examples=12)
@given(counts=st.dictionaries(st.text(alphabet="가나ab", max_size=4), ENCODABLE, max_size=4))
def test_a_record_is_read_as_it_was_written_and_any_other_figure_breaks_its_seal(
    tmp_path_factory, counts
):
    folder = tmp_path_factory.mktemp("stage")
    write_record(folder, {"stage": "a", "counts": {**counts, "n": 1, "nan": math.nan}})
    record = read_record(folder)
    assert is_intact(record)
    record["counts"]["n"] = 2
    assert not is_intact(record)


def test_accepted_files_change_what_is_passed_on():
    assert passed_on({"fingerprint": "m"}, "m") == "m"
    assert passed_on({"fingerprint": "m", "edited": "e"}, "m") not in ("m", "e")
    assert passed_on({"fingerprint": "old", "edited": "e"}, "m") == "m"
