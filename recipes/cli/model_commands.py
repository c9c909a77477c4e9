"""The commands on checkpoints and on this machine: merge, verify, convert, export, doctor ..."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kofinlaw import UserError
from kofinlaw.recipes.cli.binding import bound_run
from kofinlaw.recipes.cli.console import command_line, print_json, say, say_next
from kofinlaw.recipes.cli.options import AsJson
from kofinlaw.units import GIB

if TYPE_CHECKING:
    from kofinlaw.trainer.export.settings import ExportSettings


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
    weights: Annotated[str, typer.Option(help="For several adapters: 0.7,0.3")] = "",
    method: Annotated[
        str, typer.Option(help="For several: sum, linear, ties, dare_linear, dare_ties …")
    ] = "sum",
    density: Annotated[float, typer.Option(help="Share of values that ties and dare keep.")] = 0.5,
    accept_unrecorded: Annotated[
        bool,
        typer.Option("--accept-unrecorded", help="Merge an adapter that has no hash of its base."),
    ] = False,
) -> None:
    """Merge an adapter into its base, one shard at a time; write a standard checkpoint."""
    from kofinlaw.models.templates import template_for
    from kofinlaw.recipes.pipeline.progress import stage_progress
    from kofinlaw.trainer.merge.merge_model import merge_adapter

    if base not in ("dequantized", "original", "best"):
        raise UserError(
            f"unknown base {base!r}", where="--base", remedy="use dequantized, original or best"
        )
    if dtype not in ("bfloat16", "float16", "float32"):
        raise UserError(
            f"unknown dtype {dtype!r}", where="--dtype", remedy="use bfloat16, float16 or float32"
        )
    adapter = adapters[0]
    if len(adapters) > 1:
        from kofinlaw.trainer.merge.combine import combine_adapters

        adapter = out.with_name(f"{out.name}-adapter")
        shares = _weights(weights, len(adapters))
        combine_adapters(adapters, shares, adapter, method=method, density=density)
    folder = _base_folder(adapter, model)
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
                template=template_for(folder),
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
    say_next(command_line("verify", out, "--against", adapter))


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
            f"there are {wanted} adapters, but {len(found)} weights",
            where="--weights",
            remedy="give one weight for each adapter",
        )
    return found


def _base_folder(adapter: Path, model: str) -> Path:
    """The folder of the base model: `model` if it is given, else the base in the adapter's record.

    Raises UserError if neither names a base that is on this machine.
    """
    import json

    from kofinlaw.models.resolve import model_folder
    from kofinlaw.models.settings import ModelSettings
    from kofinlaw.recipes.pipeline.run import default_cache

    if not model:
        try:
            record = json.loads((adapter / "kofinlaw.json").read_text(encoding="utf-8"))
            model = str(record["base_id"])
        except (OSError, ValueError, KeyError) as error:
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
    return model_folder(settings, offline=True, cache=default_cache())


def verify(
    merged: Annotated[Path, typer.Argument(help="The merged checkpoint.")],
    against: Annotated[Path, typer.Option("--against", help="The adapter that was merged.")],
    model: Annotated[
        str, typer.Option("--model", help="Base: id or folder; default: as trained.")
    ] = "",
    questions: Annotated[
        Path | None, typer.Option(help="Questions that both models answer.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder for verify.json and its page.")] = Path(
        "verify"
    ),
) -> None:
    """Check that a merged checkpoint behaves like base + adapter; exit code 1 if it does not."""
    from kofinlaw.files import read_jsonl
    from kofinlaw.models.templates import template_for
    from kofinlaw.recipes.pipeline.progress import stage_progress
    from kofinlaw.records import Question
    from kofinlaw.trainer.proof.prove import prove_merge

    base = _base_folder(against, model)
    with stage_progress("verify") as progress:
        proof = prove_merge(
            merged,
            against,
            base,
            questions=list(read_jsonl(questions, Question)) if questions is not None else (),
            template=template_for(base),
            out=out,
            progress=progress,
        )
    say(f"verdict: {proof.verdict}  ({out / 'verify.json'})")
    if proof.verdict != "pass":
        raise typer.Exit(1)
    say_next(command_line("export", merged, "--to", "gguf", "--out", "EXPORTED"))


def convert_llama(
    source: Annotated[Path, typer.Argument(help="An EXAONE 3.x checkpoint.")],
    out: Annotated[Path, typer.Argument(help="Folder of the Llama checkpoint.")],
    base: Annotated[
        Path | None,
        typer.Option(help="For an adapter: its base model, already converted."),
    ] = None,
) -> None:
    """Convert EXAONE 3.x to Llama: rename every tensor and translate every config value."""
    from kofinlaw.trainer.convert.checkpoint import exaone_to_llama

    converted = exaone_to_llama(source, out, base=base)
    say(f"{converted.tensors} tensors renamed into {out}")
    say_next(command_line("plan", "RECIPE", "--set", f"model.path={out}"))


def convert_exaone(
    source: Annotated[Path, typer.Argument(help="A checkpoint made by `convert llama`.")],
    out: Annotated[Path, typer.Argument(help="Folder of the EXAONE checkpoint.")],
    base: Annotated[
        Path | None,
        typer.Option(help="For an adapter: its base model, already converted."),
    ] = None,
) -> None:
    """Convert back: Llama names to EXAONE 3.x names."""
    from kofinlaw.trainer.convert.checkpoint import llama_to_exaone

    converted = llama_to_exaone(source, out, base=base)
    say(f"{converted.tensors} tensors renamed into {out}")


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
) -> None:
    """Write a merged checkpoint in another format and measure what it lost."""
    from kofinlaw.recipes.pipeline.progress import stage_progress
    from kofinlaw.recipes.pipeline.run import corpus_files, default_cache, question_files, reopen
    from kofinlaw.trainer.export.formats import export_model
    from kofinlaw.trainer.export.push import check_push, push_export
    from kofinlaw.trainer.proof.exports import prove_exports

    if contest:
        _export_for_contest(merged, run, out)
        return
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
            cache=default_cache(),
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


def _export_for_contest(merged: Path, run: Path | None, out: Path) -> None:
    """Write the contest folder with the settings and the chunks of `run` (None: the newest run)."""
    from kofinlaw.models.templates import template_for
    from kofinlaw.rag.contest.folder import export_contest

    bound = bound_run(run)
    counts = export_contest(
        merged,
        bound.folder / "data" / "chunks.jsonl",
        out,
        template=template_for(merged),
        rag=bound.recipe.rag,
        answer=bound.recipe.answer,
    )
    say(f"{counts.passages} passages and the model, {counts.bytes / GIB:.2f} GiB: {out}")
    script = shlex.join([str(out / "answer.py"), "--questions", "test.csv"])
    say_next(f"python {script} --out submission.csv")


def _export_settings(to: str) -> ExportSettings:
    """The settings of an export to the formats in `to`; `gguf` means `gguf-q8_0`.

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


