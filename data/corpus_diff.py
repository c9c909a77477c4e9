"""What changed between two corpora: articles added, amended, repealed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kofinlaw.files import read_jsonl
from kofinlaw.records import Article


@dataclass(frozen=True, slots=True)
class Changes:
    """Article ids by what happened to them, in the order of the corpora.

    `moved` articles kept their words under another heading or division. An article that is marked
    as deleted in the second corpus, or is no longer there, counts as repealed.
    """

    added: tuple[str, ...]
    amended: tuple[str, ...]
    repealed: tuple[str, ...]
    moved: tuple[str, ...]
    same: int


def compare_corpora(before: Path, after: Path) -> Changes:
    """Compare the `articles.jsonl` of two corpus folders; blanks do not count as a change.

    Raises UserError where a folder holds no corpus.
    """
    old, new = _articles(before), _articles(after)
    both = [name for name in new if name in old]
    amended = dict.fromkeys(n for n in both if _words(old[n]) != _words(new[n]))
    moved = [n for n in both if n not in amended and _place(old[n]) != _place(new[n])]
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


def _words(article: Article) -> str:
    return "".join(article.text.split())


def _place(article: Article) -> tuple[str, str]:
    return "".join(article.heading.split()), "".join(article.path.split())
