"""Make a first recipe from a folder of documents: survey, choose, count, write."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kofinlaw import Progress, UserError, silent
from kofinlaw.commands import command_line
from kofinlaw.decoding import decode_name
from kofinlaw.errors import raise_if_machine
from kofinlaw.models.machines import Machine, machine_for
from kofinlaw.models.settings import ModelSettings
from kofinlaw.recipes.pipeline.planning.count_record import DryCount
from kofinlaw.recipes.pipeline.schema import load_recipe
from kofinlaw.recipes.starting.model_choice import ModelChoice, choose_model, embedder_at_hand
from kofinlaw.recipes.starting.recipe_text import (
    SHOWN,
    Sizes,
    Start,
    document_lines,
    recipe_text,
    sizes_for,
)
from kofinlaw.recipes.starting.survey import Corpus, Survey, survey_documents
from kofinlaw.trainer.settings import TrainSettings

__all__ = ["EPOCHS", "STARTS", "Wishes", "Written", "init_recipe", "recipe_name"]

STARTS: tuple[Start, ...] = ("ask", "train", "train-untested")
EPOCHS = 3  # passes over few examples


@dataclass(frozen=True)
class Wishes:
    """What the user wants.

    `start` None is decided by what the documents can give; `choose_start` is asked first, with the
    possible starts and the proposed one. `out` None names the file after the folder, in the working
    folder.
    """

    start: Start | None = None
    policy: str = "open"
    card: str | None = None
    model: str = ""
    out: Path | None = None
    choose_start: Callable[[Sequence[Start], Start], Start] | None = None


@dataclass(frozen=True)
class Written:
    """The recipe that was written, its name, what it does, and lines for the terminal.

    `question` is an example of a question that the documents can answer.
    """

    path: Path
    name: str
    start: Start
    question: str
    lines: tuple[str, ...]


def init_recipe(folder: Path, wishes: Wishes, progress: Progress = silent) -> Written:
    """Write a recipe for the documents in a folder (or one file), and check it.

    Raises UserError if the folder or a readable document in it is missing, if the recipe file
    exists or would lie among the documents, or if the wanted start is not possible: the message
    says which one is.
    """
    folder = folder.absolute()
    if not folder.exists():
        raise UserError(
            "no such file or folder", where=str(folder), remedy="name the folder of your documents"
        )
    # Two recipes of one folder must not share the folder of their runs.
    name = recipe_name(wishes.out.with_suffix("") if wishes.out else folder)
    out = wishes.out or Path(f"{_label(folder) or name}.yaml")
    if folder.is_dir() and any(p.is_relative_to(folder) for p in (Path.cwd(), out.absolute())):
        raise UserError(
            "the recipe and its runs would lie among your documents and become documents",
            where=str(folder),
            remedy=f"work in another folder, for example: cd .. && kofinlaw init {folder.name}",
        )
    if out.exists():
        raise UserError(
            "this file exists, and init does not overwrite a file",
            where=str(out),
            remedy="name another file with --out, or use this recipe: "
            f"`{command_line('plan', out)}`",
        )
    machine = machine_for(wishes.card)
    choice = choose_model(machine, wishes.policy, trains=wishes.start != "ask", name=wishes.model)
    model = ModelSettings(id=choice.card.id, path=choice.path)
    survey, corpus = survey_documents(
        folder, wishes.policy, sizes_for(choice, machine).chunk_tokens, model
    )
    with corpus:
        counted = _counts(survey, corpus, choice, machine, wishes.start, progress)
        start = _decided(counted, choice, machine, wishes)
        if start not in ("ask", *counted):
            counted |= _counts(survey, corpus, choice, machine, start, progress)
    text = recipe_text(
        survey,
        choice,
        machine,
        counted.get(start),
        start=start,
        policy=wishes.policy,
        name=name,
        documents=_path_in_recipe(folder, out),
        embedder=embedder_at_hand(),
    )
    try:
        with open(out, "x", encoding="utf-8") as handle:
            handle.write(text)
    except OSError as error:
        raise_if_machine(error, out)
        raise UserError(
            f"the recipe cannot be written: {error.strerror}",
            where=str(out),
            remedy="name a file in a folder that you can write to, with --out",
        ) from error
    try:
        load_recipe(str(out))
    except UserError:
        out.unlink()
        raise
    possible = counted.get(start)
    lines = tuple(_lines(survey, choice, machine, possible, start))
    return Written(out, name, start, survey.question, lines)


def recipe_name(folder: Path) -> str:
    """Return a name for the run's folder: that of the documents in Latin letters, else a hash."""
    base = _label(folder)
    latin = re.sub(r"[^A-Za-z0-9._-]+", "-", base).strip("-._")
    if latin and latin == re.sub(r"\s+", "-", base).strip("-._"):
        return latin
    mark = hashlib.sha256(base.encode("utf-8")).hexdigest()[:6]
    return f"{latin or 'documents'}-{mark}"


