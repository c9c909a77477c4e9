"""Build pairs of a query and the passage that answers it, by rule, without labels from people.

Each kind takes words that point to a passage and leaves out what would give the passage away:

- `heading`: the heading of an article, half of the time with the act's name;
- `sentence`: a sentence of the article, searched in the article without that sentence;
- `citing`: a sentence that cites an article of another unit, without the citation;
- `delegation`: what an act leaves to its decree (`대통령령으로 정하는 …`), and the decree's article
  that cites the act for it;
- `definition`: a defined term, asked for in words of its own;
- `decision`: the issue that a court decided (판시사항), and each article that it cites for it;
- `question`: a question of the question generators, without act and article;
- `everyday`: a sentence of the article as people would ask it: `임차인` becomes `세입자`;
- `scenario`: who acts and in which case, in the first person, without what the rule says.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from kofinlaw import UserError
from kofinlaw.augment.reading.acts import read_laws
from kofinlaw.augment.reading.terms import read_terms
from kofinlaw.augment.retrieval.grounded import grounded_queries
from kofinlaw.augment.retrieval.query_text import LONGEST, SHORTEST, Query, without_place
from kofinlaw.augment.retrieval.scenarios import scenario_queries
from kofinlaw.augment.retrieval.spoken import spoken_queries
from kofinlaw.data.decisions.cited_articles import cited_rows
from kofinlaw.data.law.citations import Citation, Scope, find_citations
from kofinlaw.data.law.titles import titles_by_key
from kofinlaw.files import read_json_lines, read_jsonl
from kofinlaw.records import Article, Chunk

__all__ = ["KINDS", "Corpus", "Pair", "PairKind", "build_pairs", "read_corpus"]

PairKind = Literal[
    "heading", "sentence", "citing", "delegation", "definition", "decision",
    "question", "everyday", "scenario",
]  # fmt: skip
KINDS: tuple[PairKind, ...] = get_args(PairKind)
_SENTENCE_END = re.compile(r"(?<=다\.)\s+|\n+")
_LEAVES_OPEN = re.compile(r"(?:대통령령|총리령|[가-힣]{2,10}부령)(?:으로|이) 정하")
_ASKING = ("{term}의 뜻", "{term}의 정의", "{term}: 무엇을 말하는가?", "{term} 용어 설명")
_ISSUE_MARK = re.compile(r"\W*+판시사항[^\S\n]*+[:：\]】]?+")


@dataclass(frozen=True, slots=True)
class Pair:
    """A query (`anchor`) and the text that answers it, as sentence-transformers names them.

    `negative` is the text of a passage that does not answer it; empty if there is none. `unit` and
    `chunk` name the positive passage.
    """

    anchor: str
    positive: str
    negative: str
    kind: str
    unit: str
    chunk: str


@dataclass(frozen=True)
class Corpus:
    """What pairs are built from: the current passages, the articles, and who cites whom (units)."""

    chunks: tuple[Chunk, ...]
    articles: tuple[Article, ...]
    citing: tuple[tuple[str, str], ...]


def read_corpus(folder: Path, left_out: Iterable[str] = ()) -> Corpus:
    """Read a data stage; documents whose titles are in `left_out` give no pair.

    Earlier versions of an act are left out. Raises UserError for a folder without chunks.
    """
    if not (folder / "chunks.jsonl").is_file():
        raise UserError("this folder holds no corpus", where=str(folder))
    hidden = set(left_out)
    chunks = tuple(
        chunk
        for chunk in read_jsonl(folder / "chunks.jsonl", Chunk)
        if not chunk.until and chunk.title not in hidden
    )
    articles = tuple(
        article
        for article in read_jsonl(folder / "articles.jsonl", Article)
        if not article.deleted and article.title not in hidden
    )
    edges = [
        (str(row["source"]), str(row["target"]))
        for _, row in read_json_lines(folder / "citations.jsonl")
        if row["resolved"] and row["source"] != row["target"]
    ]
    return Corpus(chunks, articles, tuple(dict.fromkeys(edges)))


def build_pairs(corpus: Corpus, kinds: Sequence[PairKind], *, seed: int) -> list[Pair]:
    """Return the pairs of these kinds without negatives, in a random order that the seed decides.

    Equal corpora and seeds give equal pairs. A query that two units share gives no pair, because
    each of them would count as wrong for the other. Only a court's issue may have several articles.
    """
    passages = _Passages(corpus.chunks)
    made: list[Pair] = []
    for kind in kinds:
        rng = random.Random(f"{seed}:{kind}")
        made += _MAKERS[kind](corpus, passages, rng)
    units: dict[str, set[str]] = {}
    for pair in made:
        if pair.kind != "decision":
            units.setdefault(_key(pair.anchor), set()).add(pair.unit)
    unique = {
        (_key(pair.anchor), pair.unit): pair
        for pair in made
        if pair.kind == "decision" or len(units[_key(pair.anchor)]) == 1
    }
    out = list(unique.values())
    random.Random(f"{seed}:order").shuffle(out)
    return out


class _Passages:
    """The passages by unit."""

    def __init__(self, chunks: Iterable[Chunk]) -> None:
        self.by_unit: dict[str, list[Chunk]] = {}
        for chunk in chunks:
            self.by_unit.setdefault(chunk.unit, []).append(chunk)

    def best(self, unit: str, words: str) -> Chunk | None:
        """Return the unit's passage that has the most characters of `words` in runs of three."""
        runs = {words[i : i + 3] for i in range(len(words) - 2)}
        found = self.by_unit.get(unit, [])
        return max(found, key=lambda chunk: sum(run in chunk.text for run in runs), default=None)


