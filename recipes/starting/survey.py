"""Survey a folder of documents: what is read, what is left out and why, what it can train."""

from __future__ import annotations

import re
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

from kofinlaw import Progress, UserError, silent
from kofinlaw.augment.reading.acts import read_laws
from kofinlaw.augment.settings import AugmentSettings, RaftSettings
from kofinlaw.data.corpus import build_corpus
from kofinlaw.data.readers.paged.unread_pages import PAGE_REASONS
from kofinlaw.data.settings import ChunkSettings, DataSettings, SourceSettings
from kofinlaw.data.source_files import FileList, list_files, shown_path
from kofinlaw.decoding import without_surrogates
from kofinlaw.files import read_json_lines, read_jsonl
from kofinlaw.models.policy.document_checks import check_documents
from kofinlaw.models.policy.rules import verdict_sentence
from kofinlaw.models.settings import ModelSettings
from kofinlaw.recipes.pipeline.planning.count_record import DryCount
from kofinlaw.recipes.pipeline.planning.dry_count import tokenizer_at_hand
from kofinlaw.recipes.pipeline.planning.example_count import count_of_corpus
from kofinlaw.recipes.starting.example_question import example_question
from kofinlaw.records import Article, Chunk

__all__ = [
    "HOLDOUT_SHARE",
    "MOST_FREE_QUESTIONS",
    "MOST_TEST_QUESTIONS",
    "Corpus",
    "FoundDocument",
    "LeftOut",
    "Survey",
    "survey_documents",
]

HOLDOUT_SHARE = 0.2
SEED = 42  # the default of a recipe, so that the dry count is that of the run
MOST_TEST_QUESTIONS = 300
MOST_FREE_QUESTIONS = 40


@dataclass(frozen=True)
class FoundDocument:
    """A document that was read, or its part in one file.

    `day` is ISO or empty; `file` is relative to the folder.
    """

    title: str
    kind: str
    day: str
    license: str
    file: str
    articles: int
    chunks: int


@dataclass(frozen=True)
class LeftOut:
    """A file that a run would not read, with the reason."""

    name: str
    reason: str


@dataclass(frozen=True)
class Survey:
    """Everything that `kofinlaw init` knows about a folder of documents.

    - `files` is the number of files in the folder.
    - `parts` counts the parts of documents that a run leaves out, by reason.
    - `refused` are the sentences of the policy on documents that it refuses; `sources` are then the
      files that it allows, relative to the folder, and otherwise empty: the whole folder.
    - `chunks` and `longest_tokens` describe the passages; tokens are estimated.
    - `acts` is the number of documents with articles, from which questions are made.
    - `question` is an example of a question that the allowed documents can answer.
    """

    folder: Path
    files: int
    documents: tuple[FoundDocument, ...]
    left_out: tuple[LeftOut, ...]
    parts: dict[str, int]
    refused: tuple[str, ...]
    sources: tuple[str, ...]
    chunks: int
    longest_tokens: int
    acts: int
    question: str

    @property
    def titles(self) -> int:
        """The number of documents; parts of one document may lie in several files."""
        return len({one.title for one in self.documents})

    @property
    def part_lines(self) -> list[str]:
        """One line for each reason for which parts of documents are left out, with their count."""
        return [
            f"{count} {'passage' if count == 1 else 'passages'}: {reason.replace('_', ' ')}, "
            "listed in rejected.jsonl of the run"
            for reason, count in self.parts.items()
        ]


def survey_documents(
    folder: Path, policy: str, max_tokens: int, model: ModelSettings
) -> tuple[Survey, Corpus]:
    """Read the documents of a folder, or one file, into a temporary corpus and describe them.

    Args:
        folder: The folder or file; it is not changed.
        policy: The policy whose refusals are named.
        max_tokens: Longest chunk in tokens.
        model: The model whose tokenizer counts, if it is on this machine.

    Returns the survey and the corpus, which the caller closes.

    Raises UserError if no document can be read, if the policy refuses all of them, or if the path
    is not UTF-8.
    """
    if without_surrogates(str(folder)) != str(folder):
        raise UserError(
            "the name of this folder or file is not UTF-8",
            where=shown_path(str(folder)),
            remedy="rename it: a recipe is a UTF-8 text and cannot name it",
        )
    corpus = Corpus(model)
    try:
        settings = DataSettings(
            sources=(SourceSettings(path=str(folder)),), chunks=ChunkSettings(max_tokens=max_tokens)
        )
        counts = build_corpus(
            settings,
            corpus.path,
            base=folder.parent,
            count_tokens=None if corpus.estimated else corpus.count_tokens,
        )
        survey = _described(folder, corpus.path, policy, counts.chunks, counts.longest_tokens)
        if survey.refused and not survey.sources:
            raise UserError(
                f"policy {policy} refuses every document: {survey.refused[0]}",
                where=str(folder),
                remedy="choose another policy with --policy, or add documents that it allows",
            )
    except BaseException:
        corpus.close()
        raise
    return survey, corpus


