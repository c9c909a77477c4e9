"""Choose the documents that are held out from training: by title, or by a share of the articles."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from kofinlaw import UserError
from kofinlaw.augment.reading.acts import Laws
from kofinlaw.augment.settings import AugmentSettings

__all__ = ["held_out_titles"]

_DECREE = re.compile(r" (?:시행령|시행규칙|시행세칙)$")


def held_out_titles(settings: AugmentSettings, laws: Laws) -> tuple[str, ...]:
    """Return the titles of the held-out documents, in the order of the corpus.

    They are `holdout_documents`, and the ones that `holdout_share` adds. What it adds depends on
    the titles and on the numbers of articles only: an act and its decrees are one group, the groups
    are taken in the order of the SHA-256 of their title while each one brings the number of
    held-out articles closer to the share, and one group always remains for training. A new document
    therefore changes little of the choice. Of a group with a named title no other title is added.

    Raises UserError if a title is not in the corpus, or if a share is set and the corpus has fewer
    than two groups.
    """
    named = set(settings.holdout_documents)
    if missing := sorted(named - set(laws.titles)):
        raise UserError(
            f"held-out documents that the corpus does not have: {', '.join(missing)}",
            where="augment.holdout_documents",
            remedy="write titles exactly as in the documents, or set "
            "`augment.holdout_documents: []` and `augment.holdout_share: 0.2` instead of titles; "
            "the documents are " + ", ".join(laws.titles[:8]),
        )
    if not settings.holdout_share:
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
    articles = {title: len(laws.by_title[title].articles) for title in laws.titles}
    added = _added_groups(groups, articles, named, settings.holdout_share)
    return tuple(
        title for title in laws.titles if title in named or _DECREE.sub("", title) in added
    )


def _added_groups(
    groups: Mapping[str, Sequence[str]],
    articles: Mapping[str, int],
    named: AbstractSet[str],
    share: float,
) -> set[str]:
    """Return the groups that are held out next to the named titles, so that `share` is reached."""
    sizes = {name: sum(articles[title] for title in titles) for name, titles in groups.items()}
    free = [name for name in sorted(groups, key=_mark) if not named & set(groups[name])]
    wanted = share * sum(sizes.values())
    held = sum(articles[title] for title in named)
    left = sum(not named >= set(titles) for titles in groups.values())  # groups to train on
    added: set[str] = set()
    for name in free:
        if held + sizes[name] / 2 <= wanted and left - len(added) > 1:
            added.add(name)
            held += sizes[name]
    if not added and not named:  # every group is far larger than the share
        added = {min(groups, key=lambda name: (sizes[name], _mark(name)))}
    return added


def _mark(title: str) -> str:
    """Return a hash of a title that does not depend on how its Hangul is composed."""
    return hashlib.sha256(unicodedata.normalize("NFC", title).encode("utf-8")).hexdigest()
