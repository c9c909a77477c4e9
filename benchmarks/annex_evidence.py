"""Measure whether the row of an annex reaches the packed evidence, with and without `annex_rows`.

    python benchmarks/annex_evidence.py [--data FOLDER]

Questions are made by rule from the cells of annexes that an article names: with the heading of the
article, the row's label and its column (`long`), without act and options (`short`), or with eight
letters of the label only (`clipped`). Questions about a figure of one article are the control. A
success is evidence of 320 tokens (five hits, no embedder) that holds the whole row or the deciding
phrase. The cells of one regulation are left out of the figures, because they were looked at while
the option was built. The last line is JSON.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Sequence
from pathlib import Path

from development_data import DATA, require
from outcome import outcome

from kofinlaw.augment.generators import quantities
from kofinlaw.augment.raft import holds_phrases
from kofinlaw.augment.reading.acts import Laws, read_laws
from kofinlaw.augment.tables.sure_rows import sure_tables
from kofinlaw.data.chunking import estimate_tokens
from kofinlaw.data.corpus import build_corpus
from kofinlaw.data.law.annex_links import annex_links
from kofinlaw.data.prompting.claims import claims_of
from kofinlaw.data.prompting.packing import pack
from kofinlaw.data.settings import DataSettings
from kofinlaw.files import read_json_lines, read_jsonl
from kofinlaw.rag.index.build import build_index
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.retrieve.retriever import Retriever
from kofinlaw.rag.settings import RagSettings
from kofinlaw.records import Article, Chunk, Question

LOOKED_AT = "은행업감독규정"
TOKENS = 320
BY_ACT = 10  # control questions of each regulation
Asked = tuple[Question, tuple[str, ...]]  # with the phrases that decide it


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, default=DATA, help="folder with `regulations`")
    source = require(parser.parse_args().data / "regulations", "--data")
    with tempfile.TemporaryDirectory() as folder:
        corpus, index = Path(folder) / "data", Path(folder) / "index"
        settings = DataSettings.model_validate({"sources": [source.name]})
        build_corpus(settings, corpus, base=source.parent)
        build_index(corpus / "chunks.jsonl", index, RagSettings(embedder=None))
        sets = questions(corpus)
        found = {rows: rate(sets, Index.load(index), rows) for rows in (0, 1)}
    figures: dict[str, object] = {}
    print(f"{'questions':10} number   off    on  gained lost")
    for name, asked in sets.items():
        off, on = found[0][name], found[1][name]
        gained = sum(b and not a for a, b in zip(off, on, strict=True))
        lost = sum(a and not b for a, b in zip(off, on, strict=True))
        print(f"{name:10} {len(asked):6} {sum(off):5} {sum(on):5} {gained:7} {lost:4}")
        figures[name] = {"questions": len(asked), "off": sum(off), "on": sum(on), "lost": lost}
    short, control = found[1]["short"], found[1]["control"]
    targets = {
        "short questions, row shown": (sum(short), (">", sum(found[0]["short"]))),
        "questions of one article": (sum(control), ("==", sum(found[0]["control"]))),
    }
    print(outcome(figures, targets))


def questions(corpus: Path) -> dict[str, list[Asked]]:
    """Return the questions of each form, and those about one article."""
    chunks = list(read_jsonl(corpus / "chunks.jsonl", Chunk))
    laws = read_laws(read_jsonl(corpus / "articles.jsonl", Article), chunks)
    references = [edge for _, edge in read_json_lines(corpus / "citations.jsonl")]
    links = annex_links(((e["source"], e["target"]) for e in references), (c.unit for c in chunks))
    headings = {article.id: article.heading for law in laws.acts for article in law.articles}
    out: dict[str, list[Asked]] = {"long": [], "short": [], "clipped": [], "control": []}
    for law in laws.acts:
        if law.title == LOOKED_AT:
            continue
        for table in sure_tables(law.tables):
            names = [u for u in links.named_by.get(table.table.unit, ()) if u in headings]
            for cell in table.cells if names else ():
                head, last = headings[names[0]], cell.label.split(" > ")[-1]
                row = (table.table.lines[cell.row],)
                asked = {
                    "long": f"「{law.title}」상 {head}에서 {cell.case} {cell.name}은?",
                    "short": f"{head}에서 {last}의 {cell.name}은?",
                    "clipped": f"「{law.title}」 {head}의 기준: {last[:8]}",
                }
                for form, stem in asked.items():
                    out[form].append((Question(f"{form}{len(out[form])}", stem), row))
    out["control"] = control_questions(laws)
    return out


def control_questions(laws: Laws) -> list[Asked]:
    """Return questions about a figure of one article, with their options."""
    out: list[Asked] = []
    for law in laws.acts:
        drafts = list(quantities.generate(law, 5))
        random.Random(3).shuffle(drafts)
        for draft in drafts[:BY_ACT]:
            options = [draft.answer, *draft.distractors[:3]]
            random.Random(draft.stem).shuffle(options)
            out.append((Question(f"c{len(out)}", draft.stem, tuple(options)), draft.focus))
    return out


def rate(sets: dict[str, list[Asked]], index: Index, rows: int) -> dict[str, list[bool]]:
    """Return for each question whether its evidence holds what decides it."""
    retriever = Retriever(index, RagSettings(embedder=None, k=5, annex_rows=rows))
    return {name: [*_shown(retriever, asked)] for name, asked in sets.items()}


def _shown(retriever: Retriever, asked: Sequence[Asked]) -> list[bool]:
    out = []
    hits = retriever.search([question for question, _ in asked])
    for (question, focus), found in zip(asked, hits, strict=True):
        query = " ".join([question.question, *question.options])
        claims = claims_of(question.question, question.options)
        texts = [hit.chunk for hit in found]
        shown = pack(texts, query, TOKENS, estimate_tokens, claims=claims)
        out.append(holds_phrases(shown, focus))
    return out


if __name__ == "__main__":
    main()
