from kofinlaw.augment.shortcuts import longest_credit, overlap_credit


def test_overlap_takes_the_least_for_a_negative_stem_and_shares_ties():
    options = [{"가", "나"}, {"가"}, {"다"}]
    assert overlap_credit(options, 0, [{"가", "나"}]) == 0.5
    assert overlap_credit(options, 2, [{"가", "나"}]) == 0
    assert overlap_credit(options, 2, [{"가", "나"}], negative=True) == 1


def test_the_longest_option_shares_ties():
    assert longest_credit(["가", "나나", "다다"], 1) == 0.5
