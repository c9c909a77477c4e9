"""Count how many sound and how many faulty teacher outputs the filters refuse.

    python benchmarks/augment_faults.py [FOLDER_OF_STATUTES] [--each 200] [--seed 1]

The outputs are made from real provisions. A sound output repeats what a provision says: word for
word, in polite form, with its citation, as an explanation, or as a free-text answer with
keywords. A faulty output differs in one thing: another number, a reversed negation or duty,
another term, or another article. Both pass through the filters that a teacher's outputs pass
through, except those that need a model. The last line is JSON.
"""

from __future__ import annotations

import argparse
import random
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from development_data import STATUTES, require
from outcome import outcome

from kofinlaw.augment.generators.false_figures import other_figures
from kofinlaw.augment.generators.false_parties import other_parties
from kofinlaw.augment.generators.falsity import flip_modality
from kofinlaw.augment.reading.acts import Law, Laws, read_laws
from kofinlaw.augment.reading.clauses import Clause
from kofinlaw.augment.reading.figures import find_figures
from kofinlaw.augment.reading.names import subject
from kofinlaw.augment.reading.phrasing import as_question
from kofinlaw.augment.teacher.filters import first_failure, verdicts
from kofinlaw.augment.teacher.prompt_files import read_prompt
from kofinlaw.augment.teacher.tasks import TASKS, Source, Written, passages
from kofinlaw.data.korean.words import content_morphemes, josa
from kofinlaw.files import read_jsonl
from kofinlaw.records import Article

Fault = Callable[[Law, Clause, str, random.Random], str]
_OBJECT = re.compile(r"(?<![가-힣ㆍ])([가-힣]{2,6})[을를](?= )")


def wrong_number(law: Law, clause: Clause, text: str, rng: random.Random) -> str:
    """Replace one figure with a near one of the same unit; empty if the text has none."""
    found = find_figures(text)
    if not found:
        return ""
    chosen = rng.choice(found)
    near = other_figures(chosen, clause.article.text, rng)
    return text[: chosen.start] + near[0] + text[chosen.end :] if near else ""


NEGATIONS = (
    ("하지 아니한", "한"),
    ("하지 아니하고", "하고"),
    ("되지 아니한", "된"),
    ("아니 된다", "된다"),
    ("할 수 있다", "할 수 없다"),
    ("할 수 없다", "할 수 있다"),
    ("하여야 한다", "하지 아니한다"),
    ("있는 경우", "없는 경우"),
    ("없는 경우", "있는 경우"),
    ("없이", "있으면"),
    ("이상", "이하"),
    ("이내", "이후"),
    ("한다.", "하지 아니한다."),
    ("된다.", "되지 아니한다."),
    ("있다.", "없다."),
)


def wrong_negation(law: Law, clause: Clause, text: str, rng: random.Random) -> str:
    """Drop or add a negation, turn a duty into a permission, or reverse a bound."""
    ways = [text.replace(old, new, 1) for old, new in NEGATIONS if old in text]
    ways += [turned] if (turned := flip_modality(text)) else []
    return rng.choice(ways) if ways else ""


def wrong_term(law: Law, clause: Clause, text: str, rng: random.Random) -> str:
    """Replace the acting party, or one noun, with another of the same act."""
    who = subject(text)
    others = other_parties(law, clause, who, rng) if who else ()
    if others and rng.random() < 0.5:
        return text.replace(text[: len(who) + 1], josa(others[0], "은/는"), 1)
    pool = [noun for noun in _objects(law) if noun not in clause.main]
    here = [m for m in _OBJECT.finditer(text) if m.group(1) in _objects(law)]
    if not here or not pool:
        return ""
    match = rng.choice(here)
    return text[: match.start()] + josa(rng.choice(pool), "을/를") + text[match.end() :]


_OBJECTS: dict[str, tuple[str, ...]] = {}


def _objects(law: Law) -> tuple[str, ...]:
    """Return the act's nouns that are the object in two or more provisions."""
    if law.title not in _OBJECTS:
        seen = Counter(
            noun for c in law.clauses for noun in {m.group(1) for m in _OBJECT.finditer(c.main)}
        )
        nouns = (noun for noun, n in seen.items() if n > 1 and noun[-1] not in "하에지는은것정")
        _OBJECTS[law.title] = tuple(nouns)
    return _OBJECTS[law.title]


def wrong_article(law: Law, clause: Clause, text: str, rng: random.Random) -> str:
    """Add a citation of another article of the act in brackets."""
    others = [c.citation for c in law.clauses if c.article.id != clause.article.id]
    if not others:
        return ""
    return f"{text.rstrip('.')} ({rng.choice(others)})."


FAULTS: dict[str, Fault] = {
    "number": wrong_number,
    "negation": wrong_negation,
    "term": wrong_term,
    "article": wrong_article,
}


def polite(text: str) -> str:
    """Return the sentence in 합쇼체."""
    for plain, formal in (
        ("하여야 한다.", "하여야 합니다."),
        ("있다.", "있습니다."),
        ("없다.", "없습니다."),
        ("된다.", "됩니다."),
        ("한다.", "합니다."),
    ):
        if text.endswith(plain):
            return text.removesuffix(plain) + formal
    return text


