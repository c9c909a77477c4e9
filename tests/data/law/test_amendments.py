"""Amendment tags: removed or masked."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kofinlaw.data.law.amendments import mask_amendments, strip_amendments


def test_amendment_tags_are_removed_and_other_brackets_are_kept():
    text = '승인한다<개정 2013. 12. 3., 2022. 11. 23.> [본조신설 2016.3.29] [이하 "법"이라 한다] <별표 1>'
    clean, tags = strip_amendments(text)
    assert clean == '승인한다 [이하 "법"이라 한다] <별표 1>'
    assert tags == ("<개정 2013. 12. 3., 2022. 11. 23.>", "[본조신설 2016.3.29]")
    page = "인터넷 홈페이지[이동통신단말장치에서 사용되는 애플리케이션(Application)을 포함한다]"
    assert strip_amendments(page) == (page, ())
    assert strip_amendments("<삭제 2020.5.19>") == ("삭제", ("<삭제 2020.5.19>",))


@given(st.text(alphabet="가<>[]개정신설 2013.5,〈〉\n삭제", max_size=60))
def test_masking_tags_keeps_every_offset(text):
    masked = mask_amendments(text)
    assert len(masked) == len(text)
    assert all(m in (" ", t) for m, t in zip(masked, text, strict=True))
