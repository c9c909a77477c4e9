"""Write the figures of a review into the card of the finished stage `augment`."""

from __future__ import annotations

from collections.abc import Callable

from kofinlaw import UserError
from kofinlaw.augment.review.applying import made_examples
from kofinlaw.augment.review.review_card import card_texts, review_record
from kofinlaw.augment.review.sample import reading_order
from kofinlaw.recipes.pipeline.integrity.checks import Checks, replace_outputs
from kofinlaw.recipes.pipeline.lock import run_lock
from kofinlaw.recipes.review.session import Session

__all__ = ["write_card_of"]


def write_card_of(session: Session, say: Callable[[str], None], *, trust: bool = False) -> bool:
    """Write the section on the review into `card.md` and `card.json`; return whether it was done.

    The figures are those of the examples that the stage holds now: it may have run again while the
    page was open. The stage's record gets the new hashes of both files, so the run stays verified
    and nothing runs again. The card stays as it is, and `say` is called, while another process
    writes the run, and if files of the stage changed that `trust` uses unchecked.

    Raises UserError if files of the stage changed without `trust`, or if a card cannot be read.
    """
    stage = session.folder / "augment"
    try:
        with run_lock(session.folder, lambda line: None):
            checks = Checks(session.folder, fresh=True)
            if trust and not checks.state("augment").intact:
                say("the card is not written, because files of augment changed")
                return False
            checks.require("augment")
            sample = reading_order(made_examples(stage), session.seed)
            if sample.sha256 != session.sample.sha256:
                say("augment made other examples since the review began; the card is about these")
            replace_outputs(stage, card_texts(stage, review_record(sample, session.verdicts())))
    except UserError as error:
        if not error.message.startswith("another run"):
            raise
        say(f"the card is not written now: {error.message}")
        return False
    return True