def restatements(source: Source) -> list[str]:
    """Return the sound ways to say a provision."""
    text = source.passage
    bare = text.rstrip(".")
    return [
        text,
        polite(text),
        f"{bare} ({source.citation}).",
        text.replace("하여야 한다", "해야 한다"),
        f"따라서 {text}",
        text.replace("경우에는", "경우"),
    ]


def output(source: Source, text: str, citation: str, rng: random.Random) -> Written:
    """Return a whole output that claims `text`: explanation, summary or free-text answer."""
    question = as_question(source.passage)
    words = [w for w in content_morphemes([source.passage])[0] if len(w) > 1 and w in text]
    kinds = ["explanation", "summary"]
    if 40 <= len(text) <= 90 and len(question) <= 150 and question and len(set(words)) >= 2:
        kinds.append("free_question")
    kind = rng.choice(kinds)
    if kind == "explanation":
        fields: dict[str, Any] = {"explanation": text, "article": citation}
    elif kind == "summary":
        fields = {"summary": text}
    else:
        asked = f"{source.title}에 따르면 {_shortened(question)}"
        fields = {"reference": text, "keywords": tuple(sorted(set(words))[:3]), "question": asked}
    return Written(TASKS[kind], source, fields)


def _shortened(question: str) -> str:
    """Drop the question's first words, so that it does not repeat the answer."""
    words = question.split(" ")
    return "어떤 경우에 " + " ".join(words[len(words) // 2 :])


def outputs(laws: Laws, seed: int) -> Iterator[tuple[str, Written]]:
    """Yield (`sound` or the fault's name, output) by turns, over the provisions."""
    rng = random.Random(seed)
    rows = [
        (law, clause, source)
        for law in laws.acts
        for source in passages(law)
        for clause in law.by_article.get(source.unit, ())
        if clause.main == source.passage
        and clause.citation == source.citation
        and len(clause.main) <= 120
    ]
    rng.shuffle(rows)
    planted: Counter[str] = Counter()
    for law, clause, source in rows:
        text = rng.choice(restatements(source))
        yield "sound", output(source, text, source.citation, rng)
        for name in sorted(FAULTS, key=lambda n: planted[n]):
            faulty = FAULTS[name](law, clause, source.passage, rng)
            if faulty and faulty != source.passage:
                planted[name] += 1
                yield name, output(source, faulty, source.citation, rng)
                break


def measure(laws: Laws, each: int, seed: int) -> dict[str, Any]:
    """Count the refused ones of `each` faulty and `each` sound outputs, in total and by fault."""
    quota = {name: -(-each // len(FAULTS)) for name in FAULTS} | {"sound": each}
    seen: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    why: Counter[str] = Counter()
    missed: list[str] = []
    for name, written in outputs(laws, seed):
        if seen[name] >= quota[name]:
            continue
        seen[name] += 1
        fault = first_failure(verdicts(written, read_prompt(written.task.name)))
        refused[name] += fault is not None
        if (fault is None) != (name == "sound"):
            claim = written.texts("claim")[0]
            missed.append(f"{name}: {claim} | {written.source.passage} | {fault}")
        if name == "sound" and fault is not None:
            why[fault.check] += 1
    faults = sum(seen[name] for name in FAULTS)
    return {
        "faults": faults,
        "faults_refused": round(sum(refused[name] for name in FAULTS) / max(faults, 1), 4),
        "sound": seen["sound"],
        "sound_refused": round(refused["sound"] / max(seen["sound"], 1), 4),
        "refused_by_fault": {name: f"{refused[name]}/{seen[name]}" for name in FAULTS},
        "sound_refused_by": dict(why),
        "wrong": missed,
    }


def core_laws(folder: Path) -> Laws:
    """Read the five core acts and their decrees."""
    from kofinlaw.data.corpus import build_corpus
    from kofinlaw.data.settings import DataSettings

    names = (
        "전자금융거래법",
        "개인정보_보호법",
        "신용정보의_이용_및_보호에_관한_법률",
        "정보통신망_이용촉진_및_정보보호_등에_관한_법률",
        "전자서명법",
    )
    sources = [
        {"path": str(folder / "acts" / f"{name}{tail}.md")}
        for name in names
        for tail in ("", "_시행령")
    ]
    with tempfile.TemporaryDirectory() as name:
        corpus = Path(name)
        build_corpus(DataSettings.model_validate({"sources": sources}), corpus, base=corpus)
        return read_laws(read_jsonl(corpus / "articles.jsonl", Article))


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure on a new draw; print the wrong decisions and one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "folder", nargs="?", type=Path, default=STATUTES, metavar="FOLDER_OF_STATUTES"
    )
    parser.add_argument("--each", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    require(options.folder, "FOLDER_OF_STATUTES")
    result = measure(core_laws(options.folder), options.each, options.seed)
    for row in result.pop("wrong"):
        print(row)
    print(
        outcome(
            result,
            {
                "faults refused": (result["faults_refused"], (">=", 0.95)),
                "sound refused": (result["sound_refused"], ("<=", 0.05)),
            },
        )
    )


if __name__ == "__main__":
    main()
