"""Prompts are files, each with a version: changing one changes its requests and no others."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.resources import files

from kofinlaw import UserError
from kofinlaw.files import sha256_text

_VERSION = re.compile(r"<!-- version: (\S+) -->\n")
_HOLE = re.compile(r"\{(title|place|passage|question|answer)\}")


@dataclass(frozen=True)
class Prompt:
    """A prompt file: its text with holes (`{passage}`), its version and the hash of both."""

    name: str
    text: str
    version: str
    sha256: str

    def filled(self, **values: str) -> str:
        """The text with its holes filled; braces of the JSON examples stay as they are."""
        return _HOLE.sub(lambda hole: values[hole.group(1)], self.text)


def read_prompt(name: str) -> Prompt:
    """The prompt file `augment/teacher/prompts/NAME.md`; its first line names its version.

    Raises UserError where the first line does not.
    """
    text = files("kofinlaw.augment.teacher").joinpath("prompts", f"{name}.md").read_text("utf-8")
    match = _VERSION.match(text)
    if match is None:
        raise UserError(f"the prompt {name} does not begin with its version", where=f"{name}.md:1")
    return Prompt(name, text[match.end() :].rstrip("\n"), match.group(1), sha256_text(text))
