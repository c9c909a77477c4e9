"""Generate a kind of question that kofinlaw does not have: the heading of an article.

    python examples/add_a_generator.py

The generator gets one act, its articles already parsed, and yields drafts: a stem, the right
option, wrong options, and the articles that decide the question. kofinlaw then chooses options,
checks them, adds evidence as the model will see it, and writes training examples.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import kofinlaw.data
from kofinlaw import UserError
from kofinlaw.augment import (
    AugmentSettings,
    Draft,
    Law,
    Laws,
    QuestionGenerator,
    generate_examples,
)
from kofinlaw.data import DataSettings, build_corpus


def headings(law: Law, laws: Laws, seed: int) -> Iterator[Draft]:
    """Ask which heading an article has; the other headings of the act are the wrong options."""
    named = [article for article in law.articles if article.heading]
    for article in named:
        # An equal heading elsewhere in the act would be a second right answer.
        others = {other.heading for other in named} - {article.heading}
        if len(others) >= 3:
            yield Draft(
                kind="heading",
                stem=f"「{law.title}」 {article.number}의 제목은?",
                answer=article.heading,
                distractors=tuple(sorted(others)),
                units=(article.id,),
                focus=(article.heading,),
                document=law.title,
            )


def main() -> None:
    """Build a corpus from the bundled rulebooks and generate examples from it."""
    parser = argparse.ArgumentParser(description="Generate a new kind of question.")
    sample = Path(kofinlaw.data.__file__).parent / "sample" / "corpus"
    parser.add_argument("--documents", type=Path, default=sample, help="a folder of acts")
    parser.add_argument("--out", type=Path, default=Path("my-examples"), help="a new folder")
    arguments = parser.parse_args()

    documents = DataSettings.model_validate({"sources": [{"path": str(arguments.documents)}]})
    corpus = arguments.out / "corpus"
    build_corpus(documents, corpus, base=Path.cwd())
    result = generate_examples(
        AugmentSettings(items=60, most_by_article=3),
        corpus,
        arguments.out / "examples",
        seed=42,
        extra_generators=[QuestionGenerator(("heading",), headings, weight=30)],
    )
    print(result.to_record())
    print(f"examples: {arguments.out / 'examples' / 'examples.jsonl'}")


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        raise SystemExit(f"error: {error}") from error
