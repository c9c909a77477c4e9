"""Decide whether documents with one title are versions of one document.

A title that a program wrote into the metadata of many files (a template's, the company's name) says
nothing. Two texts are versions only if the law says so, or if their texts are similar.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence

from kofinlaw.data.document_facts import DocumentFacts
from kofinlaw.data.law.titles import title_key
from kofinlaw.data.reject_log import RejectLog

__all__ = ["SIMILAR", "by_content", "same_content", "separate_titles", "versions_of_one"]

# The least estimated Jaccard similarity of two versions. Unrelated rules share 1 to 3 % of their
# runs of 5 characters (common phrases of law), two versions of a rule mostly more than 40 %.
SIMILAR = 0.15
_NAME_OF_RULE = re.compile(
    r"(?:법|법률|령|규칙|규정|세칙|고시|훈령|예규|내규|지침|기준|약관|조례|정관|준칙|요령|강령|협약|협정|조약)"
    r"(?:\s?\([^()]*\))?\Z"
)
_MOST_GROUPS = 16  # of one title that a document is compared with
_HASH_BYTES = 8


def same_content(first: DocumentFacts, second: DocumentFacts) -> bool:
    """Return whether two texts are the same or similar: at least `SIMILAR` of their 5-grams."""
    if first.sha256 == second.sha256:
        return True
    one, other = (_hashes(facts.sketch) for facts in (first, second))
    both = sorted(one | other)[: max(len(one), len(other))]
    return bool(both) and sum(h in one and h in other for h in both) >= SIMILAR * len(both)


def _hashes(sketch: bytes) -> set[int]:
    return set(struct.unpack(f"<{len(sketch) // _HASH_BYTES}Q", sketch))


def versions_of_one(first: DocumentFacts, second: DocumentFacts) -> bool:
    """Return whether two documents of one title are versions of one document.

    They are if one of these holds:

    - The law portal numbers them as one act or rule.
    - Both are from the history of one git repository, or the recipe gives both the title.
    - Both have articles and a day in force, and state the title themselves, which is the name of a
      rule (`여신업무규정`, not `가람은행`).
    - Their texts are similar.
    """
    if first.law_number and first.law_number == second.law_number:
        return True
    if first.commit and second.commit:
        return True
    pair = (first, second)
    if all(facts.title_from == "recipe" for facts in pair):
        return True
    stated = all(facts.title_from != "metadata" for facts in pair)
    stated = stated and _NAME_OF_RULE.search(first.title.strip()) is not None
    if stated and all(facts.articles and facts.as_of for facts in pair):
        return True
    return same_content(first, second)


def separate_titles(documents: Sequence[DocumentFacts], log: RejectLog) -> list[DocumentFacts]:
    """Return the documents; unrelated ones with one title from metadata get titles of their own.

    The title is then the first heading or the name of the file; similar texts keep one title. Each
    such title gives a warning.
    """
    titled: dict[str, list[int]] = {}
    for index, facts in enumerate(documents):
        if facts.title_from == "metadata" and facts.annex is None:
            titled.setdefault(title_key(facts.title), []).append(index)
    out = list(documents)
    for indexes in titled.values():
        groups = _groups([documents[index] for index in indexes], same_content)
        if len(groups) < 2:
            continue
        own = {facts.row: group[0].other_title for group in groups for facts in group}
        for index in indexes:
            out[index] = out[index].renamed(own[out[index].row])
        first, second = groups[0][0], groups[1][0]
        log.warn(
            f"{len(indexes)} files have the title {first.title} in their metadata only, and their "
            f"texts differ: {first.source} is listed as {first.other_title}, "
            f"{second.source} as {second.other_title}"
        )
    return out


def by_content(
    groups: Iterable[Sequence[DocumentFacts]], log: RejectLog
) -> Iterator[Sequence[DocumentFacts]]:
    """Yield each group of one title in groups of versions; all but the first get a number.

    Each further group gives a warning.
    """
    for group in groups:
        for number, same in enumerate(_groups(group, versions_of_one)):
            if not number:
                yield same
                continue
            title = f"{group[0].title} ({number + 1})"
            log.warn(
                f"{group[0].source} and {same[0].source} have the title {group[0].title}, but are "
                f"not versions of one document: {same[0].source} is listed as {title}; if they "
                "are, give each the day it came into force (시행일자)"
            )
            yield [facts.renamed(title) for facts in same]


def _groups(
    documents: Sequence[DocumentFacts], same: Callable[[DocumentFacts, DocumentFacts], bool]
) -> list[list[DocumentFacts]]:
    """Return the documents in groups of which each member is `same` as the first or the last."""
    groups: list[list[DocumentFacts]] = []
    for facts in documents:
        known = groups[:_MOST_GROUPS]
        fitting = (g for g in known if same(g[0], facts) or same(g[-1], facts))
        group = next(fitting, None)
        if group is None:
            groups.append([facts])
        else:
            group.append(facts)
    return groups
