"""The pages' templates: every text escaped, one style, a page's one script named by its hash."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "templates"


def template(name: str, folder: Path = FOLDER) -> Callable[..., str]:
    """What renders a template of `folder`, given its values; the report's style is among them."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader([folder, FOLDER]), autoescape=True, undefined=StrictUndefined
    )
    css = (FOLDER / "report.css").read_text(encoding="utf-8")
    return partial(environment.get_template(name).render, css=css)


def script(name: str) -> dict[str, str]:
    """A page's only script as `js`, and its `script_hash` for the content security policy: nothing
    in an answer can run beside it."""
    text = (FOLDER / name).read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode()
    return {"js": text, "script_hash": f"sha256-{digest}"}
