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


def test_a_share_is_added_to_the_named_titles():
    settings = AugmentSettings(holdout_share=0.3, holdout_documents=("제3규정", "제4규정"))
    found = held_out_titles(settings, laws(TWENTY))
    assert {"제3규정", "제4규정"} < set(found)
    assert len(found) == 6
    assert list(found) == [title for title in TWENTY if title in found]
    more = AugmentSettings(holdout_share=0.3, holdout_documents=("없는 규정",))
    with pytest.raises(UserError, match="없는 규정"):
        held_out_titles(more, laws(TWENTY))


def test_named_titles_over_the_share_get_no_more():
    settings = AugmentSettings(holdout_share=0.05, holdout_documents=("제3규정", "제4규정"))
    assert held_out_titles(settings, laws(TWENTY)) == ("제3규정", "제4규정")


def test_a_named_act_does_not_bring_its_decree():
    sizes = {f"{title}{tail}": 5 for title in TWENTY for tail in ("", " 시행령")}
    settings = AugmentSettings(holdout_share=0.5, holdout_documents=("제3규정",))
    found = held_out_titles(settings, laws(sizes))
    assert "제3규정" in found
    assert "제3규정 시행령" not in found


@pytest.mark.parametrize("named", [("가",), ("가", "가 시행령"), ("나",)])
def test_something_is_left_for_training_next_to_named_titles(named):
    settings = AugmentSettings(holdout_share=0.5, holdout_documents=named)
    sizes = {"가": 5, "가 시행령": 5, "나": 10}
    assert set(named) <= set(held_out_titles(settings, laws(sizes))) < set(sizes)