def _label(folder: Path) -> str:
    """Return the name of a folder, or that of a file without its suffix, in composed Hangul."""
    name = folder.stem if folder.is_file() else folder.name
    return decode_name(name)


def _counts(
    survey: Survey,
    corpus: Corpus,
    choice: ModelChoice,
    machine: Machine,
    wanted: Start | None,
    progress: Progress,
) -> dict[Start, DryCount]:
    """Return the dry count of each start that trains and is possible."""
    if wanted == "ask" or not survey.acts:
        return {}
    sizes = sizes_for(choice, machine)
    counted: dict[Start, DryCount] = {}
    tries: tuple[tuple[Start, bool], ...] = (("train", True), ("train-untested", False))
    for start, holdout in tries:
        if wanted not in (None, start) or (start == "train-untested" and "train" in counted):
            continue
        if holdout and survey.acts < 2:
            continue
        try:
            counted[start] = corpus.possible(
                most_items=sizes.most_items,
                holdout=holdout,
                evidence_tokens=sizes.evidence_tokens,
                progress=progress,
            )
        except UserError:
            continue  # no two groups of documents
    fewest = _fewest(sizes)
    return {
        start: found
        for start, found in counted.items()
        if found.examples >= fewest and (start != "train" or found.tests)
    }


def _fewest(sizes: Sizes) -> int:
    """Return the fewest examples that can train with these sizes."""
    return TrainSettings(effective_batch=sizes.effective_batch, epochs=EPOCHS).fewest_examples


def _decided(
    counted: dict[Start, DryCount], choice: ModelChoice, machine: Machine, wishes: Wishes
) -> Start:
    """Return the start; raises UserError if the wanted one is not possible."""
    options: list[Start] = ["ask", *counted]
    if "train" in counted:  # without a test there are more examples, not fewer
        options.append("train-untested")
    if wishes.start is not None:
        if wishes.start in options:
            return wishes.start
        fewest = _fewest(sizes_for(choice, machine))
        test = ", and two documents with articles for a test" if wishes.start == "train" else ""
        raise UserError(
            f"these documents do not give enough examples for `{wishes.start}`: it needs at least "
            f"{fewest} examples from documents with articles (제n조){test}",
            where="--start",
            remedy="use `--start ask`, which trains nothing, or add documents",
        )
    proposed: Start = "train" if "train" in counted else "ask"
    return wishes.choose_start(options, proposed) if wishes.choose_start else proposed


def _path_in_recipe(folder: Path, out: Path) -> str:
    """Return the documents' path relative to the recipe if they are below its folder."""
    base = out.absolute().parent
    if folder.is_relative_to(base):
        return folder.relative_to(base).as_posix() or "."
    common = os.path.relpath(folder, base)
    return common if common.count("..") <= 1 else str(folder)


def _lines(
    survey: Survey, choice: ModelChoice, machine: Machine, possible: DryCount | None, start: Start
) -> list[str]:
    """Return what was found and decided, as lines for the terminal."""
    lines = [f"{survey.titles} documents in {survey.files} files"]
    lines += [f"  {line}" for line in document_lines(survey.documents)]
    if survey.left_out or survey.parts or survey.refused:
        lines.append("left out")
        lines += [f"  {one.name}: {one.reason}" for one in survey.left_out]
        lines += [f"  {sentence}" for sentence in survey.refused]
        lines += [f"  {line}" for line in survey.part_lines]
    weights = "weights on this machine" if choice.at_hand else "weights NOT on this machine"
    lines.append(
        f"model {choice.card.id}: {choice.gib:g} GiB of {machine.gib:.1f} GiB "
        f"({machine.origin}), {weights}"
    )
    if not choice.at_hand:
        lines.append(f"  get them: hf download {choice.card.id}")
    if choice.other is not None:
        lines.append(
            f"  a larger model fits: --model {choice.other.id}, after `hf download "
            f"{choice.other.id}`"
        )
    if start == "ask" or possible is None:
        lines.append("nothing is trained: the base model answers from the index")
        return lines
    lines.append(f"{possible.sentence()} training examples, {possible.how}")
    if start == "train":
        lines.append(
            f"{possible.tests} test questions from {len(possible.held_out)} held-out documents: "
            + ", ".join(possible.held_out[:SHOWN])
        )
    else:
        lines.append("no test: the trained model is NOT PROVEN, and every page says so")
    return lines
