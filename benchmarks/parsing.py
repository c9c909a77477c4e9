"""Measure the statute parser against records that were made independently of it.

    python benchmarks/parsing.py [--shared ../shared/data] [--json]

The script counts the articles of `statutes/articles.jsonl` that the parser finds and reads with
equal text, compares two PDFs with their Markdown, and scores the provision trees of hand-labelled
articles.
"""

from __future__ import annotations

import argparse
import json
import re
import time
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from development_data import DATA, require
from outcome import outcome

from kofinlaw.data.law.statute import parse_statute
from kofinlaw.data.readers.documents import Document
from kofinlaw.data.readers.formats import read_documents
from kofinlaw.data.settings import LimitSettings, SourceSettings
from kofinlaw.records import Provision

# Written independently: this reference does not use the parser's own pattern of an amendment tag.
TAG = re.compile(
    r"[<＜〈][^<>＜＞]{0,200}?(?:\d{4}\s*[.ㆍ]\s*\d|이동|전문개정|일부개정)[^<>＜＞]*[>＞〉]"
    r"|\[(?:본조\s?신설|전문\s?개정|종전|시행일|제목|본장\s?신설|제\d+조[^\[\]]*이동)[^\[\]]*\](?:\s*제\d+조$)?"
    r"|</?img[^>]*>"
)
TREES = Path(__file__).parents[1] / "tests" / "data" / "labels" / "provisions.jsonl"
PDFS = {
    "전자금융거래법.pdf": "전자금융거래법",
    "전자금융거래법_시행령.pdf": "전자금융거래법 시행령",
}


def read(path: Path) -> Document:
    """Return the first document of a file."""
    return next(iter(read_documents(path, SourceSettings(path=str(path)), LimitSettings())))


def plain(text: str) -> str:
    """Remove amendment tags, blanks and both forms of brackets around 삭제."""
    text = unicodedata.normalize("NFC", text)  # some Han letters come in compatibility forms
    text = re.sub(r"[<＜〈]\s*(삭\s*제)[^<>＜＞]*[>＞〉]", r"\1", text)
    return re.sub(r"\s", "", TAG.sub("", text))


def articles(shared: Path) -> dict[str, Any]:
    """Count the articles that are found, and those with equal text."""
    wanted: dict[str, dict[str, str]] = defaultdict(dict)
    with open(shared / "statutes" / "articles.jsonl", encoding="utf-8") as handle:
        for line in handle:
            row = json.loads(line)
            wanted[row["law"]][row["article"]] = row["text"]
    found = same = 0
    different: list[str] = []
    missing: list[str] = []
    began = time.perf_counter()
    for path in sorted((shared / "statutes").glob("a*/*.md")):
        document = read(path)
        have: dict[str, str] = {}
        for node in parse_statute(document.text).articles:
            have.setdefault(node.number, node.text)
        for number, text in wanted.get(document.title, {}).items():
            if number not in have:
                missing.append(f"{document.title} {number}")
                continue
            found += 1
            if plain(text) == plain(have[number]):
                same += 1
            else:
                different.append(f"{document.title} {number}")
    count = sum(len(rows) for rows in wanted.values())
    return {
        "articles": count,
        "found": found,
        "found_share": round(found / count, 5),
        "same": same,
        "same_share": round(same / count, 5),
        "missing": missing,
        "different": different,
        "seconds": round(time.perf_counter() - began, 2),
    }


def pdf(shared: Path, name: str, title: str) -> dict[str, Any]:
    """Compare an act that was read from a PDF with its Markdown: articles and character errors."""
    began = time.perf_counter()
    from_pdf = {
        a.number: a for a in parse_statute(read(shared / "documents_pdf" / name).text).articles
    }
    seconds = time.perf_counter() - began
    markdown = read(shared / "statutes" / "acts" / f"{title.replace(' ', '_')}.md")
    wanted = {a.number: a for a in parse_statute(markdown.text).articles}
    distance = length = spaced = spaced_length = 0
    worst: list[tuple[float, str]] = []
    for number, article in wanted.items():
        have = from_pdf[number].text if number in from_pdf else ""
        one, two = letters(article.text), letters(have)
        errors = edits(one, two)
        distance, length = distance + errors, length + len(one)
        one_line, two_line = " ".join(quotes(article.text).split()), " ".join(quotes(have).split())
        spaced, spaced_length = spaced + edits(one_line, two_line), spaced_length + len(one_line)
        if errors:
            worst.append((errors / max(1, len(one)), number))
    return {
        "articles": len(wanted),
        "found": sum(1 for number in wanted if number in from_pdf),
        "extra": sorted(set(from_pdf) - set(wanted)),
        "character_error": round(distance / max(1, length), 5),
        "character_error_with_blanks": round(spaced / max(1, spaced_length), 5),
        "worst": [f"{number} {share:.3f}" for share, number in sorted(worst, reverse=True)[:10]],
        "seconds": round(seconds, 2),
    }


