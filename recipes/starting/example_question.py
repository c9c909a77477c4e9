"""Make a question that a corpus can answer, for the commands that kofinlaw suggests."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from pathlib import Path

from kofinlaw.files import read_jsonl
from kofinlaw.records import Article, Chunk

__all__ = ["example_question"]

# Headings that few users ask about, without spaces.
GENERAL = frozenset(("목적", "정의", "적용범위", "다른법률과의관계"))


def example_question(corpus: Path, left_out: AbstractSet[str] = frozenset()) -> str:
    """Return a question on the first article with a specific heading, else on any article.

    Args:
        corpus: The folder of the stage `data`.
        left_out: Titles of documents that the question must not be about.

    A corpus without articles gives a question that its first document asks, else a question on
    this document. The result is empty if there is no document.
    """
    general = ""
    for article in read_jsonl(corpus / "articles.jsonl", Article):
        if article.deleted or not article.heading or article.title in left_out:
            continue
        question = f"「{article.title}」 {article.number}({article.heading})의 내용은 무엇인가요?"
        if article.heading.replace(" ", "") not in GENERAL:
            return question
        general = general or question
    if general:
        return general
    for chunk in read_jsonl(corpus / "chunks.jsonl", Chunk):
        if chunk.title in left_out:
            continue
        for line in chunk.text.split("\n"):  # a table of questions and answers has some
            if line.endswith("?"):
                # A word that begins with a dash would be an option of the command.
                asked = line.removeprefix(f"{chunk.title} > ").removeprefix("질문:")
                return asked.lstrip("-–*•· ").strip()
        return f"「{chunk.title}」의 내용은 무엇인가요?"
    return ""
