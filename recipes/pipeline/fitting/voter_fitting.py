"""Fit the voters' weights to training questions that the run's own model answers first.

A system's weights are in `voters/SYSTEM/voters.json` of the run, next to the questions and the
answers that they come from. They are fitted once for the same examples, model and settings; a fit
that was killed continues where it stopped.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kofinlaw import Progress, UserError
from kofinlaw.commands import command_line, stage_command
from kofinlaw.data.prompting.stems import is_negative
from kofinlaw.decoding import load_json
from kofinlaw.errors import raise_if_machine
from kofinlaw.files import read_jsonl, sha256_file, write_json, write_jsonl
from kofinlaw.recipes.pipeline.evaluation.answering import answer_with
from kofinlaw.recipes.pipeline.run import Run, system_folder
from kofinlaw.records import Example, Key, Question

if TYPE_CHECKING:
    from kofinlaw.rag.answer_settings import AnswerSettings
    from kofinlaw.rag.choosing.voter_fit import FitItem, VoterFit
    from kofinlaw.recipes.pipeline.schema import System

__all__ = [
    "fit_system",
    "fitted_settings",
    "fitted_weights",
    "serving_settings",
    "serving_system",
    "training_questions",
]

WEIGHTS = "voters.json"


def serving_system(run: Run) -> System:
    """Return the system that answers for a run: the merged model if there is one, else the base."""
    return "trained-rag" if (run.folder / "merge" / "model").is_dir() else "base-rag"


def serving_settings(run: Run) -> AnswerSettings:
    """Return the answer settings of the system that answers for a run, with fitted weights.

    Raises UserError where the recipe wants fitted weights and they were not fitted.
    """
    settings = run.recipe.answer
    if not settings.fits_voters:
        return settings
    path = fitted_weights(run, serving_system(run))
    if not path.is_file():
        recipe = run.folder / "recipe.yaml"
        fitting = command_line("fit-voters", recipe, "--runs", run.folder.parent)
        raise UserError(
            "the weights of the voters are not fitted yet",
            where=str(path),
            remedy=f"run `{fitting}`, or write them into `answer.voters`",
        )
    return settings.model_copy(update={"voters": path})


def fitted_settings(
    run: Run, system: System, settings: AnswerSettings, progress: Progress
) -> AnswerSettings:
    """Return answer settings of a system; `voters: fit` is fitted now, or taken if it was.

    Raises UserError where the run has no examples to fit to.
    """
    if not settings.fits_voters:
        return settings
    questions, keys = training_questions(
        run.folder / "augment" / "examples.jsonl", settings.voter_items
    )
    fit_system(run, system, questions, keys, progress)
    return settings.model_copy(update={"voters": fitted_weights(run, system)})


def fitted_weights(run: Run, system: System) -> Path:
    """Return where the weights of a system are, or will be."""
    return run.folder / "voters" / system / WEIGHTS


def training_questions(examples: Path, limit: int) -> tuple[list[Question], list[Key]]:
    """Return at most `limit` multiple-choice examples as questions and keys.

    A hash of their ids chooses them. Raises UserError where there is no file, and where the
    examples do not hold their options.
    """
    if not examples.is_file():
        raise UserError(
            "there are no training examples to fit the voters to",
            where=str(examples),
            remedy=f"run `{stage_command('augment', examples.parents[1])}`, or write the "
            "weights into `answer.voters`",
        )
    found = [e for e in read_jsonl(examples, Example) if e.choice["answer"] >= 0]
    if not found:
        raise UserError(
            "no training example is a multiple-choice question with its options",
            where=str(examples),
            remedy="generate the examples again, or write the weights into `answer.voters`",
        )
    found.sort(key=lambda example: hashlib.sha256(example.id.encode("utf-8")).hexdigest())
    chosen = sorted(found[:limit], key=lambda example: example.id)
    questions = [Question(e.id, e.choice["question"], tuple(e.choice["options"])) for e in chosen]
    return questions, [Key(e.id, str(e.choice["answer"] + 1)) for e in chosen]


def fit_system(
    run: Run,
    system: System,
    questions: Sequence[Question],
    keys: Sequence[Key],
    progress: Progress,
) -> VoterFit | None:
    """Answer labelled questions with one system and fit its weights; None if they are fitted.

    Raises UserError for too few questions, and for a model or index that cannot be used.
    """
    from kofinlaw.rag.choosing.voter_fit import fit_voters
    from kofinlaw.rag.choosing.weights_file import write_weights

    path = fitted_weights(run, system)
    folder = path.parent
    made_from = _made_from(run, system, questions, keys)
    if _read(folder / "made_from.json") == made_from:
        if path.is_file():
            return None
    else:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        write_jsonl(folder / "questions.jsonl", questions)
        write_jsonl(folder / "key.jsonl", keys)
        write_json(folder / "made_from.json", made_from)
    _answer(run, system, folder, progress)
    fit = fit_voters(_items(folder))
    write_weights(path, fit.weights, fit.to_record())
    return fit


def _made_from(
    run: Run, system: System, questions: Sequence[Question], keys: Sequence[Key]
) -> dict[str, object]:
    """Return what the weights depend on."""
    from kofinlaw.models.identity import model_fingerprint

    recipe = run.recipe
    asked = hashlib.sha256(repr([*questions, *keys]).encode("utf-8")).hexdigest()
    answer = recipe.answer.model_dump(
        mode="json", exclude={"voters", "voter_items", "budget_minutes", "sample_submission"}
    )
    corpus = run.folder / "data" / "chunks.jsonl"
    return {
        "questions": asked,
        "model": model_fingerprint(system_folder(run, system), recipe.answer.engine.gguf),
        "answer": answer,
        "rag": recipe.rag.model_dump(mode="json"),
        "corpus": sha256_file(corpus) if corpus.is_file() else "",
        "seed": recipe.seed,
    }


def _answer(run: Run, system: System, folder: Path, progress: Progress) -> None:
    """Answer the questions of a folder without a deadline, with every voter."""
    from kofinlaw.rag.choosing.voter_fit import FIT_VOTERS

    settings = run.recipe.answer.model_copy(
        update={
            "voters": dict.fromkeys(FIT_VOTERS, 1.0),
            "budget_minutes": None,
            "sample_submission": None,
        }
    )
    answer_with(
        run,
        system_folder(run, system),
        run.folder / "index" if system.endswith("rag") else None,
        folder / "questions.jsonl",
        folder / "answers",
        settings,
        progress,
        traced=False,
    )


def _items(folder: Path) -> list[FitItem]:
    """Return the answered questions of a folder with their votes."""
    from kofinlaw.rag.answer.journal import Turn
    from kofinlaw.rag.choosing.voter_fit import FitItem

    asked = {question.id: question for question in read_jsonl(folder / "questions.jsonl", Question)}
    # An item with several right answers has no single option to prefer.
    keys = read_jsonl(folder / "key.jsonl", Key)
    labels = {key.id: key.answer for key in keys if len(key.labels) == 1}
    return [
        FitItem(
            turn.id,
            turn.votes,
            turn.bearing,
            is_negative(asked[turn.id].question),
            int(labels[turn.id]) - 1,
        )
        for turn in read_jsonl(folder / "answers" / "plan.jsonl", Turn)
        if turn.turn == 0 and turn.votes and not turn.failed and turn.id in labels
    ]


def _read(path: Path) -> Mapping[str, object] | None:
    try:
        found = load_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise_if_machine(error, path)
        return None
    return found if isinstance(found, dict) else None