def models(
    fits: Annotated[float, typer.Option("--fits", help="GPU memory in GiB.")] = 24.0,
    policy: Annotated[
        str, typer.Option("--policy", help="open, research, commercial or contest-2025.")
    ] = "open",
    as_json: AsJson = False,
) -> None:
    """List the models: what fits the GPU in 4, 8 and 16 bit, and what the policy allows."""
    from kofinlaw.models.listing import listing_lines, listing_rows

    rows = listing_rows(fits, policy)
    if as_json:
        print_json(rows)
        return
    for line in listing_lines(rows, fits, policy):
        say(line)


def doctor(as_json: AsJson = False) -> None:
    """Check this machine: Python, torch, GPU, memory, disk, extras, versions; print remedies."""
    import dataclasses

    from kofinlaw.models.doctor import examine_machine

    findings = examine_machine()
    bad = [finding for finding in findings if not finding.ok]
    if as_json:
        print_json({"ok": not bad, "findings": [dataclasses.asdict(f) for f in findings]})
    else:
        for finding in findings:
            mark = "ok " if finding.ok else "fix"
            wanted = f" (wanted: {finding.wanted})" if finding.wanted and not finding.ok else ""
            say(f"{mark}  {finding.name:<24}{finding.found}{wanted}")
            if finding.remedy and not finding.ok:
                say(f"      → {finding.remedy}")
    if bad:
        raise typer.Exit(1)