def _key(text: str) -> str:
    return re.sub(r"[\s\W]+", "", text)


def _pair(kind: PairKind, query: str, chunk: Chunk, text: str = "") -> Pair:
    return Pair(query, text or chunk.text, "", kind, chunk.unit, chunk.id)


def _sentences(chunk: Chunk) -> list[str]:
    """Return the sentences of a passage without its first line, which names act and article."""
    _, _, body = chunk.text.partition("\n")
    parts = (part.strip() for part in _SENTENCE_END.split(body))
    return [part for part in parts if SHORTEST <= len(part) <= LONGEST]


def _headings(corpus: Corpus, passages: _Passages, rng: random.Random) -> Iterator[Pair]:
    for article in corpus.articles:
        heading = article.heading.strip()
        chunk = passages.best(article.id, heading)
        if chunk is None or len(heading) < 4:
            continue
        # The heading alone is enough only if no other article has it: `build_pairs` drops the rest.
        yield _pair(
            "heading", f"{article.title} {heading}" if rng.random() < 0.5 else heading, chunk
        )


def _sentence_pairs(corpus: Corpus, passages: _Passages, rng: random.Random) -> Iterator[Pair]:
    for chunk in corpus.chunks:
        found = _sentences(chunk)
        # What the act leaves open is a query for its decree: kind `delegation`.
        closed = [sentence for sentence in found if not _LEAVES_OPEN.search(sentence)]
        if len(found) < 2 or not closed:
            continue
        sentence = rng.choice(closed)
        query = without_place(sentence)
        if len(query) >= SHORTEST:
            yield _pair("sentence", query, chunk, chunk.text.replace(sentence, "", 1))


def _citing(corpus: Corpus, passages: _Passages, rng: random.Random) -> Iterator[Pair]:
    for _, target, sentence, found in _cited_sentences(corpus, passages):
        query = _without(sentence, found)
        chunk = passages.best(target, query)
        if chunk is not None and SHORTEST <= len(query) <= LONGEST:
            yield _pair("citing", query, chunk)


def _delegations(corpus: Corpus, passages: _Passages, rng: random.Random) -> Iterator[Pair]:
    """Yield the act's sentence that leaves something open, and the decree's article about it."""
    edges: dict[str, list[str]] = {}
    for source, target in corpus.citing:
        edges.setdefault(target, []).append(source)
    for unit, chunks in passages.by_unit.items():
        open_sentences = [s for c in chunks for s in _sentences(c) if _LEAVES_OPEN.search(s)]
        if not open_sentences:
            continue
        title = chunks[0].title
        for source in edges.get(unit, ()):
            filled = passages.by_unit.get(source)
            if filled is None or not filled[0].title.startswith(f"{title} 시행"):
                continue
            # The decree repeats the words that the act leaves open: the sentence that shares most.
            text = "\n".join(chunk.text for chunk in filled)
            sentence = max(open_sentences, key=lambda s: _shared(s, text))
            query = without_place(sentence)
            chunk = passages.best(source, query)
            if chunk is not None and len(query) >= SHORTEST:
                yield _pair("delegation", query, chunk)


