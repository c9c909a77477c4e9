"""Short names and spellings of titles."""

from __future__ import annotations

from kofinlaw.data.law.titles import canonical_title, titles_by_key


def test_names_in_other_spellings_mean_the_known_title():
    titles = titles_by_key(["금융위원회의 설치 등에 관한 법률", "예금ㆍ보험에 관한 법률"])
    assert (
        canonical_title("금융위원회의설치등에관한법률", titles)
        == "금융위원회의 설치 등에 관한 법률"
    )
    assert canonical_title("예금·보험에 관한 법률", titles) == "예금ㆍ보험에 관한 법률"
    assert canonical_title("없는  법률", titles) == "없는 법률"
