"""The commands on checkpoints and this machine: merge, verify, convert, export, models, doctor."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kofinlaw import UserError
from kofinlaw.recipes.cli.app import AsJson, app, print_json, say, say_next

if TYPE_CHECKING:
    from kofinlaw.trainer.export.settings import ExportSettings


@app.command()
def merge(
    adapters: Annotated[list[Path], typer.Argument(help="The adapter's folder; or several.")],
    out: Annotated[Path, typer.Option("--out", help="Where the merged checkpoint goes.")],
    base: Annotated[
        str, typer.Option("--base", help="dequantized, original or best.")
    ] = "dequantized",
    model: Annotated[
        str, typer.Option("--model", help="Base: id or folder; default: as trained.")
    ] = "",
    dtype: Annotated[str, typer.Option(help="bfloat16 or float16.")] = "bfloat16",
    name: Annotated[str, typer.Option("--name", help="The merged model's name.")] = "",
    weights: Annotated[str, typer.Option(help="Of several adapters: 0.7,0.3")] = "",
    method: Annotated[
        str, typer.Option(help="Of several: sum, linear, ties, dare_linear, dare_ties …")
    ] = "sum",
    density: Annotated[float, typer.Option(help="Share of values that ties and dare keep.")] = 0.5,
    accept_unrecorded: Annotated[
        bool,
        typer.Option("--accept-unrecorded", help="Merge an adapter that names no base hash."),
    ] = False,
) -> None:
    """Merge an adapter into its base, shard by shard, and write a checkpoint others can read."""
    from kofinlaw.models.templates import template_for
    from kofinlaw.recipes.pipeline.progress import stage_progress
    from kofinlaw.trainer.merge.combine import combine_adapters
    from kofinlaw.trainer.merge.merge_model import merge as merge_adapter
    from kofinlaw.trainer.proof.best_base import merge_best

    if base not in ("dequantized", "original", "best"):
        raise UserError(f"--base takes dequantized, original or best, not {base!r}", where="--base")
    if dtype not in ("bfloat16", "float16", "float32"):
        raise UserError(
            f"--dtype takes bfloat16, float16 or float32, not {dtype!r}", where="--dtype"
        )
    adapter = adapters[0]
    if len(adapters) > 1:
        adapter = out.with_name(f"{out.name}-adapter")
        shares = _weights(weights, len(adapters))
        combine_adapters(adapters, shares, adapter, method=method, density=density)
    folder = _base_folder(adapter, model)
    options: dict[str, Any] = {"dtype": dtype, "name": name or None}
    options["accept_unrecorded"] = accept_unrecorded
    with stage_progress("merge") as progress:
        if base == "best":
            options |= {"template": template_for(folder), "progress": progress}
            counts = merge_best(adapter, folder, out, **options)
        else:
            counts = merge_adapter(adapter, folder, out, base=base, progress=progress, **options)
    say(f"merged {counts['tensors_with_adapter']} weights into {out}, on the {counts['base']} base")
    say_next(f"kofinlaw verify {out} --against {adapter}")


def _weights(text: str, wanted: int) -> list[float]:
    """`0.7,0.3` as numbers, one an adapter; without any, all weigh the same."""
    if not text:
        return [1 / wanted] * wanted
    try:
        found = [float(part) for part in text.split(",")]
    except ValueError as error:
        raise UserError(f"--weights takes numbers, not {text!r}", where="--weights") from error
    if len(found) != wanted:
        raise UserError(f"{wanted} adapters, but {len(found)} weights", where="--weights")
    return found


def _base_folder(adapter: Path, model: str) -> Path:
    """The base an adapter was trained on: named, or looked up in the adapter's record."""
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
                "the adapter does not say which base it belongs to",
                where=str(adapter / "kofinlaw.json"),
                remedy="name it with --model ID_OR_FOLDER",
            ) from error
    settings = (
        ModelSettings(id=model, path=Path(model).resolve())
        if Path(model).is_dir()
        else ModelSettings(id=model)
    )
    return model_folder(settings, offline=True, cache=default_cache())


@app.command()
def verify(
    merged: Annotated[Path, typer.Argument(help="The merged checkpoint.")],
    against: Annotated[Path, typer.Option("--against", help="The adapter it was made from.")],
    model: Annotated[
        str, typer.Option("--model", help="Base: id or folder; default: as trained.")
    ] = "",
    questions: Annotated[Path | None, typer.Option(help="Questions to answer with both.")] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder for verify.json and its page.")] = Path(
        "verify"
    ),
) -> None:
    """Prove that a merged checkpoint behaves like base + adapter; exit code 1 if it does not."""
    from kofinlaw.models.templates import template_for
    from kofinlaw.recipes.pipeline.progress import stage_progress
    from kofinlaw.trainer.proof.prove import verify_stage
    from kofinlaw.trainer.proof.settings import VerifySettings

    base = _base_folder(against, model)
    with stage_progress("verify") as progress:
        result = verify_stage(
            VerifySettings(),
            merged=merged,
            adapter=against,
            base=base,
            questions=questions,
            template=template_for(base),
            out=out,
            progress=progress,
        )
    say(f"verdict: {result['verdict']}  ({out / 'verify.json'})")
    if result["verdict"] != "pass":
        raise typer.Exit(1)
    say_next(f"kofinlaw export {merged} --to gguf --out EXPORTED")


