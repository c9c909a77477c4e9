"""Load the pages' templates, their style, and the script of a page with its hash."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

__all__ = ["FOLDER", "script", "template"]

FOLDER = Path(__file__).resolve().parent / "templates"


def template(name: str, folder: Path = FOLDER) -> Callable[..., str]:
    """Return a function that renders a template of `folder` with the values it gets.

    Every text is escaped, and `css` holds the report's style. Templates of other folders can use
    the macros of this one.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader([folder, FOLDER]), autoescape=True, undefined=StrictUndefined
    )
    css = (FOLDER / "report.css").read_text(encoding="utf-8")
    return partial(environment.get_template(name).render, css=css)


def script(name: str) -> dict[str, str]:
    """Return a page's only script as `js`, and its `script_hash` for the content security policy.

    The policy allows only this script, so no script inside an answer can run.
    """
    text = (FOLDER / name).read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode()
    return {"js": text, "script_hash": f"sha256-{digest}"}
