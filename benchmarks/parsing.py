"""Yardsticks of the statute parser, against records made independently of it.

    python benchmarks/parsing.py [--shared ../shared/data] [--json]

Articles found and equal in `statutes/articles.jsonl`; two PDFs against their Markdown.
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

from outcome import outcome

from kofinlaw.data.law.statute import parse_statute
from kofinlaw.data.readers.documents import Document
from kofinlaw.data.readers.formats import read_documents
from kofinlaw.data.settings import LimitSettings, SourceSettings
from kofinlaw.records import Provision

# Written here on its own: the yardstick does not use the parser's idea of an amendment tag.
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
    return next(iter(read_documents(path, SourceSettings(path=str(path)), LimitSettings())))


def plain(text: str) -> str:
    """Text without amendment tags, blanks and the two forms of a deleted mark's brackets."""
    text = unicodedata.normalize("NFC", text)  # some Han letters come in compatibility forms
    text = re.sub(r"[<＜〈]\s*(삭\s*제)[^<>＜＞]*[>＞〉]", r"\1", text)
    return re.sub(r"\s", "", TAG.sub("", text))


def articles(shared: Path) -> dict[str, Any]:
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
        have = {}
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
    """F1 of the 항/호/목 labels of 60 hand-labelled articles, 20 of rules with inline 호."""
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
    for node in provisions:
        yield node.label
        yield from labels(node.children)


def quotes(text: str) -> str:
    return text.translate(str.maketrans("“”‘’ㆍ", "\"\"''·"))


def letters(text: str) -> str:
    return re.sub(r"\s", "", quotes(text))


def edits(one: str, two: str) -> int:
    """Levenshtein distance; common ends are cut off first, the rest by Myers' bit vectors."""
    start = 0
    while start < min(len(one), len(two)) and one[start] == two[start]:
        start += 1
    one, two = one[start:], two[start:]
    while one and two and one[-1] == two[-1]:
        one, two = one[:-1], two[:-1]
    if not one or not two:
        return max(len(one), len(two))
    places: dict[str, int] = defaultdict(int)
    for place, character in enumerate(one):
        places[character] |= 1 << place
    mask, last = (1 << len(one)) - 1, 1 << (len(one) - 1)
    plus, minus, score = mask, 0, len(one)
    for character in two:
        equal = places.get(character, 0)
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
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = Path(__file__).parents[1].parent / "shared" / "data"
    parser.add_argument("--shared", type=Path, default=default)
    parser.add_argument("--json", action="store_true", help="print one JSON object only")
    options = parser.parse_args()
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
