"""Measure what is read of the supervisory regulations: articles, annexes, tables and their search.

    python benchmarks/regulations.py [--data FOLDER] [--report FILE]

- Articles: lines of `고시.md` that open an article, counted by a pattern of their own, against the
  articles of the corpus.
- Annexes: each one attached to its regulation, and the articles that name it or that it names.
- Tables: rows of 40 tables against labels (`regulation_tables.json`), next to a reading that
  takes each drawn line as a row. The labels are hashes: rows as texts without blanks. They were
  made from the rows as read, corrected where a reader of the table saw other rows, and the reader
  was fixed on these tables. The rows of 40 other tables (`second`, drawn by a seed) were written
  from the raw text before the parser was run on them, and so were those of 40 more (`third`).
- Search: the labels of 100 rows as queries, with tables in parts of few rows and without; and the
  labels of all rows, alone, behind the title of the regulation, and behind its annex.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from kofinlaw.data.corpus import build_corpus
from kofinlaw.data.law.annex_links import annex_links
from kofinlaw.data.readers import frames
from kofinlaw.data.readers.frame_lines import is_bar
from kofinlaw.data.settings import ChunkSettings, DataSettings
from kofinlaw.data.tables.texts import cells_of, table_rows
from kofinlaw.files import read_json_lines, sha256_text
from kofinlaw.rag.index.build import build_index
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.retrieve.retriever import Retriever
from kofinlaw.rag.settings import RagSettings
from kofinlaw.records import Question

sys.path.insert(0, str(Path(__file__).parent))
from development_data import DATA, require
from outcome import outcome

LABELS = Path(__file__).parent / "regulation_tables.json"
# A line that opens an article: its number, then a title, ①, a deletion, nothing, or `이 규정은`.
HEADING = re.compile(
    r"^ {0,3}(?:#+ +)?(?:\*\*)?(제 ?\d+(?:-\d+)? ?조(?:의 ?\d+)*)(?:\*\*)?"
    r"(?: ?\(| ?[<〈]? ?삭 *제| +①| *$| +이 규정은)",
    re.MULTILINE,
)
QUERIES = 100
Row = tuple[str, ...]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, default=DATA, help="folder with `regulations`")
    parser.add_argument("--report", type=Path, help="write the figures here too")
    arguments = parser.parse_args()
    source = require(arguments.data / "regulations", "--data")
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        corpus = corpus_of(source, work / "rows", 200)
        articles = count_articles(source, corpus)
        annexes = count_annexes(corpus)
        tables = rate_tables(source, "tables")
        second = rate_tables(source, "second")
        third = rate_tables(source, "third")
        plain = corpus_of(source, work / "plain", 0)
        search = {
            "before": find_rows(plain, corpus, work / "plain-index"),
            "after": find_rows(corpus, corpus, work / "rows-index"),
        }
        for ahead in ("", "title", "unit"):
            named = find_rows(corpus, corpus, work / "rows-index", None, ahead)
            search[f"all, {ahead or 'label alone'}"] = named
    figures = {
        "articles": articles,
        "annexes": annexes,
        "tables": tables,
        "second": second,
        "third": third,
        "search": search,
    }
    if arguments.report:
        arguments.report.write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n")
    line = outcome(
        {name: figures[name] for name in ("annexes", "tables", "second", "third", "search")},
        {
            "headings that are one article": (articles["share"], ("==", 1.0)),
            "F1 of the rows": (tables["f1"], (">=", 0.98)),
            "F1 of the rows of the second tables": (second["f1"], (">=", 0.98)),
            "F1 of the rows of the third tables": (third["f1"], (">=", 0.98)),
            "hit@5 of all labels behind their annex": (search["all, unit"]["hit_5"], (">=", 0.98)),
            "hit@1 of a row's label": (search["after"]["hit_1"], (">", search["before"]["hit_1"])),
        },
    )
    print(line)


def corpus_of(source: Path, out: Path, rows: int) -> Path:
    """Build the corpus of the regulations; `rows` is `max_row_tokens`."""
    settings = DataSettings(sources=(source.name,), chunks=ChunkSettings(max_row_tokens=rows))  # type: ignore[arg-type]
    build_corpus(settings, out, base=source.parent)
    return out


def count_articles(source: Path, corpus: Path) -> dict[str, Any]:
    """Compare the headings of each regulation with its articles, one by one."""
    read: dict[str, list[str]] = {}
    for _, article in read_json_lines(corpus / "articles.jsonl"):
        read.setdefault(article["source"].split("/")[-2], []).append(article["number"])
    print(f"{'regulation':44} headings articles missing more")
    total = same = more = 0
    for folder in sorted(path for path in source.iterdir() if path.is_dir()):
        text = (folder / "고시.md").read_text(encoding="utf-8").split("\n---", 1)[-1]
        wanted = Counter(re.sub(r"\s", "", name) for name in HEADING.findall(text))
        found = Counter(read.get(folder.name, []))
        missing, extra = wanted - found, found - wanted
        total += wanted.total()
        same += (wanted & found).total()
        more += extra.total()
        counts = f"{wanted.total():8} {found.total():8} {missing.total():7} {extra.total():4}"
        print(f"{folder.name[:40]:44} {counts} {' '.join([*missing, *extra])[:60]}")
    print(f"{'all':44} {total:8} {'':8} {total - same:7} {more:4}")
    return {"headings": total, "articles": same, "more": more, "share": same / total - more / total}


def count_annexes(corpus: Path) -> dict[str, Any]:
    """Count the annexes with a regulation and an article, and list those that nothing names."""
    chunks = [chunk for _, chunk in read_json_lines(corpus / "chunks.jsonl")]
    references = [edge for _, edge in read_json_lines(corpus / "citations.jsonl")]
    deleted = {
        chunk["unit"] for chunk in chunks if chunk["text"].split("\n", 1)[-1].startswith("삭제")
    }
    links = annex_links(
        ((edge["source"], edge["target"]) for edge in references),
        (chunk["unit"] for chunk in chunks),
        deleted,
    )
    titles = {article["title"] for _, article in read_json_lines(corpus / "articles.jsonl")}
    attached = sum(any(unit.startswith(f"{t} ") for t in titles) for unit in links.named_by)
    print(f"annexes {len(links.named_by)}, attached {attached}, deleted {len(links.deleted)}")
    print(f"articles with annexes {len(links.annexes_of)}; named by no article:")
    print("\n".join(f"  {unit}" for unit in links.unnamed))
    return {
        "annexes": len(links.named_by),
        "attached": attached,
        "deleted": len(links.deleted),
        "named": sum(bool(names) for names in links.named_by.values()),
        "unnamed": len(links.unnamed),
    }


def drawings(source: Path) -> dict[str, list[str]]:
    """Return the lines of each drawing, by `regulation/file#number`."""
    found: dict[str, list[str]] = {}
    for path in sorted(source.glob("*/*.md")):
        number = 0
        block: list[str] = []
        blank = 0  # lines since the last drawn one; three of them end a drawing, as in `frames`
        for line in [*path.read_text(encoding="utf-8").split("\n"), *[""] * 3]:
            drawn = any(map(is_bar, line)) or bool(re.match(r"^\s*[─━]{2}[\s─━]*$", line))
            blank = 0 if drawn else blank + 1
            ended = bool(block) and block[-1].strip()[:1] in ("└", "┗")
            if block and ((line.strip() and (not drawn or ended)) or blank > 2):
                number += 1
                found[f"{path.parent.name}/{path.stem}#{number}"] = block
                block = []
            if drawn:
                block.append(line)
    return found


def rows_of(text: str) -> list[Row]:
    """Return the rows of the Markdown tables of a text, without blanks in cells."""
    lines = [line for line in text.split("\n") if line.startswith("|") and "---" not in line]
    return [tuple(re.sub(r"\s", "", cell) for cell in cells_of(line)) for line in lines]


def plain_rows(lines: list[str]) -> list[Row]:
    """Return each drawn line with text as a row: the trivial reading."""
    out = []
    for line in lines:
        cells = [
            re.sub(r"[\s─-╿]", "", cell) for cell in re.split("[│┃]", line.strip().strip("│┃"))
        ]
        if any(cells):
            out.append(tuple(cells))
    return out


def digest(row: Row) -> str:
    """Return the hash of a row; the place of each cell counts."""
    return sha256_text("\x1f".join(row))[:16]


def rate_tables(source: Path, part: str) -> dict[str, Any]:
    """Return precision, recall and F1 of the rows of a part of the labelled tables."""
    labels = json.loads(LABELS.read_text(encoding="utf-8"))[part]
    drawn = drawings(source)
    right = read = trivial = trivial_read = 0
    wanted = sum(len(rows) for rows in labels.values())
    print(f"{'table':50} rows read right")
    for name, hashes in labels.items():
        rows = [digest(row) for row in rows_of(frames.drawn_tables("\n".join(drawn[name])))]
        simple = [digest(row) for row in plain_rows(drawn[name])]
        good = (Counter(hashes) & Counter(rows)).total()
        right, read = right + good, read + len(rows)
        trivial += (Counter(hashes) & Counter(simple)).total()
        trivial_read += len(simple)
        if good < max(len(hashes), len(rows)):
            print(f"{name:50} {len(hashes):4} {len(rows):4} {good:5}")
    f1, base = 2 * right / (wanted + read), 2 * trivial / (wanted + trivial_read)
    print(f"40 tables: {wanted} rows, {read} read, {right} right: F1 {f1:.4f} (lines: {base:.4f})")
    return {"tables": len(labels), "rows": wanted, "read": read, "f1": f1, "f1_of_lines": base}


def find_rows(
    corpus: Path, labels: Path, index: Path, most: int | None = QUERIES, ahead: str = ""
) -> dict[str, float]:
    """Return how often the label of a row finds the chunk that holds the row.

    `most` bounds the labels; `ahead` puts the `title` or the whole `unit` in front of each.
    """
    found = [
        (chunk["unit"], row)
        for _, chunk in read_json_lines(labels / "chunks.jsonl")
        for row in table_rows(chunk["text"].split("\n"))
    ]
    names = Counter(_key(row.label) for _, row in found)
    asked = [
        (unit, row)
        for unit, row in found
        if names[_key(row.label)] == 1
        and len(_key(row.label)) >= 4
        and any(row.cells[row.labels :])
    ]
    random.Random(18).shuffle(asked)
    asked = asked[:most]
    settings = RagSettings(embedder=None)
    if not (index / "index.json").is_file():
        build_index(corpus / "chunks.jsonl", index, settings)
    retriever = Retriever(Index.load(index), settings)
    texts = {
        c["id"]: (c["unit"], _key(c["text"])) for _, c in read_json_lines(corpus / "chunks.jsonl")
    }
    fronts = {"": "", "title": "{title} ", "unit": "{unit} "}
    queries = [
        fronts[ahead].format(unit=unit, title=unit.rsplit(" ", 2)[0]) + row.label
        for unit, row in asked
    ]
    first = five = 0
    for (unit, row), query in zip(asked, queries, strict=True):
        hits = retriever.search([Question("q", query, ())])[0][:5]
        row_key = _key("".join(row.cells))
        good = [texts[h.chunk.id][0] == unit and row_key in texts[h.chunk.id][1] for h in hits]
        first += good[:1] == [True]
        five += any(good)
    print(f"labels {len(asked)} {ahead}: hit@1 {first}, hit@5 {five}")
    return {"labels": len(asked), "hit_1": first / len(asked), "hit_5": five / len(asked)}


def _key(text: str) -> str:
    return re.sub(r"\W", "", text)


if __name__ == "__main__":
    main()
