"""The card of the finished stage: new figures, and a run that stays verified."""

import pytest
from review_examples import verdict

from kofinlaw import UserError
from kofinlaw.recipes.pipeline.integrity.checks import Checks, rerecord
from kofinlaw.recipes.pipeline.integrity.stage_record import read_record
from kofinlaw.recipes.pipeline.lock import run_lock
from kofinlaw.recipes.review.card import write_card_of


def test_the_card_gets_the_figures_and_the_stage_stays_intact(session, run):
    kim = session()
    before = read_record(run / "augment")
    kim.take([verdict(example) for example in kim.sample.kinds["choice_quantity"][:2]])
    assert write_card_of(kim, print)
    assert "| choice_quantity | 24 | 2 |" in (run / "augment" / "card.md").read_text()
    assert Checks(run, fresh=True).state("augment").intact
    after = read_record(run / "augment")
    assert after["fingerprint"] == before["fingerprint"]
    changed = {
        name for name in after["outputs"] if after["outputs"][name] != before["outputs"][name]
    }
    assert changed == {"card.md", "card.json"}


def test_another_process_that_writes_the_run_keeps_its_card(session, run):
    kim, said = session(), []
    kim.take([verdict(kim.sample.kinds["choice_quantity"][0])])
    text = (run / "augment" / "card.md").read_text()
    with run_lock(run, print):
        assert not write_card_of(kim, said.append)
    assert (run / "augment" / "card.md").read_text() == text
    assert "the card is not written now: another run" in said[0]


def test_a_changed_file_of_the_stage_is_not_recorded_as_intact(session, run):
    kim = session()
    (run / "augment" / "examples_focus.jsonl").write_text("")
    with pytest.raises(UserError, match="1 file changed"):
        write_card_of(kim, print)
    assert not Checks(run, fresh=True).state("augment").intact


def test_the_card_is_about_the_examples_that_the_stage_holds_now(session, run):
    kim, said = session(), []
    example = kim.sample.kinds["choice_quantity"][0]
    kim.take([verdict(example, "wrong")])
    path = run / "augment" / "examples.jsonl"
    path.write_text(path.read_text().replace("보존하여야 하는 기간은?", "보존할 기간은?"))
    rerecord(run / "augment")
    assert write_card_of(kim, said.append)
    assert "made other examples since the review began" in said[0]
    text = (run / "augment" / "card.md").read_text()
    assert (
        f"another text than the one that was read, so their verdicts are not used: {example.id}"
        in text
    )


def test_a_full_disk_leaves_the_stage_intact(session, run, small_files):
    kim, refused = session(), []
    kim.take([verdict(example) for example in kim.sample.kinds["choice_quantity"]])
    for most in range(100, 2000, 100):
        with small_files(most):
            try:
                write_card_of(kim, print)
            except UserError as error:
                refused.append(error.message)
        assert Checks(run, fresh=True).state("augment").intact
    assert 0 < len(refused) < 19
    assert all("no space left" in message for message in refused)
    assert write_card_of(kim, print)


def test_a_stage_that_the_user_trusts_unchecked_keeps_its_card(session, run):
    kim, said = session(), []
    (run / "augment" / "examples_focus.jsonl").write_text("")
    assert not write_card_of(kim, said.append, trust=True)
    assert "the card is not written, because files of augment changed" in said[0]
    assert not Checks(run, fresh=True).state("augment").intact
