"""Describe what the augment stage would make, without writing it (`augment --dry-run`)."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.augment.settings import AugmentSettings
from kofinlaw.files import read_jsonl
from kofinlaw.recipes.cli.console import command_line
from kofinlaw.recipes.pipeline.run import Run
from kofinlaw.records import Article, Example

__all__ = ["augment_dry_run"]


def augment_dry_run(run: Run) -> list[str]:
    """Return examples and tokens by kind, and a sample,
    from a real generation into a temporary folder.

    The grounded generators need no model and take seconds, so their counts are exact; a teacher's
    work is estimated. Raises UserError if the data stage has not run.
    """
    from kofinlaw.augment.stage import generate_examples
    from kofinlaw.recipes.pipeline.planning.dry_count import tokenizer_at_hand

    corpus = run.folder / "data"
    if not (corpus / "articles.jsonl").is_file():
        options = [word for value in run.recipe_file.overrides for word in ("--set", value)]
        options += ["--runs", str(run.folder.parent)]
        data = command_line("data", run.recipe_file.path, *options)
        raise UserError(
            "there are no articles to make examples from",
            where=str(corpus),
            remedy=f"run `{data}` first",
        )
    articles = sum(1 for _ in read_jsonl(corpus / "articles.jsonl", Article))
    settings = run.recipe.augment
    lines = [f"augment {run.recipe.name}: {articles} articles, {settings.items} items requested"]
    grounded = settings.model_copy(update={"teacher": None})
    count, _ = tokenizer_at_hand(run.recipe.model, run.cache)
    with tempfile.TemporaryDirectory() as name:
        out = Path(name)
        generate_examples(grounded, corpus, out, seed=run.recipe.seed, count_tokens=count)
        examples = list(read_jsonl(out / "examples.jsonl", Example))
    kinds: dict[str, list[int]] = {}
    for example in examples:
        tokens = sum(count(message["content"]) for message in example.messages)
        kinds.setdefault(example.task, []).append(tokens)
    lines.append(f"  {'kind':<28}{'examples':>9}{'tokens':>9}   grounded: seconds, no model")
    lines += [f"  {kind:<28}{len(n):>9}{sum(n):>9}" for kind, n in sorted(kinds.items())]
    lines.append(f"  {'total':<28}{len(examples):>9}{sum(map(sum, kinds.values())):>9}")
    if settings.teacher:
        lines += ["", *_teacher_lines(run, settings, corpus)]
    if examples:
        sample = examples[0]
        lines += ["", f"a sample ({sample.id}, {sample.task})", ""]
        for message in sample.messages:
            lines.append(f"  [{message['role']}]")
            lines += [f"  {line}" for line in message["content"].splitlines()]
    return [
        *lines,
        "",
        "nothing was written; without --dry-run the examples are written",
    ]


def _teacher_lines(run: Run, settings: AugmentSettings, corpus: Path) -> list[str]:
    """Return the teacher's requests, tokens, hours and memory by task, and one of its prompts."""
    from kofinlaw.augment.heldout.holdout_choice import held_out_titles
    from kofinlaw.augment.reading.acts import read_laws
    from kofinlaw.augment.teacher.estimate import cost_table, estimate_cost
    from kofinlaw.recipes.pipeline.planning.dry_count import tokens_per_character

    teacher = settings.teacher
    assert teacher is not None
    laws = read_laws(read_jsonl(corpus / "articles.jsonl", Article))
    held = set(held_out_titles(settings, laws))
    rate = tokens_per_character(teacher.model.id)
    found = estimate_cost(
        teacher,
        [law for law in laws.acts if law.title not in held],
        run.recipe.seed,
        lambda text: int(rate * len(text)) + 1,
        gpu=shutil.which("nvidia-smi") is not None,
    )
    head = f"teacher {teacher.model.id}, engine {teacher.engine.engine}: not loaded"
    sample = [f"  {line}" for line in found.sample.splitlines()]
    return [head, *cost_table(found), "", "a prompt", "", *sample]
