"""Load the pages' templates with their style and scripts, and hash the scripts for the policy."""

from __future__ import annotations

import base64
import functools
import hashlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from kofinlaw.scoring.report.wording.glossary import GLOSSARY, marked

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["FIRST_SCRIPT", "FOLDER", "PAGE_SCRIPTS", "script_hashes", "template"]

FOLDER = Path(__file__).resolve().parent / "templates"
FIRST_SCRIPT = ("first.js",)  # runs before the page is drawn
PAGE_SCRIPTS = ("page.js",)


def template(
    name: str, folder: Path = FOLDER, *, scripts: Sequence[str] = PAGE_SCRIPTS
) -> Callable[..., str]:
    """Return a function that renders a template of `folder` with the values it gets.

    Every text is escaped. `css` holds the report's style, `first_js` and `js` the page's only
    scripts. Templates of other folders can use the macros of this one.

    Args:
        name: file of the template.
        folder: folder of the template.
        scripts: files of the scripts that run at the end of the page, in this order.
    """
    return partial(
        _environment(folder).get_template(name).render,
        css=(FOLDER / "report.css").read_text(encoding="utf-8"),
        first_js=_joined(FIRST_SCRIPT),
        js=_joined(scripts),
        script_hashes=script_hashes(scripts),
    )


def script_hashes(scripts: Sequence[str] = PAGE_SCRIPTS) -> str:
    """Return the sources of a page's scripts as the content security policy names them.

    The policy allows only these scripts, so no script inside an answer can run.
    """
    digests = (
        base64.b64encode(hashlib.sha256(_joined(files).encode("utf-8")).digest()).decode()
        for files in (FIRST_SCRIPT, scripts)
    )
    return " ".join(f"'sha256-{digest}'" for digest in digests)


@functools.cache
def _environment(folder: Path) -> Environment:
    """Return the environment of a folder; it keeps the compiled templates for the next page."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader([folder, FOLDER]), autoescape=True, undefined=StrictUndefined
    )
    environment.globals.update(marked=marked, glossary=GLOSSARY)
    return environment


def _joined(scripts: Sequence[str]) -> str:
    """Return the text of script files, one after the other."""
    return "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in scripts)
