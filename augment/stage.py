"""The stage: articles and chunks in; examples, held-out questions, rejects and a card out."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from kofinlaw import Progress, UserError, silent
from kofinlaw.augment import examples_card as card
from kofinlaw.augment.assemble import Maker, fingerprint, item_id, key_of, make_items, question_of
from kofinlaw.augment.example_table import write_parquet
from kofinlaw.augment.examples import choice_examples, free_examples
from kofinlaw.augment.generators import grounded
from kofinlaw.augment.generators.acts import Laws, read_laws
from kofinlaw.augment.option_choice import Item
from kofinlaw.augment.protected_questions import Protected
from kofinlaw.augment.raft import Shelf
from kofinlaw.augment.settings import AugmentSettings
from kofinlaw.augment.student import Student, margins
from kofinlaw.augment.teacher.ledger import Resume
from kofinlaw.data.chunking import estimate_tokens
from kofinlaw.files import read_jsonl, write_jsonl
from kofinlaw.records import Article, Chunk


def augment(
    settings: AugmentSettings,
    corpus: Path,
    out: Path,
    *,
    seed: int,
    count_tokens: Callable[[str], int] | None = None,
    protected_texts: Sequence[str] = (),
    ledger: Path | None = None,
    student: Student | None = None,
    resume: Resume = "if-possible",
    progress: Progress = silent,
) -> dict[str, Any]:
    """Make the examples of a corpus; returns counts and figures for `stage.json`.

    Writes `examples.jsonl` and `.parquet`, `heldout_questions.jsonl`, `heldout_key.jsonl`,
    `rejected.jsonl`, `ledger.jsonl`, `card.md` and `card.json` into `out`. `ledger` is where a
    teacher's answers are remembered (default: in `out`), best outside of folders that are made
    anew; `resume` says what to do with what it holds. `student` loads the model to be trained and
    its template, for `select: student`. Raises UserError where the corpus holds no article to ask
    about, or a held-out title that the corpus does not have.
    """
    out.mkdir(parents=True, exist_ok=True)
    laws = read_laws(read_jsonl(corpus / "articles.jsonl", Article))
    chunks = list(read_jsonl(corpus / "chunks.jsonl", Chunk))
    _check_corpus(settings, laws, chunks, corpus)
    count = count_tokens or estimate_tokens
    shelf = Shelf(chunks, count, settings.raft.retrieval)
    maker = Maker(settings, seed, laws, shelf, Protected(protected_texts), [])

    held = frozenset(settings.holdout_documents)
    drafts = list(grounded.drafts(laws, seed, progress=progress))
    # Two generators may hit on the same question; it is asked once.
    seen: set[tuple[str, str]] = set()
    drafts = [d for d in drafts if not ((d.stem, d.answer) in seen or seen.add((d.stem, d.answer)))]  # type: ignore[func-returns-value]
    heldout = make_items(
        maker, [d for d in drafts if d.document in held], settings.holdout_items, "heldout"
    )
    asked = {fingerprint(item) for item in heldout}
    items = make_items(
        maker,
        [d for d in drafts if d.document not in held],
        settings.items,
        "train",
        asked,
        _margins(settings, student, out, progress),
    )
    examples = choice_examples(maker, items, progress)
    examples += free_examples(maker, len(examples), held)
    random.Random(f"{seed}:order").shuffle(examples)

    write_jsonl(out / "heldout_questions.jsonl", [question_of(item) for item in heldout])
    write_jsonl(out / "heldout_key.jsonl", [key_of(item) for item in heldout])
    taught = None
    if settings.teacher is not None:
        from kofinlaw.augment.teacher.write import teach

        taught = teach(
            settings.teacher,
            [law for law in laws.acts if law.title not in held],
            chunks,
            ledger or out / "asked.jsonl",
            seed=seed,
            protected=maker.protected,
            used=out / "ledger.jsonl",
            resume=resume,
            progress=progress,
        )
        examples += taught.examples
        maker.rejected += taught.rejected
    else:
        write_jsonl(out / "ledger.jsonl", [])
    write_jsonl(out / "examples.jsonl", examples)
    write_parquet(out / "examples.parquet", examples)
    write_jsonl(out / "rejected.jsonl", maker.rejected)
    made = {example.id for example in examples}
    items = [item for item in items if item_id(item) in made]
    return card.write(
        out,
        settings,
        drafts=Counter(draft.kind for draft in drafts),
        items=items,
        heldout=heldout,
        examples=examples,
        taught=taught,
        rejected=maker.rejected,
        shelf=shelf,
        count=count,
    )


def _margins(
    settings: AugmentSettings, student: Student | None, out: Path, progress: Progress
) -> Callable[[Sequence[Item]], Mapping[str, float]] | None:
    """How to ask the student, None where items are chosen without it."""
    if settings.select == "weights":
        return None
    if student is None:
        raise UserError(
            "no student to ask",
            where="augment.select",
            remedy="use `select: weights`, or a recipe with a model",
        )
    path, form = out / "student.jsonl", settings.answer_form
    return lambda items: margins(items, student, path, form=form, progress=progress)


def _check_corpus(
    settings: AugmentSettings, laws: Laws, chunks: Sequence[Chunk], corpus: Path
) -> None:
    if not laws.acts or not chunks:
        raise UserError(
            "the corpus holds no article of a statute or rule",
            where=str(corpus / "articles.jsonl"),
            remedy="grounded questions need acts with 조; check `data.sources`",
        )
    missing = sorted(set(settings.holdout_documents) - set(laws.titles))
    if missing:
        raise UserError(
            f"held-out documents that the corpus does not have: {', '.join(missing)}",
            where="augment.holdout_documents",
            remedy="titles must be written as in the documents: " + ", ".join(laws.titles[:8]),
        )
