"""Write the figures of a review into the card of the finished stage `augment`."""

from __future__ import annotations

from collections.abc import Callable

from kofinlaw import UserError
from kofinlaw.augment.review.review_card import update_card
from kofinlaw.recipes.pipeline.integrity.checks import Checks, rerecord
from kofinlaw.recipes.pipeline.lock import run_lock
from kofinlaw.recipes.review.session import Session

__all__ = ["write_card_of"]


def write_card_of(session: Session, say: Callable[[str], None]) -> bool:
    """Write the section on the review into `card.md` and `card.json`; return whether it was done.

    The stage's record gets the new hashes of both files, so the run stays verified and nothing runs
    again. While another process writes the run, `say` is called and the card stays as it is.

    Raises UserError if files of the stage changed, or if a card cannot be read.
    """
    try:
        with run_lock(session.folder, lambda line: None):
            Checks(session.folder, fresh=True).require("augment")
            update_card(session.folder / "augment", session.record())
            rerecord(session.folder / "augment")
    except UserError as error:
        if not error.message.startswith("another run"):
            raise
        say(f"the card is not written now: {error.message}")
        return False
    return True
