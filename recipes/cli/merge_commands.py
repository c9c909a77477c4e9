"""Define the commands that make and check checkpoints: merge, verify, convert."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from kofinlaw import UserError
from kofinlaw.decoding import load_json
from kofinlaw.errors import raise_if_machine
from kofinlaw.recipes.cli.binding import output_folder
from kofinlaw.recipes.cli.console import command_line, say, say_next, short_path
from kofinlaw.recipes.cli.options import Trust

__all__ = ["convert_exaone", "convert_llama", "merge", "verify"]


def merge(
    adapters: Annotated[list[Path], typer.Argument(help="The adapter's folder, or several.")],
    out: Annotated[Path, typer.Option("--out", help="Folder of the merged checkpoint.")],
    base: Annotated[
        str, typer.Option("--base", help="dequantized, original or best.")
    ] = "dequantized",
    model: Annotated[
        str, typer.Option("--model", help="Base: id or folder; default: as trained.")
    ] = "",
    dtype: Annotated[str, typer.Option(help="bfloat16 or float16.")] = "bfloat16",
    name: Annotated[str, typer.Option("--name", help="The merged model's name.")] = "",
    weights: Annotated[
        str, typer.Option(help="Share of the adapter's change, 0.5; of several: 0.7,0.3")
    ] = "",
    method: Annotated[
        str, typer.Option(help="For several: sum, linear, ties, dare_linear, dare_ties …")
    ] = "sum",
    density: Annotated[float, typer.Option(help="Share of values that ties and dare keep.")] = 0.5,
    accept_unrecorded: Annotated[
        bool,
        typer.Option("--accept-unrecorded", help="Merge an adapter that has no hash of its base."),
    ] = False,
    trust: Trust = False,
) -> None:
    """Merge an adapter into its base, one shard at a time; write a standard checkpoint."""
    from kofinlaw.recipes.pipeline.integrity.checks import require_path
    from kofinlaw.recipes.pipeline.progress_display import stage_progress
    from kofinlaw.trainer.merge.merge_model import merge_adapter

    if base not in ("dequantized", "original", "best"):
        raise UserError(
            f"unknown base {base!r}", where="--base", remedy="use dequantized, original or best"
        )
    if dtype not in ("bfloat16", "float16", "float32"):
        raise UserError(
            f"unknown dtype {dtype!r}", where="--dtype", remedy="use bfloat16, float16 or float32"
        )
    for one in adapters:
        require_path(one, trust=trust, say=say)
    adapter = adapters[0]
    shares = _weights(weights, len(adapters))
    folder = _base_folder(adapter, model)
    if shares != [1.0]:
        from kofinlaw.trainer.merge.combine import combine_adapters

        adapter = out.with_name(f"{out.name}-adapter")
        combine_adapters(adapters, shares, adapter, method=method, density=density, base=folder)
    with stage_progress("merge") as progress:
        if base == "best":
            from kofinlaw.trainer.proof.best_base import merge_on_better_base

            result = merge_on_better_base(
                adapter,
                folder,
                out,
                dtype=dtype,
                name=name or None,
                accept_unrecorded=accept_unrecorded,
                progress=progress,
            )
        else:
            result = merge_adapter(
                adapter,
                folder,
                out,
                base=base,
                dtype=dtype,
                name=name or None,
                accept_unrecorded=accept_unrecorded,
                progress=progress,
            )
    changed = result.counts.tensors_with_adapter
    say(f"merged {changed} weights into {out}, on the {result.base} base")
    based = ["--model", model] if model else []
    say_next(command_line("verify", out, "--against", adapter, *based))


def _weights(text: str, wanted: int) -> list[float]:
    """Parse `0.7,0.3` into one number per adapter; an empty text gives equal weights.

    Raises UserError if a part is not a number or the count is wrong.
    """
    if not text:
        return [1 / wanted] * wanted
    try:
        found = [float(part) for part in text.split(",")]
    except ValueError as error:
        raise UserError(
            f"{text!r} is not a list of numbers", where="--weights", remedy="for example 0.7,0.3"
        ) from error
    if len(found) != wanted:
        raise UserError(
            f"there are {wanted} adapters, but {len(found)} weights"
            if wanted > 1
            else f"there is one adapter, but {len(found)} weights",
            where="--weights",
            remedy="give one weight for each adapter",
        )
    return found


def _base_folder(adapter: Path, model: str) -> Path:
    """Return the base model's folder: `model` if given, else the base in the adapter's record.

    Raises UserError if neither names a base that is on this machine.
    """
    from kofinlaw.files import cache_folder
    from kofinlaw.models.resolve import model_folder
    from kofinlaw.models.settings import ModelSettings

    if not model:
        try:
            record = load_json((adapter / "kofinlaw.json").read_text(encoding="utf-8"))
            model = str(record["base_id"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise_if_machine(error, adapter / "kofinlaw.json")
            raise UserError(
                "the adapter's record does not name its base model",
                where=str(adapter / "kofinlaw.json"),
                remedy="name it with --model ID_OR_FOLDER",
            ) from error
    settings = (
        ModelSettings(id=model, path=Path(model).resolve())
        if Path(model).is_dir()
        else ModelSettings(id=model)
    )
    return model_folder(settings, offline=True, cache=cache_folder())


def verify(
    merged: Annotated[
        Path, typer.Argument(help="The merged checkpoint; or a run: checks its finished stages.")
    ],
    against: Annotated[
        Path | None, typer.Option("--against", help="The adapter that was merged.")
    ] = None,
    model: Annotated[
        str, typer.Option("--model", help="Base: id or folder; default: as trained.")
    ] = "",
    questions: Annotated[
        Path | None, typer.Option(help="Questions that both models answer.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder for verify.json; default: in the run, or next to it."),
    ] = None,
    accept: Annotated[
        list[str] | None,
        typer.Option(
            "--accept", help="With a run: record the files of this stage as they are (repeatable)."
        ),
    ] = None,
    trust: Trust = False,
) -> None:
    """Check a merged checkpoint against base + adapter, or the files of a run.

    Exit code 1 if they differ.
    """
    if against is None and (merged / "recipe.yaml").is_file():
        _verify_run(merged, accept or ())
        return
    if against is None or accept:
        raise UserError(
            "--accept belongs to a run" if accept else "the adapter is missing",
            where=str(merged),
            remedy="name the adapter with --against ADAPTER to check a merged checkpoint, or name "
            "a run's folder alone to check its files",
        )
    from kofinlaw.rag.questions.question_files import read_questions
    from kofinlaw.recipes.pipeline.integrity.checks import require_path
    from kofinlaw.recipes.pipeline.progress_display import stage_progress
    from kofinlaw.trainer.proof.proof_result import ROUNDING_REMEDY
    from kofinlaw.trainer.proof.prove import prove_merge

    for one in (merged, against):
        require_path(one, trust=trust, say=say)
    base = _base_folder(against, model)
    out = out or output_folder(merged, "verified")
    with stage_progress("verify") as progress:
        proof = prove_merge(
            merged,
            against,
            base,
            questions=read_questions(questions).questions if questions is not None else (),
            out=out,
            progress=progress,
        )
    say(f"verdict: {proof.verdict}  ({short_path(out / 'verify.md')})")
    if proof.cause is not None:
        say(f"cause: {proof.cause}\n  → {ROUNDING_REMEDY}")
    if proof.verdict != "pass":
        raise typer.Exit(1)
    exported = merged.with_name(f"{merged.name}-hf")
    say_next(command_line("export", merged, "--to", "hf", "--out", exported))


def _verify_run(folder: Path, accept: Sequence[str]) -> None:
    """Compare the files of a run's finished stages with their records; each file is read.

    Stages in `accept` are recorded as they are now. Exit code 1 if another stage changed.
    """
    from kofinlaw.commands import again_command
    from kofinlaw.recipes.pipeline.integrity.checks import Checks, accept_stage, stages_in
    from kofinlaw.recipes.pipeline.lock import run_lock

    folder = folder.resolve()
    found = stages_in(folder)
    unknown = [name for name in accept if name not in found]
    if unknown:
        raise UserError(
            f"this run has no finished stage `{unknown[0]}`",
            where="--accept",
            remedy=f"its stages are {', '.join(found)}",
        )
    damaged = []
    # Without `--accept` nothing is written but missing hashes, also of a run that is at work.
    with run_lock(folder, say) if accept else nullcontext():
        checks = Checks(folder, fresh=True)
        for name in found:
            if name in accept:
                before = accept_stage(folder / name)
                said = ", ".join(map(str, before.changes)) or before.broken or "nothing changed"
                say(f"{name}: recorded as it is now ({said})")
                continue
            state = checks.state(name)
            if state.recorded is None and state.intact:
                say(f"{name}: an earlier version recorded no hashes; {_recorded(folder / name)}")
            elif state.intact:
                say(f"{name}: unchanged, {state.recorded} files")
            else:
                damaged.append(name)
                say(f"{name}: CHANGED")
                for line in state.changes or (state.broken,):
                    say(f"  {line}")
            for line in state.extra:
                say(f"  {line}: not written by the stage, not read")
    if accept:
        recipe = folder / "recipe.yaml"
        again = command_line("run", short_path(recipe), "--folder", short_path(folder))
        say(f"Stages that read it run again with `{again}`.")
    if damaged:
        say("Restore the files, or run each stage again:")
        for name in damaged:
            say(f"  {again_command(name, folder)}")
        say("If you changed the files of a stage on purpose:")
        for name in damaged:
            say(f"  {command_line('verify', short_path(folder), '--accept', name)}")
        raise typer.Exit(1)


def _recorded(stage: Path) -> str:
    """Record the hashes of a stage that has none; return whether that worked, for a message."""
    from kofinlaw.recipes.pipeline.integrity.checks import accept_stage

    try:
        accept_stage(stage)
    except UserError as error:  # a folder that may only be read
        return f"they cannot be recorded: {error.message}"
    return "recorded now, unchecked"


def convert_llama(
    source: Annotated[Path, typer.Argument(help="An EXAONE 3.x checkpoint.")],
    out: Annotated[Path, typer.Argument(help="Folder of the Llama checkpoint.")],
    base: Annotated[
        Path | None,
        typer.Option(help="For an adapter: its base model, already converted."),
    ] = None,
) -> None:
    """Convert EXAONE 3.x to Llama: rename every tensor and translate every config value."""
    from kofinlaw.trainer.convert.model_conversion import exaone_to_llama

    converted = exaone_to_llama(source, out, base=base)
    say(f"{converted.tensors} tensors renamed into {out}")
    if base is None:  # else `out` is an adapter
        say_next(command_line("plan", "exaone-3.5-7.8b", "--set", f"model.path={out}"))


def convert_exaone(
    source: Annotated[Path, typer.Argument(help="A checkpoint made by `convert llama`.")],
    out: Annotated[Path, typer.Argument(help="Folder of the EXAONE checkpoint.")],
    base: Annotated[
        Path | None,
        typer.Option(help="For an adapter: its base model, already converted."),
    ] = None,
) -> None:
    """Convert back: Llama names to EXAONE 3.x names."""
    from kofinlaw.trainer.convert.model_conversion import llama_to_exaone

    converted = llama_to_exaone(source, out, base=base)
    say(f"{converted.tensors} tensors renamed into {out}")
