"""Define the command `export`: write a merged checkpoint in other formats or for the contest."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kofinlaw import UserError
from kofinlaw.recipes.cli.binding import bound_run
from kofinlaw.recipes.cli.console import say
from kofinlaw.recipes.cli.options import Trust
from kofinlaw.units import GIB

if TYPE_CHECKING:
    from kofinlaw.recipes.pipeline.run import Run
    from kofinlaw.trainer.export.settings import ExportSettings

__all__ = ["export"]


def export(
    merged: Annotated[Path, typer.Argument(help="The merged checkpoint.")],
    out: Annotated[Path, typer.Option("--out", help="Folder of the export.")],
    to: Annotated[
        str,
        typer.Option("--to", help="gguf, gguf-q8_0, bnb-4bit, gptq, hf …; several with commas."),
    ] = "",
    contest: Annotated[
        bool,
        typer.Option("--contest", help="Write weights, index and an answer.py for Python 3.10."),
    ] = False,
    compare: Annotated[
        int,
        typer.Option(
            "--compare",
            help="With --contest: answer so many of the run's questions with the folder's model "
            "and print how many answers are the same.",
        ),
    ] = 0,
    run: Annotated[
        Path | None,
        typer.Option(help="The model's run: its chunks calibrate and measure, its questions test."),
    ] = None,
    push: Annotated[
        str,
        typer.Option("--push", help="Upload to OWNER/NAME on the Hub, private."),
    ] = "",
    token: Annotated[
        str, typer.Option("--token", help="For --push; no stored token is used.")
    ] = "",
    trust: Trust = False,
) -> None:
    """Write a merged checkpoint in another format and measure what it lost."""
    from kofinlaw.files import cache_folder
    from kofinlaw.recipes.pipeline.integrity.checks import require_path, require_stages
    from kofinlaw.recipes.pipeline.progress_display import stage_progress
    from kofinlaw.recipes.pipeline.run import corpus_files, question_files, reopen
    from kofinlaw.trainer.export.export_formats import export_model
    from kofinlaw.trainer.export.push import check_push, push_export
    from kofinlaw.trainer.proof.export_proof import prove_exports

    require_path(merged, trust=trust, say=say)
    if run is not None:
        require_stages(run, ("data", "augment", "questions"), trust=trust, say=say)
    if contest:
        _export_for_contest(merged, run, out, compare)
        return
    if compare:
        raise UserError("--compare belongs to --contest", where="--compare")
    settings = _export_settings(to)
    if push or token:
        check_push(push, token)
        if len(settings.formats) > 1:
            raise UserError(
                "one repository takes one format",
                where="--push",
                remedy="name a single format with --to",
            )
    corpus: dict[str, Path] = {}
    asked: dict[str, Path] = {}
    if run is not None:
        bound = reopen(run)
        corpus, asked = corpus_files(bound), question_files(bound)
    with stage_progress("export") as progress:
        written = export_model(
            settings,
            merged,
            out,
            chunks=corpus.get("chunks"),
            examples=corpus.get("examples"),
            cache=cache_folder(),
            progress=progress,
        )
        proof = prove_exports(
            out,
            merged,
            chunks=corpus.get("chunks"),
            examples=corpus.get("examples"),
            questions=asked.get("questions"),
            key=asked.get("key"),
            progress=progress,
        )
    for name, value in {**written.to_record(), **proof.to_record()}.items():
        say(f"  {name}: {value}")
    if push:
        say(f"uploaded to {push_export(out, settings.formats[0], push, token)}")


def _export_for_contest(merged: Path, run: Path | None, out: Path, compare: int) -> None:
    """Write the contest folder with the settings and the chunks of `run`.

    None is the newest run with an index. Where the run has answered questions, the folder is
    compared with its passages, and with the answers to `compare` of them.
    """
    from kofinlaw.models.templates import template_for
    from kofinlaw.rag.contest.contest_rules import check_answering
    from kofinlaw.rag.contest.folder import export_contest
    from kofinlaw.recipes.pipeline.fitting.voter_fitting import serving_settings

    bound = bound_run(run)
    counts = export_contest(
        merged,
        bound.folder / "data" / "chunks.jsonl",
        out,
        template=template_for(merged),
        rag=bound.recipe.rag,
        answer=serving_settings(bound),
    )
    say(f"{counts.passages} passages and the model, {counts.bytes / GIB:.2f} GiB: {out}")
    for line in _losses(bound, out, compare):
        say(line)
    for verdict in check_answering(bound.recipe.policy, bound.recipe.answer):
        if not verdict.ok:
            say(f"{bound.recipe.policy} refuses this: {verdict.detail} ({verdict.clause})")
    script = shlex.join([str(out / "answer.py"), "--questions", "test.csv"])
    say(f"On the contest's machine: python {script} --out submission.csv")


def _losses(bound: Run, folder: Path, compare: int) -> list[str]:
    """Return what the folder does differently from the run, on the questions that it answered."""
    from kofinlaw.data.law.versions import read_chunks
    from kofinlaw.files import read_json_lines, read_jsonl
    from kofinlaw.rag.contest.parity import compare_folder
    from kofinlaw.rag.questions.question_files import read_questions
    from kofinlaw.recipes.pipeline.fitting.voter_fitting import serving_system
    from kofinlaw.recipes.pipeline.progress_display import stage_progress
    from kofinlaw.recipes.pipeline.run import SYSTEM_STAGES
    from kofinlaw.records import Answer

    answered = bound.folder / SYSTEM_STAGES[serving_system(bound)]
    evidence = answered / "evidence.jsonl"
    if not (evidence.is_file() and bound.questions_path.is_file()):
        return ["not compared: the run has no answers with evidence yet"]
    texts = {c.id: c.text for c in read_chunks(bound.folder / "data" / "chunks.jsonl")}
    found = {
        str(row["id"]): [texts.get(hit["chunk"], "") for hit in row["hits"]]
        for _, row in read_json_lines(evidence)
    }
    given = read_jsonl(answered / "answers.jsonl", Answer)
    # The folder refuses no question.
    answers = {row.id: row.answer for row in given if row.origin != "abstention"}
    with stage_progress("compare") as progress:
        return compare_folder(
            folder,
            read_questions(bound.questions_path).questions,
            found,
            answers,
            limit=compare,
            progress=progress,
        ).lines()


def _export_settings(to: str) -> ExportSettings:
    """Return the settings of an export to the formats in `to`; `gguf` means `gguf-q8_0`.

    Raises UserError for an unknown format.
    """
    import typing

    from kofinlaw.trainer.export.settings import ExportSettings

    (known,) = typing.get_args(ExportSettings.model_fields["formats"].annotation)[:1]
    formats = typing.get_args(known)
    asked = [name.strip() for name in to.split(",")]
    names = ["gguf-q8_0" if name == "gguf" else name for name in asked]
    unknown = [name for name in names if name not in formats]
    if unknown:
        raise UserError(
            f"no such format: {', '.join(unknown)}",
            where="--to",
            remedy=f"known: gguf, {', '.join(formats)}",
        )
    return ExportSettings.model_validate({"formats": list(dict.fromkeys(names))})
