"""Render the proof of a merge as a page in both languages, from `verify.json`."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from kofinlaw.scoring.report.page_stages import proof_context
from kofinlaw.scoring.report.report_record import MergeFigures
from kofinlaw.scoring.report.template import template
from kofinlaw.tolerant_files import read_json

__all__ = ["proof_page"]


def proof_page(run: Path) -> str | None:
    """Return the page of the run's proof.

    The result is None if `verify.json` is absent, unreadable, or a link out of the run's folder.
    """
    path = (run / "verify" / "verify.json").resolve()
    if not path.is_relative_to(run.resolve()):
        return None
    merge = cast("MergeFigures | None", read_json(path))
    if not merge or not isinstance(merge.get("checks"), list):
        return None
    return template("proof.html")(run=run.name, **proof_context(merge))
