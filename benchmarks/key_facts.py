"""Check the key-fact score of free text on changed references.

    python benchmarks/key_facts.py [FOLDER_OF_STATUTES] [--items 600] [--seed 1] [--show]

The generator's own free-text questions, on the invented rulebooks and on every act of the folder.
Each reference is scored unchanged, in other words by rule, and with one figure, actor, duty or
article changed; the question given back and the sentence of the gold article that is nearest to
the question are scored too. The last line is JSON.
"""

from __future__ import annotations

import argparse
import random
import re
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from development_data import STATUTES, require
from outcome import outcome

from kofinlaw.augment.generators.falsity import flip_modality
from kofinlaw.augment.generators.free_text import FreeItem, generate
from kofinlaw.augment.reading.acts import Law, read_laws
from kofinlaw.augment.reading.figures import clearly_differ, find_figures, near_values
from kofinlaw.augment.reading.names import subject
from kofinlaw.data.corpus import build_corpus
from kofinlaw.data.korean.words import josa
from kofinlaw.data.settings import DataSettings
from kofinlaw.files import read_jsonl
from kofinlaw.rag.choosing.nearest import nearest_sentence
from kofinlaw.records import Article
from kofinlaw.scoring.metrics.key_facts import score_facts

SAMPLE = Path(__file__).parents[1] / "data" / "sample" / "corpus"
_CITED = re.compile(r"\((제\d+조(?:의\d+)?)((?:제\d+항)?)\)\.$")


def paraphrased(item: FreeItem) -> str:
    """Return the reference in other words: polite, with other units, with the article first."""
    text = item.reference
    match = _CITED.search(text)
    if match:
        text = f"{match[1]}{match[2]}에 따르면 {text[: match.start()]}."
    for old, new in (
        ("하여야 한다.", "해야 합니다."),
        ("하여서는 아니 된다.", "해서는 안 됩니다."),
        ("수 있다.", "수 있습니다."),
        ("말한다.", "뜻합니다."),
        ("한다.", "합니다."),
        ("된다.", "됩니다."),
        ("1년 이내", "12개월 이내"),
        ("이내에", "안에"),
        ("2주", "14일"),
        ("1주", "7일"),
    ):
        text = text.replace(old, new)
    text = re.sub(r"100분의 ?(\d+)", r"\1퍼센트", text)
    return re.sub(r"(\d+)천만원", lambda m: f"{int(m[1]) * 10_000_000:,}원", text)


def wrong_figure(law: Law, item: FreeItem, rng: random.Random) -> str:
    """Return the reference with another figure; empty without one."""
    for figure in find_figures(item.reference):
        for text in near_values(figure, rng):
            other = find_figures(text)
            if len(other) == 1 and clearly_differ(other[0], figure):
                return item.reference[: figure.start] + text + item.reference[figure.end :]
    return ""


def wrong_actor(law: Law, item: FreeItem, rng: random.Random) -> str:
    """Return the reference with another party as its subject; empty without one."""
    who = subject(item.reference)
    others = [name for name in law.actors if who and name not in who and who not in name]
    if not others:
        return ""
    return josa(rng.choice(others), "은/는") + item.reference[len(who) + 1 :]


def wrong_duty(law: Law, item: FreeItem, rng: random.Random) -> str:
    """Return the reference with duty and permission exchanged; empty without either."""
    match = _CITED.search(item.reference)
    if not match:
        return ""
    flipped = flip_modality(item.reference[: match.start()] + ".")
    return flipped.rstrip(".") + item.reference[match.start() :] if flipped else ""


def wrong_article(law: Law, item: FreeItem, rng: random.Random) -> str:
    """Return the reference with another article of the act."""
    match = _CITED.search(item.reference)
    numbers = [number for number in law.by_number if match and number != match[1]]
    if not match or not numbers:
        return ""
    return f"{item.reference[: match.start()]}({rng.choice(numbers)})."


CHANGES = {
    "another figure": wrong_figure,
    "another actor": wrong_actor,
    "duty or permission exchanged": wrong_duty,
    "another article": wrong_article,
}


def items_of(sources: Sequence[dict[str, str]]) -> Iterator[tuple[Law, FreeItem]]:
    """Yield the free-text items that the generator makes of these documents."""
    with tempfile.TemporaryDirectory() as name:
        corpus = Path(name)
        build_corpus(DataSettings.model_validate({"sources": sources}), corpus, base=corpus)
        laws = read_laws(list(read_jsonl(corpus / "articles.jsonl", Article)))
    for law in laws.acts:
        for item in generate(law):
            yield law, item


def measure(rows: Sequence[tuple[Law, FreeItem]], seed: int, show: int) -> dict[str, Any]:
    """Return by kind of answer: how many, their mean score, the share below the paraphrase."""
    rng = random.Random(seed)
    scores: dict[str, list[float]] = defaultdict(list)
    below: dict[str, list[bool]] = defaultdict(list)
    unscored = 0
    for law, item in rows:

        def score(answer: str, item: FreeItem = item) -> float | None:
            return score_facts(item.question, item.reference, answer).score

        same = score(item.reference)
        if same is None:
            unscored += 1
            continue
        other_words = score(paraphrased(item)) or 0.0
        article = next(a for a in law.articles if a.id == item.unit)
        answers = {
            "reference": item.reference,
            "question given back": item.question,
            "in other words": paraphrased(item),
            "nearest sentence of the article": nearest_sentence(item.question, [article.text]),
        }
        answers |= {name: change(law, item, rng) for name, change in CHANGES.items()}
        for name, answer in answers.items():
            if not answer:
                continue
            value = score(answer) or 0.0
            scores[name].append(value)
            if name in CHANGES:
                below[name].append(value < other_words)
            odd = (name in CHANGES and value >= other_words) or (
                name == "in other words" and value < 1
            )
            if odd and show:
                show -= 1
                found = score_facts(item.question, item.reference, answer)
                print(f"{name}: {item.question}\n  {item.reference}\n  {answer}\n  {found}")
    return {
        "items": len(rows),
        "without_fact": unscored,
        "answers": {
            name: {
                "n": len(values),
                "mean": round(statistics.fmean(values), 4),
                **(
                    {"below_paraphrase": round(statistics.fmean(below[name]), 4)}
                    if name in below
                    else {}
                ),
            }
            for name, values in scores.items()
        },
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure; print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "folder", nargs="?", type=Path, default=STATUTES, metavar="FOLDER_OF_STATUTES"
    )
    parser.add_argument("--items", type=int, default=600, help="items drawn of the statutes")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=0, help="answers to print that look wrong")
    options = parser.parse_args(arguments)
    acts = require(options.folder, "FOLDER_OF_STATUTES") / "acts"
    invented = list(items_of([{"path": str(SAMPLE), "license": "Apache-2.0"}]))
    real = list(items_of([{"path": str(acts)}]))
    drawn = random.Random(options.seed).sample(real, min(options.items, len(real)))
    figures = {
        "invented": measure(invented, options.seed, options.show),
        "statutes": measure(drawn, options.seed, options.show),
    }
    rows = figures["statutes"]["answers"]
    targets = {
        "reference": (rows["reference"]["mean"], ("==", 1)),
        "question given back": (rows["question given back"]["mean"], ("==", 0)),
        "in other words": (rows["in other words"]["mean"], (">=", 0.95)),
        **{
            name: (rows[name]["below_paraphrase"], (">=", 0.95)) for name in CHANGES if name in rows
        },
    }
    print(outcome(figures, targets))


if __name__ == "__main__":
    main()
