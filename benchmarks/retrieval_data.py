"""Write the corpora of `retrieval.py`: the articles, and the court decisions that cite them."""

from __future__ import annotations

import itertools
import json
import lzma
import re
from pathlib import Path
from typing import Any

from kofinlaw.data.law.citations import Scope, document_aliases, find_citations
from kofinlaw.data.law.titles import titles_by_key
from kofinlaw.files import read_json_lines, sha256_text, write_jsonl
from kofinlaw.records import Chunk, to_json


def corpus(data: Path, out: Path) -> Path:
    """Write the articles as chunks whose text starts with act and article; return the file."""
    path = out / "chunks.jsonl"
    chunks = []
    for _, row in read_json_lines(data / "statutes" / "articles.jsonl"):
        text = f"{row['id']}({row['title']})\n{row['text']}"
        chunks.append(
            Chunk(row["id"], row["law"], row["law"], "statute", row["article"], row["id"], text,
                  "2026-06-08", "articles.jsonl", "PD", sha256_text(text))
        )  # fmt: skip
    write_jsonl(path, chunks)
    write_jsonl(out / "citations.jsonl", references(data))
    return path


def references(data: Path) -> list[dict[str, Any]]:
    """Return which article refers to which, as the corpus stage writes it."""
    rows = [row for _, row in read_json_lines(data / "statutes" / "articles.jsonl")]
    titles = titles_by_key({row["law"] for row in rows})
    ids = {row["id"] for row in rows}
    edges = []
    for law, group in itertools.groupby(rows, key=lambda row: row["law"]):
        articles = list(group)
        opening = "\n".join(row["text"] for row in articles[:5])  # short names are defined here
        scope = Scope(titles=titles, names=document_aliases(law, opening, titles))
        for row in articles:
            found = find_citations(row["text"], act=law, article=row["article"], scope=scope)
            targets = dict.fromkeys(one.target for one in found)
            edges += [{"source": row["id"], "target": t, "resolved": t in ids} for t in targets]
    return edges


def decisions(data: Path, out: Path) -> Path:
    """Write the articles, and each numbered issue of decisions before 2020 with its citations."""
    path = out / "chunks-cases.jsonl"
    rows = [json.loads(line) for line in corpus(data, out).read_text("utf-8").splitlines()]
    with lzma.open(data / "precedents" / "precedents_dev.jsonl.xz", "rt", encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            parts = [numbered(row.get(name)) for name in ("판시사항", "판결요지", "참조조문")]
            for number, issue in parts[0].items():
                holding, cites = (part.get(number) or part.get(0) or "" for part in parts[1:])
                identity, case = row["판례일련번호"], row["사건번호"]
                text = f"판시사항: {issue}\n판결요지: {holding}\n참조조문: {cites}"
                chunk = Chunk(
                    id=f"{identity}-{number}",
                    document_id=identity,
                    title=case,
                    kind="case",
                    path=str(number),
                    unit=f"{case} > {number}",
                    text=text,
                    as_of=str(row["선고일자"]),
                    source="precedents",
                    license="PD",
                    sha256=sha256_text(text),
                )
                rows.append(to_json(chunk))
    write_jsonl(path, rows)
    return path


def numbered(text: str | None) -> dict[int, str]:
    """Split `[1] … [2] …` by number; text without numbers gets number 0."""
    parts = re.split(r"(?:^|\s|/)\[([\d,\s~]+)\]", text or "")
    if len(parts) == 1:
        return {0: parts[0].strip()}
    out: dict[int, str] = {}
    for marks, body in zip(parts[1::2], parts[2::2], strict=True):
        for number in map(int, re.findall(r"\d+", marks)):
            out[number] = f"{out.get(number, '')} {body}".strip()
    return out
