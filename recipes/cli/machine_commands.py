"""Define the commands on the catalogue and this machine: models, doctor."""

from __future__ import annotations

from typing import Annotated

import typer

from kofinlaw.recipes.cli.console import print_json, say
from kofinlaw.recipes.cli.options import AsJson

__all__ = ["doctor", "models"]


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
    from kofinlaw.trainer.export.environment import environment_findings

    findings = [*examine_machine(), *environment_findings()]
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
