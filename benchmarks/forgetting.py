"""Measure what a training costs elsewhere: closed-book questions and plain Korean text.

    python benchmarks/forgetting.py --work DIR --model trained=MERGED [--questions 500]
    python benchmarks/forgetting.py --work DIR --adapter trained=ADAPTER

- *closed book*: questions of KMMLU's train and dev files, the subjects in turn, without evidence.
  The options are listed, and the label with the largest probability is the answer.
- *plain Korean*: the next token of prose, with all tokens before it in the passage. `pages` are the
  paragraphs of this project's Korean pages, `decisions` the summaries of court decisions. Neither
  is a training text of a shipped recipe. The accuracy is the share of tokens that have the largest
  probability; the loss is in nats a token.

Each model is compared with the first one on the same questions and passages. The aim of each
difference is not below -1 point. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import lzma
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from answering import exam
from development_data import DATA, require
from exams import answer, compared, mean, models_of
from outcome import outcome

from kofinlaw.files import read_jsonl, write_jsonl
from kofinlaw.models.loading import load_model
from kofinlaw.models.settings import EngineSettings
from kofinlaw.models.tokenizer import load_tokenizer
from kofinlaw.rag.answer_settings import AnswerSettings
from kofinlaw.records import Answer

ROOT = Path(__file__).resolve().parents[1]
SHORTEST = 60  # characters of a paragraph
LONGEST = 256  # tokens of a passage; the rest is not read
LEAST = -0.01


@dataclass(frozen=True)
class TextFigures:
    """A passage: the share of its next tokens that were likeliest, and its loss in nats a token."""

    right: float
    loss: float


def paragraphs(folder: Path) -> list[str]:
    """Return the prose of Markdown pages: paragraphs without code, tables, lists and headings."""
    found = []
    for path in [folder.parent / "README.ko.md", *sorted((folder / "ko").rglob("*.md"))]:
        text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        for part in text.split("\n\n"):
            line = " ".join(part.split())
            prose = line[:1].isalnum() and "|" not in line and not part.startswith("    ")
            if prose and len(line) >= SHORTEST:
                found.append(line)
    return found


def spread(texts: Sequence[str], count: int) -> list[str]:
    """Return at most `count` texts at equal distances, so that every part has some."""
    if len(texts) <= count:
        return list(texts)
    return [texts[number * len(texts) // count] for number in range(count)]


def decisions(file: Path, count: int) -> list[str]:
    """Return the summaries of the first `count` decisions of the file."""
    found: list[str] = []
    with lzma.open(file, "rt", encoding="utf-8") as lines:
        for line in lines:
            summary = " ".join(str(json.loads(line).get("판결요지") or "").split())
            if len(summary) >= SHORTEST:
                found.append(summary)
            if len(found) == count:
                break
    return found


@torch.inference_mode()
def read_texts(folder: Path, texts: Sequence[str]) -> list[TextFigures]:
    """Return the figures of each text under a model."""
    model, tokenizer = load_model(folder), load_tokenizer(folder)
    figures = []
    for text in texts:
        ids = torch.tensor([tokenizer.encode(text)[:LONGEST]], device=model.device)
        logits = model(input_ids=ids).logits[0, :-1].float()
        following = ids[0, 1:]
        loss = torch.nn.functional.cross_entropy(logits, following)
        right = (logits.argmax(-1) == following).float().mean()
        figures.append(TextFigures(float(right), float(loss)))
    return figures


def closed_book(
    folder: Path, out: Path, questions: Path, key: Mapping[str, str], seed: int
) -> dict[str, float]:
    """Return 1 or 0 by question id: whether the model's label is right without evidence."""
    settings = AnswerSettings(
        answer_form="label",
        choose_by="score",
        abstain="never",
        engine=EngineSettings(dtype="bfloat16"),
    )
    answer(questions, out, folder, None, settings, seed)
    given = {one.id: one.answer for one in read_jsonl(out / "answers.jsonl", Answer)}
    return {identity: float(given[identity] == label) for identity, label in key.items()}


def main() -> None:
    """Measure and print the table; the last line is JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, required=True, help="folder for the answers")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the development data")
    parser.add_argument("--model", action="append", metavar="NAME=PATH", help="first one: the base")
    parser.add_argument("--adapter", action="append", metavar="NAME=PATH", help="merged once")
    parser.add_argument("--base", type=Path, help="base of the adapters; default: the small model")
    parser.add_argument("--questions", type=int, default=500)
    parser.add_argument("--texts", type=int, default=200, help="at most so many of each kind")
    parser.add_argument("--seed", type=int, default=42)
    given = parser.parse_args()
    if given.work.resolve().is_relative_to(ROOT):
        parser.error("--work must lie outside the repository: exam questions are not copied to it")
    require(given.data / "kmmlu_dev", "--data")
    texts = {
        "pages": spread(paragraphs(ROOT / "docs"), given.texts),
        "decisions": decisions(
            require(given.data / "precedents" / "precedents_dev.jsonl.xz", "--data"), given.texts
        ),
    }
    names = {path.name.rsplit("-", 1)[0] for path in (given.data / "kmmlu_dev").glob("*.csv")}
    asked, key = exam(given.data, tuple(sorted(names)), given.questions)
    given.work.mkdir(parents=True, exist_ok=True)
    file = given.work / f"closed-{len(asked)}.jsonl"
    write_jsonl(file, asked)

    right: dict[str, dict[str, float]] = {}
    read: dict[str, dict[str, list[TextFigures]]] = {}
    models = models_of(given)
    for name, folder in models.items():
        out = given.work / f"closed-{len(asked)}-{name}"
        right[name] = closed_book(folder, out, file, key, given.seed)
        read[name] = {kind: read_texts(folder, some) for kind, some in texts.items()}
    report(right, read, list(models))


def report(
    right: Mapping[str, Mapping[str, float]],
    read: Mapping[str, Mapping[str, Sequence[TextFigures]]],
    names: Sequence[str],
) -> None:
    """Print one row a model, the differences from the first one, and the line of JSON."""
    base, *others = names
    kinds = list(read[base])
    print("| | closed book | " + " | ".join(f"{k}: right | {k}: nats" for k in kinds) + " |")
    print("| --- |" + " ---: |" * (1 + 2 * len(kinds)))
    figures: dict[str, Any] = {"questions": len(right[base]), "models": {}, "compared": {}}
    for name in names:
        row = {"closed book": mean(list(right[name].values()))}
        for kind in kinds:
            row[f"{kind}, right"] = mean([one.right for one in read[name][kind]])
            row[f"{kind}, nats"] = mean([one.loss for one in read[name][kind]])
        figures["models"][name] = {part: round(value, 4) for part, value in row.items()}
        cells = [
            f"{value:.3f}" if part.endswith("nats") else f"{100 * value:.1f}"
            for part, value in row.items()
        ]
        print(f"| {name} | " + " | ".join(cells) + " |")
    targets: dict[str, Any] = {}
    for name in others:
        pairs = {"closed book": [(right[base][i], right[name][i]) for i in right[base]]}
        for kind in kinds:
            both = zip(read[base][kind], read[name][kind], strict=True)
            pairs[kind] = [(before.right, after.right) for before, after in both]
        for part, values in pairs.items():
            found = compared(values)
            figures["compared"][f"{base} -> {name}, {part}"] = found
            targets[f"{name} - {base}, {part}"] = (found["difference"], (">=", LEAST))
    print(outcome(figures, targets))


if __name__ == "__main__":
    main()