convert_app = typer.Typer(no_args_is_help=True, help="Rename a checkpoint's tensors, bit for bit.")
app.add_typer(convert_app, name="convert")


@convert_app.command("llama")
def convert_llama(
    source: Annotated[Path, typer.Argument(help="An EXAONE 3.x checkpoint.")],
    out: Annotated[Path, typer.Argument(help="Where the Llama checkpoint goes.")],
    base: Annotated[
        Path | None, typer.Option(help="For an adapter: the converted base it then belongs to.")
    ] = None,
) -> None:
    """EXAONE 3.x to Llama: every tensor renamed, every config value read, nothing guessed."""
    from kofinlaw.trainer.convert.checkpoint import exaone_to_llama

    counts = exaone_to_llama(source, out, base=base)
    say(f"{counts.get('tensors', '')} tensors renamed into {out}")
    say_next(f"kofinlaw plan RECIPE --set model.path={out}")


@convert_app.command("exaone")
def convert_exaone(
    source: Annotated[Path, typer.Argument(help="A checkpoint made by `convert llama`.")],
    out: Annotated[Path, typer.Argument(help="Where the EXAONE checkpoint goes.")],
    base: Annotated[
        Path | None, typer.Option(help="For an adapter: the converted base it then belongs to.")
    ] = None,
) -> None:
    """The way back: Llama names to EXAONE 3.x names."""
    from kofinlaw.trainer.convert.checkpoint import llama_to_exaone

    counts = llama_to_exaone(source, out, base=base)
    say(f"{counts.get('tensors', '')} tensors renamed into {out}")


@app.command()
def export(
    merged: Annotated[Path, typer.Argument(help="The merged checkpoint.")],
    out: Annotated[Path, typer.Option("--out", help="Folder of the export.")],
    to: Annotated[
        str, typer.Option("--to", help="gguf, gguf-q8_0, bnb-4bit, gptq, hf …; several by commas.")
    ] = "",
    contest: Annotated[
        bool,
        typer.Option("--contest", help="Weights, index and answer.py for Python 3.10."),
    ] = False,
    run: Annotated[
        Path | None,
        typer.Option(help="The run it came from: chunks to calibrate and measure on, questions."),
    ] = None,
    push: Annotated[str, typer.Option("--push", help="OWNER/NAME on the Hub, private.")] = "",
    token: Annotated[str, typer.Option("--token", help="For --push; none is looked up.")] = "",
) -> None:
    """Write a merged checkpoint in another format and state what it lost."""
    from kofinlaw.recipes.pipeline.progress import stage_progress
    from kofinlaw.recipes.pipeline.run import corpus_files, default_cache, question_files, reopen
    from kofinlaw.trainer.export.formats import export_stage
    from kofinlaw.trainer.export.push import check_push, push_export
    from kofinlaw.trainer.proof.exports import prove_exports

    if contest:
        from kofinlaw.recipes.cli.answer_commands import export_for_contest

        export_for_contest(merged, run, out)
        return
    settings = _export_settings(to)
    if push or token:
        check_push(push, token)
        if len(settings.formats) > 1:
            raise UserError(
                "one repository takes one format", where="--push", remedy="name one with --to"
            )
    corpus: dict[str, Any] = {}
    asked: dict[str, Any] = {}
    if run is not None:
        bound = reopen(run)
        corpus, asked = dict(corpus_files(bound)), dict(question_files(bound))
    with stage_progress("export") as progress:
        counts = export_stage(
            settings, merged, out, **corpus, cache=default_cache(), progress=progress
        )
        counts |= prove_exports(out, merged, **corpus, **asked, progress=progress)
    for name, value in counts.items():
        say(f"  {name}: {value}")
    if push:
        say(f"uploaded to {push_export(out, settings.formats[0], push, token)}")


def _export_settings(to: str) -> ExportSettings:
    """The formats of an export; `gguf` is 8 bit. Raises UserError for one we do not write."""
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


@app.command()
def models(
    fits: Annotated[float, typer.Option("--fits", help="GiB of the card.")] = 24.0,
    policy: Annotated[
        str, typer.Option("--policy", help="open, research, commercial or contest-2025.")
    ] = "open",
    as_json: AsJson = False,
) -> None:
    """List the catalogue: what fits the card in 4, 8 and 16 bit, and what the policy allows."""
    from kofinlaw.models.listing import listing_lines, listing_rows

    rows = listing_rows(fits, policy)
    if as_json:
        print_json(rows)
        return
    for line in listing_lines(rows, fits, policy):
        say(line)


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Check this machine: Python, torch, GPU, memory, disk, extras, versions; print remedies."""
    import dataclasses

    from kofinlaw.models.doctor import doctor as examine

    findings = examine()
    bad = [finding for finding in findings if not finding.ok]
    if as_json:
        print_json({"ok": not bad, "findings": [dataclasses.asdict(f) for f in findings]})
    else:
        for finding in findings:
            mark = "ok  " if finding.ok else "mend"
            wanted = f" (wanted: {finding.wanted})" if finding.wanted and not finding.ok else ""
            say(f"{mark}  {finding.name:<24}{finding.found}{wanted}")
            if finding.remedy and not finding.ok:
                say(f"      → {finding.remedy}")
    if bad:
        raise typer.Exit(1)
