"""Render the Markdown pages of a run (cards, proof, scores) as HTML pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kofinlaw.scoring.report.template import template
from kofinlaw.scoring.report.wording.card_words import korean_card
from kofinlaw.scoring.value_text import Words

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["DOCUMENTS", "Document", "document_page", "markdown_html"]


@dataclass(frozen=True, slots=True)
class Document:
    """A Markdown file of a run, its title, and what translates its text into Korean, if known."""

    path: str
    title: Words
    korean: Callable[[str], str] | None = None


# A table scrolls sideways where the window is narrow.
_SCROLL = (
    '<div class="scroll" tabindex="0" role="group" aria-label="표" data-ko="표" data-en="table">'
)
# By the last part of the address.
DOCUMENTS: dict[str, Document] = {
    "data-card.html": Document("data/card.md", ("데이터 카드", "Data card"), korean_card),
    "augment-card.html": Document("augment/card.md", ("증강 카드", "Augmentation card")),
    "model-card.html": Document("merge/model/README.md", ("모델 카드", "Model card")),
    "scores.html": Document("score/scores.md", ("점수 표", "Tables of scores")),
    "verify.html": Document("verify/verify.md", ("병합 증명", "Merge proof")),
}


def document_page(run: str, document: Document, text: str) -> str:
    """Return a Markdown file of a run as a page; HTML inside the text is shown as text."""
    return template("document.html")(
        run=run,
        title=document.title,
        path=document.path,
        body=markdown_html(text),
        korean=markdown_html(document.korean(text)) if document.korean else None,
    )


def markdown_html(text: str) -> Markup:
    """Return Markdown as HTML by CommonMark with tables.

    HTML and images in the text are not interpreted, links with the schemes javascript, vbscript,
    file and data are not made, and front matter is shown as a code block.
    """
    from markdown_it import MarkdownIt
    from markupsafe import Markup

    parser = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    if text.startswith("---\n") and "\n---\n" in text[4:]:
        front, _, text = text[4:].partition("\n---\n")
        text = f"```yaml\n{front}\n```\n{text}"
    html = parser.render(text)
    return Markup(
        html.replace("<table>", f"{_SCROLL}<table>").replace("</table>", "</table></div>")
    )