class Corpus:
    """A corpus in a temporary folder, which `close` or the end of the `with` block deletes."""

    def __init__(self, model: ModelSettings) -> None:
        """Open a folder; `model` is the model whose tokens are counted, or estimated."""
        self.count_tokens, tokenizer = tokenizer_at_hand(model)
        self.estimated = not tokenizer
        self._folder = tempfile.TemporaryDirectory(prefix="kofinlaw-init-")
        self.path = Path(self._folder.name) / "data"

    def possible(
        self, *, most_items: int, holdout: bool, evidence_tokens: int, progress: Progress = silent
    ) -> DryCount:
        """Count the examples and test questions that the documents give, as the run will make them.

        Args:
            most_items: Examples that the recipe asks for.
            holdout: Whether a share of the documents is held out for the test.
            evidence_tokens: Tokens of evidence in one prompt.
            progress: Called with the phase and the number of done and all parts.

        Raises UserError if the corpus has no article, or too few documents to hold one out.
        """
        settings = AugmentSettings(
            items=most_items,
            raft=RaftSettings(max_evidence_tokens=evidence_tokens),
            holdout_share=HOLDOUT_SHARE if holdout else 0.0,
            holdout_items=MOST_TEST_QUESTIONS if holdout else 0,
            holdout_free=MOST_FREE_QUESTIONS if holdout else 0,
        )
        return count_of_corpus(
            settings,
            self.path,
            seed=SEED,
            count_tokens=self.count_tokens,
            estimated=self.estimated,
            progress=progress,
        )

    def close(self) -> None:
        """Delete the corpus; safe to call twice."""
        self._folder.cleanup()

    def __enter__(self) -> Corpus:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _described(folder: Path, corpus: Path, policy: str, chunks: int, longest_tokens: int) -> Survey:
    articles: Counter[tuple[str, str]] = Counter(
        (article.title, article.source)
        for article in read_jsonl(corpus / "articles.jsonl", Article)
        if not article.deleted
    )
    passages: Counter[tuple[str, str]] = Counter()
    first: dict[tuple[str, str], Chunk] = {}
    for chunk in read_jsonl(corpus / "chunks.jsonl", Chunk):
        passages[chunk.title, chunk.source] += 1
        first.setdefault((chunk.title, chunk.source), chunk)
    documents = tuple(
        FoundDocument(
            title=chunk.title,
            kind=chunk.kind,
            day=chunk.as_of,
            license=chunk.license,
            file=_below(folder, chunk.source),
            articles=articles[key],
            chunks=passages[key],
        )
        for key, chunk in first.items()
    )
    earlier = {
        _below(folder, chunk.source) for chunk in read_jsonl(corpus / "earlier.jsonl", Chunk)
    }
    files = list_files(SourceSettings(path=str(folder)), folder.parent)
    left_out, parts = _left_out(folder, corpus, files, {one.file for one in documents} | earlier)
    rows = [(one.title, one.day, one.license) for one in documents]
    verdicts = [verdict for verdict in check_documents(policy, rows) if not verdict.ok]
    bad = {verdict.subject for verdict in verdicts}
    allowed = tuple(dict.fromkeys(one.file for one in documents if one.title not in bad))
    laws = read_laws(read_jsonl(corpus / "articles.jsonl", Article))
    return Survey(
        folder=folder,
        files=len(files.to_read) + len(files.unread),
        documents=documents,
        left_out=tuple(left_out),
        parts=dict(parts),
        refused=tuple(verdict_sentence(verdict) for verdict in verdicts),
        sources=allowed if bad else (),
        chunks=chunks,
        longest_tokens=longest_tokens,
        acts=len(laws.acts),
        question=example_question(corpus, bad),
    )


def _below(folder: Path, source: str) -> str:
    """Return the file of a record's source, relative to the folder."""
    name = re.sub(r"#\d+$", "", source)  # a row of a table
    root = unicodedata.normalize("NFC", folder.name)
    name = unicodedata.normalize("NFC", name)
    return name.removeprefix(f"{root}/") if folder.is_dir() else root


def _left_out(
    folder: Path, corpus: Path, files: FileList, read: AbstractSet[str]
) -> tuple[list[LeftOut], Counter[str]]:
    """Return the files that are left out with their reasons, and rejected parts by reason."""
    left = {_below(folder, file.name): file.detail for file in files.unread}
    pages: list[LeftOut] = []
    readable = {_below(folder, name) for _, name in files.to_read}
    parts: Counter[str] = Counter()
    for _, row in read_json_lines(corpus / "rejected.jsonl"):
        name = _below(folder, str(row["id"]))
        if name in readable and row["reason"] in PAGE_REASONS:
            pages.append(LeftOut(name, str(row["detail"])))
        elif name in readable:
            left.setdefault(name, str(row["detail"]))
        elif name not in left:
            parts[str(row["reason"])] += 1
    for name in sorted(readable - read - {page.name for page in pages}):
        left.setdefault(name, "nothing of it is left after cleaning")
    whole = [LeftOut(name, why) for name, why in left.items() if name not in read]
    return [*whole, *(page for page in pages if page.name not in left or page.name in read)], parts
