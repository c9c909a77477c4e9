import unicodedata

import pytest

from kofinlaw import UserError
from kofinlaw.augment.heldout.holdout_choice import held_out_titles
from kofinlaw.augment.reading.acts import read_laws
from kofinlaw.augment.settings import AugmentSettings
from kofinlaw.records import Article


def laws(sizes):
    return read_laws(
        Article(
            id=f"{title} 제{number}조",
            document_id=title,
            title=title,
            kind="rule",
            number=f"제{number}조",
            heading="보고",
            path="",
            lead="",
            text="",
            provisions=(),
            deleted=False,
            as_of="",
            source="",
            license="",
            chunk_ids=(),
        )
        for title, size in sizes.items()
        for number in range(1, size + 1)
    )


def chosen(sizes, share=0.2):
    return set(held_out_titles(AugmentSettings(holdout_share=share), laws(sizes)))


TWENTY = {f"제{n}규정": 10 for n in range(20)}


def test_a_share_holds_out_about_that_share_of_the_articles():
    for share in (0.1, 0.2, 0.5):
        assert len(chosen(TWENTY, share)) == 20 * share


def test_a_new_document_changes_little_of_the_choice():
    before = chosen(TWENTY)
    for name in ("새 규정", "다른 지침", "업무 매뉴얼"):
        assert len(before - chosen({**TWENTY, name: 10})) <= 1


def test_the_order_and_the_form_of_the_titles_do_not_change_the_choice():
    turned = dict(reversed(TWENTY.items()))
    assert chosen(turned) == chosen(TWENTY)
    decomposed = {unicodedata.normalize("NFD", title): n for title, n in TWENTY.items()}
    assert {unicodedata.normalize("NFC", title) for title in chosen(decomposed)} == chosen(TWENTY)


def test_a_decree_is_held_out_with_its_act():
    sizes = {f"{title}{tail}": 5 for title in TWENTY for tail in ("", " 시행령")}
    found = chosen(sizes)
    assert {title for title in found if not title.endswith("시행령")} == {
        title.removesuffix(" 시행령") for title in found if title.endswith("시행령")
    }
    assert found


def test_something_is_held_out_and_something_is_left_whatever_the_sizes():
    for sizes in ({"가": 100, "나": 1}, {"가": 1, "나": 100}, {"가": 90, "나": 80}):
        for share in (0.05, 0.5):
            assert len(chosen(sizes, share)) == 1


def test_one_document_cannot_be_held_out():
    with pytest.raises(UserError, match="1 document"):
        chosen({"가": 10, "가 시행령": 4})


def test_titles_are_taken_as_they_are_and_missing_ones_are_named():
    settings = AugmentSettings(holdout_documents=("제3규정",))
    assert held_out_titles(settings, laws(TWENTY)) == ("제3규정",)
    with pytest.raises(UserError, match="없는 규정"):
        held_out_titles(AugmentSettings(holdout_documents=("없는 규정",)), laws(TWENTY))


def test_a_share_and_titles_exclude_each_other():
    with pytest.raises(ValueError, match="set one of"):
        AugmentSettings(holdout_share=0.2, holdout_documents=("제3규정",))
    assert AugmentSettings(holdout_share=0.2, holdout_items=5).holds_out
