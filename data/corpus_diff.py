"""Compare two corpora: which articles were added, amended, moved or repealed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kofinlaw.files import read_jsonl
from kofinlaw.records import Article

__all__ = ["Changes", "compare_corpora"]


@dataclass(frozen=True, slots=True)
class Changes:
    """Ids of articles by the kind of change, in the order of the corpora; `same` is a count.

    A `moved` article has the same text under another heading or division. An article that the
    second corpus marks as deleted, or does not contain, is `repealed`.
    """

    added: tuple[str, ...]
    amended: tuple[str, ...]
    repealed: tuple[str, ...]
    moved: tuple[str, ...]
    same: int


def compare_corpora(before: Path, after: Path) -> Changes:
    """Compare the `articles.jsonl` of two corpus folders; differences in blanks do not count.

    Raises UserError if a folder contains no corpus.
    """
    old, new = _articles(before), _articles(after)
    both = [name for name in new if name in old]
    amended = dict.fromkeys(n for n in both if _without_blanks(old[n]) != _without_blanks(new[n]))
    moved = [
        n
        for n in both
        if n not in amended and _heading_and_path(old[n]) != _heading_and_path(new[n])
    ]
    return Changes(
        added=tuple(name for name in new if name not in old),
        amended=tuple(amended),
        repealed=tuple(name for name in old if name not in new),
        moved=tuple(moved),
        same=len(both) - len(amended) - len(moved),
    )


def _articles(folder: Path) -> dict[str, Article]:
    found = read_jsonl(folder / "articles.jsonl", Article)
    return {article.id: article for article in found if not article.deleted}


def _without_blanks(article: Article) -> str:
    return "".join(article.text.split())


def _heading_and_path(article: Article) -> tuple[str, str]:
    return "".join(article.heading.split()), "".join(article.path.split())
