"""Define the command `bundle`: a run with all that it needs, for a machine without a network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kofinlaw import UserError
from kofinlaw.commands import command_line
from kofinlaw.recipes.cli.console import print_json, say, say_next, short_path
from kofinlaw.recipes.cli.options import AsJson, Trust
from kofinlaw.units import GIB

__all__ = ["bundle"]


def bundle(
    run: Annotated[
        Path, typer.Argument(help="The run; with --check, the bundle.", show_default=False)
    ],
    out: Annotated[
        Path | None, typer.Argument(help="New folder of the bundle.", show_default=False)
    ] = None,
    python: Annotated[
        str | None,
        typer.Option("--python", help="Python of the target: 3.11 or 3.11.2; default: this one."),
    ] = None,
    platform: Annotated[
        str | None,
        typer.Option(
            "--platform",
            help="Oldest platform that the bundle must run on, as manylinux_2_28_x86_64; default: "
            "the oldest that fits the wheels installed here.",
        ),
    ] = None,
    extra: Annotated[
        list[str] | None,
        typer.Option("--extra", help="Add an extra of kofinlaw: serve, mcp (repeatable)."),
    ] = None,
    use: Annotated[
        list[str] | None,
        typer.Option(
            "--use", help="NAME==VERSION: exactly this version of a package (repeatable)."
        ),
    ] = None,
    only_plan: Annotated[
        bool,
        typer.Option(
            "--plan",
            help="Only say sizes, packages and what is missing; exit code 1 if something is.",
        ),
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Check every file of a bundle; nothing is installed.")
    ] = False,
    trust: Trust = False,
    as_json: AsJson = False,
) -> None:
    """Write wheels, weights, index, recipe, licences and SBOM as one folder to install offline."""
    if check:
        if out is not None or only_plan:
            raise UserError("--check takes one bundle and no other option", where="--check")
        _check(run, as_json)
        return
    if out is None:
        raise UserError(
            "the folder of the bundle is not named", where="OUT", remedy="bundle RUN OUT"
        )
    from kofinlaw.recipes.bundling.packages import other_versions
    from kofinlaw.recipes.bundling.place import require_place
    from kofinlaw.recipes.bundling.plan import Wanted, make_plan
    from kofinlaw.recipes.bundling.target import default_python
    from kofinlaw.recipes.bundling.write import write_bundle
    from kofinlaw.recipes.pipeline.integrity.checks import require_stages
    from kofinlaw.recipes.pipeline.progress_display import stage_progress
    from kofinlaw.recipes.pipeline.run import reopen

    versions = other_versions(use or ())
    wanted = Wanted(python or default_python(), platform, tuple(extra or ()), versions)
    # Not `bound_run`: it keeps pip offline, and the wheels come from a package index.
    bound = reopen(run)
    require_place(out, bound)
    if only_plan:
        plan = make_plan(bound, out, wanted)
        if as_json:
            print_json(plan.to_record())
        else:
            for line in plan.lines():
                say(line)
        if plan.problems:
            raise typer.Exit(1)
        return
    require_stages(bound.folder, ("data", "index", "merge"), trust=trust, say=say)
    with stage_progress("bundle") as progress:
        figures = write_bundle(bound, out, wanted, progress)
    if as_json:
        print_json(figures.to_record())
        return
    say(f"{figures.files} files, {figures.bytes / GIB:.2f} GiB, {figures.wheels} wheels: {out}")
    for note in figures.notes:
        say(f"  {note}")
    for title, names in (
        ("no licence text in the wheel", figures.without_text),
        ("wheels built here from source", figures.built),
        ("versions that are not installed here", figures.other_versions),
        ("left out of the recipe's files", figures.left_out),
    ):
        if names:
            say(f"  {title}: {', '.join(names)}")
    say(f"  SHA-256 of SHA256SUMS: {figures.sums_sha256}")
    say("On the other machine: sh install.sh")
    say_next(command_line("bundle", "--check", short_path(out)))


def _check(folder: Path, as_json: bool) -> None:
    """Compare every file of a bundle with SHA256SUMS; exit with 1 if one differs."""
    from kofinlaw.recipes.bundling.installer import RefusedError, check_files, read_sums

    try:
        faults, count = check_files(folder), len(read_sums(folder))
    except RefusedError as refusal:
        raise UserError(
            f"this is not a bundle that can be installed: {refusal}", where=str(folder)
        ) from refusal
    if as_json:
        print_json({"ok": not faults, "files": count, "faults": faults})
    else:
        for fault in faults:
            say(fault)
        say(f"{count} files: {f'{len(faults)} differ' if faults else 'all as written'}")
    if faults:
        raise typer.Exit(1)
