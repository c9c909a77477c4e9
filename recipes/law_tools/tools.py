"""Answer the calls of the tools from one run: search, articles, references, versions.

A tool gets its arguments as read by `arguments` and returns one of `results`. Everything is read
when it is first used, so that a client that only lists the tools waits for nothing.
"""

from __future__ import annotations

import datetime
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from pydantic import BaseModel

from kofinlaw import UserError
from kofinlaw.commands import stage_command
from kofinlaw.data.law.verifying.checked import CheckedCitation
from kofinlaw.data.law.verifying.known_law import KnownLaw
from kofinlaw.data.law.verifying.verify import verify_citations
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.retrieve.retriever import Retriever
from kofinlaw.recipes.asking.days import typed_day
from kofinlaw.recipes.law_tools.arguments import (
    CompareVersions,
    GetArticle,
    SearchLaw,
    ToolArguments,
    VerifyCitations,
)
from kofinlaw.recipes.law_tools.comparison import compare_days
from kofinlaw.recipes.law_tools.dated_texts import DatedTexts, whole_text
from kofinlaw.recipes.law_tools.results import (
    ArticleText,
    Comparison,
    Found,
    Passage,
    Reference,
    Verdicts,
)
from kofinlaw.recipes.law_tools.search_settings import without_model
from kofinlaw.recipes.pipeline.integrity.checks import require_stages
from kofinlaw.recipes.pipeline.run import Run
from kofinlaw.records import Question

__all__ = ["LawTools", "Tool", "run_tools"]


@dataclass(frozen=True)
class Tool:
    """A tool: what a client reads about it, its arguments and results, and what answers a call."""

    name: str
    title: str
    description: str
    arguments: type[ToolArguments]
    result: type[BaseModel]
    call: Callable[..., BaseModel]


