"""Choose the documents that are held out from training: by title, or by a share of the articles."""

from __future__ import annotations

import hashlib
import re
import unicodedata

from kofinlaw import UserError
from kofinlaw.augment.reading.acts import Laws
from kofinlaw.augment.settings import AugmentSettings

__all__ = ["held_out_titles"]

_DECREE = re.compile(r" (?:시행령|시행규칙|시행세칙)$")


def held_out_titles(settings: AugmentSettings, laws: Laws) -> tuple[str, ...]:
    """Return the titles of the held-out documents, in the order of the corpus.

    They are `holdout_documents`, or those that `holdout_share` chooses. The choice depends on the
    titles and on the number of articles only: an act and its decrees are one group, the groups are
    taken in the order of the SHA-256 of their title while each one brings the number of held-out
    articles closer to the share, and one group always remains for training. A new document
    therefore changes little of the choice.

    Raises UserError if a title is not in the corpus, or if a share is set and the corpus has fewer
    than two groups.
    """
    if not settings.holdout_share:
        missing = sorted(set(settings.holdout_documents) - set(laws.titles))
        if missing:
            raise UserError(
                f"held-out documents that the corpus does not have: {', '.join(missing)}",
                where="augment.holdout_documents",
                remedy="write titles exactly as in the documents, or set "
                "`augment.holdout_share: 0.2` instead of titles; the documents are "
                + ", ".join(laws.titles[:8]),
            )
        return settings.holdout_documents
    groups: dict[str, list[str]] = {}
    for title in laws.titles:
        groups.setdefault(_DECREE.sub("", title), []).append(title)
    if len(groups) < 2:
        raise UserError(
            f"there is {len(groups)} document with articles, so none can be held out",
            where="augment.holdout_share",
            remedy="add a second document, or train without a test: set `augment.holdout_share: "
            "0`, `augment.holdout_items: 0`, `augment.holdout_free: 0` and "
            "`evaluate.heldout: false`",
        )
    sizes = {
        name: sum(len(laws.by_title[title].articles) for title in titles)
        for name, titles in groups.items()
    }
    wanted = settings.holdout_share * sum(sizes.values())
    taken: set[str] = set()
    held = 0
    for name in sorted(groups, key=_mark):
        if held + sizes[name] / 2 <= wanted and len(taken) < len(groups) - 1:
            taken.add(name)
            held += sizes[name]
    if not taken:  # every group is far larger than the share
        taken = {min(groups, key=lambda name: (sizes[name], _mark(name)))}
    return tuple(title for title in laws.titles if _DECREE.sub("", title) in taken)


def _mark(title: str) -> str:
    """Return a hash of a title that does not depend on how its Hangul is composed."""
    return hashlib.sha256(unicodedata.normalize("NFC", title).encode("utf-8")).hexdigest()
