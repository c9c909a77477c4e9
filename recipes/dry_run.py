"""`kofinlaw augment --dry-run`: what would be made, before anything is loaded or written."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.data.files import read_jsonl
from kofinlaw.data.records import Article, Example
from kofinlaw.recipes.bound import Run


def augment_dry_run(run: Run) -> list[str]:
    """Counts by kind, tokens and a sample, from a real generation into a throw-away folder.

    Grounded generators need no model and take seconds, so their counts are exact. Raises
    UserError where the data stage has not run.
    """
    from kofinlaw.augment.stage import augment

    corpus = run.folder / "data"
    if not (corpus / "articles.jsonl").is_file():
        raise UserError(
            "there are no articles yet",
            where=str(corpus),
            remedy=f"run `kofinlaw data {run.document.path}` first",
        )
    articles = sum(1 for _ in read_jsonl(corpus / "articles.jsonl", Article))
    settings = run.recipe.augment
    lines = [f"augment {run.recipe.name}: {articles} articles, {settings.items} items asked for"]
    grounded = settings.model_copy(update={"teacher": None})
    with tempfile.TemporaryDirectory() as name:
        out = Path(name)
        augment(grounded, corpus, out, seed=run.recipe.seed, count_tokens=_counter(run))
        examples = list(read_jsonl(out / "examples.jsonl", Example))
    kinds: dict[str, int] = {}
    characters = 0
    for example in examples:
        kinds[example.task] = kinds.get(example.task, 0) + 1
        characters += sum(len(message["content"]) for message in example.messages)
    lines += [f"  {kind:<28}{count:>6}" for kind, count in sorted(kinds.items())]
    lines.append(f"  {'in all':<28}{len(examples):>6}, {characters:,} characters")
    if settings.teacher:
        lines.append(f"  teacher {settings.teacher.model.id}: not loaded; its examples come on top")
    if examples:
        sample = examples[0]
        lines += ["", f"a sample ({sample.id}, {sample.task})", ""]
        for message in sample.messages:
            lines.append(f"  [{message['role']}]")
            lines += [f"  {line}" for line in message["content"].splitlines()]
    return [*lines, "", "nothing was written; without --dry-run the stage is run"]


def _counter(run: Run) -> Callable[[str], int]:
    """The model's own token count where its tokenizer is here, else the catalogue's rate."""
    from kofinlaw.models.catalogue import find
    from kofinlaw.models.loading import load_tokenizer
    from kofinlaw.models.resolve import local_folder
    from kofinlaw.recipes.compliance import model_name

    folder = local_folder(run.recipe.model, cache=run.cache)
    if folder is not None:
        return load_tokenizer(folder).count
    rate = find(model_name(run.recipe.model)).tokens_per_korean_char or 0.6
    return lambda text: int(rate * len(text)) + 1