def _shared(sentence: str, text: str) -> int:
    return sum(sentence[i : i + 4] in text for i in range(len(sentence) - 3))


def _definitions(corpus: Corpus, passages: _Passages, rng: random.Random) -> Iterator[Pair]:
    for law in read_laws(corpus.articles).acts:
        for term in read_terms(law):
            chunk = passages.best(term.article.id, term.line)
            if chunk is not None:
                asked = rng.choice(_ASKING).format(term=term.term)
                yield _pair("definition", f"{law.title} {asked}", chunk)


def _decisions(corpus: Corpus, passages: _Passages, rng: random.Random) -> Iterator[Pair]:
    cited = cited_rows(corpus.chunks)
    for row, chunk in enumerate(corpus.chunks):
        query = without_place(_issue(chunk.text)) if row in cited else ""
        if len(query) < SHORTEST:
            continue
        for unit in dict.fromkeys(corpus.chunks[target].unit for target in cited[row]):
            passage = passages.best(unit, query)
            if passage is not None:
                yield _pair("decision", query, passage)


def _issue(text: str) -> str:
    """Return the first line after the mark `판시사항`; empty without one."""
    marked = False
    for line in text.split("\n"):
        mark = _ISSUE_MARK.match(line)
        rest = line[mark.end() :] if mark else line
        # A line that continues without a colon or a bracket is a sentence: `판시사항에 관하여`.
        if mark and rest and not mark[0].endswith((":", "：", "]", "】")):
            mark, rest = None, line
        marked = marked or mark is not None
        if marked and rest.strip():
            return rest.strip()
    return ""


def _questions(corpus: Corpus, passages: _Passages, rng: random.Random) -> Iterator[Pair]:
    made = grounded_queries(read_laws(corpus.articles), rng.getrandbits(32))
    yield from _asked("question", made, passages)


def _everyday(corpus: Corpus, passages: _Passages, rng: random.Random) -> Iterator[Pair]:
    yield from _asked("everyday", spoken_queries(read_laws(corpus.articles), rng), passages)


def _scenarios(corpus: Corpus, passages: _Passages, rng: random.Random) -> Iterator[Pair]:
    yield from _asked("scenario", scenario_queries(read_laws(corpus.articles), rng), passages)


def _asked(kind: PairKind, queries: Iterable[Query], passages: _Passages) -> Iterator[Pair]:
    for query in queries:
        chunk = passages.best(query.unit, query.focus)
        if chunk is not None:
            yield _pair(kind, query.text, chunk)


_MAKERS = {
    "heading": _headings,
    "sentence": _sentence_pairs,
    "citing": _citing,
    "delegation": _delegations,
    "definition": _definitions,
    "decision": _decisions,
    "question": _questions,
    "everyday": _everyday,
    "scenario": _scenarios,
}


def _cited_sentences(
    corpus: Corpus, passages: _Passages
) -> Iterator[tuple[str, str, str, list[Citation]]]:
    """Yield (citing unit, cited unit, sentence, its citations) for each resolved citation."""
    scope = Scope(titles=titles_by_key({chunk.title for chunk in corpus.chunks}))
    targets: dict[str, set[str]] = {}
    for source, target in corpus.citing:
        targets.setdefault(source, set()).add(target)
    for unit, cited in targets.items():
        for chunk in passages.by_unit.get(unit, ()):
            title, _, number = unit.rpartition(" ")
            for sentence in _sentences(chunk):
                found = find_citations(sentence, act=title, article=number, scope=scope)
                for target in sorted({one.target for one in found} & cited):
                    yield unit, target, sentence, found


def _without(sentence: str, found: Sequence[Citation]) -> str:
    """Return the sentence without its citations and marks."""
    out, at = [], 0
    for one in sorted(found, key=lambda one: one.start):
        if one.start >= at:
            out.append(sentence[at : one.start])
            at = one.end
    return without_place("".join([*out, sentence[at:]]))