class LawTools:
    """The law of one run. Its calls are answered one after another.

    Args:
        bound: The run.
        trust: Do not check that the files of its stages are unchanged.
        say: Called with a line of text, for example about files that were not checked.

    Raises UserError for a run without an index, and for one whose index changed or is damaged.
    """

    def __init__(self, bound: Run, *, trust: bool, say: Callable[[str], None]) -> None:
        self._run, self._trust, self._say = bound, trust, say
        self._turn = threading.RLock()
        if not (bound.folder / "index").is_dir():
            raise UserError(
                "this run has no index",
                where=str(bound.folder),
                remedy=f"run `{stage_command('index', bound.folder)}` to build it",
            )
        require_stages(bound.folder, ("index",), trust=trust, say=say)
        self.index = Index.load(bound.folder / "index")

    @property
    def name(self) -> str:
        """The recipe's name."""
        return self._run.recipe.name

    @cached_property
    def texts(self) -> DatedTexts:
        """The texts of the index by unit and day."""
        return DatedTexts(self.index, self._run.recipe.rag.as_of)

    @cached_property
    def known(self) -> KnownLaw:
        """What the corpus of the run says, for checking references."""
        folder = self._run.folder / "data"
        if not folder.is_dir():
            raise UserError(
                "this run has no corpus, so references cannot be checked",
                where=str(self._run.folder),
                remedy=f"run `{stage_command('data', self._run.folder)}` to build it",
            )
        require_stages(self._run.folder, ("data",), trust=self._trust, say=self._say)
        return KnownLaw.of_corpus(folder)

    @cached_property
    def _searching(self) -> tuple[Retriever, tuple[str, ...]]:
        """The retriever, and what the recipe's search has that this one leaves out."""
        settings, left_out = without_model(self._run.recipe.rag)
        return Retriever(self.index, settings, cache=self._run.cache), left_out

    def search_law(self, asked: SearchLaw) -> Found:
        """Return one page of the passages of a search, best first."""
        day = _day(asked.as_of, "as_of")
        with self._turn:
            retriever, left_out = self._searching
            question = Question("query", asked.query, as_of=day.isoformat() if day else "")
            hits = retriever.search([question], as_of=day)[0]
            absent = retriever.absent(question)
            judged = retriever.judge([question])[0]
        notes = [f"left out of this search, because it needs a model: {one}" for one in left_out]
        if judged is not None and judged.reason:
            notes.append(f"{judged.reason}: {judged.text}")
        for name, titles in judged.former if judged is not None else ():
            notes.append(f"{name} is searched as {', '.join(titles)}")
        notes += [
            f"{one.title} has no text on that day; its first is of {one.first}" for one in absent
        ]
        end = asked.offset + asked.limit
        return Found(
            query=asked.query,
            as_of=day.isoformat() if day else "",
            found=len(hits),
            passages=tuple(
                Passage(
                    unit=hit.chunk.unit,
                    title=hit.chunk.title,
                    kind=hit.chunk.kind,
                    text=hit.chunk.text[: asked.max_characters],
                    truncated=len(hit.chunk.text) > asked.max_characters,
                    since=hit.chunk.since,
                    until=hit.chunk.until,
                    document_day=hit.chunk.as_of,
                    pages=hit.chunk.pages,
                    score=hit.score,
                )
                for hit in hits[asked.offset : end]
            ),
            next_offset=end if end < len(hits) else None,
            notes=tuple(notes),
        )

    def get_article(self, asked: GetArticle) -> ArticleText:
        """Return one page of the text of a unit on a day."""
        day = _day(asked.as_of, "as_of")
        with self._turn:
            unit = self.texts.unit(asked.unit)
            chunks = [self.index.chunks[row] for row in self.texts.text_rows(unit, day)]
            periods = tuple(self.texts.periods(unit))
        text, first = whole_text(chunks), chunks[0]
        if asked.offset >= len(text):
            raise UserError(
                f"{unit} has {len(text)} characters",
                where="offset",
                remedy="use `next_offset` of the page before",
            )
        end = asked.offset + asked.max_characters
        notes = () if unit == asked.unit else (f"{asked.unit!r} was read as {unit}",)
        return ArticleText(
            unit=unit,
            title=first.title,
            kind=first.kind,
            as_of=day.isoformat() if day else "",
            since=first.since,
            until=first.until,
            document_day=first.as_of,
            text=text[asked.offset : end],
            characters=len(text),
            next_offset=end if end < len(text) else None,
            versions=periods,
            notes=notes,
        )

    def verify_citations(self, asked: VerifyCitations) -> Verdicts:
        """Return one page of the references of a text, each with its verdict."""
        day = _day(asked.as_of, "as_of")
        if not asked.text.strip():
            raise UserError("the text is empty", where="text", remedy="send the text to check")
        with self._turn:
            title = self.known.title_of(asked.act) if asked.act else ""
            if asked.act and not title:
                raise UserError(
                    f"the corpus has no act {asked.act!r}", where="act", remedy="write its title"
                )
            found = verify_citations(asked.text, self.known, as_of=day, act=title)
        end = asked.offset + asked.limit
        return Verdicts(
            references=tuple(_reference(one) for one in found[asked.offset : end]),
            found=len(found),
            failed=sum(one.failed for one in found),
            counts=dict(Counter(one.verdict for one in found)),
            next_offset=end if end < len(found) else None,
        )

    def compare_versions(self, asked: CompareVersions) -> Comparison:
        """Return one page of what changed in a document between two days."""
        before, after = (_typed(asked.before, "before"), _typed(asked.after, "after"))
        with self._turn:
            return compare_days(
                self.texts,
                self.texts.title(asked.act),
                before,
                after,
                offset=asked.offset,
                limit=asked.limit,
                characters=asked.max_characters,
            )


def run_tools(law: LawTools) -> tuple[Tool, ...]:
    """Return the tools over a run."""
    return (
        Tool(
            "search_law",
            "Search the law",
            "Search the acts, decrees, regulations, annexes and guidelines of this corpus and "
            "return passages, best first. `notes` says when nothing in the corpus bears on the "
            "question. Cite a passage by its `unit`.",
            SearchLaw,
            Found,
            law.search_law,
        ),
        Tool(
            "get_article",
            "Get an article",
            "Return the whole text of an article or annex on a day, and the periods of its other "
            "texts.",
            GetArticle,
            ArticleText,
            law.get_article,
        ),
        Tool(
            "verify_citations",
            "Verify citations",
            "Check every reference of a text to acts, articles, annexes and decisions against the "
            "corpus. `unknown` means that the corpus cannot know, not that the reference holds.",
            VerifyCitations,
            Verdicts,
            law.verify_citations,
        ),
        Tool(
            "compare_versions",
            "Compare versions",
            "Return which articles and annexes of an act were added, amended or removed between "
            "two days, with the changed lines.",
            CompareVersions,
            Comparison,
            law.compare_versions,
        ),
    )


def _reference(one: CheckedCitation) -> Reference:
    return Reference.model_validate(
        {name: value for name, value in one.to_record().items() if name in Reference.model_fields}
    )


def _day(text: str, where: str) -> datetime.date | None:
    return _typed(text, where) if text else None


def _typed(text: str, where: str) -> datetime.date:
    return typed_day(text, where)
