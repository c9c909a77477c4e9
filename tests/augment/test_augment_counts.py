from dataclasses import replace

from kofinlaw.augment import AugmentCounts

COUNTS = AugmentCounts(
    examples=9,
    items=8,
    heldout=3,
    rejected=1,
    tokens=900,
    negative_share=0.3,
    numeric_share=0.2,
    longest_gain=0.0,
    heldout_overlap=0.5,
    heldout_overlap_gold=0.4,
)


def test_the_record_names_a_teacher_only_where_there_was_one():
    assert not {"taught", "sent"} & set(COUNTS.to_record())
    taught = replace(COUNTS, taught=0, sent=0).to_record()
    assert (taught["taught"], taught["sent"]) == (0, 0)
    assert list(taught)[:10] == list(COUNTS.to_record())