def trees(shared: Path) -> dict[str, Any]:
    """Return F1 of the 항/호/목 labels of 60 hand-labelled articles.

    20 of them are articles of rules with inline 호.
    """
    have: dict[str, set[str]] = {}
    for path in sorted((shared / "statutes").glob("a*/*.md")):
        document = read(path)
        for node in parse_statute(document.text).articles:
            have.setdefault(f"{document.title} {node.number}", set(labels(node.provisions)))
    right = labelled = claimed = 0
    wrong: list[str] = []
    rows = [json.loads(line) for line in TREES.read_text(encoding="utf-8").splitlines()]
    for row in rows:
        wanted, got = set(row["labels"]), have.get(row["id"], set())
        right, labelled, claimed = (
            right + len(wanted & got),
            labelled + len(wanted),
            claimed + len(got),
        )
        if wanted != got:
            wrong.append(
                f"{row['id']}: missed {sorted(wanted - got)}, wrong {sorted(got - wanted)}"
            )
    f1 = 2 * right / max(1, labelled + claimed)
    return {"articles": len(rows), "labels": labelled, "f1": round(f1, 4), "wrong": wrong}


def labels(provisions: Iterable[Provision]) -> Iterator[str]:
    """Yield the labels of a provision tree, parents first."""
    for node in provisions:
        yield node.label
        yield from labels(node.children)


def quotes(text: str) -> str:
    """Replace typographic quotes and the middle dot with one form each."""
    return text.translate(str.maketrans("“”‘’ㆍ", "\"\"''·"))


def letters(text: str) -> str:
    """Return the text without blanks, quotes in one form."""
    return re.sub(r"\s", "", quotes(text))


def edits(one: str, two: str) -> int:
    """Return the Levenshtein distance.

    Common starts and ends are cut off first. Myers' bit vectors (1999) compute the rest.
    """
    start = 0
    while start < min(len(one), len(two)) and one[start] == two[start]:
        start += 1
    one, two = one[start:], two[start:]
    while one and two and one[-1] == two[-1]:
        one, two = one[:-1], two[:-1]
    if not one or not two:
        return max(len(one), len(two))
    positions: dict[str, int] = defaultdict(int)  # bit i: the character is at position i of `one`
    for index, character in enumerate(one):
        positions[character] |= 1 << index
    mask, last = (1 << len(one)) - 1, 1 << (len(one) - 1)
    plus, minus, score = mask, 0, len(one)
    for character in two:
        equal = positions.get(character, 0)
        across = equal | minus
        diagonal = (((equal & plus) + plus) ^ plus) | equal
        up = minus | ~(diagonal | plus)
        down = plus & diagonal
        score += bool(up & last) - bool(down & last)
        up = (up << 1 | 1) & mask
        down = (down << 1) & mask
        plus = (down | ~(across | up)) & mask
        minus = up & across
    return score


def main() -> None:
    """Measure everything and print the figures and one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--shared", type=Path, default=DATA, help="folder with statutes/ and documents_pdf/"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object only")
    options = parser.parse_args()
    require(options.shared / "statutes", "--shared")
    require(options.shared / "documents_pdf", "--shared")
    figures = {"articles": articles(options.shared), "trees": trees(options.shared)}
    for name, title in PDFS.items():
        figures[name] = pdf(options.shared, name, title)
    if not options.json:
        for name, values in figures.items():
            print(name)
            for key, value in values.items():
                print(f"  {key}: {value if not isinstance(value, list) else value[:12]}")
    targets = {
        "articles found": (figures["articles"]["found_share"], (">=", 0.995)),
        "same text": (figures["articles"]["same_share"], (">=", 0.99)),
        "F1 of the trees": (figures["trees"]["f1"], (">=", 0.98)),
    }
    for name in PDFS:
        found = figures[name]
        targets[f"{name}: recall"] = (found["found"] / found["articles"], ("==", 1.0))
        targets[f"{name}: character error"] = (found["character_error"], ("<=", 0.01))
    print(outcome(figures, targets))


if __name__ == "__main__":
    main()
