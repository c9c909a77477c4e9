"""Attach annexes in files of their own to the regulation that they belong to.

An annex takes title, kind, day and licence from its regulation, and follows it through the
corpus: it is in force with it, superseded with it, and cited as `은행업감독규정 별표 3`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from kofinlaw.data.document_facts import DocumentFacts
from kofinlaw.data.law.titles import title_key
from kofinlaw.data.reject_log import RejectLog

__all__ = ["attach_annexes", "with_parts"]

_OWNERS = frozenset(["statute", "rule"])
_MAIN_FILES = frozenset(
    ["고시", "본문", "전문", "규정", "규칙", "세칙", "훈령", "예규", "지침", "법령", "조문"]
)


def attach_annexes(documents: Sequence[DocumentFacts], log: RejectLog) -> list[DocumentFacts]:
    """Return the documents without annexes' files; each regulation has its annexes as `parts`.

    The regulation of an annex is the one that the annex or its file name names. Otherwise it is
    the only statute or rule in its folder, or in the folder above if its own has none. With
    several, the file `고시` or `본문`, or the file with the name of the folder, is the one.

    An annex without a regulation stays a document of its own, with a warning. The second file of
    one annex is rejected.
    """
    files = _without_guesses(documents)
    mains = [d for d in files if d.annex is None]
    by_title: dict[str, list[DocumentFacts]] = {}
    by_folder: dict[str, list[DocumentFacts]] = {}
    for main in mains:
        if main.kind in _OWNERS:
            by_title.setdefault(title_key(main.title), []).append(main)
            by_folder.setdefault(main.folder, []).append(main)
    parts: dict[int, list[DocumentFacts]] = {}
    alone: set[int] = set()
    for annex in files:
        if annex.annex is None:
            continue
        owners = _owners(annex, by_title, by_folder)
        for owner in owners:
            parts.setdefault(owner.row, []).append(annex)
        if not owners:
            alone.add(annex.row)
            log.warn(
                f"{annex.source}: an annex ({annex.annex.name}) without its regulation; put the "
                "regulation into the same folder, or name it: `[별표 1] 제목(규정 이름).md`"
            )
    out = []
    for document in files:
        if document.annex is None:
            out.append(with_parts(document, parts.get(document.row, ()), log))
        elif document.row in alone:
            out.append(replace(document, annex=None))
    return out


def with_parts(
    main: DocumentFacts, annexes: Iterable[DocumentFacts], log: RejectLog
) -> DocumentFacts:
    """Return the regulation with these annexes after its own, ordered by name, each name once."""
    held = {part.annex.name: part for part in main.parts if part.annex}
    for annex in sorted(annexes, key=_newest_first):
        if annex.annex is None:
            continue
        other = held.get(annex.annex.name)
        if other is None:
            held[annex.annex.name] = annex
        elif other.row != annex.row:
            same = other.sha256 == annex.sha256
            why = f"{main.title} {annex.annex.name}: {other.source} is kept"
            log.reject("read", annex.source, "duplicate" if same else "same_annex", why)
    parts = tuple(
        replace(
            part,
            title=main.title,
            kind=main.kind,
            as_of=main.as_of,
            day_from=f"{main.source}: {main.day_from}" if main.day_from else "",
            license=main.license,
            version=main.version,
        )
        for part in sorted(held.values(), key=_order)
    )
    return replace(main, parts=parts)


def _without_guesses(documents: Sequence[DocumentFacts]) -> list[DocumentFacts]:
    """Return the documents, those no longer annexes whose file name names no known regulation."""
    titles = {title_key(d.title) for d in documents if d.annex is None}
    return [
        d
        if d.annex is None or d.annex.sure or title_key(d.annex.of) in titles
        else replace(d, annex=None)
        for d in documents
    ]


def _owners(
    annex: DocumentFacts,
    by_title: dict[str, list[DocumentFacts]],
    by_folder: dict[str, list[DocumentFacts]],
) -> list[DocumentFacts]:
    """Return the regulation of an annex: one, or several versions that contain it; or none."""
    folder = annex.folder
    near = by_folder.get(folder) or by_folder.get(PurePosixPath(folder).parent.as_posix(), [])
    named = by_title.get(title_key(annex.annex.of), []) if annex.annex and annex.annex.of else []
    found = [d for d in named if d in near] or named
    if not found:
        found = near
        if len({title_key(d.title) for d in near}) > 1:
            found = [d for d in near if _is_main_file(d)]
            found = found if len({title_key(d.title) for d in found}) == 1 else []
    if len(found) < 2:
        return found
    # Several versions: those of its day and later contain it. A file without an own day is as old
    # as the newest text.
    since = annex.as_of if annex.commit else ""
    later = [d for d in found if since and d.as_of >= since]
    return later or [max(found, key=lambda d: d.as_of)]


def _is_main_file(document: DocumentFacts) -> bool:
    stem = PurePosixPath(document.source).stem
    return stem in _MAIN_FILES or title_key(stem) == title_key(PurePosixPath(document.folder).name)


def _newest_first(annex: DocumentFacts) -> tuple[int, str]:
    """Sort files of a git history by their day, newest first, and others by name."""
    day = int(annex.as_of.replace("-", "") or 0) if annex.commit else 0
    return -day, annex.source


def _order(part: DocumentFacts) -> tuple[str, tuple[int, ...]]:
    """Sort `별표 2의2` after `별표 2` and before `별표 10`."""
    name = part.annex.name if part.annex else ""
    return name.partition(" ")[0], tuple(map(int, re.findall(r"\d+", name)))
